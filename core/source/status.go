package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

// Status is what a follower knows about its source.
type Status struct {
	// Revision is the one in force; Latest is the newest that the source has
	// returned. They differ while Latest is being applied, and if it was rejected.
	Revision, Latest Revision
	// Confirmed is when the source was last asked successfully: at that time Latest
	// was the newest revision.
	Confirmed time.Time
	// Applied is when Revision took effect. Behind is the time since which Latest
	// has been known but not in force; zero if it is in force.
	Applied, Behind time.Time
	// Listening reports that the source notifies of publications. Otherwise they
	// are noticed at the next poll.
	Listening bool
	// Listens counts how often listening has started: all but the first time after
	// a reconnect.
	Listens uint64
	// Stale reports that Confirmed is longer ago than [WithMaxStaleness] allows.
	Stale bool
	// Err says why Latest is not in force, or why the source has not answered since
	// Confirmed; nil if there is no error. ListenErr says why the follower is not
	// listening; it is also nil while listening is not tried, for which see Err.
	Err, ListenErr error
	// FileErr says why the file of [WithLastGoodFile] could not be written.
	FileErr error
}

// Age returns how long ago the source last confirmed what is in force.
func (s *Status) Age() time.Duration { return time.Since(s.Confirmed) }

// Lag returns how long a newer revision has been known but not in force.
func (s *Status) Lag() time.Duration {
	if s.Behind.IsZero() {
		return 0
	}
	return time.Since(s.Behind)
}

// rejection is the error of Apply.
type rejection struct {
	revision Revision
	err      error
}

func (e *rejection) Error() string { return fmt.Sprintf("revision %d: %v", e.revision, e.err) }
func (e *rejection) Unwrap() error { return e.err }

func isRejection(err error) bool { return errtype.In[*rejection](err) }

// rejects reports whether err rejects a revision that is at least r.
func rejects(err error, r Revision) bool {
	var rejected *rejection
	return errors.As(err, &rejected) && rejected.revision >= r
}

// Status returns the current status.
func (f *Follower) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// WaitFor returns nil once a revision of at least r is in force: after publishing r
// it lets the publisher see its own write. It fetches from the source right away.
// If a revision of at least r was rejected, it returns that error at once;
// otherwise the error is [ErrClosed] or that of ctx.
func (f *Follower) WaitFor(ctx context.Context, r Revision) error {
	f.hint()
	for {
		f.mu.Lock()
		state, changed := f.state, f.changed
		f.mu.Unlock()
		switch {
		case state.Revision >= r:
			return nil
		case rejects(state.Err, r):
			return state.Err
		}
		select {
		case <-changed:
		case <-f.ctx.Done():
			return ErrClosed
		case <-ctx.Done():
			if state.Err != nil {
				return fmt.Errorf("revision %d is in force: %w: %w", state.Revision, ctx.Err(), state.Err)
			}
			return fmt.Errorf("revision %d is in force: %w", state.Revision, ctx.Err())
		}
	}
}

// update changes the state under the lock and wakes those who wait for it. It calls
// observers outside of the lock, with one state after the other.
func (f *Follower) update(change func(s *Status)) {
	f.telling.Lock()
	defer f.telling.Unlock()
	f.mu.Lock()
	before := f.state.Stale
	change(&f.state)
	after := f.state
	f.stale.Store(after.Stale)
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	if before != after.Stale && f.settings.onStale != nil {
		tell(f.settings.onStale, after)
	}
	tell(f.settings.observe, after)
}

// tell calls an observer. Its panic would end the program.
func tell(observe func(Status), s Status) {
	defer func() { _ = recover() }()
	observe(s)
}

// confirmed records that the source has answered with a known revision.
func (f *Follower) confirmed(asked time.Time, of State) error {
	var rejected error
	f.update(func(s *Status) {
		s.Latest = of.Revision
		f.freshen(s, asked)
		if f.inForce == of {
			s.Err, s.Behind = nil, time.Time{}
			f.known = of // the rejected revision has been withdrawn
		}
		rejected = s.Err
	})
	return rejected
}

// seen records that a revision is known but not in force.
func (f *Follower) seen(of State) {
	f.update(func(s *Status) {
		f.known, s.Latest = of, of.Revision
		if s.Behind.IsZero() && f.inForce != of {
			s.Behind = time.Now()
		}
	})
}

// tried records the result of applying a revision.
func (f *Follower) tried(asked time.Time, of State, err error) error {
	if err != nil {
		err = &rejection{of.Revision, err}
	}
	f.update(func(s *Status) {
		f.freshen(s, asked)
		s.Err = err
		if err == nil {
			f.inForce = of
			s.Revision, s.Applied, s.Behind = of.Revision, time.Now(), time.Time{}
		}
	})
	return err
}

// unconfirmed records that the source could not be asked. That a revision was rejected
// remains the more important error.
func (f *Follower) unconfirmed(err error) {
	f.update(func(s *Status) {
		if !isRejection(s.Err) {
			s.Err = err
		}
	})
}

// listening records whether the source notifies of publications, and reports whether it
// did so before.
func (f *Follower) listening(err error) (before bool) {
	f.update(func(s *Status) {
		before = s.Listening
		if err == nil && !before {
			s.Listens++
		}
		s.Listening, s.ListenErr = err == nil, err
	})
	return before
}

// freshen postpones the end of the bound. The lock must be held.
func (f *Follower) freshen(s *Status, asked time.Time) {
	s.Confirmed = asked
	if f.settings.maxStale == 0 {
		return
	}
	left := f.settings.maxStale - time.Since(asked)
	s.Stale = left <= 0 // the file of an earlier run may be that old
	if f.overdue == nil {
		f.overdue = time.AfterFunc(left, f.expire)
		return
	}
	f.overdue.Reset(left)
}

// expire records that the bound has passed, unless the source has answered meanwhile.
func (f *Follower) expire() {
	if f.ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	left := f.settings.maxStale - time.Since(f.state.Confirmed)
	if left > 0 && f.overdue != nil {
		f.overdue.Reset(left)
	}
	f.mu.Unlock()
	if left > 0 {
		return
	}
	f.update(func(s *Status) { s.Stale = time.Since(s.Confirmed) >= f.settings.maxStale })
}
