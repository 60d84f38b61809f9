package pattern

import (
	"fmt"
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
	case function == "globMatch" && alternatives(pattern) > maxAlternatives:
		err = fmt.Errorf("its alternatives can be combined in more than %d ways, which are tried one by one", maxAlternatives)
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

// maxAlternatives bounds the combinations of a glob pattern's alternatives. Matching may
// try each of them for each text, and thirty times "{,}" makes a billion.
const maxAlternatives = 1000

// alternatives returns the number of combinations of the alternatives in a glob
// pattern, or some number above maxAlternatives.
func alternatives(pattern string) int {
	// An open brace has the combinations of its earlier alternatives and of the current one.
	type brace struct{ before, ways int }
	open := []brace{{0, 1}}
	for i := 0; i < len(pattern); i++ {
		last := &open[len(open)-1]
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '{':
			open = append(open, brace{0, 1})
		case c == ',' && len(open) > 1:
			last.before, last.ways = min(last.before+last.ways, maxAlternatives+1), 1
		case c == '}' && len(open) > 1:
			ways := last.before + last.ways
			open = open[:len(open)-1]
			last = &open[len(open)-1]
			last.ways = min(last.ways*ways, maxAlternatives+1)
		}
	}
	return open[0].ways
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
