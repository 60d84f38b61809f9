package decisionlog

import (
	"errors"
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
	// Of files alone; 0 if not set.
	maxSize  int64
	maxAge   time.Duration
	maxFiles int
}

// forFiles reports whether an option for files is set.
func (c *config) forFiles() bool { return c.maxSize > 0 || c.maxAge > 0 || c.maxFiles > 0 }

// The defaults.
const (
	defaultQueueSize    = 8192
	defaultHeadInterval = time.Second
)

const (
	maxQueueSize = 1 << 20
	// batchSize is how many decisions are written at once at most.
	batchSize = 256
)

// WithQueueSize sets how many decisions may wait to be written: 1 to 1,048,576, by
// default 8192, which take about 5 MB, or 80 MB if all paths are as long as guards
// accept. Decisions that arrive while the queue is full are dropped and counted.
func WithQueueSize(n int) Option {
	return func(c *config) error {
		return option.SetUnless(&c.queue, n, n < 1 || n > maxQueueSize, "queue size %d: must be from 1 to %d", n, maxQueueSize)
	}
}

// WithSampleRate sets the share of allowed requests and preflights that is written,
// from 0 for none to 1, the default, for all. All refusals are written. All gates
// of a request with an ID or a trace agree; see [WithSampleKey].
func WithSampleRate(share float64) Option {
	return func(c *config) error {
		ok := 0 <= share && share <= 1 // false for not a number
		return option.SetUnless(&c.rate, share, !ok, "sample rate %v: must be from 0 to 1", share)
	}
}

// WithSampleKey sets the key, at least 16 bytes, with which the ID of a request
// decides whether it is written, so that all processes with the same key write the
// same requests. Without it each process has a random key. Clients that know the
// key can choose request IDs so that their requests are not written.
func WithSampleKey(key []byte) Option {
	return func(c *config) error {
		return option.SetUnless(&c.key, append([]byte(nil), key...), len(key) < 16, "sample key: %d bytes: must be at least 16", len(key))
	}
}

// WithHashChain gives each line a hash that depends on all lines before it, so that
// [Verify] detects accidental changes. Anyone who can write the file can recompute
// the hashes; [WithChainKey] detects that too.
func WithHashChain() Option { return func(c *config) error { return option.On(&c.chained) } }

// WithChainKey chains the lines by hashes and signs the last hash, as a head, from
// time to time ([WithHeadInterval]), when a file ends and when the log ends. For a
// log in a file the last head is also written to a separate file next to it.
func WithChainKey(k *Key) Option {
	return func(c *config) error {
		switch {
		case k == nil:
			return errors.New("chain key is nil")
		case !k.Signs():
			return errors.New("chain key is a public key, which cannot sign")
		case c.signer != nil:
			return errors.New("two chain keys")
		}
		c.chained, c.signer = true, k
		return nil
	}
}

// WithHeadInterval sets how long lines may remain without a signed head; a second
// by default, at least 1 ms.
func WithHeadInterval(d time.Duration) Option {
	return func(c *config) error {
		return option.SetUnless(&c.heads, d, d < time.Millisecond, "head interval %v: must be at least 1ms", d)
	}
}

// WithMaxFileSize sets the size at which a file is renamed and a new one begun; a
// file may be larger by at most one batch. By default there is no limit.
func WithMaxFileSize(bytes int64) Option {
	return func(c *config) error {
		return option.SetUnless(&c.maxSize, bytes, bytes < 4096, "file size %d: must be at least 4096 bytes", bytes)
	}
}

// WithMaxFileAge sets the age of a file's first line at which a new file is begun.
// By default there is no limit.
func WithMaxFileAge(d time.Duration) Option {
	return func(c *config) error {
		return option.SetUnless(&c.maxAge, d, d < time.Second, "file age %v: must be at least 1s", d)
	}
}

// WithMaxFiles sets how many renamed files are kept: older ones are removed when a
// file is renamed. By default all are kept.
func WithMaxFiles(n int) Option {
	return func(c *config) error {
		return option.SetUnless(&c.maxFiles, n, n < 1, "%d files: must be at least 1", n)
	}
}

// WithLogger sets the logger for errors that keep decisions from being written;
// slog's default otherwise.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error { return option.Set(&c.logger, l, "logger is nil") }
}

// WithClock sets the time of the log's own records and of rotation, for tests.
func WithClock(now func() time.Time) Option {
	return func(c *config) error { return option.Set(&c.now, now, "clock is nil") }
}
