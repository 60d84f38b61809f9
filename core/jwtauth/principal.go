package jwtauth

import (
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/core"
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
	if err := v.checkTimes(t.validity, v.now()); err != nil {
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
func (v *Verifier) mapped(c claims) (core.PrincipalInfo, error) {
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
func (v *Verifier) subject(c claims) (string, error) {
	sub, err := text(c, path{"sub"})
	if err != nil {
		return "", err
	}
	if sub == "" {
		return "", refuse(core.ReasonBadClaim, "no sub")
	}
	return v.apart(c, sub)
}

func (v *Verifier) scopesOf(c claims) ([]string, error) {
	var scopes []string
	var err error
	if v.scopeArray {
		scopes, err = list(c, v.scopes)
	} else {
		var all string
		all, err = text(c, v.scopes)
		scopes = splitSpaces(all)
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

// splitSpaces splits at spaces only: any other white space is no separator
// (RFC 6749 §3.3).
func splitSpaces(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
}

// notInScope is the complement of RFC 6749 §3.3's scope-token characters.
func notInScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// lookup is the claim at p; nil without error when there is none.
func lookup(c claims, p path) (any, error) {
	for _, name := range p[:len(p)-1] {
		v, ok := c[name]
		if !ok {
			return nil, nil
		}
		if c, ok = v.(map[string]any); !ok {
			return nil, refuse(core.ReasonBadClaim, "%s in %s is not an object", name, p)
		}
	}
	v, ok := c[p[len(p)-1]]
	if ok && v == nil {
		return nil, refuse(core.ReasonBadClaim, "%s is null", p)
	}
	return v, nil
}

// text is the string at p, or "" when there is no such claim.
func text(c claims, p path) (string, error) {
	v, err := lookup(c, p)
	if v == nil || err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok || !controlFree(s) {
		return "", refuse(core.ReasonBadClaim, "%s is not a string without control characters", p)
	}
	return s, nil
}

// list is the array of strings at p, or nil when there is no such claim. An
// empty string in it is refused: it would match empty fields in policies.
func list(c claims, p path) ([]string, error) {
	v, err := lookup(c, p)
	if v == nil || err != nil {
		return nil, err
	}
	elements, ok := v.([]any)
	if !ok {
		return nil, refuse(core.ReasonBadClaim, "%s is not an array", p)
	}
	out := make([]string, len(elements))
	for i, e := range elements {
		if out[i], ok = e.(string); !ok || out[i] == "" || !controlFree(out[i]) {
			return nil, refuse(core.ReasonBadClaim, "%s: element %d is not a string, is empty or has a control character", p, i+1)
		}
	}
	return out, nil
}

// controlFree reports whether s could not forge a line or a field wherever it is
// written.
func controlFree(s string) bool { return strings.IndexFunc(s, unicode.IsControl) < 0 }
