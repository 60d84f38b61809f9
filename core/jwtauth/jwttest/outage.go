package jwttest

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// RunOutage lets an issuer's key server fail, and come back with other keys, while
// an app on f has tokens to judge: good tokens pass all the time, one by a key that
// could be new is 503, and keys count from the fetch that brings them. What happens
// under load is proved by this package's own tests.
func RunOutage(t *testing.T, f authtest.Framework) {
	b := bench{framework: f, keys: newKeys(t)}
	p := publish(t, setOf(t, b.keys.jwk(t, "ES256")))
	s := b.serveFor(t, verifier(t, p.remoteEvery(t, 20*time.Millisecond)))
	old, next := b.keys.good(t, "ES256"), b.keys.good(t, "EdDSA")
	s.try(onPublic, attempt{"before", old, ""})
	p.fails()
	p.await(t, failed)
	s.try(onPublic, attempt{"meanwhile", old, ""})
	s.unavailable(onPublic, next)
	p.serves(setOf(t, b.keys.jwk(t, "EdDSA")))
	p.await(t, good)
	s.try(onPublic, attempt{"by the new key", next, ""}, attempt{"by the key that is gone", old, core.ReasonUnknownKey})
}
