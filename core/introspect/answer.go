package introspect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/strictjson"
)

// answer is an introspection response (RFC 7662 §2.2). For an inactive token only
// active is read.
type answer struct {
	active    bool
	members   map[string]any
	issuer    string
	tokenType string
	audience  []string
	// Zero when the answer has none.
	notBefore, expires, issued time.Time
}

// decode parses an answer. A member whose type is not that of RFC 7662 invalidates
// the whole answer, since its sender cannot be trusted to mean what we read. Errors
// name members and never quote their values.
func decode(text string) (answer, error) {
	m, err := strictjson.Decode(text)
	if err != nil {
		return answer{}, err
	}
	active, ok := m["active"].(bool)
	if !ok {
		return answer{}, errors.New("active is neither true nor false")
	}
	a := answer{active: active}
	if !active {
		return a, nil
	}
	delete(m, "active")
	a.members = m
	if cnf, ok := m["cnf"]; ok {
		if _, ok := cnf.(map[string]any); !ok {
			return answer{}, errors.New("cnf is not an object")
		}
	}
	for _, member := range []struct {
		name string
		to   *string
	}{
		{"iss", &a.issuer}, {"sub", new(string)}, {"client_id", new(string)},
		{"token_type", &a.tokenType}, {"token_use", new(string)},
	} {
		if *member.to, err = claims.Text(m, claims.Path{member.name}); err != nil {
			return answer{}, err
		}
	}
	for _, member := range []struct {
		name string
		to   *time.Time
	}{{"nbf", &a.notBefore}, {"exp", &a.expires}, {"auth_time", new(time.Time)}, {"iat", &a.issued}} {
		if *member.to, err = date(m, member.name); err != nil {
			return answer{}, err
		}
	}
	if a.audience, err = claims.Audience(m); err != nil {
		return answer{}, err
	}
	return a, nil
}

// evaluate checks an answer. Its error means that the answer is malformed; the
// verdict says if the token proves nobody.
func (v *Verifier) evaluate(a answer) (verdict, error) {
	if err := v.expected(a); err != nil {
		return verdict{refusal: err}, nil
	}
	jkt, err := claims.Thumbprint(a.members)
	if err != nil {
		return verdict{refusal: refuse(core.ReasonBadClaim, "%w", err)}, nil
	}
	scheme := "Bearer"
	if jkt != "" {
		scheme = "DPoP"
	}
	if a.tokenType != "" && !strings.EqualFold(a.tokenType, scheme) {
		return verdict{refusal: refuse(core.ReasonBadClaim, "token_type is %.32q, not %s", a.tokenType, scheme)}, nil
	}
	info := core.PrincipalInfo{Scheme: scheme, Expires: a.expires}
	if info.ID, err = v.mapping.ID(a.members); err != nil {
		return verdict{refusal: refuse(core.ReasonBadClaim, "%w", err)}, nil
	}
	if err := v.mapping.Fill(a.members, &info); err != nil {
		return verdict{}, err
	}
	identity, err := v.identityOf(a)
	if err != nil {
		return verdict{}, err
	}
	p, err := core.NewPrincipalOwning(info) // the answer is not shared
	if err != nil {
		return verdict{}, err
	}
	return verdict{principal: p, jkt: jkt, identity: identity, notBefore: a.notBefore, expires: a.expires}, nil
}

// expected returns why the token proves nobody here, regardless of time.
func (v *Verifier) expected(a answer) error {
	switch {
	case !a.active:
		return refuse(ReasonInactive, "the endpoint does not call the token active")
	case !v.terms.AnyIssuer && a.issuer != v.terms.Issuer:
		return refuse(core.ReasonWrongIssuer, "iss is %.128q, not %q", a.issuer, v.terms.Issuer)
	}
	if err := v.mapping.CheckKind(a.members, false); err != nil {
		return refuse(core.ReasonWrongType, "%w", err)
	}
	if err := v.mapping.CheckClient(a.members); err != nil {
		return refuse(core.ReasonWrongAudience, "%w", err)
	}
	if !v.terms.AnyAudience && !slices.ContainsFunc(a.audience, func(aud string) bool { return slices.Contains(v.terms.Audiences, aud) }) {
		return refuse(core.ReasonWrongAudience, "aud is %.512q and contains none of %.512q", strings.Join(a.audience, " "), strings.Join(v.terms.Audiences, " "))
	}
	return nil
}

// date returns a time in seconds since 1970, or zero if there is no such member.
// None of those in RFC 7662 §2.2 can itself be zero.
func date(m claims.Set, name string) (time.Time, error) {
	t, ok, err := claims.Date(m, name)
	if err == nil && ok && t.Unix() <= 0 {
		err = fmt.Errorf("%s is not a date", name)
	}
	return t, err
}
