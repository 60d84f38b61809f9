package jwtauth

import (
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// judge judges the claims of a token whose signature fits, save cnf, and maps
// them to a principal.
//
// All claims are in the principal as decoded: a number is a float64, or a
// json.Number where float64 would turn one integer into another.
func (v *Verifier) judge(t *verified) error {
	c := t.claims
	if err := v.checkIssuer(c); err != nil {
		return err
	}
	if err := v.checkAudience(c); err != nil {
		return err
	}
	var err error
	if t.validity, err = v.validityOf(c); err != nil {
		return err
	}
	t.judged = v.now()
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
	info, err := v.mapped(c)
	if err != nil {
		return err
	}
	info.Scheme, info.Expires = t.scheme, t.validity.exp
	if t.principal, err = core.NewPrincipal(info); err != nil {
		return refuse(core.ReasonBadClaim, "%w", err)
	}
	return nil
}

// mapped is what claims say of the principal.
func (v *Verifier) mapped(c claims.Set) (core.PrincipalInfo, error) {
	info := core.PrincipalInfo{Claims: c}
	var err error
	if info.ID, err = v.subject(c); err != nil {
		return info, err
	}
	if info.Roles, err = list(c, v.roles); err != nil {
		return info, err
	}
	if info.Scopes, err = v.scopesOf(c); err != nil {
		return info, err
	}
	if v.tenant != nil {
		if info.Tenant, err = text(c, v.tenant); err != nil {
			return info, err
		}
	}
	if t, ok, err := date(c, "auth_time"); err != nil {
		return info, err
	} else if ok {
		info.AuthTime = t
	}
	return info, nil
}

// subject is the principal's ID.
func (v *Verifier) subject(c claims.Set) (string, error) {
	sub, err := text(c, claims.Path{"sub"})
	if err != nil {
		return "", err
	}
	if sub == "" {
		return "", refuse(core.ReasonBadClaim, "no sub")
	}
	return v.apart(c, sub)
}

func (v *Verifier) scopesOf(c claims.Set) ([]string, error) {
	var scopes []string
	var err error
	if v.scopeArray {
		scopes, err = list(c, v.scopes)
	} else {
		var all string
		all, err = text(c, v.scopes)
		scopes = claims.SplitScope(all)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range scopes {
		if strings.IndexFunc(s, notInScope) >= 0 {
			return nil, refuse(core.ReasonBadClaim, "%s holds a scope with a character that scopes do not have", v.scopes)
		}
	}
	return scopes, nil
}

// notInScope is the complement of RFC 6749 §3.3's scope-token characters.
func notInScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// text is the string at p, or "" when there is no such claim.
func text(c claims.Set, p claims.Path) (string, error) {
	s, err := claims.Text(c, p)
	return s, badClaim(err)
}

// list is the array of strings at p, or nil when there is no such claim.
func list(c claims.Set, p claims.Path) ([]string, error) {
	l, err := claims.List(c, p)
	return l, badClaim(err)
}

// date is a NumericDate claim and whether there is one.
func date(c claims.Set, name string) (time.Time, bool, error) {
	t, ok, err := claims.Date(c, name)
	return t, ok, badClaim(err)
}

// badClaim refuses a token with a claim that cannot be read; nil for nil.
func badClaim(err error) error {
	if err == nil {
		return nil
	}
	return refuse(core.ReasonBadClaim, "%w", err)
}
