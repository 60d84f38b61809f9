package pattern

import (
	"errors"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Matcher reports whether a string matches. It is safe for concurrent use.
type Matcher func(string) bool

// Compile returns a matcher with the same answers as Casbin's function for the
// pattern, or an error if the function fails. A glob with a syntax error matches
// nothing.
func Compile(function, text string) (Matcher, error) {
	switch function {
	case "keyMatch":
		if prefix, _, ok := strings.Cut(text, "*"); ok {
			return func(s string) bool { return strings.HasPrefix(s, prefix) }, nil
		}
		return func(s string) bool { return s == text }, nil
	case "globMatch":
		return func(s string) bool {
			ok, _ := doublestar.Match(text, s) // never fails if IsPlainGlob
			return ok
		}, nil
	case "keyMatch4":
		return compileKeyMatch4(text)
	case "ipMatch":
		return compileNetwork(text)
	}
	re, err := regexp.Compile(expression(function, text))
	if err != nil {
		return nil, err
	}
	if function != "keyMatch5" {
		return re.MatchString, nil
	}
	return func(s string) bool {
		path, _, _ := strings.Cut(s, "?")
		return re.MatchString(path)
	}, nil
}

// expression returns the regular expression that a function makes of a pattern.
func expression(function, text string) string {
	name, value := braceName, "[^/]+"
	switch function {
	case "regexMatch":
		return text
	case "keyMatch2":
		name = colonName
	case "keyGet2":
		name, value = colonName, "([^/]+)"
	case "keyGet3":
		name, value = shortBraceName, "([^/]+?)"
	}
	return "^" + name.ReplaceAllLiteralString(strings.ReplaceAll(text, "/*", "/.*"), value) + "$"
}

// compileKeyMatch4 compiles keyMatch4, in which segments with the same name must be
// equal. It refuses patterns with groups of their own, with which Casbin panics
// once a path matches.
func compileKeyMatch4(text string) (Matcher, error) {
	var names []string
	expr := braceName.ReplaceAllStringFunc(strings.ReplaceAll(text, "/*", "/.*"), func(name string) string {
		names = append(names, name)
		return "([^/]+)"
	})
	re, err := regexp.Compile("^" + expr + "$")
	if err != nil {
		return nil, err
	}
	if re.NumSubexp() != len(names) {
		return nil, errors.New("keyMatch4 cannot have groups besides {name}")
	}
	return func(s string) bool {
		found := re.FindStringSubmatch(s)
		if found == nil {
			return false
		}
		values := found[1:]
		for i, name := range names {
			if values[i] != values[slices.Index(names, name)] {
				return false
			}
		}
		return true
	}, nil
}

// compileNetwork compiles ipMatch for texts that are addresses.
func compileNetwork(text string) (Matcher, error) {
	within := func(net.IP) bool { return false }
	if _, network, err := net.ParseCIDR(text); err == nil {
		within = network.Contains
	} else if one := net.ParseIP(text); one != nil {
		within = one.Equal
	} else {
		return nil, err
	}
	return func(s string) bool {
		address, err := netip.ParseAddr(s)
		if err != nil || address.Zone() != "" {
			return false
		}
		bytes := address.As16()
		return within(bytes[:])
	}, nil
}

// plainSet matches a simple set of characters.
var plainSet = regexp.MustCompile(`\[[!^]?[0-9A-Za-z_-]+\]`)

// IsPlainGlob reports whether matching a glob pattern cannot fail for any text:
// only sets, alternatives and backslashes can be malformed.
func IsPlainGlob(text string) bool {
	return !strings.ContainsAny(plainSet.ReplaceAllString(text, ""), `[]{}\`)
}

// Named segments of patterns, as Casbin recognizes them.
var (
	colonName = regexp.MustCompile(`:[^/]+`)
	braceName = regexp.MustCompile(`\{[^/]+\}`)
	// shortBraceName is for keyGet3, which takes the shortest match.
	shortBraceName = regexp.MustCompile(`\{[^/]+?\}`)
)

// GlobBytes are the bytes that may be special in a glob pattern.
const GlobBytes = `*?[]{}\`
