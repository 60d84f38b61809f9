// Package claims reads a decoded set of claims (RFC 7519 §4) or the members of
// an introspection response (RFC 7662 §2.2). Names are compared exactly. A
// claim of another type than it should have is an error that names it and
// never repeats its value.
package claims

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Set is claims as decoded: a number is a float64, or a json.Number where
// float64 would turn one integer into another.
type Set = map[string]any

// maxDate is the end of the year 9999 in seconds since 1970. A larger
// NumericDate is no date, and most would wrap in time arithmetic.
const maxDate = 253402300799

// Path is a claim's name, then the names inside it.
type Path []string

// ParsePath reads the name of a claim. Dots step into objects, as in
// "realm_access.roles", unless the name is a URL.
func ParsePath(name string) (Path, error) {
	if strings.Contains(name, "://") {
		return Path{name}, nil
	}
	p := strings.Split(name, ".")
	if slices.Contains(p, "") {
		return nil, fmt.Errorf("claim name %q is empty or has an empty part", name)
	}
	return p, nil
}

func (p Path) String() string { return strings.Join(p, ".") }

// lookup is the claim at p; nil without error when there is none.
func lookup(s Set, p Path) (any, error) {
	for _, name := range p[:len(p)-1] {
		v, ok := s[name]
		if !ok {
			return nil, nil
		}
		if s, ok = v.(map[string]any); !ok {
			return nil, fmt.Errorf("%s in %s is not an object", name, p.String())
		}
	}
	v, ok := s[p[len(p)-1]]
	if ok && v == nil {
		return nil, fmt.Errorf("%s is null", p.String())
	}
	return v, nil
}

// Text is the string at p, or "" when there is no such claim.
func Text(s Set, p Path) (string, error) {
	v, err := lookup(s, p)
	if v == nil || err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok || !ControlFree(text) {
		return "", fmt.Errorf("%s is not a string without control characters", p.String())
	}
	return text, nil
}

// List is the array of strings at p, or nil when there is no such claim. An
// empty string in it is refused: it would match empty fields in policies.
func List(s Set, p Path) ([]string, error) {
	v, err := lookup(s, p)
	if v == nil || err != nil {
		return nil, err
	}
	elements, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not an array", p.String())
	}
	out := make([]string, len(elements))
	for i, e := range elements {
		if out[i], ok = e.(string); !ok || out[i] == "" || !ControlFree(out[i]) {
			return nil, fmt.Errorf("%s: element %d is not a string, is empty or has a control character", p.String(), i+1)
		}
	}
	return out, nil
}

// Audience is aud, a string or an array of strings and nothing else (RFC 7519
// §4.1.3); nil when there is none.
func Audience(s Set) ([]string, error) {
	switch aud := s["aud"].(type) {
	case nil:
		_, err := lookup(s, Path{"aud"})
		return nil, err
	case string:
		return []string{aud}, nil
	case []any:
		out := make([]string, len(aud))
		for i, e := range aud {
			text, ok := e.(string)
			if !ok {
				return nil, errors.New("aud holds something else than strings")
			}
			out[i] = text
		}
		return out, nil
	}
	return nil, errors.New("aud is neither a string nor an array")
}

// Date is a NumericDate (RFC 7519 §2): a JSON number, neither negative nor
// beyond the year 9999, fractions kept. Quoted numbers are none. ok reports
// whether there is such a claim.
func Date(s Set, name string) (t time.Time, ok bool, err error) {
	v, ok := s[name]
	if !ok {
		return t, false, nil
	}
	seconds, isNumber := v.(float64) // anything larger is a json.Number
	if !isNumber || seconds < 0 || seconds > maxDate {
		return t, true, fmt.Errorf("%s is not a date", name)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true, nil
}

// SplitScope splits at spaces only: any other white space is no separator
// (RFC 6749 §3.3).
func SplitScope(scope string) []string {
	return strings.FieldsFunc(scope, func(r rune) bool { return r == ' ' })
}

// otherConfirmations are the members of cnf (RFC 7800 §3, RFC 8705 §3.1) that
// bind a token to something else than a DPoP key.
var otherConfirmations = [...]string{"jwk", "jwe", "jku", "kid", "x5t#S256"}

// Thumbprint is cnf.jkt, the SHA-256 thumbprint in base64url of the key that a
// token is bound to (RFC 9449 §6.1), the only form of binding that is confirmed
// here; "" for a token without cnf. Any other cnf is an error.
func Thumbprint(s Set) (string, error) {
	v, ok := s["cnf"]
	if !ok {
		return "", nil
	}
	cnf, ok := v.(map[string]any)
	if !ok {
		return "", errors.New("cnf is not an object")
	}
	for _, name := range otherConfirmations {
		if _, ok := cnf[name]; ok {
			return "", fmt.Errorf("cnf: the token is bound by %s, which is not checked here", name)
		}
	}
	jkt, ok := cnf["jkt"].(string)
	if !ok {
		return "", errors.New("cnf: jkt is missing or not a string")
	}
	// Go's decoder skips line breaks.
	sum, err := base64.RawURLEncoding.Strict().DecodeString(jkt)
	if err != nil || len(sum) != sha256.Size || strings.ContainsAny(jkt, "\r\n") {
		return "", errors.New("cnf: jkt is not a SHA-256 thumbprint in base64url")
	}
	return jkt, nil
}

// ControlFree reports whether s could not forge a line or a field wherever it is
// written.
func ControlFree(s string) bool { return strings.IndexFunc(s, unicode.IsControl) < 0 }
