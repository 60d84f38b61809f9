package jwtauth_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// edKeyNamed is the public half of the key derived from seed, as a JWK with another kid.
func edKeyNamed(seed, kid string) string {
	public := edPrivate(seed).Public().(ed25519.PublicKey)
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519"%s,"x":%q}`, kid, base64.RawURLEncoding.EncodeToString(public))
}

// E09: a new key under the same kid, or without one, is found with the first token that
// it signs.
func TestNewKeyUnderTheSameName(t *testing.T) {
	for name, kid := range map[string]string{"the same kid": `"k"`, "no kid": ``} {
		t.Run(name, func(t *testing.T) {
			member, header := "", `{"alg":"EdDSA"}`
			if kid != "" {
				member, header = `,"kid":`+kid, `{"alg":"EdDSA","kid":`+kid+`}`
			}
			inBubble(t, func(t *testing.T) {
				p := new(published)
				p.serves(setOf(edKeyNamed("old", member)))
				r := fetching(t, p)
				v := newVerifier(t, r)
				by := func(seed string) string { return sign(t, "EdDSA", edPrivate(seed), header, goodClaims) }
				wantReason(t, v, by("old"), "")
				p.serves(setOf(edKeyNamed("new", member)))
				before := p.asked.Load()
				wantReason(t, v, by("new"), "")
				wantReason(t, v, by("old"), core.ReasonBadSignature) // also from the cache
				for range 1000 {
					wantReason(t, v, by("nobody"), core.ReasonBadSignature)
				}
				if n := p.asked.Load() - before; n != 1 {
					t.Errorf("%d fetches for bad signatures, want 1", n)
				}
				p.serves(setOf(edKeyNamed("third", member)))
				wantReason(t, v, by("third"), core.ReasonBadSignature) // not again so soon
				time.Sleep(30 * time.Second)
				wantReason(t, v, by("third"), "")
				if n := p.asked.Load() - before; n != 2 {
					t.Errorf("%d fetches, want 2", n)
				}
			})
		})
	}
}

// A new key for another algorithm under the same kid is found as well.
func TestNewAlgorithmUnderTheSameName(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(`{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`)) // RFC 7515 §A.3
		v := newVerifier(t, fetching(t, p))
		p.serves(setOf(edKeyNamed("new", `,"kid":"k"`)))
		wantReason(t, v, sign(t, "EdDSA", edPrivate("new"), `{"alg":"EdDSA","kid":"k"}`, goodClaims), "")
	})
}

// A bad signature is 401 during an outage: known keys still serve, and a forger must not
// look like an outage.
func TestBadSignatureInAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		v := newVerifier(t, r)
		p.fails()
		forged := sign(t, "EdDSA", edPrivate("nobody"), `{"alg":"EdDSA","kid":"a"}`, goodClaims)
		wantReason(t, v, forged, core.ReasonBadSignature)
		wantReason(t, v, sign(t, "EdDSA", edPrivate("a"), `{"alg":"EdDSA","kid":"a"}`, goodClaims), "")
	})
}

// Requests during the fetch share it, and a cancelled one does not wait for its end.
func TestRenewalIsShared(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.WithTimeout(2*time.Second))
		p.stalls()
		before, start := p.asked.Load(), time.Now()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if keys, err := r.Renew(context.Background(), "a"); err != nil || len(keys) != 1 {
					t.Errorf("keys %v, error %v", keys, err)
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := r.Renew(ctx, "a"); err == nil {
			t.Error("no error for a cancelled request")
		}
		all.Wait()
		if n, d := p.asked.Load()-before, time.Since(start); n != 1 || d != 2*time.Second {
			t.Errorf("%d fetches in %v, want 1 in 2s", n, d)
		}
	})
}
