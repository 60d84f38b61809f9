package introspect

import (
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures a [Verifier].
type Option func(*Verifier) error

// The bounds of option values.
const (
	maxTTL         = time.Hour
	maxTimeout     = time.Minute
	maxCacheSize   = 1 << 20
	maxConcurrency = 1 << 12
)

// WithIssuer names the issuer. An answer must have an iss that is exactly this
// string.
func WithIssuer(iss string) Option {
	return func(v *Verifier) error { return v.terms.SetIssuer(iss) }
}

// WithoutIssuer accepts answers with any iss, or without one. It is for a server
// with a single issuer.
func WithoutIssuer() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyIssuer() }
}

// WithAudience names the audiences that this service accepts. An answer's aud must
// contain at least one of them, compared exactly.
func WithAudience(aud ...string) Option {
	return func(v *Verifier) error { return v.terms.AddAudience(aud) }
}

// WithoutAudience accepts answers with any aud, or without one. A token that was
// issued for another service then works here too, unless the server calls it
// inactive for this client (RFC 7662 §4).
func WithoutAudience() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyAudience() }
}

// WithLeeway sets how far the server's clock may differ from this one's: 30 s by
// default, from 0 to 5 minutes.
func WithLeeway(d time.Duration) Option {
	return func(v *Verifier) error { return v.terms.SetLeeway(d) }
}

// WithCacheTTL sets how long an answer may be cached: 30 s by default, at most 1 h.
// A revoked token may be accepted for that long; with 0 no answer is cached. No
// answer is kept beyond its exp, and a refusal for at most 5 s.
func WithCacheTTL(d time.Duration) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithCacheTTL", option.SetUnless(&v.ttl, d, d < 0 || d > maxTTL, "cache TTL %v: must be from 0 to %v", d, maxTTL))
	}
}

// WithCacheSize sets how many tokens' answers are cached: 10,000 by default, 1 to
// 1,048,576. A quarter as many refusals are cached separately, so that they do not
// evict valid tokens.
func WithCacheSize(n int) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithCacheSize", option.SetUnless(&v.size, n, n < 1 || n > maxCacheSize, "cache size %d: must be from 1 to %d", n, maxCacheSize))
	}
}

// WithConcurrency sets how many calls may be under way at a time: 64 by default, 1
// to 4096. Eight times as many wait for a slot within [WithTimeout]; any more are
// refused with 503 at once.
func WithConcurrency(n int) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithConcurrency", option.SetUnless(&v.concurrency, n, n < 1 || n > maxConcurrency, "concurrency %d: must be from 1 to %d", n, maxConcurrency))
	}
}

// WithTimeout bounds a call, including waiting for a slot and reading the answer: 3
// s by default, above 0 and at most 1 minute.
func WithTimeout(d time.Duration) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithTimeout", option.SetUnless(&v.timeout, d, d <= 0 || d > maxTimeout, "timeout %v: must be above 0 and at most %v", d, maxTimeout))
	}
}

// WithTransport sets the transport for calls, for instance for private certificate
// authorities or a client certificate. The default is a transport like
// [http.DefaultTransport]. It must be safe for concurrent use.
func WithTransport(rt http.RoundTripper) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithTransport", option.Set(&v.transport, rt, "transport is nil"))
	}
}

// WithPlainHTTP accepts an endpoint with http that is not on a loopback host.
// Anyone on the path can then read tokens and client credentials.
func WithPlainHTTP() Option { return func(v *Verifier) error { return option.On(&v.plainHTTP) } }

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use.
func WithClock(now func() time.Time) Option {
	return func(v *Verifier) error { return v.terms.SetClock(now) }
}
