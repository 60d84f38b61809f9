package jwtauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/ascii"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// issuerTemplate is an issuer for each value of a claim.
type issuerTemplate struct{ before, claim, after string }

// WithIssuerTemplate accepts the issuers of many tenants that share one set of
// keys, such as "https://login.example/{tid}/v2.0": a token's iss must be exactly
// the template with the claim in braces filled in. The claim must be a string of
// letters, digits and ._~- only.
//
// A key whose JWK has a member issuer without braces, as some of Entra ID's have,
// belongs to that tenant only: its tokens for another tenant are refused.
//
// Every tenant of the issuer is accepted. If the service is not for all of them,
// use [WithTenant] with the same claim, and rules that name tenants. The option
// replaces [WithIssuer].
func WithIssuerTemplate(template string) Option {
	return func(v *Verifier) (err error) {
		v.template, err = parseIssuerTemplate(template)
		return v.terms.Given.Once("WithIssuerTemplate", err)
	}
}

func parseIssuerTemplate(template string) (*issuerTemplate, error) {
	before, rest, ok := strings.Cut(template, "{")
	claim, after, closed := strings.Cut(rest, "}")
	switch {
	case !ok || !closed || claim == "" || strings.ContainsAny(after, "{}") || strings.ContainsAny(claim, "{}"):
		return nil, fmt.Errorf("issuer template %q: put the name of one claim into it in braces, as in https://login.example/{tid}", template)
	case before == "":
		return nil, fmt.Errorf("issuer template %q begins with the claim: every issuer would match", template)
	}
	return &issuerTemplate{before, claim, after}, nil
}

func (t *issuerTemplate) String() string { return t.before + "{" + t.claim + "}" + t.after }

// issuerName returns the issuer, or the template.
func (v *Verifier) issuerName() string {
	if v.template != nil {
		return v.template.String()
	}
	return v.terms.Issuer
}

// checkKeyIssuer refuses a token of one tenant signed by the key of another. The
// issuer of a key for all tenants contains a placeholder in braces.
func (v *Verifier) checkKeyIssuer(iss string, key *Key) error {
	if v.template == nil || key.issuer == "" || key.issuer == iss || strings.ContainsAny(key.issuer, "{}") {
		return nil
	}
	return refuse(core.ReasonWrongIssuer, "iss is %.128q, but key %.64q signs only for %.128q", iss, key.id, key.issuer)
}

// of returns the issuer for the claims c.
func (t *issuerTemplate) of(c claims.Set) (string, error) {
	value, ok := c[t.claim].(string)
	if !ok {
		return "", fmt.Errorf("%s, which is a part of the issuer, is missing or not a string", t.claim)
	}
	if value == "." || value == ".." || !ascii.Only(value, "-._~") {
		return "", errors.New(t.claim + ", which is a part of the issuer, is empty or has characters other than letters, digits and ._~-")
	}
	return t.before + value + t.after, nil
}
