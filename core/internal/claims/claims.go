// Package claims reads a decoded set of claims (RFC 7519 §4) or the members of an
// introspection response (RFC 7662 §2.2). Names are compared exactly. A claim of
// the wrong type is an error that names it but never quotes its value.
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

// maxDate is the end of the year 9999 in seconds since 1970. A larger NumericDate
// is not a plausible date, and most would overflow in time arithmetic.
const maxDate = 253402300799

// Text returns the string at p, or "" if there is no such claim.
func Text(s Set, p Path) (string, error) {
	v, err := lookup(s, p)
	if v == nil || err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok || !ControlFree(text) {
		return "", fmt.Errorf("%s is not a string without control characters", p)
	}
	return text, nil
}

// Names returns the names at p, such as roles: an array of strings, or one string,
// which is one name and is never split. Null, "" and a missing claim mean none. An
// empty string in an array is refused, since it would match empty fields in
// policies.
func Names(s Set, p Path) ([]string, error) {
	v, err := lookup(s, p)
	if err != nil && !errors.Is(err, errNull) {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		switch {
		case v == "":
			return nil, nil
		case !ControlFree(v):
			return nil, fmt.Errorf("%s has a control character", p)
		}
		return []string{v}, nil
	case []any:
		return texts(v, p)
	}
	return nil, fmt.Errorf("%s is neither an array of strings nor a string", p)
}

// texts returns the elements of the array at p, which must be strings, not empty
// and without control characters.
func texts(elements []any, p Path) ([]string, error) {
	out := make([]string, len(elements))
	for i, e := range elements {
		var ok bool
		if out[i], ok = e.(string); !ok || out[i] == "" || !ControlFree(out[i]) {
			return nil, fmt.Errorf("%s: element %d is not a string, is empty or has a control character", p, i+1)
		}
	}
	return out, nil
}

// Keys returns the sorted names of the members of the object at p that are true or
// an object. Members that are false or null are skipped, and anything else is
// refused. Null and a missing claim mean none.
func Keys(s Set, p Path) ([]string, error) {
	v, err := lookup(s, p)
	if v == nil && (err == nil || errors.Is(err, errNull)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is not an object", p)
	}
	var out []string
	for name, value := range members {
		_, object := value.(map[string]any)
		switch {
		case name == "" || !ControlFree(name):
			return nil, fmt.Errorf("%s: the name of a member is empty or has a control character", p)
		case object || value == true:
			out = append(out, name)
		case value != nil && value != false:
			return nil, fmt.Errorf("%s: a member is neither an object nor true or false", p)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Scopes returns the scopes at p: one string, split only at spaces (RFC 6749 §3.3,
// RFC 8693 §4.2), or an array with one scope in each element, as the scp of some
// issuers. A missing claim means none.
func Scopes(s Set, p Path) ([]string, error) {
	v, err := lookup(s, p)
	if v == nil || err != nil {
		return nil, err
	}
	var scopes []string
	switch v := v.(type) {
	case string:
		scopes = SplitScope(v)
	case []any:
		if scopes, err = texts(v, p); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%s is neither a string nor an array of strings", p)
	}
	for _, scope := range scopes {
		if strings.IndexFunc(scope, notInScope) >= 0 {
			return nil, fmt.Errorf("%s contains a scope with an invalid character", p)
		}
	}
	return scopes, nil
}

// notInScope is the complement of RFC 6749 §3.3's scope-token characters.
func notInScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// Audience returns aud, which must be a string or an array of strings (RFC 7519
// §4.1.3); nil if it is missing.
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
				return nil, errors.New("aud has elements that are not strings")
			}
			out[i] = text
		}
		return out, nil
	}
	return nil, errors.New("aud is neither a string nor an array")
}

// Date returns a NumericDate (RFC 7519 §2): a JSON number, neither negative nor
// beyond the year 9999, with fractions. Quoted numbers are invalid. ok reports
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

// SplitScope splits only at spaces: other white space is not a separator (RFC 6749
// §3.3).
func SplitScope(scope string) []string {
	return strings.FieldsFunc(scope, func(r rune) bool { return r == ' ' })
}

// otherConfirmations are the members of cnf (RFC 7800 §3, RFC 8705 §3.1) that
// bind a token to something other than a DPoP key.
var otherConfirmations = [...]string{"jwk", "jwe", "jku", "kid", "x5t#S256"}

// Thumbprint returns cnf.jkt, the SHA-256 thumbprint in base64url of the key that a
// token is bound to (RFC 9449 §6.1), the only supported form of binding; "" for a
// token without cnf. Any other cnf is an error.
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
			return "", fmt.Errorf("cnf: the token is bound by %s, which is not supported", name)
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
