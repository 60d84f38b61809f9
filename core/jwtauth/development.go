package jwtauth

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/localcaller"
	"github.com/sallyport-go/sallyport/core/option"
)

// WithDevelopmentKeysAnywhere accepts tokens signed by development keys
// ([Key.Development]) from every caller, like those of any other key.
//
// Without this option such a token is accepted only from a program on the same
// machine that calls directly. Other callers get 503 with the reason
// development_key, which no client can fix: a key that lies around on developers'
// machines has been deployed to a service that others can reach. A caller counts as
// on the same machine if the peer's address ([core.Request.RemoteAddr]) is
// loopback, the request has no field that proxies add, such as Forwarded,
// X-Forwarded-For or Via, and its host is localhost or a loopback address. A proxy
// on the same machine that adds no such field and replaces the host with a loopback
// address cannot be told from a direct caller.
//
// If a verifier is called without a scheme of this module, for instance directly by
// a handler, nothing has checked the caller, so development keys are refused.
func WithDevelopmentKeysAnywhere() Option {
	return func(v *Verifier) error { return option.On(&v.anywhere) }
}

// checkDevelopment refuses a development key unless the scheme found that the
// caller is on this machine.
func (v *Verifier) checkDevelopment(ctx context.Context, k *Key) error {
	if !k.development || v.anywhere || localcaller.Seen(ctx) {
		return nil
	}
	return &core.UnavailableError{
		Reason: core.ReasonDevelopmentKey,
		Err: fmt.Errorf("jwtauth: development key %q is for callers on this machine: "+
			"sign with another (sallyport keys new), or use WithDevelopmentKeysAnywhere (bearer.development: anywhere)", k.id),
	}
}
