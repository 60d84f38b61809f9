package decisionlog

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures a [Log].
type Option func(*config) error

type config struct {
	queue   int
	rate    float64
	key     []byte // of sampling; nil for a random one
	chained bool
	signer  *Key
	heads   time.Duration
	logger  *slog.Logger
	now     func() time.Time
	// Of files alone.
	maxSize  int64
	maxAge   time.Duration
	maxFiles int
	forFiles bool // one of them is set
}

// The defaults.
const (
	defaultQueueSize    = 8192
	defaultHeadInterval = time.Second
)

// batchSize is how many decisions are written at once at most.
const batchSize = 256

// WithQueueSize sets how many decisions may wait to be written; 8192 by default,
// which takes about 5 MB. What comes while the queue is full is dropped and counted.
func WithQueueSize(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return fmt.Errorf("queue size %d: must be at least 1", n)
		}
		c.queue = n
		return nil
	}
}

// WithSampleRate sets the share of allowed requests and preflights that is
// written, from 0 for none to 1, the default, for all. Refusals are written all.
// All gates of a request with an ID or a trace agree; see [WithSampleKey].
func WithSampleRate(share float64) Option {
	return func(c *config) error {
		if !(0 <= share && share <= 1) { // not a number neither
			return fmt.Errorf("sample rate %v: must be from 0 to 1", share)
		}
		c.rate = share
		return nil
	}
}

// WithSampleKey sets the key, at least 16 bytes, under which the ID of a request
// decides whether it is written, so that all processes with the key write the same
// requests. Without it each process has a random key. Clients who know the key, and
// choose their requests' IDs, choose what of theirs is written.
func WithSampleKey(key []byte) Option {
	return func(c *config) error {
		if len(key) < 16 {
			return fmt.Errorf("sample key: %d bytes: must be at least 16", len(key))
		}
		c.key = append([]byte(nil), key...)
		return nil
	}
}

// WithHashChain gives each line a hash that depends on all lines before it, so that
// [Verify] finds accidents. Whoever can write the file can compute the hashes again:
// [WithChainKey] finds that too.
func WithHashChain() Option {
	return func(c *config) error {
		c.chained = true
		return nil
	}
}

// WithChainKey chains the lines by hashes and signs the last one from time to time
// ([WithHeadInterval]), when a file ends and when the log does. With a file the
// last head is written to a file beside it, too.
func WithChainKey(k *Key) Option {
	return func(c *config) error {
		switch {
		case k == nil:
			return errors.New("chain key is nil")
		case !k.Signs():
			return errors.New("chain key is a public one: it cannot sign")
		case c.signer != nil:
			return errors.New("two chain keys")
		}
		c.chained, c.signer = true, k
		return nil
	}
}

// WithHeadInterval sets for how long lines may be without a signed head; a second
// by default.
func WithHeadInterval(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("head interval %v: must be more than 0", d)
		}
		c.heads = d
		return nil
	}
}

// WithMaxFileSize begins another file, and renames the one before, when a file has
// so many bytes; by at most one batch more. By default there is no limit.
func WithMaxFileSize(bytes int64) Option {
	return func(c *config) error {
		if bytes < 4096 {
			return fmt.Errorf("file size %d: must be at least 4096 bytes", bytes)
		}
		c.maxSize, c.forFiles = bytes, true
		return nil
	}
}

// WithMaxFileAge begins another file when the first line of a file is so old. By
// default there is no limit.
func WithMaxFileAge(d time.Duration) Option {
	return func(c *config) error {
		if d < time.Second {
			return fmt.Errorf("file age %v: must be at least 1s", d)
		}
		c.maxAge, c.forFiles = d, true
		return nil
	}
}

// WithMaxFiles sets how many renamed files are kept: older ones are removed when a
// file is renamed. By default all are.
func WithMaxFiles(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return fmt.Errorf("%d files: must be at least 1", n)
		}
		c.maxFiles, c.forFiles = n, true
		return nil
	}
}

// WithLogger sets where it is said that decisions cannot be written; slog's
// default otherwise.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error { return option.Set(&c.logger, l, "logger is nil") }
}

// WithClock sets the time of the log's own records and of rotation, for tests.
func WithClock(now func() time.Time) Option {
	return func(c *config) error { return option.Set(&c.now, now, "clock is nil") }
}
