// Package authclient is the client's side of the two gates: an
// [http.RoundTripper] that adds credentials to requests and does with a refusal
// what it asks for.
//
//   - 401 with a challenge that fits: get new credentials once, repeat once.
//   - 403: never repeated. [Check] makes it a [*ForbiddenError].
//   - 429 and 503 with Retry-After: wait and repeat, a few times.
//   - Everything else is the caller's business.
//
// Credentials go to the origins given to [New] and to no other, whichever way
// a redirect leads. Nothing in an answer can make a [Transport] send more
// requests than one, one after a 401, and one for each wait it may make.
package authclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/option"
)

// Source has credentials for requests. [Bearer], [DPoP], [Basic], [Digest] and
// [APIKey] make the usual ones. Implementations must be safe for concurrent
// use and bounded in memory.
type Source interface {
	// Fields are the names of the header fields that carry the credentials. A
	// request that has one of them already is the caller's own and is sent as
	// it is. The result must not change and must not be modified.
	Fields() []string
	// Authorize sets header fields of r and changes nothing else of it. It may
	// leave r as it is, to learn from the challenge what to send. It may wait
	// for new credentials, until the context of r ends.
	Authorize(r *http.Request) (Stamp, error)
	// Answered is told of every answer to a request that Authorize has seen,
	// and reports for a 401 whether sending the request again, with what
	// Authorize says then, may help. It must not block. Whether the request is
	// sent again is the transport's decision, and never happens twice.
	Answered(r *http.Request, a Answer) (again bool)
}

// Stamp tells credentials of one [Source] apart, so that a late 401 for old ones
// does not take away those that have replaced them. Zero is for none.
type Stamp uint64

// Answer is what a [Source] is told of a response.
type Answer struct {
	// Stamp is what Authorize returned for the request.
	Stamp Stamp
	// Repeated says that the request was sent again after a 401 already.
	Repeated bool
	// Status is the status code.
	Status int
	// Header is the response's and must not be modified.
	Header http.Header
	// Challenges are those of a 401, and empty if they do not parse
	// ([challenge.Parse]).
	Challenges []challenge.Challenge
}

// SourceError says that a [Source] had no credentials to give, for instance since
// the token endpoint is down. It tells nothing about the service.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return fmt.Sprintf("authclient: credentials: %v", e.Err) }

// Unwrap returns the cause.
func (e *SourceError) Unwrap() error { return e.Err }

// Transport is an [http.RoundTripper] that authenticates. It is made by [New]
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

// New makes a transport that sends requests through base, [http.DefaultTransport]
// if that is nil, with the credentials of source for those to origins.
//
// An origin is "https://api.example" or "https://api.example:8443": scheme, host
// and port, as in a URL, and nothing behind them. There must be at least one.
// Plain http is refused for hosts other than localhost and loopback addresses;
// see [WithPlainHTTP]. Requests to other origins go through base untouched, so
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
		sleep:   sleep,
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

// WithPlainHTTP accepts origins with plain http. Whoever is on the way can then
// read credentials and use them; with [Digest] they read everything else.
func WithPlainHTTP() Option {
	return func(t *Transport) error {
		t.plainHTTP = true
		return nil
	}
}

// WithIdempotentOnly leaves a 401 to the caller where the method is not idempotent
// (RFC 9110 §9.2.2). Without it the method does not matter: a 401 says that the
// request has not been applied (RFC 9110 §15.5.2). It is for services that act
// before they look at the credentials.
func WithIdempotentOnly() Option {
	return func(t *Transport) error {
		t.idempotent = true
		return nil
	}
}

// WithClock replaces the clock, which reads Retry-After dates of answers without a
// Date, and how waits pass. sleep returns the error of ctx when that ends first.
func WithClock(now func() time.Time, sleep func(ctx context.Context, d time.Duration) error) Option {
	return func(t *Transport) error {
		if now == nil || sleep == nil {
			return errors.New("clock: now or sleep is nil")
		}
		t.now, t.sleep = now, sleep
		return nil
	}
}

// CloseIdleConnections closes those of the transport below, if it can; it is
// what [http.Client.CloseIdleConnections] calls.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
