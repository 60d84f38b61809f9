package bundle

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/pause"
	"github.com/sallyport-go/sallyport/core/internal/quiet"
	"github.com/sallyport-go/sallyport/core/internal/secureurl"
	"github.com/sallyport-go/sallyport/core/source"
)

// Source reads a bundle over HTTP. It is safe for concurrent use.
//
// Each fetch is a conditional request (RFC 9110 §13.1.2) with the ETag of the last
// bundle, so that an unchanged bundle costs a 304. About once an hour the bundle is
// read in full anyway, since some servers derive ETags from the time and size of a
// file, which two bundles may share. A server that sends no ETag sends the whole
// bundle each time.
//
// [Source.Listen] asks the server to wait for the next bundle: Prefer: wait=30 (RFC
// 7240 §4.3). A server that supports this, such as [NewHandler], says so with
// Preference-Applied: wait in each response, and responds once there is a new
// bundle or the time is over. Any other server responds at once; then the polls of
// [source.Follow] find new bundles, and source.Status.Listening is false.
//
// For a bundle that has expired, by the clock of this machine, the error is
// [ErrExpired]: to a follower, the source has not answered since. What is in force
// stays, and a bound such as [source.WithMaxStaleness] counts from the expiry.
//
// Redirects are followed only on the same host. A cached response that is more than
// a minute old is an error. 404 and 410 mean [source.ErrEmpty].
type Source struct {
	address  *url.URL
	trusted  []ed25519.PublicKey
	settings settings
	client   *http.Client

	mu   sync.Mutex
	last reading
}

var (
	_ source.Source   = (*Source)(nil)
	_ source.Verifier = (*Source)(nil)
)

// reading is the result of the last read.
type reading struct {
	etag  string    // "" if the bundle must be read in full next
	until time.Time // when it must be read in full again
	err   error     // why it is refused
	state source.State
	// expires is when the bundle expires; zero for never.
	expires time.Time
	// bundle is nil if it was refused, and once its content was returned: it is known
	// then, and need not be stored twice.
	bundle *Bundle
}

// wholeEvery is the time between two full reads of a bundle, varied by up to a tenth.
const wholeEvery = time.Hour

// New returns a source that reads the bundle at address. A bundle is accepted if
// one of the trusted keys has signed it. To replace a key, make readers trust both,
// sign with the new one, and then remove the old one.
//
// It does not connect. The address must be https, or on this machine, unless
// [WithPlainHTTP] is given.
func New(address string, trusted []ed25519.PublicKey, opts ...Option) (*Source, error) {
	s := &Source{trusted: slices.Clone(trusted)}
	if err := checkTrusted(trusted); err != nil {
		return nil, err
	}
	var err error
	if s.settings, err = newSettings(opts); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if s.address, err = parseAddress(address, s.settings.plainHTTP); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	s.client = &http.Client{Transport: quiet.Transport(s.settings.transport), CheckRedirect: secureurl.CheckRedirect}
	return s, nil
}

// Close closes idle connections.
func (s *Source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Verify implements [source.Verifier], by the signatures in the content's proof.
func (s *Source) Verify(c *source.Content) error {
	return verifyContent(c, s.settings.set, s.trusted)
}

// usable returns the error if a reading is not usable as the newest bundle.
func (s *Source) usable(r *reading) error {
	if !r.expires.IsZero() && !time.Now().Before(r.expires) {
		return fmt.Errorf("bundle: %s: revision %d: %w at %s: publish again (sallyport push --expires), or find out what withholds newer ones",
			quiet.URL(s.address), r.state.Revision, ErrExpired, r.expires.Format(time.RFC3339))
	}
	return r.err
}

// Read reads the newest bundle in full, even if it has expired.
func (s *Source) Read(ctx context.Context) (*Bundle, error) {
	r, _, err := s.ask(ctx, reading{}, nil)
	if err == nil {
		err = r.err
	}
	if err != nil {
		return nil, err
	}
	return r.bundle, nil
}

// Fetch implements [source.Source].
func (s *Source) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	if last.err == nil && last.bundle == nil && last.state != known || !time.Now().Before(last.until) {
		last.etag = "" // its content is needed
	}
	r, _, err := s.ask(ctx, last, nil)
	if err == nil {
		err = s.usable(&r)
	}
	if err != nil {
		return source.Fetched{}, err
	}
	got := source.Fetched{State: r.state}
	if r.state != known {
		got.Content = r.bundle.Content
		return got, nil
	}
	s.mu.Lock()
	if s.last.state == r.state {
		s.last.bundle = nil
	}
	s.mu.Unlock()
	return got, nil
}

// ask sends one request, and returns the newest reading, which is last if nothing has
// changed. A refused bundle is a reading too: it is not read again as long as it stays.
func (s *Source) ask(ctx context.Context, last reading, wait *time.Duration) (r reading, serverWaits bool, err error) {
	a, err := s.get(ctx, last.etag, wait)
	if err != nil {
		return reading{}, a.waits, fmt.Errorf("bundle: %s: %w", quiet.URL(s.address), err)
	}
	if a.unmodified {
		return last, a.waits, nil
	}
	r = reading{etag: a.etag, until: time.Now().Add(wholeEvery - wholeEvery/10 + rand.N(wholeEvery/5))}
	if r.bundle, r.err = decode(a.data, s.settings.set, s.trusted); r.err == nil {
		r.state, r.expires = source.State{Revision: r.bundle.Entry.Revision, Hash: r.bundle.Entry.Hash}, r.bundle.Expires
	} else {
		r.err = fmt.Errorf("%s: %w", quiet.URL(s.address), r.err)
	}
	s.mu.Lock()
	s.last = r
	s.mu.Unlock()
	return r, a.waits, nil
}

const (
	// leastWait is the minimum time that a server which waits has waited if nothing
	// has changed.
	leastWait = time.Second
	// unwaited is the pause after a response that came sooner.
	unwaited = 5 * time.Second
	// afterChange is the pause after a new bundle: at most five requests a second.
	afterChange = 200 * time.Millisecond
)

var errNoLongerWaits = errors.New("bundle: the server no longer waits for new bundles")

// Listen implements [source.Source]. With a server that does not wait, it waits
// until ctx ends, without a hint.
func (s *Source) Listen(ctx context.Context, hint func()) error {
	wait := time.Duration(0) // the first request asks whether the server waits at all
	for {
		s.mu.Lock()
		last := s.last
		s.mu.Unlock()
		asked := time.Now()
		r, serverWaits, err := s.askWaiting(ctx, last, wait)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		case (!serverWaits || r.etag == "") && wait == 0:
			<-ctx.Done()
			return ctx.Err()
		case !serverWaits || r.etag == "":
			return errNoLongerWaits
		}
		changed := r.state != last.state // some servers make a new ETag for each answer
		if changed || wait == 0 {
			hint()
		}
		switch took := time.Since(asked); {
		case wait == 0:
		case changed:
			err = pause.For(ctx, afterChange-took)
		case took < leastWait:
			err = pause.For(ctx, unwaited)
		}
		if err != nil {
			return err
		}
		wait = s.settings.wait
	}
}

// askWaiting is ask with time for the server's wait.
func (s *Source) askWaiting(ctx context.Context, last reading, wait time.Duration) (reading, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+waitGrace)
	defer cancel()
	return s.ask(ctx, last, &wait)
}
