package jwtauth

import (
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// checkIssuer compares iss exactly (RFC 7519 §4.1.1).
func (v *Verifier) checkIssuer(c claims.Set, key *Key) error {
	if v.terms.AnyIssuer {
		return nil
	}
	switch iss := c["iss"].(type) {
	case string:
		want := v.terms.Issuer
		if v.template != nil {
			var err error
			if want, err = v.template.of(c); err != nil {
				return refuse(core.ReasonWrongIssuer, "%w", err)
			}
		}
		if iss == want {
			return v.checkKeyIssuer(iss, key)
		}
		return refuse(core.ReasonWrongIssuer, "iss is %.128q, not %.128q", iss, want)
	case nil:
		return refuse(core.ReasonWrongIssuer, "no iss")
	}
	return refuse(core.ReasonBadClaim, "iss is not a string")
}

// checkAudience looks for one of the verifier's audiences in aud, which must be a
// string or an array of strings (RFC 7519 §4.1.3).
func (v *Verifier) checkAudience(c claims.Set) error {
	if err := v.mapping.CheckClient(c); err != nil {
		return refuse(core.ReasonWrongAudience, "%w", err)
	}
	if v.terms.AnyAudience {
		return nil
	}
	if only, ok := c["aud"].(string); ok && slices.Contains(v.terms.Audiences, only) {
		return nil
	}
	aud, err := claims.Audience(c)
	if err != nil {
		return badClaim(err)
	}
	if !slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(v.terms.Audiences, a) }) {
		hint := ""
		if slices.Equal(aud, []string{"account"}) {
			hint = ": Keycloak says so for a client without a mapper for the audience; add one, rather than accept account, which is in everybody's tokens"
		}
		return refuse(core.ReasonWrongAudience, "aud is %.512q and contains none of %.512q%s", strings.Join(aud, " "), strings.Join(v.terms.Audiences, " "), hint)
	}
	return nil
}

// validity holds the times of a token; each is zero if the token lacks it.
type validity struct{ exp, nbf, iat time.Time }

// validityOf reads exp, nbf and iat (RFC 7519 §4.1.4–6).
func (v *Verifier) validityOf(c claims.Set) (validity, error) {
	var t validity
	var has bool
	var err error
	if t.exp, has, err = date(c, "exp"); err != nil {
		return t, err
	}
	if t.nbf, _, err = date(c, "nbf"); err != nil {
		return t, err
	}
	if t.iat, _, err = date(c, "iat"); err != nil {
		return t, err
	}
	if !has && !v.noExpiry {
		return t, refuse(core.ReasonBadClaim, "no exp")
	}
	if has && t.exp.Unix() <= 0 {
		return t, refuse(core.ReasonBadClaim, "exp is zero")
	}
	return t, nil
}

// checkTimes checks a token's times.
func (v *Verifier) checkTimes(t validity, now time.Time) error {
	if !t.exp.IsZero() {
		if !now.Before(t.exp.Add(v.terms.Leeway)) {
			return refuse(core.ReasonExpired, "expired at %v", t.exp)
		}
		if t.exp.Sub(now) > v.lifetime {
			return refuse(core.ReasonBadClaim, "exp %v is further away than %v", t.exp, v.lifetime)
		}
	}
	latest := now.Add(v.terms.Leeway)
	if t.nbf.After(latest) {
		return refuse(core.ReasonNotYetValid, "nbf is %v", t.nbf)
	}
	if t.iat.After(latest) {
		return refuse(core.ReasonNotYetValid, "iat is %v", t.iat)
	}
	return nil
}

// goodTimes returns the interval in which [Verifier.checkTimes] passes: from the
// first time on and before the second, which is zero for a token without exp.
func (v *Verifier) goodTimes(t validity) (from, until time.Time) {
	for _, begin := range [...]time.Time{t.nbf.Add(-v.terms.Leeway), t.iat.Add(-v.terms.Leeway), t.exp.Add(-v.lifetime)} {
		if begin.After(from) {
			from = begin
		}
	}
	if !t.exp.IsZero() {
		until = t.exp.Add(v.terms.Leeway)
	}
	return from, until
}
