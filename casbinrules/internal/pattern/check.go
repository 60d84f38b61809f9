package pattern

import (
	"net"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

func IsNameByte(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// Builtin are the functions that Casbin defines for every matcher.
var Builtin = append([]string{"keyGet", "ipMatch"}, Functions...)

// Functions are the matcher functions whose second argument is a pattern, which may be
// malformed or mean something unexpected.
var Functions = []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "keyGet2", "keyGet3", "regexMatch", "globMatch"}

// Aliasable are the functions that compare a text with a pattern, sorted.
var Aliasable = []string{"globMatch", "ipMatch", "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "regexMatch"}

// Check tries a pattern with its matcher function, so that what would fail at a request
// fails when the policy is loaded.
func Check(function, pattern string) (err error) {
	switch {
	case IsSurelyValid(function, pattern):
	case function == "globMatch":
		_, err = doublestar.Match(pattern, "/")
	case function == "ipMatch":
		if _, _, err = net.ParseCIDR(pattern); err != nil && net.ParseIP(pattern) != nil {
			return nil
		}
	default:
		_, err = Compile(function, pattern)
	}
	return err
}

// IsSurelyValid reports whether a pattern is certainly valid for a function.
func IsSurelyValid(function, pattern string) bool {
	return strings.HasPrefix(function, "key") && isPlain(pattern)
}

// isPlain reports whether a path pattern is certainly valid, without compiling it: most
// are, and there may be very many.
func isPlain(pattern string) bool {
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case IsNameByte(c) && c != '.', c == '/', c == '-', c == ':':
		case c == '*' && i > 0 && pattern[i-1] == '/':
		default:
			return false
		}
	}
	return true
}

type Key struct{ Function, Pattern string }
