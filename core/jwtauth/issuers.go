package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// Issuers verifies the tokens of several issuers, each with its own [Verifier],
// keys, audiences and algorithms. It implements [bearer.TokenVerifier] and is safe
// for concurrent use.
//
// The iss of a token selects the verifier before anything is verified, and that
// verifier requires the same iss after checking the signature. So a token is only
// ever verified with the keys of the issuer that it names (RFC 8725 §3.8).
type Issuers struct {
	all     []*Verifier
	byName  map[string]*Verifier // by issuer or template
	maxSize int
	caching bool
	headers headers

	prefixes []string // of IDs, where issuers have one
}

var _ bearer.TokenVerifier = (*Issuers)(nil)

// NewIssuers combines several verifiers into one. Each is for one issuer or for one
// [WithIssuerTemplate], and no two are for the same. An exact issuer takes
// precedence over a matching template.
//
// Two issuers may use one sub for two people. Unless all of them name the same
// people, give each a [WithIDPrefix], or all but one: an ID that begins like those
// of another issuer is refused.
func NewIssuers(verifiers ...*Verifier) (*Issuers, error) {
	if len(verifiers) == 0 {
		return nil, errors.New("jwtauth: no verifier: no token could be verified")
	}
	s := &Issuers{byName: make(map[string]*Verifier, len(verifiers))}
	for i, v := range verifiers {
		switch {
		case v == nil || v.keys == nil:
			return nil, fmt.Errorf("jwtauth: verifier %d is nil or was not made by New", i+1)
		case v.terms.AnyIssuer:
			return nil, fmt.Errorf("jwtauth: verifier %d accepts any issuer: it cannot be combined with others", i+1)
		case s.byName[v.issuerName()] != nil:
			return nil, fmt.Errorf("jwtauth: verifier %d: issuer %q already has one", i+1, v.issuerName())
		}
		s.all = append(s.all, v)
		s.byName[v.issuerName()] = v
		s.maxSize = max(s.maxSize, v.maxSize)
		s.caching = s.caching || v.cache != nil
		s.prefixes = append(s.prefixes, v.IDPrefixes()...)
	}
	return s, nil
}

// IDPrefixes returns the prefixes of [WithIDPrefix], as [ByForm] needs them.
func (s *Issuers) IDPrefixes() []string { return slices.Clone(s.prefixes) }

// own refuses a principal of v whose ID begins like those of another issuer.
func (s *Issuers) own(v *Verifier, t *verified, err error) (*verified, error) {
	if err == nil && claims.PrefixOf(t.principal.ID(), s.prefixes) > len(v.mapping.IDPrefix()) {
		return nil, refuseID(t.principal)
	}
	return t, err
}

func refuseID(p *core.Principal) error {
	return refuse(core.ReasonBadClaim, "the ID %.128q begins like those of another issuer", p.ID())
}

// VerifyToken returns the principal that token proves to the verifier of its
// issuer. A token of any other issuer is a [core.CredentialError] with reason
// wrong_issuer; no verifier is asked.
func (s *Issuers) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	return unbound(s.verify(ctx, token, "Bearer"))
}

// KeepsNothing returns s, as that of [Verifier] does.
func (s *Issuers) KeepsNothing() (of any) { return s }

// VerifyBoundToken is like [Verifier.VerifyBoundToken].
func (s *Issuers) VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error) {
	return bound(s.verify(ctx, token, "DPoP"))
}

func (s *Issuers) verify(ctx context.Context, token, scheme string) (*verified, error) {
	if len(token) > s.maxSize {
		return nil, refuse(core.ReasonMalformed, "token of %d bytes, at most %d are accepted", len(token), s.maxSize)
	}
	if s.caching && len(token) <= maxCachedToken {
		at := placeOf(token)
		for _, v := range s.all {
			if v.knows(at) { // that verifier has accepted it, so it is from that issuer
				t, err := v.verifyKept(ctx, token, at, scheme, nil)
				return s.own(v, t, err)
			}
		}
	}
	parts, err := split(token)
	if err != nil {
		return nil, err
	}
	h, err := s.headers.parse(parts.header)
	if err != nil {
		return nil, err // as a single verifier would report it
	}
	c, err := decodeClaims(parts.payload)
	if err != nil {
		return nil, err
	}
	v, err := s.verifier(c)
	if err != nil {
		return nil, err
	}
	t, err := v.verify(ctx, token, scheme, c)
	t, err = s.own(v, t, err)
	if err == nil {
		s.headers.keep(parts.header, h)
	}
	return t, err
}

// verifier returns the verifier for the issuer in the unverified claims c.
func (s *Issuers) verifier(c claims.Set) (*Verifier, error) {
	iss, ok := c["iss"].(string)
	if !ok {
		return nil, refuse(core.ReasonWrongIssuer, "no iss, or one that is not a string")
	}
	if v := s.byName[iss]; v != nil && v.template == nil {
		return v, nil
	}
	return s.byTemplate(iss, c)
}

// byTemplate returns the only verifier whose template yields iss for the claims.
func (s *Issuers) byTemplate(iss string, c claims.Set) (found *Verifier, _ error) {
	for _, v := range s.all {
		if v.template == nil {
			continue
		}
		if own, err := v.template.of(c); err != nil || own != iss {
			continue
		}
		if found != nil {
			return nil, refuse(core.ReasonWrongIssuer, "iss is %.128q, which matches both %q and %q", iss, found.template, v.template)
		}
		found = v
	}
	if found == nil {
		return nil, refuse(core.ReasonWrongIssuer, "iss is %.128q, which is not one of ours", iss)
	}
	return found, nil
}
