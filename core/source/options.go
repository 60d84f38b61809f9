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

// hearingRetry is the longest wait before listening is tried again, where fetching works.
const hearingRetry = 5 * time.Second

// minPoll keeps a mistyped unit from turning the poll into an attack.
const minPoll = 100 * time.Millisecond

// WithPollInterval sets how often the revision is read without a notification: 5 s by
// default, and 100 ms at least. It bounds for how long a lost notification goes
// unnoticed. Instances add up to a tenth to it or take it away, each time anew,
// so that a thousand of them do not ask at once.
func WithPollInterval(d time.Duration) Option {
	return func(s *settings) error {
		if d < minPoll {
			return fmt.Errorf("poll interval %v: must be at least %v", d, minPoll)
		}
		s.poll = d
		return nil
	}
}

// WithTimeout sets how long one fetch may take: 10 s by default.
func WithTimeout(d time.Duration) Option {
	return positive("timeout", d, func(s *settings) { s.timeout = d })
}

// WithStartTimeout sets how long the first fetch is tried for: 30 s by default.
func WithStartTimeout(d time.Duration) Option {
	return positive("start timeout", d, func(s *settings) { s.start = d })
}

// WithMaxRetryInterval sets the longest wait before a source that failed is tried
// again: half a second by default. Waits begin at 50 ms, double at each failure of
// fetching or listening, and are a random half to whole of that. While fetching fails,
// listening is not tried; where listening alone fails, its waits grow to 5 s.
func WithMaxRetryInterval(d time.Duration) Option {
	return positive("retry interval", d, func(s *settings) { s.maxRetry = d })
}

// WithMaxStaleness has [Status.Stale] be true once the source has not confirmed
// the newest revision for d, and call be told of both changes: the bound was
// passed, the source is back. call may be nil; it must be quick. A revision that
// was rejected is no staleness, since the source has answered.
//
// Time for which the machine is suspended does not count on all systems.
func WithMaxStaleness(d time.Duration, call func(Status)) Option {
	return positive("staleness", d, func(s *settings) { s.maxStale, s.onStale = d, call })
}

// WithStatusObserver has observe be told of each change of the status, one after
// the other. It must be quick and must not wait for the follower.
func WithStatusObserver(observe func(Status)) Option {
	return func(s *settings) error { return option.Set(&s.observe, observe, "status observer is nil") }
}

// WithLastGoodFile keeps what was applied last in a file of the machine, so that an
// instance can start while the source cannot be reached, or shows an older
// revision: it then begins with the file, whose age counts for
// [WithMaxStaleness], and goes on asking the source.
// Until when the source has confirmed it is in a second file, PATH.confirmed, which
// is written once a minute and by Close.
// The file holds everything that the source does. It is written with mode 0600
// and replaced as a whole; whoever can write it decides what such an instance
// begins with, unless the source is a [Verifier], which verifies it again. A file that cannot be written is told of in [Status.FileErr].
func WithLastGoodFile(path string) Option {
	return func(s *settings) error {
		return option.Set(&s.file, path, "path of the last good file must not be empty")
	}
}

// WithOlderRevisions takes an older revision than the source has shown before for
// the newest, in place of [ErrStepBack]: for sources where somebody goes back by
// putting the older one in place. Whoever can show an instance an older revision,
// such as a cache or a replica that lags, can then undo an edit.
func WithOlderRevisions() Option {
	return func(s *settings) error {
		s.older = true
		return nil
	}
}

func positive(what string, d time.Duration, set func(*settings)) Option {
	return func(s *settings) error {
		if d <= 0 {
			return fmt.Errorf("%s %v: must be above 0", what, d)
		}
		set(s)
		return nil
	}
}

// jitter is d, more or less a tenth.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// backoff is how long to wait after failures.
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

// failing reports whether the last thing that is known is a failure.
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

// delay is how long to wait now.
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
