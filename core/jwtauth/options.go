package jwtauth

import (
	"fmt"
	"time"
)

// Option configures a [Verifier].
type Option func(*Verifier) error

// WithIssuer names the issuer. A token's iss must be exactly this string: no
// slash, letter case or port is repaired.
func WithIssuer(iss string) Option {
	return func(v *Verifier) error { return v.terms.SetIssuer(iss) }
}

// WithoutIssuer accepts tokens whatever their iss, or without one. Whoever
// holds one of the keys can then sign for every service that trusts it.
func WithoutIssuer() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyIssuer() }
}

// WithAudience names the audiences this service answers to. A token's aud must
// hold at least one of them, compared exactly.
func WithAudience(aud ...string) Option {
	return func(v *Verifier) error { return v.terms.AddAudience(aud) }
}

// WithoutAudience accepts tokens whatever their aud, or without one. A token
// that was issued for another service then works here too.
func WithoutAudience() Option {
	return func(v *Verifier) error { return v.terms.AcceptAnyAudience() }
}

// WithoutExpiry accepts tokens without exp, which then never stop being good.
// An exp that is there is still judged.
func WithoutExpiry() Option {
	return func(v *Verifier) error {
		v.noExpiry = true
		return nil
	}
}

// WithLeeway sets how far the issuer's clock may differ from this one's: 30 s by
// default, from 0 to 5 minutes.
func WithLeeway(d time.Duration) Option {
	return func(v *Verifier) error { return v.terms.SetLeeway(d) }
}

// WithMaxTokenSize sets how many bytes a token may have; 16 KiB by default, at
// least 1. A longer one is refused before anything is decoded.
func WithMaxTokenSize(n int) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithMaxTokenSize"); err != nil {
			return err
		}
		if n < 1 {
			return fmt.Errorf("max token size %d: must be at least 1 byte", n)
		}
		v.maxSize = n
		return nil
	}
}

// WithMaxLifetime sets how far in the future exp may lie; 3650 days by default.
// The default is meant only to catch values that are not dates, such as
// milliseconds; set it to what the issuer really gives.
func WithMaxLifetime(d time.Duration) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithMaxLifetime"); err != nil {
			return err
		}
		if d <= 0 {
			return fmt.Errorf("max lifetime %v: must be above 0", d)
		}
		v.lifetime = d
		return nil
	}
}

// WithClock sets where the time comes from; [time.Now] by default. It must be safe
// for concurrent use.
func WithClock(now func() time.Time) Option {
	return func(v *Verifier) error { return v.terms.SetClock(now) }
}
