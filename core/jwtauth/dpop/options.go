package dpop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/tokenscheme"
	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures an [Authenticator].
type Option func(*Authenticator) error

// asymmetric lists the algorithms that a proof may have at all (RFC 9449 §4.2).
var asymmetric = [...]string{"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}

const (
	maxAge    = 10 * time.Minute
	maxLeeway = 5 * time.Minute
)

// WithAddress adds another address at which clients reach the root of the service,
// as for [New].
func WithAddress(address string) Option {
	return func(a *Authenticator) error {
		b, err := parseBase(address)
		if err != nil {
			return err
		}
		if slices.Contains(a.bases, b) {
			return fmt.Errorf("address %q is given twice", address)
		}
		a.bases = append(a.bases, b)
		return nil
	}
}

// WithAlgorithms sets the algorithms that proofs may be signed with: ES256, ES384,
// ES512, EdDSA, Ed25519, PS256 and RS256 by default; PS384, PS512, RS384 and RS512
// are supported too. Challenges name them in the given order. EdDSA and Ed25519
// (RFC 9864) are two names of one algorithm: either of them accepts both, and
// clients may look for either in the challenge.
func WithAlgorithms(algs ...string) Option {
	return func(a *Authenticator) error {
		if err := a.set.Add("WithAlgorithms"); err != nil {
			return err
		}
		if len(algs) == 0 {
			return errors.New("no algorithm: no proof could be accepted")
		}
		for i, alg := range algs {
			if !slices.Contains(asymmetric[:], alg) {
				return fmt.Errorf("algorithm %q is not one of %s", alg, strings.Join(asymmetric[:], ", "))
			}
			if slices.Contains(algs[:i], alg) {
				return fmt.Errorf("algorithm %s is given twice", alg)
			}
		}
		a.algorithms = slices.Clone(algs)
		return nil
	}
}

// WithProofAge sets how long a proof is valid after it was made (iat): 60 s by
// default, from 1 s to 10 minutes. Proofs are remembered for that long.
func WithProofAge(d time.Duration) Option {
	return func(a *Authenticator) error {
		return a.set.Once("WithProofAge", option.SetUnless(&a.age, d, d < time.Second || d > maxAge, "proof age %v: must be from 1s to %v", d, maxAge))
	}
}

// WithLeeway sets how far a client's clock may be ahead of or behind this one: 30 s
// by default, from 0 to 5 minutes.
func WithLeeway(d time.Duration) Option {
	return func(a *Authenticator) error {
		return a.set.Once("WithLeeway", option.SetUnless(&a.leeway, d, d < 0 || d > maxLeeway, "leeway %v: must be from 0 to %v", d, maxLeeway))
	}
}

// WithMaxTokenSize sets the maximum length of a token in bytes; 16 KiB by default,
// at least 1. A longer one is refused with 401 and never reaches the verifier.
func WithMaxTokenSize(n int) Option {
	return func(a *Authenticator) error {
		return a.set.Once("WithMaxTokenSize", option.SetUnless(&a.maxSize, n, n < 1, "max token size %d: must be at least 1 byte", n))
	}
}

// WithReplays sets where proofs are remembered, so that none works twice. The
// processes of a service must share a store: with separate ones, a proof works once
// in each process.
func WithReplays(s ReplayStore) Option {
	return func(a *Authenticator) error { return option.SetOnce(&a.replays, s, "replay store") }
}

// WithNonces requires in every proof a nonce that this service issued at most
// lifetime ago, from 10 s to 1 hour (RFC 9449 §9). A client then cannot make proofs
// in advance (§11.2). The first request of a client gets a 401 with
// [core.CodeUseNonce] and a nonce; later nonces come with successful responses once
// half the lifetime is over.
//
// Nonces need no store: each holds its time under a MAC by key, at least 32 random
// bytes that all processes of the service share. Nonces made with one of the
// previous keys are accepted too, so that keys can be changed without a 401 for
// every client. The keys are copied.
func WithNonces(lifetime time.Duration, key []byte, previous ...[]byte) Option {
	return func(a *Authenticator) error {
		if a.nonces != nil {
			return errors.New("nonces are given twice")
		}
		n, err := newNonces(lifetime, append([][]byte{key}, previous...))
		a.nonces = n
		return err
	}
}

// WithResourceMetadata names the metadata of the protected resource in every
// challenge, as resource_metadata (RFC 9728 §5.1). address is the absolute https
// URL of the document, which package metadata serves.
func WithResourceMetadata(address string) Option {
	return func(a *Authenticator) error {
		if a.metadata != nil {
			return errors.New("resource metadata is given twice")
		}
		param, err := tokenscheme.ResourceMetadata(address)
		a.metadata = []challenge.Param{param}
		return err
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use.
func WithClock(now func() time.Time) Option {
	return func(a *Authenticator) error {
		return a.set.Once("WithClock", option.Set(&a.now, now, "clock is nil"))
	}
}

// algs returns the challenge parameter that lists the algorithms.
func (a *Authenticator) algs() challenge.Param {
	return challenge.Param{Name: "algs", Value: strings.Join(a.algorithms, " ")}
}
