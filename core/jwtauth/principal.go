package jwtauth

import (
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// checkClaims checks the claims of a token with a valid signature, except cnf, and
// maps them to a principal.
//
// All claims are in the principal as decoded: a number is a float64, or a
// json.Number where float64 would turn one integer into another.
func (v *Verifier) checkClaims(t *verified) error {
	c := t.claims
	if err := v.checkIssuer(c, t.key); err != nil {
		return err
	}
	if err := v.checkKind(t); err != nil {
		return err
	}
	if err := v.checkAudience(c); err != nil {
		return err
	}
	var err error
	if t.validity, err = v.validityOf(c); err != nil {
		return err
	}
	t.judged = v.terms.Now()
	if err := v.checkTimes(t.validity, t.judged); err != nil {
		return err
	}
	if v.profile {
		if err := checkRequired(c); err != nil {
			return err
		}
	}
	if t.identity, err = v.identityOf(t); err != nil {
		return err
	}
	info := core.PrincipalInfo{}
	if info.ID, err = v.mapping.ID(c); err != nil {
		return badClaim(err)
	}
	if err := v.mapping.Fill(c, &info); err != nil {
		return badClaim(err)
	}
	info.Scheme, info.Expires = t.scheme, t.validity.exp
	// t.claims are immutable, as t is.
	if t.principal, err = core.NewPrincipalOwning(info); err != nil {
		return refuse(core.ReasonBadClaim, "%w", err)
	}
	return nil
}

// text returns the string at p, or "" if there is no such claim.
func text(c claims.Set, p claims.Path) (string, error) {
	s, err := claims.Text(c, p)
	return s, badClaim(err)
}

// date returns a NumericDate claim and whether there is one.
func date(c claims.Set, name string) (time.Time, bool, error) {
	t, ok, err := claims.Date(c, name)
	return t, ok, badClaim(err)
}

// badClaim returns the error for a claim that cannot be read, or nil if err is nil.
func badClaim(err error) error {
	if err == nil {
		return nil
	}
	return refuse(core.ReasonBadClaim, "%w", err)
}
