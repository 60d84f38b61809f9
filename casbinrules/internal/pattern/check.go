package pattern

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/casbin/casbin/v2/util"
)

func IsNameByte(c byte) bool {
	return c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// Functions are the matcher functions whose second argument is a
// pattern that can be malformed, or mean something odd.
var Functions = []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "keyGet2", "keyGet3", "regexMatch", "globMatch"}

// Aliasable are those that compare a text with a pattern, sorted.
var Aliasable = []string{"globMatch", "ipMatch", "keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "regexMatch"}

// Check tries a pattern with the matcher function that will take it, so
// that what would fail at a request fails the load.
func Check(function, pattern string) (err error) {
	if IsSurelyValid(function, pattern) {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	switch function {
	case "keyMatch2":
		util.KeyMatch2("/", pattern)
	case "keyMatch3":
		util.KeyMatch3("/", pattern)
	case "keyMatch4":
		return checkKeyMatch4(pattern)
	case "keyMatch5":
		util.KeyMatch5("/", pattern)
	case "keyGet2":
		util.KeyGet2("/", pattern, "")
	case "keyGet3":
		util.KeyGet3("/", pattern, "")
	case "regexMatch":
		_, err = regexp.Compile(pattern)
	case "globMatch":
		_, err = util.GlobMatch("/", pattern)
	case "ipMatch":
		if _, _, err = net.ParseCIDR(pattern); err != nil && net.ParseIP(pattern) != nil {
			return nil
		}
	}
	return err
}

// IsSurelyValid reports whether a function takes a pattern for sure.
func IsSurelyValid(function, pattern string) bool {
	return strings.HasPrefix(function, "key") && isPlain(pattern)
}

// isPlain reports whether a path pattern is good beyond doubt, without being
// compiled: most are, and there may be very many.
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

// checkKeyMatch4 looks for groups of the pattern's own, on which keyMatch4
// panics once a path matches.
func checkKeyMatch4(pattern string) error {
	names := 0
	expr := braceName.ReplaceAllStringFunc(strings.ReplaceAll(pattern, "/*", "/.*"), func(string) string {
		names++
		return "([^/]+)"
	})
	re, err := regexp.Compile("^" + expr + "$")
	if err != nil {
		return err
	}
	if re.NumSubexp() != names {
		return errors.New("keyMatch4 cannot have groups besides {name}")
	}
	return nil
}

type Key struct{ Function, Pattern string }
