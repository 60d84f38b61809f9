package jwtauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Refresh is the result of one fetch; see [WithRefreshObserver].
type Refresh struct {
	// Keys is the number of keys in use now; Changed reports whether the set
	// differs from the one before.
	Keys    int
	Changed bool
	// Skipped says which keys of the set were skipped, and why. At most 20 are
	// named.
	Skipped []error
	// Err says why the fetch failed; nil if it succeeded. After a failure the
	// previous keys stay in use until [WithMaxStale].
	Err error
	// Next is the time until the next fetch, unless an unknown key or a bad
	// signature causes an earlier one.
	Next time.Duration
}

// memory is what the loop keeps between two fetches. Nothing else touches it.
type memory struct {
	etag     string
	sum      [sha256.Size]byte // of the document that made the set
	failures int
}

// know remembers what is needed to tell whether the next document differs from d.
func (m *memory) know(d *document) {
	if !d.unmodified {
		m.etag, m.sum = d.etag, d.sum
	}
}

// run fetches until ctx ends.
func (r *RemoteKeys) run(ctx context.Context) {
	defer close(r.done)
	defer r.land(true)
	var m memory
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := r.attempt(ctx, &m)
		r.land(false)
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			r.takeOff()
		case <-r.wake:
		}
	}
}

// takeOff lets requests wait for a scheduled fetch. It reuses one that a request
// has just asked for.
func (r *RemoteKeys) takeOff() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.wake:
	default:
	}
	if r.flight == nil {
		r.flight = &flight{done: make(chan struct{})}
	}
}

// land tells waiting requests that the fetch has ended.
func (r *RemoteKeys) land(last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = last
	if last && r.planned != nil {
		r.planned.Stop()
		r.planned = nil
	}
	if r.flight != nil {
		close(r.flight.done)
		r.flight = nil
	}
}

// attempt fetches once and returns how long to wait before the next fetch.
func (r *RemoteKeys) attempt(ctx context.Context, m *memory) time.Duration {
	r.mu.Lock()
	again := r.flight.again
	r.begun++
	number := r.begun
	r.mu.Unlock()

	was := r.state.Load()
	got, err := r.fetch(ctx, request{etag: m.etag, again: again})
	now := r.now()
	is := &remoteState{set: was.set, unfit: was.unfit, confirmed: was.confirmed, number: was.number, err: err, replaced: make(chan struct{})}
	report := Refresh{Err: err}
	if err == nil {
		m.failures = 0
		is.confirmed, is.number = now, number
		if got.changed(m, was.set) {
			is.set, report.Changed, report.Skipped = got.set, true, got.skipped
			is.unfit = errors.Join(got.skipped[:min(1, len(got.skipped))]...)
			r.noteRemoved(was.set, is.set, number)
		}
		m.know(got)
		report.Next = jitter(r.refresh.clamp(got.freshness()), 10)
		if len(is.set.all) == 0 { // do not stay without keys for an hour
			report.Next = jitter(r.retry.most, 10)
		}
	} else {
		report.Next = r.backoff(m.failures, err)
		m.failures++
		if retryAfter(err) > 0 {
			is.hold = now.Add(report.Next)
		}
	}
	is.next = now.Add(report.Next)
	if is.set != nil {
		report.Keys = len(is.set.all)
	}
	r.state.Store(is)
	close(was.replaced)
	if ctx.Err() == nil { // a failure because of Close is not reported
		r.tell(report)
	}
	return report.Next
}

// noteRemoved remembers the kids that are gone since fetch number, so that none of
// them is taken for a new key.
func (r *RemoteKeys) noteRemoved(was, is *KeySet, number uint64) {
	if was == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for kid := range was.byID {
		if is.byID[kid] == nil {
			r.unknown.of(kid, number-1, r.now().Add(r.refetchInterval))
		}
	}
}

// fetch runs one fetch with its timeout. A panic, for instance of a transport,
// becomes an error.
func (r *RemoteKeys) fetch(ctx context.Context, q request) (got *document, err error) {
	defer func() {
		if v := recover(); v != nil {
			got, err = nil, fmt.Errorf("%s: panic while fetching: %v", r.source, v)
		}
	}()
	body, err := r.source.fetch(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.source, err)
	}
	if body.unmodified {
		return &document{body: body}, nil
	}
	set, skipped, err := r.reader.parsePublished(body.data, r.maxSize)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.source, err)
	}
	return &document{body: body, set: set, skipped: skipped, sum: sha256.Sum256(body.data)}, nil
}

// document is a fetched JWK set.
type document struct {
	body
	set     *KeySet // nil when unmodified
	skipped []error
	sum     [sha256.Size]byte
}

// changed reports whether the document is new. For the same text the existing keys
// are kept, so that tokens they verified stay in the cache.
func (d *document) changed(m *memory, set *KeySet) bool {
	return !d.unmodified && (set == nil || d.sum != m.sum)
}

// freshness returns how long the issuer wants the set to be used.
func (d *document) freshness() time.Duration {
	if age, ok := maxAge(d.header); ok {
		return age
	}
	return defaultRefresh
}

// backoff doubles with each consecutive failure, and honors Retry-After. It is
// shortened by up to a half at random, since all services fail at once when their
// issuer does; a Retry-After is never shortened but extended by up to a half.
func (r *RemoteKeys) backoff(failures int, err error) time.Duration {
	wait := jitter(r.retry.clamp(r.retry.least<<min(failures, 20)), 2)
	if asked := retryAfter(err); asked > 0 {
		wait = max(wait, r.retry.clamp(asked+asked/2-jitter(asked/2, 1)))
	}
	return wait
}

// jitter subtracts a random part of up to 1/n from d.
func jitter(d time.Duration, n int64) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/n+1))
}

func (r *RemoteKeys) tell(report Refresh) {
	defer func() { _ = recover() }() // an observer must not affect the keys
	r.onRefresh(report)
}
