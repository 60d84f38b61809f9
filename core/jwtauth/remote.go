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
// passed over and reported ([WithRefreshObserver]). Secrets (kty oct) are passed over as
// well, since what is published is none.
//
// One goroutine fetches, one fetch at a time: when keys are due, when a token
// names a key that is unknown, at most 5 times in [WithRefetchInterval], and when a
// signature does not fit a key that is known, at most once in that time
// ([RemoteKeys.Renew]). The fetch that an unknown key causes is awaited, and so is
// one under way: two of them, [WithTimeout] each, at most. No request waits for
// the next fetch to be allowed.
//
// A key is unknown, and its token 401, when a fetch that began after the key was
// first named has ended without it. Until then the answer is 503 with
// Retry-After: it may be a new key, and a 401 would have clients throw good
// tokens away. However many keys are made up, a fetch comes after a fifth of
// [WithRefetchInterval] at the latest, and finds the key that is new among them. A
// key that was not there may cause another fetch after [WithRefetchInterval], and
// then after twice as long each time.
//
// While the issuer is down, the keys from the last good fetch serve until
// [WithMaxStale]. After that, when no fetch was good yet, and when the issuer
// publishes no usable key, Keys returns a [core.UnavailableError], which is 503.
// The same goes for an unknown key while the last fetch has failed: it may be a
// new one. All of that ends by itself with the next good fetch. While no key
// serves and somebody asks, a fetch that has failed is made again after 5 s at
// most, unless [WithRetryInterval] begins later or the issuer asks for a longer pause.
type RemoteKeys struct {
	remoteConfig
	source source

	state atomic.Pointer[remoteState]

	mu      sync.Mutex
	flight  *flight   // the fetch that is wanted or under way, nil when none is
	begun   uint64    // how many fetches have begun
	unknown sightings // of keys
	budget  budget    // for unknown keys
	renewed time.Time // when a bad signature was last the reason for a fetch
	// planned starts a fetch once the budget allows one, at plannedFor; nil when
	// none is planned.
	planned    *time.Timer
	plannedFor time.Time
	closed     bool

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

var _ KeySource = (*RemoteKeys)(nil)

// remoteState is what the fetches so far have come to. It is never changed.
type remoteState struct {
	set       *KeySet   // of the last good fetch; nil when there was none
	unfit     error     // why the first key that is not in set was passed over
	confirmed time.Time // when the issuer last said that this is its set
	number    uint64    // of the last good fetch, counted from 1
	err       error     // of the last fetch
	hold      time.Time // before which the issuer does not want to be asked
	next      time.Time // when the next one is due
	replaced  chan struct{}
}

// flight is one fetch that requests may wait for.
type flight struct {
	done  chan struct{}
	again bool // a token is the reason, and not the time
}

// Fetch makes a key source of the JWK set (RFC 7517 §5) at url. It must be https,
// unless its host is loopback or [WithPlainHTTP] is given.
//
// Fetch returns at once and fetches in the background; [RemoteKeys.Ready] waits.
// Close ends that.
func Fetch(url string, opts ...RemoteOption) (*RemoteKeys, error) {
	c, err := newRemoteConfig(opts)
	if err != nil {
		return nil, err
	}
	if c.oauthMetadata {
		return nil, errors.New("jwtauth: WithOAuthMetadata is for Discover: Fetch reads no metadata")
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
		unknown:      newSightings(),
		wake:         make(chan struct{}, 1),
		cancel:       cancel,
		done:         make(chan struct{}),
	}
	r.state.Store(&remoteState{err: errors.New("no fetch has ended yet"), next: r.now(), replaced: make(chan struct{})})
	go r.run(ctx)
	return r
}

// Close ends fetching and waits until it has ended. Keys that are known serve
// until [WithMaxStale]. Further calls do nothing.
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
		var landed chan struct{}
		if f, _ := r.join("", false); f != nil {
			landed = f.done // the next fetch is planned once it has
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-r.done:
			return err
		case <-s.replaced:
		case <-landed:
		}
	}
}

// Keys implements [KeySource].
func (r *RemoteKeys) Keys(ctx context.Context, kid string) ([]*Key, error) {
	s := r.state.Load()
	keys, unusable := r.find(s, kid)
	missing := false // as far as the fetches until now can tell
	// Two fetches at most: the one under way may have begun too early to tell.
	for range 2 {
		if len(keys) > 0 {
			return keys, nil
		}
		var f *flight
		if f, missing = r.join(kid, unusable == nil); f != nil {
			if err := f.wait(ctx); err != nil {
				return nil, err
			}
		} else if r.state.Load() == s {
			break
		} // otherwise a fetch has ended since s was looked at
		s = r.state.Load()
		if keys, unusable = r.find(s, kid); unusable != nil || s.err != nil {
			break
		}
		missing = r.isMissing(s, kid)
		if missing {
			break
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	return nil, r.verdict(s, unusable, missing)
}

// Renew returns the keys called kid after another fetch, for a token whose
// signature does not fit: the issuer may have put a new key under an old name. A
// fetch under way is awaited. Otherwise one is made, once in [WithRefetchInterval] at
// most; in between, and when it fails, the keys are those that Keys returns.
func (r *RemoteKeys) Renew(ctx context.Context, kid string) ([]*Key, error) {
	if f := r.joinRenewal(); f != nil {
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
	}
	return r.find(r.state.Load(), kid)
}

// wait waits for the end of the fetch.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return &core.UnavailableError{Err: fmt.Errorf("waiting for keys: %w", context.Cause(ctx))}
	}
}

// find is what s says of kid.
func (r *RemoteKeys) find(s *remoteState, kid string) ([]*Key, error) {
	set, err := r.usable(s)
	if err != nil {
		return nil, err
	}
	if kid == "" {
		return set.all, nil
	}
	return set.byID[kid], nil
}

// usable is the set that may verify tokens now.
func (r *RemoteKeys) usable(s *remoteState) (*KeySet, error) {
	switch {
	case s.set == nil:
		return nil, fmt.Errorf("%s: no keys yet: %w", r.source, s.err)
	case len(s.set.all) == 0:
		if s.unfit != nil {
			return nil, fmt.Errorf("%s: no usable key is published: %w", r.source, s.unfit)
		}
		return nil, fmt.Errorf("%s: no usable key is published", r.source)
	}
	if age := r.now().Sub(s.confirmed); age > r.maxStale {
		return nil, fmt.Errorf("%s: keys are %v old, at most %v is allowed: %w", r.source, age.Round(time.Second), r.maxStale, s.err)
	}
	return s.set, nil
}

// verdict is the answer when a key was not found in s: nil, which is 401, when
// it surely does not exist.
func (r *RemoteKeys) verdict(s *remoteState, unusable error, missing bool) error {
	now := r.now()
	down := &core.UnavailableError{RetryAfter: max(s.next.Sub(now), time.Second), Err: unusable}
	switch {
	case unusable != nil:
		r.mu.Lock()
		r.planForNone() // which a fetch that was awaited may have kept from being done
		switch {
		case r.flight != nil: // it has begun just now
			down.RetryAfter = time.Second
		case r.planned != nil:
			down.RetryAfter = max(min(down.RetryAfter, r.plannedFor.Sub(now)), time.Second)
		}
		r.mu.Unlock()
	case s.err != nil:
		down.Err = fmt.Errorf("%s: the key may be a new one: %w", r.source, s.err)
	case missing:
		return nil
	default:
		r.mu.Lock()
		down.RetryAfter = time.Second
		if r.planned != nil {
			down.RetryAfter += max(r.plannedFor.Sub(now), 0)
		}
		r.mu.Unlock()
		down.Reason = core.ReasonUnknownKey
		down.Err = fmt.Errorf("%s: the key may be a new one, and no fetch has begun since it was first named", r.source)
	}
	return down
}

// isMissing reports whether s comes of a fetch that began after kid was first
// seen.
func (r *RemoteKeys) isMissing(s *remoteState, kid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.number > r.sighting(kid).begun
}

// sighting is that of kid. mu is held.
func (r *RemoteKeys) sighting(kid string) *sighting {
	return r.unknown.of(kid, r.begun, r.now().Add(r.refetchInterval))
}

// join is the fetch to wait for when kid was not found; nil when waiting is no
// use, and missing says whether the key does not exist as far as is known. usable
// says that there are keys, of which none is the one.
func (r *RemoteKeys) join(kid string, usable bool) (f *flight, missing bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !usable {
		r.planForNone()
	}
	if !usable || r.closed {
		return r.flight, false
	}
	s, now, one := r.state.Load(), r.now(), r.sighting(kid)
	if missing = s.err == nil && s.number > one.begun; missing {
		if r.flight != nil || now.Before(one.again) {
			return nil, true
		}
		one.misses = min(one.misses+1, maxMisses)
		one.again = now.Add(r.refetchInterval << one.misses)
	}
	if r.flight != nil || r.planned != nil || now.Before(s.hold) {
		return r.flight, missing
	}
	if wait := r.budget.take(now, r.refetchInterval); wait > 0 {
		r.plan(now, wait)
		return nil, missing
	}
	return r.start(), missing
}

// planForNone plans a fetch for somebody who asks while no key serves, if the pause
// after the last failure goes on for longer than retryForNone. Up to a half is
// taken off that at random, as of any pause. mu is held.
func (r *RemoteKeys) planForNone() {
	s, now, wait := r.state.Load(), r.now(), r.retry.clamp(retryForNone)
	if s.err != nil && !r.closed && r.flight == nil && r.planned == nil && !now.Before(s.hold) && s.next.Sub(now) > wait {
		r.plan(now, jitter(wait, 2))
	}
}

// plan has a fetch start after a while. mu is held.
func (r *RemoteKeys) plan(now time.Time, wait time.Duration) {
	r.plannedFor = now.Add(wait)
	r.planned = time.AfterFunc(wait, r.runPlanned)
}

// joinRenewal is the fetch to wait for when a signature does not fit, or nil.
func (r *RemoteKeys) joinRenewal() *flight {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, now := r.state.Load(), r.now()
	if r.flight != nil || r.closed || now.Before(s.hold) || !r.renewed.IsZero() && now.Sub(r.renewed) < r.refetchInterval {
		return r.flight
	}
	r.renewed = now
	return r.start()
}

// start has the loop fetch at once. mu is held, and no fetch is under way.
func (r *RemoteKeys) start() *flight {
	r.flight = &flight{done: make(chan struct{}), again: true}
	r.wake <- struct{}{} // never full: the loop has taken it before a flight ends
	return r.flight
}

// runPlanned starts the fetch that was planned, unless the issuer has asked for a pause
// since, or one is under way: that has begun after the plan was made.
func (r *RemoteKeys) runPlanned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.planned = nil
	if r.flight == nil && !r.closed && !r.now().Before(r.state.Load().hold) {
		r.start()
	}
}
