// Package pattern matches paths with the patterns of Casbin's matcher functions:
// it checks them, compiles them, and cuts them into segments.
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
	Rest                // all that is left, at least a slash
	Other               // something a regular expression says
)

type Segment struct {
	Kind kind
	Text string
}

// MatchesAll is the pattern that matches whatever there is, by whatever
// function.
func MatchesAll(function, pattern string) bool {
	switch function {
	case "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5":
		return pattern == "*"
	case "regexMatch":
		return pattern == ".*"
	}
	return false
}

// Split takes a pattern apart at its slashes. It returns nil for one whose
// segments cannot be told apart.
func Split(function, pattern string) []Segment { return AppendSegments(nil, function, pattern) }

// AppendSegments is segments in the room of made, which it replaces.
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
				return nil // must be equal to the other one
			}
			names = append(names, part)
		}
		made = append(made, s)
	}
	return made
}

// dottedBytes are what a segment with dots in it may hold besides to be
// bounded: no operator of a regular expression.
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

// hasName reports whether Casbin may see a named segment in a part, which for it
// begins and ends behind a backslash, too.
func hasName(function, part string) bool {
	if function == "keyMatch2" {
		return strings.Contains(part, ":")
	}
	open := strings.IndexByte(part, '{')
	return open >= 0 && strings.IndexByte(part[open:], '}') > 0
}

// isPlainPart reports whether a part means nothing but itself to any function,
// as most do.
func isPlainPart(part string) bool {
	for i := range len(part) {
		if c := part[i]; c != '-' && (!IsNameByte(c) || c == '.') {
			return false
		}
	}
	return true
}

// literalText is the one text that a part of a regular expression matches.
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

// regexpBytes are those that mean something in a regular expression.
const regexpBytes = `\.+*?()|[]{}^$`

// HasSegments reports whether function matches segment by segment.
func HasSegments(function string) bool {
	switch function {
	case "==", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5":
		return true
	}
	return false
}

// Match asks a matcher function. What it cannot take matches nothing.
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

// MatchSegments is Match without a regular expression, which takes longer to compile
// than to use once. It is not sure of a pattern with other than plain segments and
// those that match any.
func MatchSegments(function, text, pattern string) (matches, sure bool) {
	// A regular expression takes bytes that are no UTF-8 for the replacement character.
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
