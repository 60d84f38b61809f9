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

// Compile makes a matcher that answers as the function of Casbin does for the
// pattern, or an error where that fails. A glob that cannot be read to its end
// matches nothing.
func Compile(function, text string) (Matcher, error) {
	switch function {
	case "keyMatch":
		if prefix, _, ok := strings.Cut(text, "*"); ok {
			return func(s string) bool { return strings.HasPrefix(s, prefix) }, nil
		}
		return func(s string) bool { return s == text }, nil
	case "globMatch":
		return func(s string) bool {
			ok, _ := doublestar.Match(text, s) // never fails where IsPlainGlob
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

// expression is the regular expression that a function makes of a pattern.
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

// compileKeyMatch4 is keyMatch4, for which segments of one name are equal. It
// refuses groups of the pattern's own, on which Casbin's panics once a path
// matches.
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

// compileNetwork is ipMatch for texts that are addresses.
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

// plainSet is a set of characters that is plain to see.
var plainSet = regexp.MustCompile(`\[[!^]?[0-9A-Za-z_-]+\]`)

// IsPlainGlob reports whether matching a glob pattern cannot fail, whatever it
// is held against: only sets, alternatives and backslashes can be wrong.
func IsPlainGlob(text string) bool {
	return !strings.ContainsAny(plainSet.ReplaceAllString(text, ""), `[]{}\`)
}

// The named segments of patterns, as Casbin finds them.
var (
	colonName = regexp.MustCompile(`:[^/]+`)
	braceName = regexp.MustCompile(`\{[^/]+\}`)
	// shortBraceName is that of keyGet3, which takes the shortest.
	shortBraceName = regexp.MustCompile(`\{[^/]+?\}`)
)

// GlobBytes are what may mean something in a glob pattern.
const GlobBytes = `*?[]{}\`
