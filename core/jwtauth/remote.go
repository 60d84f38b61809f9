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

// RemoteKeys is a [KeySource] that fetches the JWK set of an issuer and keeps it up
// to date. It is safe for concurrent use; known keys are found without a lock.
//
// A set is replaced as a whole: a key that the issuer has removed is gone with the
// next fetch. A key that cannot be used, or whose kid another key has too, is
// skipped and reported ([WithRefreshObserver]). Secrets (kty oct) are skipped as
// well, since a published secret is no longer secret.
//
// One goroutine fetches, one fetch at a time: on schedule; when a token names an
// unknown key, at most 5 times in [WithRefetchInterval]; and when a signature does
// not verify with a known key, at most once in that time ([RemoteKeys.Renew]). A
// request with an unknown key waits for the fetch that it causes, and for one under
// way: for two at most, of [WithTimeout] each. No request waits until the next
// fetch is allowed.
//
// A token is refused with 401 once a fetch that began after its key was first named
// has ended without the key. Until then the response is 503 with Retry-After: the
// key may be new, and a 401 would make clients discard valid tokens. Even in a
// flood of made-up keys a fetch comes after a fifth of [WithRefetchInterval] at the
// latest, and finds a new key among them. A missing key may cause another fetch
// after [WithRefetchInterval], and then after twice as long each time.
//
// While the issuer is down, the keys from the last successful fetch are used until
// [WithMaxStale]. After that, before the first successful fetch, and if the issuer
// publishes no usable key, Keys returns a [core.UnavailableError], which results in
// 503. So does an unknown key after a failed fetch, since it may be new. The next
// successful fetch ends all of this. While there is no usable key and requests ask
// for one, a failed fetch is repeated after 5 s at most, unless [WithRetryInterval]
// begins later or the issuer asks for a longer pause.
type RemoteKeys struct {
	remoteConfig
	source source

	state atomic.Pointer[remoteState]

	mu      sync.Mutex
	flight  *flight   // the fetch that is requested or under way, or nil
	begun   uint64    // number of fetches that have begun
	unknown sightings // of keys
	budget  budget    // for unknown keys
	renewed time.Time // when a bad signature last caused a fetch
	// planned starts a fetch at plannedFor, when the budget allows one; nil if none
	// is planned.
	planned    *time.Timer
	plannedFor time.Time
	closed     bool

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

var _ KeySource = (*RemoteKeys)(nil)

// remoteState is the result of all fetches so far. It is immutable.
type remoteState struct {
	set       *KeySet   // of the last successful fetch; nil if there was none
	unfit     error     // why the first key that is not in set was skipped
	confirmed time.Time // when the issuer last confirmed the set
	number    uint64    // of the last successful fetch, counted from 1
	err       error     // of the last fetch
	hold      time.Time // until when the issuer asked for a pause
	next      time.Time // when the next fetch is due
	replaced  chan struct{}
}

// flight is one fetch that requests may wait for.
type flight struct {
	done  chan struct{}
	again bool // caused by a token rather than the schedule
}

// Fetch returns a source of the keys in the JWK set (RFC 7517 §5) at url. It must
// be https, unless its host is loopback or [WithPlainHTTP] is given.
//
// Fetch returns at once and fetches in the background until Close;
// [RemoteKeys.Ready] waits for the keys.
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

// start begins the first fetch, which requests can wait for.
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
	r.state.Store(&remoteState{err: errors.New("no fetch has completed yet"), next: r.now(), replaced: make(chan struct{})})
	go r.run(ctx)
	return r
}

// Close stops fetching and waits until it has stopped. Known keys stay in use until
// [WithMaxStale]. Further calls do nothing.
func (r *RemoteKeys) Close() {
	r.cancel()
	<-r.done
}

// Ready waits until there are keys to verify tokens with, or ctx ends. It is for
// programs that would rather fail to start than answer 503.
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
	// Wait for two fetches at most: the one under way may have begun too early to
	// tell.
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

// Renew returns the keys with the given kid after another fetch, for a token whose
// signature does not verify: the issuer may have published a new key under an old
// kid. It waits for a fetch under way. Otherwise it starts one, at most once in
// [WithRefetchInterval]; in between, and if the fetch fails, it returns the same
// keys as Keys.
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

// find looks up kid in s.
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

// usable returns the set that may verify tokens now.
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

// verdict returns the error for a key that was not found in s; nil, which results
// in 401, if the key certainly does not exist.
func (r *RemoteKeys) verdict(s *remoteState, unusable error, missing bool) error {
	now := r.now()
	down := &core.UnavailableError{RetryAfter: max(s.next.Sub(now), time.Second), Err: unusable}
	switch {
	case unusable != nil:
		r.mu.Lock()
		r.planForNone() // the fetch that was awaited may have prevented it
		switch {
		case r.flight != nil: // it has just begun
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
		down.Err = fmt.Errorf("%s: the key may be a new one, and no fetch has started since it was first seen", r.source)
	}
	return down
}

// isMissing reports whether s is the result of a fetch that began after kid was
// first seen.
func (r *RemoteKeys) isMissing(s *remoteState, kid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.number > r.sighting(kid).begun
}

// sighting returns the sighting of kid. mu is held.
func (r *RemoteKeys) sighting(kid string) *sighting {
	return r.unknown.of(kid, r.begun, r.now().Add(r.refetchInterval))
}

// join returns the fetch to wait for if kid was not found. It returns nil if
// waiting is useless; missing then reports whether the key is known not to exist.
// usable reports that there are keys, but not this one.
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

// planForNone plans a fetch for a request that comes while there is no usable key,
// if the pause after the last failure lasts longer than retryForNone. The delay is
// shortened by up to a half at random, as any pause is. mu is held.
func (r *RemoteKeys) planForNone() {
	s, now, wait := r.state.Load(), r.now(), r.retry.clamp(retryForNone)
	if s.err != nil && !r.closed && r.flight == nil && r.planned == nil && !now.Before(s.hold) && s.next.Sub(now) > wait {
		r.plan(now, jitter(wait, 2))
	}
}

// plan schedules a fetch after wait. mu is held.
func (r *RemoteKeys) plan(now time.Time, wait time.Duration) {
	r.plannedFor = now.Add(wait)
	r.planned = time.AfterFunc(wait, r.runPlanned)
}

// joinRenewal returns the fetch to wait for if a signature does not verify, or nil.
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

// start makes the loop fetch at once. mu is held, and no fetch is under way.
func (r *RemoteKeys) start() *flight {
	r.flight = &flight{done: make(chan struct{}), again: true}
	r.wake <- struct{}{} // never full: the loop has taken it before a flight ends
	return r.flight
}

// runPlanned starts the planned fetch, unless the issuer has asked for a pause
// since, or a fetch is under way, which then began after it was planned.
func (r *RemoteKeys) runPlanned() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.planned = nil
	if r.flight == nil && !r.closed && !r.now().Before(r.state.Load().hold) {
		r.start()
	}
}
