package revoke

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

const (
	defaultMaxEntries = 100_000
	maxMaxEntries     = 10_000_000
	// sweepEvery is how often adding an entry looks for expired ones.
	sweepEvery = time.Minute
)

// Option configures a [List] or a [File].
type Option func(*List) error

// WithMaxEntries sets the maximum number of entries: 100 000 by default, from 1 to
// 10 000 000; loaded and added entries count separately. Entries of a file that
// expired less than a day ago do not count, and up to as many of them are kept. An
// entry takes about 200 bytes plus its text.
func WithMaxEntries(n int) Option {
	return func(l *List) error {
		return option.SetUnless(&l.max, n, n < 1 || n > maxMaxEntries, "max entries %d: must be from 1 to %d", n, maxMaxEntries)
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use.
func WithClock(now func() time.Time) Option {
	return func(l *List) error { return option.Set(&l.now, now, "clock is nil") }
}

// List is a [Checker] in memory, bounded and safe for concurrent use. It has added
// entries, which a restart loses, and loaded entries, which the next Load replaces.
//
// Entries are forgotten only after they have expired, never to make room. If the
// clock is set forward, they are kept for up to two days as if it had not been, since
// it may be set back.
type List struct {
	max    int
	now    func() time.Time
	forget *clock

	loaded atomic.Pointer[table] // never changed

	mu      sync.RWMutex
	added   *table
	swept   time.Time
	anyMore atomic.Bool // whether added has entries
}

var _ Checker = (*List)(nil)

// New returns an empty list.
func New(opts ...Option) (*List, error) {
	l := &List{max: defaultMaxEntries, now: time.Now, added: newTable()}
	if err := option.Apply(l, opts); err != nil {
		return nil, fmt.Errorf("revoke: %w", err)
	}
	l.forget = newClock(l.now)
	l.loaded.Store(newTable())
	return l, nil
}

// Revoke adds an entry, which takes effect at once. It returns an error if the
// entry is not valid, or [ErrFull].
func (l *List) Revoke(e Entry) error {
	if err := e.Check(); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// By the time of day, as in tokens: by the monotonic clock another entry may be later.
	e.IssuedBefore, e.Expires = e.IssuedBefore.Round(0), e.Expires.Round(0)
	now := l.forget.forgets()
	if full := l.added.size >= l.max; full || now.Sub(l.swept).Abs() >= sweepEvery {
		l.added.sweep(now)
		l.swept = now
	}
	if l.added.size >= l.max {
		return fmt.Errorf("revoke: %w: %d entries", ErrFull, l.added.size)
	}
	l.added.add(e)
	l.anyMore.Store(true)
	return nil
}

// Revoked implements [Checker]. It never fails.
func (l *List) Revoked(_ context.Context, t Token) (bool, error) {
	now := l.now()
	if l.loaded.Load().has(t, now) {
		return true, nil
	}
	if !l.anyMore.Load() {
		return false, nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.added.has(t, now), nil
}

// Len returns the number of entries, including expired ones.
func (l *List) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.loaded.Load().size + l.added.size
}
