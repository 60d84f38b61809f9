package jwtauth

import (
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/once"
	"github.com/sallyport-go/sallyport/core/option"
)

// RemoteOption configures [Fetch] and [Discover].
type RemoteOption func(*remoteConfig) error

// remoteConfig holds the result of the options. It is not changed afterwards.
type remoteConfig struct {
	timeout         time.Duration
	maxSize         int
	refresh, retry  bounds
	refetchInterval time.Duration
	maxStale        time.Duration
	allowHTTP       bool
	oauthMetadata   bool
	transport       http.RoundTripper
	reader          setReader
	onRefresh       func(Refresh)
	now             func() time.Time
	set             once.Options
}

type bounds struct{ least, most time.Duration }

func (b bounds) clamp(d time.Duration) time.Duration { return min(max(d, b.least), b.most) }

const (
	maxFetchTimeout = time.Minute
	maxMaxSetSize   = 16 << 20
	// minInterval prevents a mistyped unit from overloading the issuer.
	minInterval = time.Millisecond
	// defaultRefresh applies to issuers that do not say how long keys are fresh.
	defaultRefresh = 15 * time.Minute
)

func newRemoteConfig(opts []RemoteOption) (remoteConfig, error) {
	c := remoteConfig{
		timeout:         5 * time.Second,
		maxSize:         maxSetSize,
		refresh:         bounds{time.Minute, time.Hour},
		retry:           bounds{time.Second, time.Minute},
		refetchInterval: 30 * time.Second,
		maxStale:        24 * time.Hour,
		onRefresh:       func(Refresh) {},
		now:             time.Now,
	}
	if err := option.Apply(&c, opts); err != nil {
		return c, fmt.Errorf("jwtauth: %w", err)
	}
	if c.maxStale <= c.refresh.most {
		return c, fmt.Errorf("jwtauth: max stale %v must be longer than the %v for which keys are fresh: they would lapse between two successful fetches",
			c.maxStale, c.refresh.most)
	}
	if c.transport == nil {
		c.transport = NewTransport()
	}
	return c, nil
}

// WithTimeout bounds one fetch, from the name lookup to the last byte: 5 s by
// default, at most 1 minute. [Discover] may take it twice, once for the metadata.
func WithTimeout(d time.Duration) RemoteOption {
	return func(c *remoteConfig) error {
		return c.set.Once("WithTimeout", option.SetUnless(&c.timeout, d, d <= 0 || d > maxFetchTimeout, "timeout %v: must be above 0 and at most %v", d, maxFetchTimeout))
	}
}

// WithMaxSetSize sets the maximum size of a JWK set or metadata in bytes: 1 MiB by
// default, at most 16 MiB. At most one byte more is read.
func WithMaxSetSize(bytes int) RemoteOption {
	return func(c *remoteConfig) error {
		return c.set.Once("WithMaxSetSize", option.SetUnless(&c.maxSize, bytes, bytes < 1 || bytes > maxMaxSetSize, "max set size %d: must be from 1 to %d bytes", bytes, maxMaxSetSize))
	}
}

// WithRefreshInterval bounds the time from a successful fetch to the next one: 1
// minute and 1 hour by default. Within the bounds the issuer chooses, by the
// max-age of its Cache-Control (RFC 9111 §5.2.2.1); without one the interval is 15
// minutes. It is shortened by up to a tenth at random, so that services do not all
// fetch at once. least is at least 1 ms, here and in [WithRetryInterval].
func WithRefreshInterval(least, most time.Duration) RemoteOption {
	return func(c *remoteConfig) (err error) {
		c.refresh, err = newBounds("refresh", least, most)
		return c.set.Once("WithRefreshInterval", err)
	}
}

// WithRetryInterval bounds the time from a failed fetch to the next one: by default
// 1 s at first, then twice as long each time, up to 1 minute. It is shortened by up
// to a half at random, so that services do not all fetch at once. A Retry-After of
// the issuer is honored up to the upper bound. While there is no usable key and
// requests ask for one, the time is 5 s at most, unless least is longer.
func WithRetryInterval(least, most time.Duration) RemoteOption {
	return func(c *remoteConfig) (err error) {
		c.retry, err = newBounds("retry", least, most)
		return c.set.Once("WithRetryInterval", err)
	}
}

func newBounds(what string, least, most time.Duration) (bounds, error) {
	if least < minInterval || most < least {
		return bounds{}, fmt.Errorf("%s between %v and %v: the first must be at least %v and the second not below it", what, least, most, minInterval)
	}
	return bounds{least, most}, nil
}

// WithRefetchInterval sets the time in which unknown keys may cause 5 fetches, and
// bad signatures one: 30 s by default, at least 1 ms. It bounds what a flood of
// tokens with made-up keys costs the issuer, and how long such a flood can delay a
// new key: a fifth of it plus one fetch.
func WithRefetchInterval(d time.Duration) RemoteOption {
	return func(c *remoteConfig) error {
		return c.set.Once("WithRefetchInterval", option.SetUnless(&c.refetchInterval, d, d < minInterval, "refetch interval %v: must be at least %v", d, minInterval))
	}
}

// WithMaxStale sets how long keys stay in use after the last successful fetch: 24 h
// by default, and more than the upper bound of [WithRefreshInterval]. A key that
// the issuer removed while it could not be reached also works for that long.
func WithMaxStale(d time.Duration) RemoteOption {
	return func(c *remoteConfig) error {
		c.maxStale = d // compared with the refresh interval once all options are known
		return c.set.Add("WithMaxStale")
	}
}

// WithPlainHTTP allows addresses without TLS on any host. Anyone on the path who
// can answer in the issuer's place can then sign tokens.
func WithPlainHTTP() RemoteOption {
	return func(c *remoteConfig) error { return option.On(&c.allowHTTP) }
}

// WithTransport sets the transport for requests, for instance for a proxy, a root
// certificate or a client certificate. It must be safe for concurrent use and honor
// the request's context. The default honors HTTP_PROXY and the like, and requires
// at least TLS 1.2.
func WithTransport(t http.RoundTripper) RemoteOption {
	return func(c *remoteConfig) error {
		return c.set.Once("WithTransport", option.Set(&c.transport, t, "transport is nil"))
	}
}

// WithKeySetOptions sets how the JWK set is parsed, such as with [WithRSAAlgorithm]
// for an issuer that omits alg.
func WithKeySetOptions(opts ...KeySetOption) RemoteOption {
	return func(c *remoteConfig) error {
		return option.Apply(&c.reader, opts)
	}
}

// WithRefreshObserver sets a function that is told of every fetch. It is called on
// the fetching goroutine, so a slow one delays the next fetch; a panic in it is
// ignored. It must not call Close.
func WithRefreshObserver(report func(Refresh)) RemoteOption {
	return func(c *remoteConfig) error {
		return c.set.Once("WithRefreshObserver", option.Set(&c.onRefresh, report, "refresh observer is nil"))
	}
}

// WithRemoteClock sets the clock by which keys become stale and unknown keys are
// fetched again, for tests; [time.Now] by default. Scheduled fetches do not use it.
// It must be safe for concurrent use.
func WithRemoteClock(now func() time.Time) RemoteOption {
	return func(c *remoteConfig) error {
		return c.set.Once("WithRemoteClock", option.Set(&c.now, now, "remote clock is nil"))
	}
}

// WithOAuthMetadata makes [Discover] use the metadata of RFC 8414 §3 in place of
// OpenID Connect's.
func WithOAuthMetadata() RemoteOption {
	return func(c *remoteConfig) error { return option.On(&c.oauthMetadata) }
}
