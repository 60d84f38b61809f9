package jwtauth

import (
	"math"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// claims is a decoded claims set. Names are compared exactly.
type claims = map[string]any

// maxDate is the end of the year 9999 in seconds since 1970. A larger
// NumericDate is no date, and most would wrap in time arithmetic.
const maxDate = 253402300799

// checkIssuer compares iss exactly (RFC 7519 §4.1.1).
func (v *Verifier) checkIssuer(c claims) error {
	if v.anyIssuer {
		return nil
	}
	switch iss := c["iss"].(type) {
	case string:
		if iss == v.issuer {
			return nil
		}
		return refuse(core.ReasonWrongIssuer, "iss is %.128q, not %q", iss, v.issuer)
	case nil:
		return refuse(core.ReasonWrongIssuer, "no iss")
	}
	return refuse(core.ReasonBadClaim, "iss is not a string")
}

// checkAudience looks for one of ours in aud, which is a string or an array of
// strings and nothing else (RFC 7519 §4.1.3).
func (v *Verifier) checkAudience(c claims) error {
	if v.anyAud {
		return nil
	}
	found := false
	switch aud := c["aud"].(type) {
	case nil:
	case string:
		found = slices.Contains(v.audiences, aud)
	case []any:
		for _, e := range aud {
			s, ok := e.(string)
			if !ok {
				return refuse(core.ReasonBadClaim, "aud holds something else than strings")
			}
			found = found || slices.Contains(v.audiences, s)
		}
	default:
		return refuse(core.ReasonBadClaim, "aud is neither a string nor an array")
	}
	if !found {
		return refuse(core.ReasonWrongAudience, "aud holds none of %q", v.audiences)
	}
	return nil
}

// checkTimes judges exp, nbf and iat (RFC 7519 §4.1.4–6) and returns exp, zero
// when the token has none.
func (v *Verifier) checkTimes(c claims, now time.Time) (time.Time, error) {
	exp, ok, err := date(c, "exp")
	switch {
	case err != nil:
		return exp, err
	case !ok && !v.noExpiry:
		return exp, refuse(core.ReasonBadClaim, "no exp")
	case ok && exp.Unix() <= 0:
		return exp, refuse(core.ReasonBadClaim, "exp is zero")
	case ok && !now.Before(exp.Add(v.leeway)):
		return exp, refuse(core.ReasonExpired, "expired at %v", exp)
	case ok && exp.Sub(now) > v.lifetime:
		return exp, refuse(core.ReasonBadClaim, "exp %v is further away than %v", exp, v.lifetime)
	}
	for _, name := range [...]string{"nbf", "iat"} {
		t, _, err := date(c, name)
		if err != nil {
			return exp, err
		}
		if t.After(now.Add(v.leeway)) {
			return exp, refuse(core.ReasonNotYetValid, "%s is %v", name, t)
		}
	}
	return exp, nil
}

// date is a NumericDate claim (RFC 7519 §2): a JSON number, neither negative
// nor beyond the year 9999, fractions kept. Quoted numbers are none.
func date(c claims, name string) (t time.Time, ok bool, err error) {
	v, ok := c[name]
	if !ok {
		return t, false, nil
	}
	seconds, isNumber := v.(float64) // anything larger is a json.Number
	if !isNumber || seconds < 0 || seconds > maxDate {
		return t, true, refuse(core.ReasonBadClaim, "%s is not a date", name)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true, nil
}
