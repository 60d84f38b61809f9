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

// validity is when a token is good; each is zero when the token has none.
type validity struct{ exp, nbf, iat time.Time }

// validityOf reads exp, nbf and iat (RFC 7519 §4.1.4–6).
func (v *Verifier) validityOf(c claims) (validity, error) {
	var t validity
	for _, d := range [...]struct {
		name string
		to   *time.Time
	}{{"exp", &t.exp}, {"nbf", &t.nbf}, {"iat", &t.iat}} {
		at, ok, err := date(c, d.name)
		if err != nil {
			return t, err
		}
		if ok {
			*d.to = at
		}
	}
	if _, ok := c["exp"]; !ok && !v.noExpiry {
		return t, refuse(core.ReasonBadClaim, "no exp")
	} else if ok && t.exp.Unix() <= 0 {
		return t, refuse(core.ReasonBadClaim, "exp is zero")
	}
	return t, nil
}

// checkTimes judges a token's times.
func (v *Verifier) checkTimes(t validity, now time.Time) error {
	if !t.exp.IsZero() {
		if !now.Before(t.exp.Add(v.leeway)) {
			return refuse(core.ReasonExpired, "expired at %v", t.exp)
		}
		if t.exp.Sub(now) > v.lifetime {
			return refuse(core.ReasonBadClaim, "exp %v is further away than %v", t.exp, v.lifetime)
		}
	}
	latest := now.Add(v.leeway)
	if t.nbf.After(latest) {
		return refuse(core.ReasonNotYetValid, "nbf is %v", t.nbf)
	}
	if t.iat.After(latest) {
		return refuse(core.ReasonNotYetValid, "iat is %v", t.iat)
	}
	return nil
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
