// Package authclient is the client's side of the two gates: an [http.RoundTripper]
// that adds credentials to requests and reacts to refusals as they ask.
//
//   - 401 with a challenge that fits: get new credentials once, repeat once.
//   - 403: never repeated. [Check] makes it a [*ForbiddenError].
//   - 429 and 503 with Retry-After: wait and repeat, a few times.
//   - Everything else is the caller's business.
//
// Credentials are sent only to the origins given to [New], wherever redirects lead.
// No response can make a [Transport] send more than the request itself, one
// repetition after a 401, and one for each permitted wait.
package authclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/pause"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/option"
)

// Source provides credentials for requests. [Bearer], [DPoP], [Basic], [Digest] and
// [APIKey] return the usual ones. Implementations must be safe for concurrent use
// and use a bounded amount of memory.
type Source interface {
	// Fields returns the names of the header fields that carry the credentials. A
	// request that already has one of them is sent unchanged. The result must not
	// change and must not be modified.
	Fields() []string
	// Authorize sets header fields of r and changes nothing else. It may leave r
	// unchanged, to learn from the challenge what to send. It may wait for new
	// credentials, until the context of r ends.
	Authorize(r *http.Request) (Stamp, error)
	// Answered is called for every response to a request that Authorize has seen.
	// For a 401 it reports whether sending the request again, after another call of
	// Authorize, may help. It must not block. The transport decides whether to send
	// the request again, and does so at most once.
	Answered(r *http.Request, a Answer) (again bool)
}

// Stamp identifies credentials of a [Source], so that a late 401 for old ones does
// not invalidate their replacements. Zero means none.
type Stamp uint64

// Answer describes a response to a [Source].
type Answer struct {
	// Stamp is what Authorize returned for the request.
	Stamp Stamp
	// Repeated reports that the request has already been sent again after a 401.
	Repeated bool
	// Status is the status code.
	Status int
	// Header is the response's and must not be modified.
	Header http.Header
	// Challenges holds the challenges of a 401; it is empty if they do not parse
	// ([challenge.Parse]).
	Challenges []challenge.Challenge
}

// SourceError means that a [Source] could not provide credentials, for instance
// because the token endpoint is down. It says nothing about the service.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return fmt.Sprintf("authclient: credentials: %v", e.Err) }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }

// Transport is an [http.RoundTripper] that authenticates. It is created by [New]
// and safe for concurrent use.
type Transport struct {
	base       http.RoundTripper
	source     Source
	fields     []string
	origins    map[string]bool
	plainHTTP  bool
	idempotent bool
	repeats    int
	longest    time.Duration
	now        func() time.Time
	sleep      func(context.Context, time.Duration) error
}

// Option configures a [Transport].
type Option func(*Transport) error

// New returns a transport that sends requests through base, or
// [http.DefaultTransport] if base is nil, and adds the credentials of source to
// those for origins.
//
// An origin is "https://api.example" or "https://api.example:8443": scheme, host
// and port, as in a URL, and nothing after them. There must be at least one. Plain
// http is refused for hosts other than localhost and loopback addresses; see
// [WithPlainHTTP]. Requests to other origins go through base unchanged, so
// transports for several services can be stacked.
func New(base http.RoundTripper, source Source, origins []string, opts ...Option) (*Transport, error) {
	if source == nil {
		return nil, errors.New("authclient: source is nil: without one there are no credentials")
	}
	if len(origins) == 0 {
		return nil, errors.New("authclient: no origins: name those that may get the credentials")
	}
	if base == nil {
		base = http.DefaultTransport
	}
	t := &Transport{
		base:    base,
		source:  source,
		origins: make(map[string]bool, len(origins)),
		repeats: defaultRepeats,
		longest: defaultLongest,
		now:     time.Now,
		sleep:   pause.For,
	}
	for _, name := range source.Fields() {
		t.fields = append(t.fields, http.CanonicalHeaderKey(name))
	}
	if len(t.fields) == 0 || slices.Contains(t.fields, "") {
		return nil, errors.New("authclient: the source does not say which header fields it sets")
	}
	if err := option.Apply(t, opts); err != nil {
		return nil, fmt.Errorf("authclient: %w", err)
	}
	for _, text := range origins {
		o, err := parseOrigin(text, t.plainHTTP)
		if err != nil {
			return nil, fmt.Errorf("authclient: origin %q: %w", quiet.Text(text), err)
		}
		t.origins[o] = true
	}
	return t, nil
}

// WithPlainHTTP accepts origins with plain http. Anyone on the path can then read
// and use credentials; with [Digest] they can read everything else.
func WithPlainHTTP() Option { return func(t *Transport) error { return option.On(&t.plainHTTP) } }

// WithIdempotentOnly returns a 401 to the caller if the method is not idempotent
// (RFC 9110 §9.2.2). Without it the method does not matter, since a 401 says that
// the request has not been applied (RFC 9110 §15.5.2). It is for services that act
// before they check the credentials.
func WithIdempotentOnly() Option { return func(t *Transport) error { return option.On(&t.idempotent) } }

// WithClock replaces, for tests, the clock, which is needed for Retry-After dates
// of responses without a Date, and the function that waits. sleep returns the error
// of ctx if that ends first.
func WithClock(now func() time.Time, sleep func(ctx context.Context, d time.Duration) error) Option {
	return func(t *Transport) error {
		if now == nil || sleep == nil {
			return errors.New("clock: now or sleep is nil")
		}
		t.now, t.sleep = now, sleep
		return nil
	}
}

// CloseIdleConnections closes the idle connections of the transport below, if that
// can. [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
