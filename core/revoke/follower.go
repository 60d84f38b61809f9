package revoke

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source"
)

// Errors of [Follower.Revoked], each of which is 503.
var (
	// ErrStale says that the log was not read for longer than is allowed.
	ErrStale = errors.New("the log of revocations was not read for too long")
	// ErrNotRead says that the log was not read yet.
	ErrNotRead = errors.New("the log of revocations was not read yet")
)

// Follower is a [Checker] whose entries are those of a [Log]. It has all of them in
// memory and asks nobody when it is asked; what others append it knows within
// milliseconds where the log notifies, and after the next poll otherwise. It is safe
// for concurrent use.
//
// Entries only ever leave it by expiring: a log that was emptied, or that shows an
// older state, takes nothing back.
type Follower struct {
	settings followSettings
	feed     feed
	source   *source.Follower
	// answer is what is said of tokens without an entry; nil for not revoked.
	answer atomic.Pointer[unknown]
}

var _ Checker = (*Follower)(nil)

// unknown is the answer for a token of which no entry is known.
type unknown struct {
	revoked bool
	err     error
}

// Follow reads a log and goes on reading it until [Follower.Close], which leaves the
// log open. If it cannot be read before ctx ends or the time of [WithStartTimeout]
// has passed, Follow fails, unless [WithLateStart] is given.
func Follow(ctx context.Context, log Log, opts ...FollowOption) (*Follower, error) {
	if log == nil {
		return nil, errors.New("revoke: log is nil")
	}
	f := &Follower{settings: followDefaults()}
	s := &f.settings
	if err := option.Apply(s, opts); err != nil {
		return nil, fmt.Errorf("revoke: %w", err)
	}
	f.feed.log, f.feed.set, f.feed.late = log, newSet(s.max, s.now), s.late
	f.answer.Store(&unknown{err: ErrNotRead})
	with := append(s.source, source.WithTimeout(s.timeout), source.WithStatusObserver(f.told))
	if s.stale > 0 {
		with = append(with, source.WithMaxStaleness(s.stale, nil))
	}
	followed, err := source.Follow(ctx, &f.feed, func(context.Context, *source.Content) error { return nil }, with...)
	if err != nil {
		return nil, fmt.Errorf("revoke: follow the log: %w", err)
	}
	f.source = followed
	if s.late {
		go func() { _ = followed.Refresh(context.WithoutCancel(ctx)) }() // the status has its error; Close ends it
	}
	return f, nil
}

// told is called at each change of the status.
func (f *Follower) told(s source.Status) {
	status := f.status(&s)
	var now *unknown
	switch {
	case status.Confirmed.IsZero():
		now = &unknown{err: ErrNotRead}
	case f.feed.stuck.Load() != nil:
		now = f.feed.stuck.Load()
	case status.Stale && f.settings.mode == StaleUnavailable:
		now = &unknown{err: ErrStale}
	case status.Stale && f.settings.mode == StaleRefuse:
		now = &unknown{revoked: true}
	}
	f.answer.Store(now)
	if f.settings.observe != nil {
		f.settings.observe(status)
	}
}

// Revoked implements [Checker], without waiting for anything. An error is [ErrStale],
// [ErrNotRead], [ErrFull] or [ErrUnreadable].
func (f *Follower) Revoked(_ context.Context, t Token) (bool, error) {
	if f.feed.set.has(&t, f.settings.now) {
		return true, nil
	}
	if a := f.answer.Load(); a != nil {
		return a.revoked, a.err
	}
	return false, nil
}

// Append adds entries to the log, and so at all instances. They count here from the
// beginning of the call on, whatever becomes of it; after an error repeat it, since
// the others may not know of them. See [Log.Append] for note and position.
func (f *Follower) Append(ctx context.Context, note string, entries ...Entry) (Position, error) {
	if err := CheckAppend(note, entries); err != nil {
		return Position{}, fmt.Errorf("revoke: %w", err)
	}
	var full error
	for i := range entries {
		if err := f.feed.set.add(&entries[i]); err != nil {
			full = fmt.Errorf("revoke: %w", err)
		}
	}
	at, err := f.feed.log.Append(ctx, note, entries...)
	if err != nil {
		return Position{}, errors.Join(fmt.Errorf("revoke: append to the log: %w", err), full)
	}
	return at, full
}

// Revoke is Append of one entry without a note, within the time of [WithTimeout]: it
// makes a follower what package tokens takes for its revocations.
func (f *Follower) Revoke(e Entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), f.settings.timeout)
	defer cancel()
	_, err := f.Append(ctx, "", e)
	return err
}

// WaitFor returns nil once this instance has read the log up to a position that
// another one has appended at. It looks at the log right away; that this fails is
// its error, as is the end of ctx, or [source.ErrClosed], or [ErrNoPosition] if the
// log has another record there, having lost the one that is waited for. Once others
// follow, nobody can tell any more.
func (f *Follower) WaitFor(ctx context.Context, p Position) error {
	for {
		looks := f.source.Status().Revision
		if err := f.source.Refresh(ctx); err != nil {
			return fmt.Errorf("revoke: wait for record %d: %w", p.Number, err)
		}
		switch now := f.feed.progress.Load(); {
		case now == nil || now.read.Number < p.Number:
		case now.read.Number == p.Number && p.Tag != "" && now.read.Tag != p.Tag:
			return fmt.Errorf("revoke: wait for record %d: %w", p.Number, ErrNoPosition)
		default:
			return nil
		}
		if err := f.source.WaitFor(ctx, looks+1); err != nil {
			return fmt.Errorf("revoke: wait for record %d: %w", p.Number, err)
		}
	}
}

// Status is what a follower knows of its log.
type Status struct {
	// Read is up to where the log was read, Entries how many are known, some of which
	// may have expired.
	Read    Position
	Entries int
	// Confirmed is when the log was last asked and was read to its end; zero for
	// never.
	Confirmed time.Time
	// Stale says that this is longer ago than [WithMaxStaleness] allows.
	Stale bool
	// Listening says that the log tells of appends, Listens how often it has begun to.
	Listening bool
	Listens   uint64
	// Restarts counts how often the log was read from its beginning because it no
	// longer had what was read of it.
	Restarts uint64
	// Err is why the log was not read since Confirmed, ListenErr why it does not
	// tell of appends; nil if neither is so.
	Err, ListenErr error
}

// Status is the state at this moment.
func (f *Follower) Status() Status {
	s := f.source.Status()
	return f.status(&s)
}

func (f *Follower) status(s *source.Status) Status {
	out := Status{Entries: f.Len(), Stale: s.Stale, Listening: s.Listening, Listens: s.Listens, Err: s.Err, ListenErr: s.ListenErr}
	if now := f.feed.progress.Load(); now != nil {
		out.Read, out.Restarts, out.Confirmed = now.read, now.restarts, s.Confirmed
	}
	return out
}

// Len is how many entries are known, some of which may have expired.
func (f *Follower) Len() int { return int(f.feed.set.size.Load()) }

// Close ends following and leaves no goroutine behind. What is known stays, and
// grows no older by it.
func (f *Follower) Close() error { return f.source.Close() }
