package casbinrules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/util"
)

// segmentKind is what a segment of a path pattern matches.
type segmentKind int

const (
	segmentLiteral segmentKind = iota // its text
	segmentOne                        // any one segment
	segmentRest                       // all that is left, at least a slash
	segmentOther                      // something a regular expression says
)

type segment struct {
	kind segmentKind
	text string
}

// everything is the pattern that matches whatever there is, by whatever
// function.
func everything(function, pattern string) bool {
	switch function {
	case "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5":
		return pattern == "*"
	case "regexMatch":
		return pattern == ".*"
	}
	return false
}

// segments takes a pattern apart at its slashes. It returns nil for one whose
// segments cannot be told apart.
func segments(function, pattern string) []segment { return appendSegments(nil, function, pattern) }

// appendSegments is segments in the room of made, which it replaces.
func appendSegments(made []segment, function, pattern string) []segment {
	made = slices.Grow(made[:0], strings.Count(pattern, "/")+1)
	var names []string
	for more := true; more; {
		var part string
		part, pattern, more = strings.Cut(pattern, "/")
		s := segmentOf(function, part, !more && len(made) > 0)
		if s.kind == segmentOther && strings.Trim(s.text, dottedBytes) != "" {
			return nil
		}
		if function == "keyMatch4" && s.kind == segmentOne {
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

func segmentOf(function, part string, last bool) segment {
	if isPlainPart(part) {
		return segment{segmentLiteral, part}
	}
	switch {
	case function == "==":
		return segment{segmentLiteral, part}
	case part == "*" && last:
		return segment{kind: segmentRest}
	case function == "keyMatch2" && len(part) > 1 && part[0] == ':',
		function != "keyMatch2" && len(part) > 2 && part[0] == '{' && part[len(part)-1] == '}' && strings.Count(part, "{") == 1:
		return segment{kind: segmentOne}
	}
	if text, ok := literal(part); ok && !(function == "keyMatch2" && strings.Contains(part, ":")) {
		return segment{segmentLiteral, text}
	}
	return segment{segmentOther, part}
}

// isPlainPart reports whether a part means nothing but itself to any function,
// as most do.
func isPlainPart(part string) bool {
	for i := range len(part) {
		if c := part[i]; c != '-' && (!isNameByte(c) || c == '.') {
			return false
		}
	}
	return true
}

// literal is the one text that a part of a regular expression matches.
func literal(part string) (string, bool) {
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

// hasSegments reports whether function matches segment by segment.
func hasSegments(function string) bool {
	switch function {
	case "==", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5":
		return true
	}
	return false
}

// matches asks a matcher function. What it cannot take matches nothing.
func matches(function, text, pattern string) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	switch function {
	case "==":
		return text == pattern
	case "keyMatch":
		return util.KeyMatch(text, pattern)
	case "keyMatch2":
		return util.KeyMatch2(text, pattern)
	case "keyMatch3":
		return util.KeyMatch3(text, pattern)
	case "keyMatch4":
		return util.KeyMatch4(text, pattern)
	case "keyMatch5":
		return util.KeyMatch5(text, pattern)
	case "regexMatch":
		ok, _ = regexp.MatchString(pattern, text)
	case "globMatch":
		ok, _ = util.GlobMatch(text, pattern)
	}
	return ok
}
