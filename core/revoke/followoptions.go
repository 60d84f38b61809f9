package revoke

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/source"
)

// FollowOption configures [Follow].
type FollowOption func(*followSettings) error

type followSettings struct {
	max     int
	now     func() time.Time
	timeout time.Duration
	source  []source.Option
	stale   time.Duration // 0 for no bound
	mode    StaleMode
	late    bool
	observe func(Status)
	logger  *slog.Logger // nil for the default one
	old     *Follower    // nil if there is none
}

func followDefaults() followSettings {
	return followSettings{max: maxMaxEntries, now: time.Now, timeout: 10 * time.Second, mode: StaleServe}
}

// StaleMode is what a [Follower] answers when its log has not been read for longer
// than [WithMaxStaleness] allows.
type StaleMode string

const (
	// StaleServe keeps answering from the known entries.
	StaleServe StaleMode = "serve"
	// StaleUnavailable results in 503 for tokens without a known entry.
	StaleUnavailable StaleMode = "unavailable"
	// StaleRefuse treats every token as revoked, with 401. Clients then discard
	// valid tokens and sign in again: use it if nobody may be let in, and clients
	// would retry after a 503.
	StaleRefuse StaleMode = "refuse"
)

// WithMaxStaleness sets how long a log may be unavailable before the mode then
// applies: by default there is no bound, which is [StaleServe]. The time counts
// from when the log was last read to its end.
func WithMaxStaleness(d time.Duration, then StaleMode) FollowOption {
	return func(s *followSettings) error {
		switch then {
		case StaleServe, StaleUnavailable, StaleRefuse:
		default:
			return fmt.Errorf("stale mode %q: want %s, %s or %s", then, StaleServe, StaleUnavailable, StaleRefuse)
		}
		if d <= 0 {
			return fmt.Errorf("staleness %v: must be above 0", d)
		}
		s.stale, s.mode = d, then
		return nil
	}
}

// WithLateStart lets [Follow] return before the log has been read. Until then every
// token results in 503. Without it Follow fails if the log cannot be read.
func WithLateStart() FollowOption { return func(s *followSettings) error { return option.On(&s.late) } }

// WithPredecessor lets the follower replace old: it knows the same entries from its
// start, and continues at the position that old has read. A log that was emptied
// since then, or is another one, takes none of them back. The maximum number of
// entries becomes that of the new follower, for both, and the clock by which they
// are forgotten stays that of old.
func WithPredecessor(old *Follower) FollowOption {
	return func(s *followSettings) error { return option.Set(&s.old, old, "predecessor is nil") }
}

// WithPollInterval sets how often the log is read without a hint: 5 s by default,
// 100 ms to 24 h; see [source.WithPollInterval].
func WithPollInterval(d time.Duration) FollowOption { return ofSource(source.WithPollInterval(d)) }

// WithStartTimeout sets how long [Follow] tries to read the log: 30 s by default.
func WithStartTimeout(d time.Duration) FollowOption { return ofSource(source.WithStartTimeout(d)) }

// ofSource passes on an option, which [source.Follow] checks.
func ofSource(o source.Option) FollowOption {
	return func(s *followSettings) error {
		s.source = append(s.source, o)
		return nil
	}
}

// WithTimeout bounds one read of the log, or one call of [Follower.Revoke]: 10 s by
// default. If a log is too long for one read, the next one continues.
func WithTimeout(d time.Duration) FollowOption {
	return func(s *followSettings) error {
		return option.SetUnless(&s.timeout, d, d <= 0, "timeout %v: must be above 0", d)
	}
}

// WithStatusObserver calls observe for each change of the status, one call at a
// time. It must be fast and must not wait for the follower. Without this option, a
// logger is told of errors and of a log that has lost records ([WithLogger]).
func WithStatusObserver(observe func(Status)) FollowOption {
	return func(s *followSettings) error { return option.Set(&s.observe, observe, "status observer is nil") }
}

// WithLogger sets where errors are logged, and a log that has lost records: slog's
// default logger by default. [WithStatusObserver] is called instead.
func WithLogger(l *slog.Logger) FollowOption {
	return func(s *followSettings) error { return option.Set(&s.logger, l, "logger is nil") }
}

// WithFollowerMaxEntries sets how many entries a follower keeps: 10 000 000 by
// default, which is also the maximum. A million takes some 50 MB. If the log has
// more unexpired entries, tokens without a known entry result in 503, since theirs
// may be among the rest.
func WithFollowerMaxEntries(n int) FollowOption {
	return func(s *followSettings) error {
		return option.SetUnless(&s.max, n, n < 1 || n > maxMaxEntries, "max entries %d: must be from 1 to %d", n, maxMaxEntries)
	}
}

// WithFollowerClock sets the clock by which entries expire, for tests; [time.Now]
// by default. It must be safe for concurrent use.
func WithFollowerClock(now func() time.Time) FollowOption {
	return func(s *followSettings) error { return option.Set(&s.now, now, "clock is nil") }
}
