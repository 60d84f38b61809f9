package source

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures [Follow].
type Option func(*settings) error

type settings struct {
	poll, timeout, start time.Duration
	retry, maxRetry      time.Duration
	maxStale             time.Duration // 0 for no bound
	onStale              func(Status)
	observe              func(Status)
	file                 string // "" for none
	older                bool
}

var defaults = settings{
	poll: 5 * time.Second, timeout: 10 * time.Second, start: 30 * time.Second,
	retry: 50 * time.Millisecond, maxRetry: 500 * time.Millisecond,
}

// hearingRetry is the longest wait before listening is tried again while fetching works.
const hearingRetry = 5 * time.Second

// A mistyped unit must not overload the source.
const (
	minPoll = 100 * time.Millisecond
	maxPoll = 24 * time.Hour
)

// WithPollInterval sets how often the revision is read without a notification: 5 s
// by default, 100 ms to 24 h. It bounds how long a lost notification goes
// unnoticed. Each wait varies at random by up to a tenth, so that a thousand
// instances do not ask at once.
func WithPollInterval(d time.Duration) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.poll, d, d < minPoll || d > maxPoll, "poll interval %v: must be from %v to %v", d, minPoll, maxPoll)
	}
}

// WithTimeout bounds one fetch: 10 s by default.
func WithTimeout(d time.Duration) Option {
	return positive("timeout", d, func(s *settings) { s.timeout = d })
}

// WithStartTimeout sets how long the first fetch is retried: 30 s by default.
func WithStartTimeout(d time.Duration) Option {
	return positive("start timeout", d, func(s *settings) { s.start = d })
}

// WithMaxRetryInterval sets the longest wait before a failed source is tried again:
// half a second by default, 50 ms to 24 h. Waits start at 50 ms, double with each
// failure of fetching or listening, and are shortened by up to a half at random.
// While fetching fails, listening is not tried; if only listening fails, its waits
// grow to 5 s.
func WithMaxRetryInterval(d time.Duration) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.maxRetry, d, d < s.retry || d > maxPoll, "retry interval %v: must be from %v to %v", d, s.retry, maxPoll)
	}
}

// WithMaxStaleness sets [Status.Stale] once the source has not confirmed the newest
// revision for d, and calls call when the bound is passed and when the source is
// back. call may be nil; it must be fast, and a panic in it has no effect. A rejected
// revision does not count as stale, since the source has answered.
//
// On some systems time during which the machine is suspended does not count.
func WithMaxStaleness(d time.Duration, call func(Status)) Option {
	return positive("staleness", d, func(s *settings) { s.maxStale, s.onStale = d, call })
}

// WithStatusObserver calls observe for each change of the status, one call at a
// time. It must be fast and must not wait for the follower; a panic in it has no
// effect. Without this option, slog's default logger is told of errors.
func WithStatusObserver(observe func(Status)) Option {
	return func(s *settings) error { return option.SetOnce(&s.observe, observe, "status observer") }
}

// WithLastGoodFile keeps the last applied content in a local file, so that an
// instance can start while the source is unreachable, or returns an older revision:
// it then starts with the file, whose age counts for [WithMaxStaleness], and keeps
// asking the source. A second file, PATH.confirmed, holds the time until which the
// source has confirmed the content; it is written once a minute and by Close. The
// file contains everything in the source. It is written with mode 0600 and replaced
// as a whole; anyone who can write it decides what such an instance starts with,
// unless the source is a [Verifier], which verifies it again. If the file cannot be
// written, [Status.FileErr] says why.
func WithLastGoodFile(path string) Option {
	return func(s *settings) error {
		return option.Set(&s.file, path, "path of the last good file must not be empty")
	}
}

// WithOlderRevisions accepts a revision older than one that the source has returned
// before, in place of [ErrStepBack]. It is for sources where one rolls back by
// restoring an older revision. A cache or a lagging replica that returns an older
// revision can then undo an edit.
func WithOlderRevisions() Option { return func(s *settings) error { return option.On(&s.older) } }

func positive(what string, d time.Duration, set func(*settings)) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("%s %v: must be above 0", what, d)
		}
		set(s)
		return nil
	}
}

// jitter returns d, varied at random by up to a tenth.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// backoff computes how long to wait after failures.
type backoff struct {
	first, most time.Duration

	mu       sync.Mutex
	failures int
}

func (b *backoff) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
}

// failing reports whether the last known result is a failure.
func (b *backoff) failing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures > 0
}

func (b *backoff) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures = 0
}

// delay returns how long to wait now.
func (b *backoff) delay() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := min(b.first, b.most)
	for range b.failures - 1 {
		if d *= 2; d >= b.most {
			d = b.most
			break
		}
	}
	return d/2 + rand.N(d/2+1)
}
