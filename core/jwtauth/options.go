package jwtauth

import (
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures a [Verifier].
type Option func(*Verifier) error

// WithIssuer names the issuer. A token's iss must be exactly this string: slashes,
// letter case and ports are not normalized.
func WithIssuer(iss string) Option {
	return func(v *Verifier) error { return v.terms.SetIssuer(iss) }
}

// WithoutIssuer accepts tokens with any iss, or without one. A holder of any of the
// keys can then sign tokens for every service that trusts it.
func WithoutIssuer() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyIssuer() }
}

// WithAudience names the audiences that this service accepts. A token's aud must
// contain at least one of them, compared exactly.
func WithAudience(aud ...string) Option {
	return func(v *Verifier) error { return v.terms.AddAudience(aud) }
}

// WithoutAudience accepts tokens with any aud, or without one. A token that was
// issued for another service then works here too.
func WithoutAudience() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyAudience() }
}

// WithoutExpiry accepts tokens without exp, which never expire. An exp that is
// present is still checked.
func WithoutExpiry() Option { return func(v *Verifier) error { return option.On(&v.noExpiry) } }

// WithLeeway sets how far the issuer's clock may differ from this one's: 30 s by
// default, from 0 to 5 minutes.
func WithLeeway(d time.Duration) Option {
	return func(v *Verifier) error { return v.terms.SetLeeway(d) }
}

// WithMaxTokenSize sets the maximum length of a token in bytes; 16 KiB by default,
// at least 1. A longer one is refused before anything is decoded.
func WithMaxTokenSize(n int) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithMaxTokenSize", option.SetUnless(&v.maxSize, n, n < 1, "max token size %d: must be at least 1 byte", n))
	}
}

// WithMaxLifetime sets how far in the future exp may be; 3650 days by default. The
// default only catches values that are not dates in seconds, such as milliseconds;
// set it to the issuer's actual lifetime.
func WithMaxLifetime(d time.Duration) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithMaxLifetime", option.SetUnless(&v.lifetime, d, d <= 0, "max lifetime %v: must be above 0", d))
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use.
func WithClock(now func() time.Time) Option {
	return func(v *Verifier) error { return v.terms.SetClock(now) }
}
