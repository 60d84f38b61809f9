// Package pattern matches paths with the patterns of Casbin's matcher functions: it
// checks and compiles the patterns, and splits them into segments.
package pattern

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// kind is what a segment of a path pattern matches.
type kind int

const (
	Literal kind = iota // its text
	One                 // any one segment
	Rest                // the rest of the path, at least a slash
	Other               // anything else, by a regular expression
)

type Segment struct {
	Kind kind
	Text string
}

// MatchesAll reports whether a pattern matches every path, with the given function.
func MatchesAll(function, pattern string) bool {
	switch function {
	case "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5":
		return pattern == "*"
	case "regexMatch":
		return pattern == ".*"
	}
	return false
}

// Split splits a pattern at its slashes. It returns nil for a pattern whose
// segments cannot be determined.
func Split(function, pattern string) []Segment { return AppendSegments(nil, function, pattern) }

// AppendSegments is Split into the memory of made, whose content it replaces.
func AppendSegments(made []Segment, function, pattern string) []Segment {
	made = slices.Grow(made[:0], strings.Count(pattern, "/")+1)
	var names []string
	for more := true; more; {
		var part string
		part, pattern, more = strings.Cut(pattern, "/")
		s := SegmentOf(function, part, !more && len(made) > 0)
		if s.Kind == Other && strings.Trim(s.Text, dottedBytes) != "" {
			return nil
		}
		if function == "keyMatch4" && s.Kind == One {
			if slices.Contains(names, part) {
				return nil // both must be equal
			}
			names = append(names, part)
		}
		made = append(made, s)
	}
	return made
}

// dottedBytes are the bytes allowed in a segment with dots that still matches within one
// segment: no other operators of a regular expression.
const dottedBytes = ".-_~ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func SegmentOf(function, part string, last bool) Segment {
	if isPlainPart(part) {
		return Segment{Literal, part}
	}
	switch {
	case function == "==":
		return Segment{Literal, part}
	case part == "*" && last:
		return Segment{Kind: Rest}
	case function == "keyMatch2" && len(part) > 1 && part[0] == ':',
		function != "keyMatch2" && len(part) > 2 && part[0] == '{' && part[len(part)-1] == '}' && strings.Count(part, "{") == 1:
		return Segment{Kind: One}
	}
	if text, ok := literalText(part); ok && !hasName(function, part) {
		return Segment{Literal, text}
	}
	return Segment{Other, part}
}

// hasName reports whether Casbin may find a named segment in a part; for Casbin one
// may also begin and end after a backslash.
func hasName(function, part string) bool {
	if function == "keyMatch2" {
		return strings.Contains(part, ":")
	}
	open := strings.IndexByte(part, '{')
	return open >= 0 && strings.IndexByte(part[open:], '}') > 0
}

// isPlainPart reports whether a part is literal for every function, as most are.
func isPlainPart(part string) bool {
	for i := range len(part) {
		if c := part[i]; c != '-' && (!IsNameByte(c) || c == '.') {
			return false
		}
	}
	return true
}

// literalText returns the only text that a part of a regular expression matches.
func literalText(part string) (string, bool) {
	if !strings.ContainsAny(part, regexpBytes) {
		return part, true
	}
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		c := part[i]
		if c == '\\' && i+1 < len(part) && strings.IndexByte(regexpBytes, part[i+1]) >= 0 {
			i++
			c = part[i]
		} else if strings.IndexByte(regexpBytes, c) >= 0 {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// regexpBytes are the bytes that are special in a regular expression.
const regexpBytes = `\.+*?()|[]{}^$`

// HasSegments reports whether function matches segment by segment.
func HasSegments(function string) bool {
	switch function {
	case "==", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5":
		return true
	}
	return false
}

// Match calls a matcher function. If the function fails, nothing matches.
func Match(function, text, pattern string) bool {
	if function == "==" {
		return text == pattern
	}
	if !slices.Contains(Aliasable, function) {
		return false
	}
	if matches, sure := MatchSegments(function, text, pattern); sure {
		return matches
	}
	match, err := Compile(function, pattern)
	return err == nil && match(text)
}

// MatchSegments is Match without a regular expression, which takes longer to
// compile than to use once. sure is false for a pattern with segments other than
// literal ones and those that match any.
func MatchSegments(function, text, pattern string) (matches, sure bool) {
	// To a regular expression, invalid UTF-8 is the replacement character.
	if !HasSegments(function) || strings.ContainsRune(pattern, utf8.RuneError) {
		return false, false
	}
	segments := Split(function, pattern)
	if segments == nil || slices.ContainsFunc(segments, func(s Segment) bool { return s.Kind == Other }) {
		return false, false
	}
	if function == "keyMatch5" {
		text, _, _ = strings.Cut(text, "?")
	}
	more := true
	for _, s := range segments {
		switch {
		case !more:
			return false, true
		case s.Kind == Rest:
			return !strings.Contains(text, "\n"), true
		}
		var part string
		part, text, more = strings.Cut(text, "/")
		if s.Kind == One && part == "" || s.Kind == Literal && part != s.Text {
			return false, true
		}
	}
	return !more, true
}
