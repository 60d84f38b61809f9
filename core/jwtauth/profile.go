package jwtauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/jws"
	"github.com/sallyport-go/sallyport/core/option"
)

// WithAccessTokenProfile accepts only JWT access tokens by RFC 9068: the header's typ is
// at+jwt or application/at+jwt in any letter case, and iss, exp, aud, sub,
// client_id, iat and jti are all there (§2.1, §2.2, §4).
//
// Without this option any token that the issuer signs for this audience is
// accepted, unless it is recognizably not an access token. These are refused with
// the [core.Reason] wrong_type: a typ in the header for another kind of token, such
// as logout+jwt or dpop+jwt; ID, refresh or logout in the claim typ, token_use,
// token_type, tokenName or type; the claims at_hash, c_hash, s_hash and events; and
// nonce in a token that does not call itself an access token. An ID token with none
// of these cannot be told from an access token, but its aud is usually the client.
func WithAccessTokenProfile() Option { return func(v *Verifier) error { return option.On(&v.profile) } }

// WithAlgorithms names the algorithms that tokens may have, such as "ES256". Each
// key is for one algorithm anyway; with this option a key source that starts to
// publish keys for another one has no effect (RFC 8725 §3.1). EdDSA and Ed25519
// (RFC 9864) are two names of one algorithm.
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

// WithNonce accepts access tokens that carry a nonce but do not call themselves
// access tokens, as some issuers make them. ID tokens are then recognized only by
// their other marks (see [WithAccessTokenProfile]).
func WithNonce() Option {
	return func(v *Verifier) error {
		v.mapping.AllowNonce()
		return nil
	}
}

// WithIDTokens accepts ID tokens as credentials, which some platforms send between
// services. An ID token tells a client who signed in and is not meant to be
// forwarded; any service in the same aud that receives one can replay it to this
// one.
func WithIDTokens() Option {
	return func(v *Verifier) error {
		v.mapping.AllowIDTokens()
		return nil
	}
}

// checkKind refuses a token that was not issued as an access token.
func (v *Verifier) checkKind(t *verified) error {
	access, err := v.mapping.CheckHeader(t.header.typ)
	if err == nil {
		err = v.mapping.CheckKind(t.claims, access)
	}
	if err != nil {
		return refuse(core.ReasonWrongType, "%w", err)
	}
	return nil
}

// checkType requires the typ of an access token (RFC 9068 §2.1, RFC 8725 §3.11).
// Media types are case-insensitive, and their application/ may be omitted (RFC 7515
// §4.1.9).
func checkType(typ string) error {
	if strings.EqualFold(typ, "at+jwt") || strings.EqualFold(typ, "application/at+jwt") {
		return nil
	}
	return refuse(core.ReasonWrongType, "header: typ is %.64q, not at+jwt", typ)
}

// checkRequired requires the claims of RFC 9068 §2.2 that nothing else checks.
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
