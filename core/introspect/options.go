package introspect

import (
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures a [Verifier].
type Option func(*Verifier) error

// The bounds of what options take.
const (
	maxTTL     = time.Hour
	maxTimeout = time.Minute
)

// WithIssuer names the issuer. An answer's iss must be exactly this string, and
// must be there.
func WithIssuer(iss string) Option {
	return func(v *Verifier) error { return v.terms.SetIssuer(iss) }
}

// WithoutIssuer accepts answers whatever their iss, or without one, which is
// for a server with a single issuer.
func WithoutIssuer() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyIssuer() }
}

// WithAudience names the audiences this service answers to. An answer's aud must
// hold at least one of them, compared exactly.
func WithAudience(aud ...string) Option {
	return func(v *Verifier) error { return v.terms.AddAudience(aud) }
}

// WithoutAudience accepts answers whatever their aud, or without one. A token
// that was issued for another service then works here too, unless the server
// calls it inactive for this client (RFC 7662 §4).
func WithoutAudience() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyAudience() }
}

// WithLeeway sets how far the server's clock may differ from this one's: 30 s by
// default, from 0 to 5 minutes.
func WithLeeway(d time.Duration) Option {
	return func(v *Verifier) error { return v.terms.SetLeeway(d) }
}

// WithCacheTTL sets how long an answer may be kept: 30 s by default, at most 1 h.
// A revoked token is accepted for as long; with 0 no answer is kept. None is
// kept beyond its exp, and a refusal for 5 s at most.
func WithCacheTTL(d time.Duration) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithCacheTTL"); err != nil {
			return err
		}
		if d < 0 || d > maxTTL {
			return fmt.Errorf("cache TTL %v: must be from 0 to %v", d, maxTTL)
		}
		v.ttl = d
		return nil
	}
}

// WithCacheSize sets how many tokens' answers are kept: 10,000 by default, at least
// 1. A quarter as many refusals are kept apart, where they push out no good
// token.
func WithCacheSize(n int) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithCacheSize"); err != nil {
			return err
		}
		if n < 1 {
			return fmt.Errorf("cache size %d: must be at least 1", n)
		}
		v.size = n
		return nil
	}
}

// WithConcurrency sets how many calls may be under way at a time: 64 by default,
// at least 1. Eight times as many wait for their turn within [WithTimeout]; more
// are refused with 503 at once.
func WithConcurrency(n int) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithConcurrency"); err != nil {
			return err
		}
		if n < 1 {
			return fmt.Errorf("concurrency %d: must be at least 1", n)
		}
		v.concurrency = n
		return nil
	}
}

// WithTimeout sets how long a call may take, with waiting for its turn and reading
// the answer: 3 s by default, above 0 and at most 1 minute.
func WithTimeout(d time.Duration) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithTimeout"); err != nil {
			return err
		}
		if d <= 0 || d > maxTimeout {
			return fmt.Errorf("timeout %v: must be above 0 and at most %v", d, maxTimeout)
		}
		v.timeout = d
		return nil
	}
}

// WithTransport sets what calls are made with, for own certificate authorities or a
// client certificate. By default it is a transport like [http.DefaultTransport].
// It must be safe for concurrent use.
func WithTransport(rt http.RoundTripper) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithTransport"); err != nil {
			return err
		}
		return option.Set(&v.transport, rt, "transport is nil")
	}
}

// WithPlainHTTP takes an endpoint with http that is not on a loopback host.
// Tokens and client credentials can then be read on the way.
func WithPlainHTTP() Option {
	return func(v *Verifier) error {
		v.plainHTTP = true
		return nil
	}
}

// WithClock sets where the time comes from; [time.Now] by default. It must be safe
// for concurrent use.
func WithClock(now func() time.Time) Option {
	return func(v *Verifier) error { return v.terms.SetClock(now) }
}
