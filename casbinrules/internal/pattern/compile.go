package pattern

import (
	"net"
	"net/netip"
	"regexp"
	"strings"

	"github.com/casbin/casbin/v2/util"
)

// Matcher reports whether a string matches. It is safe for concurrent use.
type Matcher func(string) bool

func Compile(function, text string) (Matcher, error) {
	switch function {
	case "keyMatch":
		if prefix, _, ok := strings.Cut(text, "*"); ok {
			return func(s string) bool { return strings.HasPrefix(s, prefix) }, nil
		}
		return func(s string) bool { return s == text }, nil
	case "globMatch":
		return func(s string) bool {
			ok, _ := util.GlobMatch(s, text) // never fails where IsPlainGlob
			return ok
		}, nil
	case "keyMatch4":
		return func(s string) bool { return util.KeyMatch4(s, text) }, Check(function, text)
	case "ipMatch":
		return compileNetwork(text)
	case "regexMatch":
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	name := colonName
	if function != "keyMatch2" {
		name = braceName
	}
	re, err := regexp.Compile("^" + name.ReplaceAllLiteralString(strings.ReplaceAll(text, "/*", "/.*"), "[^/]+") + "$")
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
		if err != nil {
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
)

// GlobBytes are what may mean something in a glob pattern.
const GlobBytes = `*?[]{}\`
