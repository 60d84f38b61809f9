package jwtauth

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/localcaller"
)

// WithDevelopmentKeysAnywhere accepts the tokens of development keys
// ([Key.Development]) from every caller, as those of any other key.
//
// Without this option such a token is good only for a program on the same
// machine that calls directly. For all others the answer is 503 with the reason
// development_key, which no client can mend: a key that lies about on the machines
// of developers has come into a service that others reach. A caller is on the
// same machine if the peer's address ([core.Request.RemoteAddr]) is loopback, the
// request has no field that proxies add, such as Forwarded, X-Forwarded-For or
// Via, and its host is localhost or a loopback address. A proxy on the same
// machine that adds no such field and puts a loopback address in the place of the
// host cannot be told from a direct caller.
//
// Who calls a verifier without a scheme of this module, as a handler of its own
// does, has not looked at the caller, so that a development key is refused there.
func WithDevelopmentKeysAnywhere() Option {
	return func(v *Verifier) error {
		v.anywhere = true
		return nil
	}
}

// checkDevelopment refuses a development key unless the scheme has found that
// the caller is on this machine.
func (v *Verifier) checkDevelopment(ctx context.Context, k *Key) error {
	if !k.development || v.anywhere || localcaller.Seen(ctx) {
		return nil
	}
	return &core.UnavailableError{
		Reason: core.ReasonDevelopmentKey,
		Err: fmt.Errorf("jwtauth: development key %q is for callers on this machine: "+
			"sign with another (sallyport keys new), or say WithDevelopmentKeysAnywhere (development: anywhere)", k.id),
	}
}
