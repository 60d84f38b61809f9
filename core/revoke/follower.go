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

// Errors of [Follower.Revoked], each of which results in 503.
var (
	// ErrStale means that the log was not read for longer than allowed.
	ErrStale = errors.New("the log of revocations was not read for too long")
	// ErrNotRead means that the log has not been read yet.
	ErrNotRead = errors.New("the log of revocations was not read yet")
)

// Follower is a [Checker] with the entries of a [Log]. It keeps all of them in
// memory and answers from there; it learns of entries that others append within
// milliseconds if the log notifies, and with the next poll otherwise. It is safe
// for concurrent use.
//
// Entries leave it only by expiring: a log that was emptied, or returned to an
// older state, does not remove any.
type Follower struct {
	settings followSettings
	feed     feed
	source   *source.Follower
	// answer is the result for tokens without an entry; nil for not revoked.
	answer atomic.Pointer[unknown]
}

var _ Checker = (*Follower)(nil)

// unknown is the result for a token without a known entry.
type unknown struct {
	revoked bool
	err     error
}

// Follow reads a log and keeps reading it until [Follower.Close], which leaves the
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
	if s.observe == nil {
		s.observe = logStatus(s.logger)
	}
	f.feed.log, f.feed.late = log, s.late
	if s.old != nil {
		f.feed.inherit(&s.old.feed)
		f.feed.set.limit(s.max)
		s.old = nil // or it would stay in memory as long as this one
	} else {
		f.feed.set = newSet(s.max, s.now)
	}
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
		go func() { _ = followed.Refresh(context.WithoutCancel(ctx)) }() // its error is in the status; Close ends it
	}
	return f, nil
}

// told is called for each change of the status.
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
	f.settings.observe(status)
}

// Revoked implements [Checker]. It never blocks. An error is [ErrStale],
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

// Append adds entries to the log, and so to all instances. They are in effect here
// from the start of the call, whatever its result; after an error repeat it, since
// other instances may not know them. See [Log.Append] for note and position.
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

// Revoke is Append of one entry without a note, within the time of [WithTimeout].
// With it a Follower can be passed to WithRevocation of package tokens.
func (f *Follower) Revoke(e Entry) error {
	ctx, cancel := context.WithTimeout(context.Background(), f.settings.timeout)
	defer cancel()
	_, err := f.Append(ctx, "", e)
	return err
}

// WaitFor returns nil once this instance has read the log up to a position at which
// another one has appended. It reads the log right away, and returns an error if
// that fails, the error of ctx, [source.ErrClosed], or [ErrNoPosition] if the log
// has lost the record and has another one there. After further records that can no
// longer be detected.
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

// Status is what a follower knows about its log.
type Status struct {
	// Read is the position up to which the log was read, Entries the number of
	// known entries, including expired ones.
	Read    Position
	Entries int
	// Confirmed is when the log was last read to its end; zero for never.
	Confirmed time.Time
	// Stale reports that Confirmed is longer ago than [WithMaxStaleness] allows.
	Stale bool
	// Listening reports that the follower is notified of appends, Listens how often
	// it has started to listen.
	Listening bool
	Listens   uint64
	// Restarts counts how often the log was read from its beginning because it no
	// longer had the last position.
	Restarts uint64
	// Err says why the log was not read since Confirmed, ListenErr why there are no
	// notifications; nil if there is no error.
	Err, ListenErr error
}

// Status returns the current status.
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

// Len returns the number of known entries, including expired ones.
func (f *Follower) Len() int { return int(f.feed.set.size.Load()) }

// Close stops following and leaves no goroutine behind. Known entries stay in
// effect, and do not become stale because of Close.
func (f *Follower) Close() error { return f.source.Close() }
