package jwtauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// AccessTokens accepts only JWT access tokens by RFC 9068: the header's typ is
// at+jwt or application/at+jwt in any letter case, and iss, exp, aud, sub,
// client_id, iat and jti are all there (§2.1, §2.2, §4). ID tokens, logout
// tokens and DPoP proofs of the same issuer are then no access tokens.
//
// Such a token names the client, so one that a client obtained for itself is
// told from a user's; see [ClientPrefix], which this option sets to "client:"
// unless [ClientPrefix] or [RefuseClients] is given.
func AccessTokens() Option {
	return func(v *Verifier) error {
		v.profile = true
		return nil
	}
}

// Algorithms names the algorithms that tokens may have, such as "ES256". It
// narrows what keys allow, each of which is for one algorithm anyway: a key
// source that comes to publish another one changes nothing (RFC 8725 §3.1).
func Algorithms(algs ...string) Option {
	return func(v *Verifier) error {
		if len(algs) == 0 {
			return errors.New("no algorithm is named; leave the option out to accept those of the keys")
		}
		for _, alg := range algs {
			if method(alg) == nil {
				return fmt.Errorf("algorithm %q is not supported", alg)
			}
		}
		v.algorithms = append(v.algorithms, algs...)
		return nil
	}
}

// clientRule is what becomes of a token that a client obtained for itself.
type clientRule int

const (
	clientsAsUsers clientRule = iota
	clientsPrefixed
	clientsRefused
)

const defaultClientPrefix = "client:"

// ClientPrefix keeps clients apart from users: the principal of a token that a
// client obtained for itself, one whose sub is its client_id (RFC 9068 §2.2), is
// named prefix followed by sub. So no client that registers under a user's name
// becomes that user (RFC 9700 §4.15). A user whose sub begins with prefix is
// refused.
//
// A token without client_id counts as a user's. Some issuers put another sub
// into the tokens of clients, which nothing here can tell from a user's; give
// those an audience of their own.
func ClientPrefix(prefix string) Option {
	return func(v *Verifier) error {
		if prefix == "" || !claims.ControlFree(prefix) {
			return errors.New("client prefix is empty or has a control character")
		}
		return v.setClients(clientsPrefixed, prefix)
	}
}

// RefuseClients refuses tokens that a client obtained for itself, as
// [ClientPrefix] tells them, with 401.
func RefuseClients() Option {
	return func(v *Verifier) error { return v.setClients(clientsRefused, "") }
}

func (v *Verifier) setClients(rule clientRule, prefix string) error {
	if v.clients != clientsAsUsers {
		return errors.New("what to do with clients is said twice: give one of ClientPrefix and RefuseClients, once")
	}
	v.clients, v.clientPrefix = rule, prefix
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

// apart is sub, marked if it is a client's.
func (v *Verifier) apart(c claims.Set, sub string) (string, error) {
	if v.clients == clientsAsUsers {
		return sub, nil
	}
	client, err := text(c, claims.Path{"client_id"})
	if err != nil {
		return "", err
	}
	switch own := client == sub; {
	case own && v.clients == clientsRefused:
		return "", refuse(core.ReasonBadClaim, "the token was issued to a client for itself: sub is client_id")
	case own:
		return v.clientPrefix + sub, nil
	case v.clients == clientsPrefixed && strings.HasPrefix(sub, v.clientPrefix):
		return "", refuse(core.ReasonBadClaim, "sub begins like the names of clients, %q", v.clientPrefix)
	}
	return sub, nil
}
