package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/watch"
)

// Reload reads the files immediately, even if they have just changed, and puts their
// content into force if it has changed. It works with and without [WithFileWatch].
// Call it on SIGHUP, or to be certain that a revocation is in force before
// continuing: every decision that begins after it has returned nil uses the files as
// they were when it was called, or newer ones.
//
// If the files are not a valid policy, the error is a [*FindingsError] and the
// policy in force stays. It also stays if the files cannot be read, or if the new
// policy is far smaller than the one in force; for that see
// [Authorizer.ReloadForced].
//
// A load while requests are served takes about half of a processor, a fraction of a
// millisecond at a time, so that decisions continue; if decisions keep all
// processors busy, it takes longer.
//
// When ctx ends, Reload stops waiting for a load that has begun; the load itself
// continues. After Close the error is [watch.ErrClosed].
func (a *Authorizer) Reload(ctx context.Context) error { return a.reload(ctx, false) }

// ReloadForced is [Authorizer.Reload], but also accepts a policy that is empty or far
// smaller than the one in force. An empty one still needs [WithEmptyPolicy].
func (a *Authorizer) ReloadForced(ctx context.Context) error { return a.reload(ctx, true) }

// Close stops watching, closes the watcher of [WithWatcher], waits for a running
// load, and leaves no goroutine behind. The policy in force continues to decide.
// Closing twice, or without [WithFileWatch], has no effect.
func (a *Authorizer) Close() error {
	first := !a.closed.Swap(true)
	if a.updates != nil && first {
		a.updates.close()
	}
	var err error
	if w := a.watcher.Load(); w != nil {
		err = w.Close()
	}
	if f := a.follower.Load(); f != nil {
		err = f.Close()
	}
	a.slot <- struct{}{} // waits for a call of Reload
	<-a.slot
	if err != nil {
		return fmt.Errorf("casbinrules: %w", err)
	}
	return nil
}

func (a *Authorizer) reload(ctx context.Context, force bool) error {
	select {
	case a.slot <- struct{}{}:
		defer func() { <-a.slot }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if a.closed.Load() {
		return fmt.Errorf("casbinrules: reload: %w", watch.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	a.force.Store(force)
	defer a.force.Store(false)
	if err := a.look(ctx); err != nil {
		return fmt.Errorf("casbinrules: reload: %w", err)
	}
	return nil
}

// look checks the files for changes. While they are watched, only the watcher's
// goroutine loads, so that an older state never replaces a newer one.
func (a *Authorizer) look(ctx context.Context) error {
	if f := a.follower.Load(); f != nil {
		return f.Refresh(ctx)
	}
	started, last := time.Now(), a.last.Load()
	w := a.watcher.Load()
	if w == nil {
		in, err := a.sources.Read()
		if err != nil {
			a.unread(ctx, started, ReloadFailed, err)
			return err
		}
		changed, err := a.apply(ctx, started, in)
		if err == nil && !changed {
			a.unchanged(ctx, started, last)
		}
		return err
	}
	changed, err := w.Trigger(ctx)
	if err == nil && !changed {
		a.unchanged(ctx, started, last)
	}
	return err
}

// startWatching watches the files from the state that has been read.
func (a *Authorizer) startWatching(read watch.Snapshot) error {
	opts := append(a.sources.WatchOptions(),
		watch.WithCurrentSnapshot(read),
		watch.WithErrorObserver(func(err error) { a.unread(context.Background(), time.Now(), outcomeOf(err), err) }))
	w, err := watch.New(a.sources.Paths(), a.changed, opts...)
	if err != nil {
		return err
	}
	a.watcher.Store(w)
	return nil
}

// outcomeOf returns the outcome for an error of the watcher.
func outcomeOf(err error) ReloadOutcome {
	if errors.Is(err, watch.ErrPolling) {
		return ReloadDegraded
	}
	return ReloadFailed
}

// changed is called by the watcher after the files have changed.
func (a *Authorizer) changed(ctx context.Context, got watch.Snapshot) error {
	started := time.Now()
	in, err := a.sources.Take(got)
	if err != nil {
		a.reject(ctx, ReloadEvent{Time: started, Outcome: ReloadFailed, Err: err})
		return err
	}
	changed, err := a.apply(ctx, started, in)
	if err == nil && !changed {
		// Files that were rejected, or could not be read, have been restored.
		a.unchanged(ctx, started, a.last.Load())
	}
	return err
}

// apply puts contents into force, unless they are in force already or invalid. It is
// only called on one goroutine at a time.
func (a *Authorizer) apply(ctx context.Context, started time.Time, in *source.Contents) (changed bool, err error) {
	old, p := a.current.Load(), pace.New(started)
	in.Sums = old.sums
	if in.HashAt(p) == old.version.Hash {
		return false, nil
	}
	e := ReloadEvent{Time: started, Outcome: ReloadRejected, Forced: a.force.Load()}
	s, err := a.build(old, in, p)
	p.RestIfDue()
	if err == nil && !e.Forced && !a.sources.Shared {
		if found := policy.CheckShrink(old.Rules, s.Rules); len(found) > 0 {
			err = &FindingsError{Findings: found}
		}
	}
	if err != nil {
		e.Err = err
		a.reject(ctx, e)
		return false, err
	}
	a.current.Store(s)
	a.last.Store(&attempt{})

	p.RestIfDue()
	d := s.loaded.Compare(old.Rules, p)
	p.RestIfDue()
	e.Outcome, e.Old, e.New = ReloadLoaded, old.version, s.version
	e.Added, e.AddedCount = d.Added, d.AddedCount
	e.Removed, e.RemovedCount = d.Removed, d.RemovedCount
	e.Reordered, e.ModelChanged = d.Reordered, old.model != s.model
	e.Findings = s.loaded.Warnings
	e.Duration = s.version.Loaded.Sub(started)
	a.tell(ctx, e)
	return true, nil
}

// build prepares a snapshot. A panic while parsing must not end the program.
func (a *Authorizer) build(old *policyInForce, in *source.Contents, p *pace.Pace) (s *policyInForce, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &core.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	c := a.config.Settings
	c.Pace = p
	s, err = loadPolicy(old, in, &c)
	c.Pace = nil // What is built later, during a request, must not sleep.
	return s, err
}

// reject records that the files are not in force, and calls observers.
func (a *Authorizer) reject(ctx context.Context, e ReloadEvent) {
	e.Old = a.Version()
	e.New = e.Old
	e.Duration = time.Since(e.Time)
	var found *FindingsError
	if errors.As(e.Err, &found) {
		e.Findings = found.Findings
	}
	if e.Outcome != ReloadDegraded {
		next := &attempt{err: e.Err, since: e.Time}
		if st := a.Status(); st.Err != nil {
			next.since = st.Since
		}
		a.last.Store(next)
	}
	a.tell(ctx, e)
}

func (a *Authorizer) unread(ctx context.Context, started time.Time, outcome ReloadOutcome, err error) {
	a.reject(ctx, ReloadEvent{Time: started, Outcome: outcome, Err: err})
}

// unchanged records that the files are in force, and calls observers. It does not
// overwrite an attempt that the watcher has made after last.
func (a *Authorizer) unchanged(ctx context.Context, started time.Time, last *attempt) {
	a.last.CompareAndSwap(last, &attempt{})
	v := a.Version()
	a.tell(ctx, ReloadEvent{Time: started, Duration: time.Since(started), Outcome: ReloadUnchanged, Old: v, New: v})
}
