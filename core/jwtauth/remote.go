package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// RemoteKeys is a [KeySource] that fetches the JWK set an issuer publishes, and
// keeps it up to date. It is safe for concurrent use; a key that is known is
// found without a lock.
//
// A set is replaced whole: a key that the issuer has removed is gone with the
// next fetch. A key that cannot be used, or whose kid another key has too, is
// passed over and reported ([OnRefresh]). Secrets (kty oct) are passed over as
// well, since what is published is none.
//
// One goroutine fetches, one fetch at a time: when keys are due, and when a
// token names a key that is unknown, but for that at most once in
// [RefetchInterval]. Tokens that arrive while a fetch is under way and whose
// key is not known wait for it to end, [FetchTimeout] at most. No other request
// waits: without a fetch under way an unknown key is refused at once.
//
// While the issuer is down, the keys from the last good fetch serve until
// [MaxStale]. After that, when no fetch was good yet, and when the issuer
// publishes no usable key, Keys returns a [core.UnavailableError], which is 503.
// The same goes for an unknown key while the last fetch has failed: it may be a
// new one. All of that ends by itself with the next good fetch.
type RemoteKeys struct {
	remoteConfig
	source source

	state atomic.Pointer[remoteState]

	mu     sync.Mutex
	flight *flight   // the fetch that is wanted or under way, nil when none is
	asked  time.Time // when an unknown key was last the reason for one
	closed bool

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

var _ KeySource = (*RemoteKeys)(nil)

// remoteState is what the fetches so far have come to. It is never changed.
type remoteState struct {
	set       *KeySet   // of the last good fetch; nil when there was none
	confirmed time.Time // when the issuer last said that this is its set
	err       error     // of the last fetch
	next      time.Time // when the next one is due
	replaced  chan struct{}
}

// flight is one fetch that requests may wait for.
type flight struct {
	done    chan struct{}
	unknown bool // a token with an unknown key is the reason
}

// Fetch makes a key source of the JWK set (RFC 7517 §5) at url. It must be https,
// unless its host is loopback or [AllowHTTP] is given.
//
// Fetch returns at once and fetches in the background; [RemoteKeys.Ready] waits.
// Close ends that.
func Fetch(url string, opts ...RemoteOption) (*RemoteKeys, error) {
	c, err := newRemoteConfig(opts)
	if err != nil {
		return nil, err
	}
	if c.oauthMetadata {
		return nil, errors.New("jwtauth: OAuthMetadata is for Discover: Fetch reads no metadata")
	}
	address, err := parseAddress(url, c.allowHTTP)
	if err != nil {
		return nil, fmt.Errorf("jwtauth: key set address: %w", err)
	}
	return start(c, fixedSource{newClient(c), address}), nil
}

// start begins the first fetch, which requests can wait for already.
func start(c remoteConfig, s source) *RemoteKeys {
	ctx, cancel := context.WithCancel(context.Background())
	r := &RemoteKeys{
		remoteConfig: c,
		source:       s,
		flight:       &flight{done: make(chan struct{})},
		wake:         make(chan struct{}, 1),
		cancel:       cancel,
		done:         make(chan struct{}),
	}
	r.state.Store(&remoteState{err: errors.New("no fetch has ended yet"), next: r.now(), replaced: make(chan struct{})})
	go r.run(ctx)
	return r
}

// Close ends fetching and waits until it has ended. Keys that are known serve
// until [MaxStale]. Further calls do nothing.
func (r *RemoteKeys) Close() {
	r.cancel()
	<-r.done
}

// Ready waits until keys are there to verify tokens with, or ctx ends. It is for
// programs that would rather not start than answer 503.
func (r *RemoteKeys) Ready(ctx context.Context) error {
	for {
		s := r.state.Load()
		_, err := r.usable(s)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-r.done:
			return err
		case <-s.replaced:
		}
	}
}

// Keys implements [KeySource].
func (r *RemoteKeys) Keys(ctx context.Context, kid string) ([]*Key, error) {
	s := r.state.Load()
	set, err := r.usable(s)
	if err == nil {
		if keys, _ := set.Keys(ctx, kid); len(keys) > 0 {
			return keys, nil
		}
	}
	f := r.join(err == nil)
	if f == nil {
		return nil, r.verdict(s, err)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, &core.UnavailableError{Err: fmt.Errorf("waiting for keys: %w", context.Cause(ctx))}
	}
	s = r.state.Load()
	if set, err = r.usable(s); err == nil {
		if keys, _ := set.Keys(ctx, kid); len(keys) > 0 {
			return keys, nil
		}
	}
	return nil, r.verdict(s, err)
}

// usable is the set that may verify tokens now.
func (r *RemoteKeys) usable(s *remoteState) (*KeySet, error) {
	switch {
	case s.set == nil:
		return nil, fmt.Errorf("%s: no keys yet: %w", r.source, s.err)
	case len(s.set.all) == 0:
		return nil, fmt.Errorf("%s: no usable key is published", r.source)
	}
	if age := r.now().Sub(s.confirmed); age > r.maxStale {
		return nil, fmt.Errorf("%s: keys are %v old, at most %v is allowed: %w", r.source, age.Round(time.Second), r.maxStale, s.err)
	}
	return s.set, nil
}

// verdict is the answer when a key was not found in s: nil, which is 401, when
// it surely does not exist.
func (r *RemoteKeys) verdict(s *remoteState, unusable error) error {
	err := unusable
	if err == nil && s.err != nil {
		err = fmt.Errorf("%s: the key may be a new one: %w", r.source, s.err)
	}
	if err == nil {
		return nil
	}
	return &core.UnavailableError{RetryAfter: max(s.next.Sub(r.now()), time.Second), Err: err}
}

// join is the fetch to wait for when a key was not found; nil when waiting is no
// use. unknown says that there are keys, of which none is the one.
func (r *RemoteKeys) join(unknown bool) *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flight != nil || !unknown || r.closed {
		return r.flight
	}
	now := r.now()
	if !r.asked.IsZero() && now.Sub(r.asked) < r.refetchInterval {
		return nil
	}
	r.asked = now
	r.flight = &flight{done: make(chan struct{}), unknown: true}
	r.wake <- struct{}{} // never full: the loop has taken it before a flight ends
	return r.flight
}
