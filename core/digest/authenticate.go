package digest

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Authenticate implements [core.Authenticator].
//
// Another scheme, or none, is [core.ErrNoCredentials]. Two Authorization lines,
// username together with username*, and a uri that is not the request's target are
// [core.ErrAmbiguousCredentials], which results in 400 (RFC 7616 §3.4.6). Any other
// defect of credentials is a [core.CredentialError] with a reason:
//
//   - [core.ReasonMalformed]: a parameter is missing or invalid
//   - [ReasonWrongRealm], [core.ReasonBadAlgorithm], [ReasonForeignNonce]: this
//     server did not offer it
//   - [core.ReasonUnknownPrincipal], [core.ReasonWrongSecret]: indistinguishable to
//     the client, by response and by time
//   - [core.ReasonStale]: the response is right, but the nonce has expired, or
//     nonce or count is too old to tell whether it was used
//   - [core.ReasonReplayed]: the response is right, but was used before
//
// Errors of the store are mapped as [Store] says, and a failure of the one of
// [WithCounts] is a [core.UnavailableError]. No error contains the user's name (RFC
// 7616 §3.4.4 lets clients hide it).
func (a *Authenticator) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	c, err := parseCredentials(r)
	if err != nil {
		return nil, err
	}
	algorithm, id, err := a.offered(&c)
	if err != nil {
		return nil, err
	}
	if !sameTarget(c.input.URI, r) {
		return nil, fmt.Errorf("digest: %w: uri is not the request target", core.ErrAmbiguousCredentials)
	}
	e, known, err := a.find(ctx, &c, algorithm)
	if err != nil {
		return nil, err
	}
	right := a.answers(&c, algorithm, e.A1)
	switch {
	case !known:
		return nil, refused(core.ReasonUnknownPrincipal, errors.New("digest: unknown user"))
	case !right:
		return nil, refused(core.ReasonWrongSecret, errors.New("digest: the response is not the user's"))
	}
	if core.IsRecheck(ctx) {
		return e.Principal, nil // nonce and count were for the original request
	}
	now := a.now()
	use := a.counts.use(id, c.count, now)
	if use == usable {
		if use, err = a.shared.use(ctx, id, c.count, now); err != nil {
			return nil, err
		}
	}
	switch use {
	case stale:
		return nil, refused(core.ReasonStale, errors.New("digest: the nonce may no longer be used"))
	case replayed:
		return nil, refused(core.ReasonReplayed, errors.New("digest: the nonce was used with this nc before"))
	}
	return e.Principal, nil
}

// offered checks that c answers a challenge of this server (RFC 7616 §3.4), and
// returns its algorithm and nonce.
func (a *Authenticator) offered(c *credentials) (Algorithm, nonceID, error) {
	if c.realm != a.realm {
		return "", nonceID{}, refused(ReasonWrongRealm, errors.New("digest: wrong realm"))
	}
	if c.algorithm == "" {
		c.algorithm = string(MD5) // RFC 7616 §3.3
	}
	algorithm := a.algorithm(c.algorithm)
	switch {
	case algorithm == "":
		return "", nonceID{}, refused(core.ReasonBadAlgorithm, errors.New("digest: the algorithm was not offered"))
	case !isHex(c.response, algorithm.hexLen()):
		return "", nonceID{}, malformed("response is not the lower-case hex digits of a hash")
	case c.hashed && a.hashes == nil:
		return "", nonceID{}, malformed("userhash was not offered")
	case c.hashed && !isHex(c.user, algorithm.hexLen()):
		return "", nonceID{}, malformed("username is not the lower-case hex digits of a hash")
	}
	id, err := a.open(c)
	return algorithm, id, err
}

// open decodes the nonce of c, which must have been made, like the opaque, with one
// of the keys.
func (a *Authenticator) open(c *credentials) (nonceID, error) {
	for _, s := range a.sealers {
		if c.opaque != s.opaque {
			continue
		}
		if id, ok := s.open(c.input.Nonce); ok {
			return id, nil
		}
		return nonceID{}, refused(ReasonForeignNonce, errors.New("digest: the nonce is not this server's"))
	}
	return nonceID{}, refused(ReasonForeignNonce, errors.New("digest: opaque is not this server's"))
}

// algorithm returns the offered algorithm with the given name, in any letter case,
// or "".
func (a *Authenticator) algorithm(name string) Algorithm {
	for _, algorithm := range a.algorithms {
		if strings.EqualFold(string(algorithm), name) {
			return algorithm
		}
	}
	return ""
}

// answers reports, in constant time, whether the response of c was computed with
// a1.
func (a *Authenticator) answers(c *credentials, algorithm Algorithm, a1 string) bool {
	var digits, response [maxHexLen]byte
	want := algorithm.appendResponse(digits[:0], a1, c.input)
	got := append(response[:0], c.response...)
	return subtle.ConstantTimeCompare(want, got) == 1
}
