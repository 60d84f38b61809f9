package bundle

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures [New].
type Option func(*settings) error

type settings struct {
	set           string
	maxSize       int64
	wait          time.Duration
	authorization string
	plainHTTP     bool
	transport     http.RoundTripper
}

const (
	defaultMaxSize = 64 << 20
	// defaultWait is below the minute after which proxies commonly give up.
	defaultWait = 30 * time.Second
	maxWait     = 10 * time.Minute
)

func newSettings(opts []Option) (settings, error) {
	s := settings{set: "default", maxSize: defaultMaxSize, wait: defaultWait}
	if err := option.Apply(&s, opts); err != nil {
		return s, err
	}
	if s.transport == nil {
		s.transport = newTransport()
	}
	return s, nil
}

// WithName names the set of files to read: "default" by default. A bundle of
// another set is refused, so that one key can sign several sets.
func WithName(set string) Option {
	return func(s *settings) error {
		s.set = set
		return checkSet(set)
	}
}

// WithMaxSize sets the maximum size of a bundle in bytes: 64 MiB by default, at
// most 256 MiB. At most one byte more is read.
func WithMaxSize(bytes int64) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.maxSize, bytes, bytes < 1 || bytes > 256<<20, "max size %d: must be from 1 to %d bytes", bytes, 256<<20)
	}
}

// WithWait sets how long the server is asked to wait for the next bundle before it
// answers that there is none: 30 s by default, whole seconds, at most 10 minutes.
// It must be shorter than the timeouts of proxies on the path.
func WithWait(d time.Duration) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.wait, d, d < time.Second || d > maxWait || d%time.Second != 0,
			"wait %v: must be whole seconds, from 1s to %v", d, maxWait)
	}
}

// WithAuthorization sends value in the field Authorization of each request, such as
// "Bearer …". Redirects to another host are not followed, so no other host gets it.
func WithAuthorization(value string) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.authorization, value, value == "" || strings.ContainsFunc(value, unicode.IsControl),
			"authorization is empty or has a control character, such as a line break")
	}
}

// WithPlainHTTP allows an address without TLS on any host. Bundles are still
// verified, but anyone on the path can read them, withhold newer ones, and read
// what [WithAuthorization] sends.
func WithPlainHTTP() Option { return func(s *settings) error { return option.On(&s.plainHTTP) } }

// WithTransport sets the transport for requests, for instance for a proxy, a root
// certificate or a client certificate. It must be safe for concurrent use, honor
// the request's context, and not time out during a wait ([WithWait]). The default
// honors HTTP_PROXY and the like, and requires at least TLS 1.2.
func WithTransport(t http.RoundTripper) Option {
	return func(s *settings) error { return option.Set(&s.transport, t, "transport is nil") }
}
