package jwtauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/jws"
)

// WithAccessTokenProfile accepts only JWT access tokens by RFC 9068: the header's typ is
// at+jwt or application/at+jwt in any letter case, and iss, exp, aud, sub,
// client_id, iat and jti are all there (§2.1, §2.2, §4).
//
// Without this option whatever the issuer signs for this audience is accepted
// unless it shows that it is no access token. What shows it, by [core.Reason]
// wrong_type: a typ in the header with a type of its own, such as logout+jwt or
// dpop+jwt; ID, refresh or logout in the claim typ, token_use, token_type,
// tokenName or type; the claims at_hash, c_hash and s_hash, events, and nonce in
// a token that does not call itself an access token. An ID token with none of
// these is not told from an access token; its aud is the client, as a rule.
func WithAccessTokenProfile() Option {
	return func(v *Verifier) error {
		v.profile = true
		return nil
	}
}

// WithAlgorithms names the algorithms that tokens may have, such as "ES256". It
// narrows what keys allow, each of which is for one algorithm anyway: a key
// source that comes to publish another one changes nothing (RFC 8725 §3.1).
// EdDSA and Ed25519 (RFC 9864) are two names of one algorithm.
func WithAlgorithms(algs ...string) Option {
	return func(v *Verifier) error {
		if len(algs) == 0 {
			return errors.New("no algorithm is named: name at least one")
		}
		for _, alg := range algs {
			a := jws.Lookup(alg)
			if a == nil {
				return fmt.Errorf("algorithm %q is not supported", alg)
			}
			v.algorithms = append(v.algorithms, a)
		}
		return nil
	}
}

// WithNonce accepts access tokens that carry a nonce, as some issuers make them
// that do not call them access tokens either. ID tokens are then told by their
// other marks alone (see [WithAccessTokenProfile]).
func WithNonce() Option {
	return func(v *Verifier) error {
		v.mapping.AllowNonce()
		return nil
	}
}

// WithIDTokens accepts ID tokens as credentials, as some platforms send them
// between services. An ID token says to a client who signed in; it was not
// issued to be sent on, and a service that holds one can send it on to this one
// if it is in the same aud.
func WithIDTokens() Option {
	return func(v *Verifier) error {
		v.mapping.AllowIDTokens()
		return nil
	}
}

// checkKind refuses what was issued as something other than an access token.
func (v *Verifier) checkKind(t *verified) error {
	access, err := v.mapping.CheckHeader(t.header.typ)
	if err == nil {
		err = v.mapping.CheckKind(t.claims, access)
	}
	if err != nil {
		return refuse(ReasonWrongType, "%w", err)
	}
	return nil
}

// checkType wants the typ of an access token (RFC 9068 §2.1, RFC 8725 §3.11).
// Media types have no letter case, and their application/ may be left out
// (RFC 7515 §4.1.9).
func checkType(typ string) error {
	if strings.EqualFold(typ, "at+jwt") || strings.EqualFold(typ, "application/at+jwt") {
		return nil
	}
	return refuse(ReasonWrongType, "header: typ is %.64q, not at+jwt", typ)
}

// checkRequired wants the claims of RFC 9068 §2.2 that nothing else asks for.
func checkRequired(c claims.Set) error {
	for _, name := range [...]string{"client_id", "jti"} {
		s, err := text(c, claims.Path{name})
		if err != nil {
			return err
		}
		if s == "" {
			return refuse(core.ReasonBadClaim, "no %s", name)
		}
	}
	if _, ok := c["iat"]; !ok {
		return refuse(core.ReasonBadClaim, "no iat")
	}
	return nil
}
