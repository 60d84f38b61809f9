package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errlog"
	"github.com/sallyport-go/sallyport/core/internal/pause"
	"github.com/sallyport-go/sallyport/core/option"
)

// Apply puts content into force. An error or a panic, which is reported as a
// [*core.PanicError], rejects it: the previous content stays in force, and Apply is
// not called with this revision again unless [Follower.Refresh] asks for it.
//
// There is one call at a time. The context ends with the follower. Apply must call
// neither Refresh nor Close, which would wait for it.
type Apply func(ctx context.Context, c *Content) error

// ErrClosed is returned after [Follower.Close].
var ErrClosed = errors.New("the source is no longer followed")

// Follower keeps an instance at the newest revision of a source. It is safe for
// concurrent use.
type Follower struct {
	settings settings
	source   Source
	apply    Apply
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	hints    chan struct{} // with room for one
	requests chan chan<- error
	running  sync.WaitGroup
	closing  sync.Once
	stale    atomic.Bool // Status.Stale, for callers at each request
	// Either of the two may fail without the other.
	fetching, hearing backoff

	telling sync.Mutex // held while observers are told
	mu      sync.Mutex
	state   Status
	known   State // the newest one fetched, in force or rejected
	inForce State // the one applied last
	saved   State // the one that the file of WithLastGoodFile holds
	// savedTime is until when the files of WithLastGoodFile say that saved was
	// confirmed, saveTried when writing the one with content was last tried.
	savedTime, saveTried time.Time
	changed              chan struct{} // closed and replaced when state changes
	overdue              *time.Timer   // nil without a bound
}

// Follow fetches the newest revision, calls apply with it, and keeps following the
// source until [Follower.Close]. If the first content cannot be fetched before ctx
// ends, or apply rejects it, Follow fails and leaves nothing running; a failed
// fetch is retried until then, but for no longer than the time of
// [WithStartTimeout].
func Follow(ctx context.Context, src Source, apply Apply, opts ...Option) (*Follower, error) {
	if src == nil || apply == nil {
		return nil, errors.New("source: source and apply must not be nil")
	}
	f := &Follower{
		settings: defaults, source: src, apply: apply,
		hints: make(chan struct{}, 1), requests: make(chan chan<- error), changed: make(chan struct{}),
	}
	if err := option.Apply(&f.settings, opts); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if f.settings.observe == nil {
		changed := errlog.New("what is followed in a store")
		f.settings.observe = func(s Status) { changed(errors.Join(s.Err, s.FileErr)) }
	}
	f.fetching.first, f.fetching.most = f.settings.retry, f.settings.maxRetry
	// If only listening fails, fetching makes up for it, and the source may refuse
	// listening permanently.
	f.hearing.first, f.hearing.most = f.settings.retry, max(f.settings.maxRetry, hearingRetry)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	if err := f.start(ctx); err != nil {
		_ = f.Close() // it never fails
		return nil, fmt.Errorf("source: %w", err)
	}
	f.running.Go(f.listen)
	f.running.Go(f.run)
	return f, nil
}

// start applies the first content.
func (f *Follower) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.settings.start)
	defer cancel()
	kept, keptErr := f.readLastGood()
	if kept != nil {
		// Revisions older than those seen before the program ended are not accepted.
		f.state.Latest = kept.Content.Revision
	}
	for {
		err := f.look(ctx, false)
		switch {
		case err == nil || isRejection(err) || errors.Is(err, errUnverifiable):
			return err
		case kept != nil:
			return f.startWith(kept)
		case keptErr != nil && !errors.Is(keptErr, fs.ErrNotExist):
			return errors.Join(err, keptErr)
		}
		if errors.Is(err, ErrEmpty) {
			return err
		}
		if pause.For(ctx, f.fetching.delay()) != nil {
			return err
		}
	}
}

// listen makes the source notify of publications, again and again. While the source does
// not answer, only run asks it, so that instances without a source send it one question
// at a time, and make one connection each when it is back.
func (f *Follower) listen() {
	for f.answered() {
		began := time.Now()
		err := guarded(func() error {
			return f.source.Listen(f.ctx, func() {
				f.listening(nil)
				f.hint()
			})
		})
		if f.ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("listening has ended")
		}
		if f.listening(err) {
			f.fetching.failed() // until it answers again
			f.hint()
		}
		if time.Since(began) > f.settings.maxRetry {
			f.hearing.succeeded()
		}
		f.hearing.failed()
		_ = pause.For(f.ctx, f.hearing.delay()) // answered says whether it was closed
	}
}

// answered waits until the last fetch has not failed, and returns false once the follower
// is closed.
func (f *Follower) answered() bool {
	for f.ctx.Err() == nil {
		f.mu.Lock()
		changed := f.changed
		f.mu.Unlock()
		if !f.fetching.failing() {
			return true
		}
		select {
		case <-changed: // the state changes at each fetch
		case <-f.ctx.Done():
		}
	}
	return false
}

// hint makes run fetch soon.
func (f *Follower) hint() {
	select {
	case f.hints <- struct{}{}:
	default: // the pending fetch sees this publication too
	}
}

// run fetches at hints, on request, and at every poll interval.
func (f *Follower) run() {
	poll := time.NewTimer(jitter(f.settings.poll))
	defer poll.Stop()
	for {
		var err error
		select {
		case <-f.ctx.Done():
			return
		case reply := <-f.requests:
			err = f.look(f.ctx, true)
			reply <- err
		case <-f.hints:
			err = f.look(f.ctx, false)
		case <-poll.C:
			err = f.look(f.ctx, false)
		}
		next := jitter(f.settings.poll)
		if err != nil && !isRejection(err) {
			next = min(next, f.fetching.delay())
		}
		poll.Reset(next)
	}
}

// look fetches the newest revision and applies it. If again is set, it applies even a
// revision that was rejected before.
func (f *Follower) look(ctx context.Context, again bool) error {
	f.mu.Lock()
	known := f.known
	if again {
		known = f.inForce
	}
	inForce, unkept := f.inForce, f.unkept()
	f.mu.Unlock()
	if unkept {
		known = State{} // so that its content is fetched again
	}
	asked := time.Now() // the answer describes this moment or a later one
	fetching, cancel := context.WithTimeout(ctx, f.settings.timeout)
	defer cancel()
	var got Fetched
	err := guarded(func() (err error) {
		got, err = f.source.Fetch(fetching, known)
		return err
	})
	if err == nil {
		err = f.check(&got, known)
	}
	if latest := f.Status().Latest; latest > 0 && errors.Is(err, ErrEmpty) {
		err = fmt.Errorf("%w: it has returned revision %d: %w", ErrStepBack, latest, err)
	}
	if err != nil {
		if f.ctx.Err() == nil {
			f.fetching.failed()
			f.unconfirmed(err)
		}
		return err
	}
	f.fetching.succeeded()
	if got.Content == nil {
		if asked.Sub(f.savedTime) >= confirmedEvery {
			f.saveConfirmation(asked, got.State)
		}
		return f.confirmed(asked, got.State)
	}
	if unkept && got.State == inForce {
		f.save(asked, got.State, got.Content)
		return f.confirmed(asked, got.State)
	}
	f.seen(got.State)
	applied := guarded(func() error { return f.apply(f.ctx, got.Content) })
	err = f.tried(asked, got.State, applied)
	if err == nil {
		f.save(asked, got.State, got.Content)
	}
	return err
}

// check returns an error for what a source must not return.
func (f *Follower) check(got *Fetched, known State) error {
	f.mu.Lock()
	latest := f.state.Latest
	f.mu.Unlock()
	switch {
	case got.Revision == 0:
		return ErrEmpty
	case got.Revision < latest && !f.settings.older:
		return fmt.Errorf("%w: it returned revision %d after revision %d", ErrStepBack, got.Revision, latest)
	case got.Content == nil && got.State != known:
		return fmt.Errorf("the source returned revision %d without its content", got.Revision)
	case got.Content == nil:
		return nil
	}
	content := got.Content.summedAs(got.Hash)
	if content == nil || content.Revision != got.Revision {
		return fmt.Errorf("the source returned revision %d with content of another revision", got.Revision)
	}
	got.Content = content
	return f.checkProof(content)
}

// guarded calls f and returns a panic as an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("source: %w", &core.PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return f()
}

// Refresh fetches from the source now, and returns when its content is in force.
// Rejected content is tried again. The error is that of the source, of [Apply],
// [ErrClosed], or that of ctx. If ctx ends, Refresh stops waiting, but the fetch
// continues.
func (f *Follower) Refresh(ctx context.Context) error {
	reply := make(chan error, 1)
	select {
	case f.requests <- reply:
	case <-f.ctx.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops following, waits for a running call of Apply, and leaves no goroutine
// behind. What is in force stays. The source is left open.
func (f *Follower) Close() error {
	f.cancel()
	f.running.Wait()
	f.closing.Do(func() {
		if s := f.Status(); s.Latest == s.Revision {
			f.saveConfirmation(s.Confirmed, f.inForce)
		}
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.overdue != nil {
		f.overdue.Stop()
	}
	return nil
}
