package watch

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/sallyport-go/sallyport/core/option"
)

// Option configures a [Watcher] or a [Read].
type Option func(*config) error

// config is the result of the options, and is never changed afterwards.
type config struct {
	paths      []source
	suffixes   []string
	maxFile    int64
	maxTotal   int64
	poll       time.Duration
	quiet      time.Duration
	maxDelay   time.Duration
	onError    func(error)
	inUse      string // hash of the content that needs no callback
	inUseEnded map[string]int
	events     func() (*fsnotify.Watcher, error)
}

// source is one of the paths to read.
type source struct {
	name string // as given
	abs  string // absolute, so independent of later working directories
}

// WithSuffixes sets which files of a watched directory are read: those whose name
// ends in one of suffixes, such as ".csv". Names that begin with a dot are always
// ignored, since editors and Kubernetes use them for their own files, and so are
// subdirectories. A name with a suffix in another letter case, such as "DENY.CSV", is an
// error. Without this option a directory is an error.
func WithSuffixes(suffixes ...string) Option {
	return func(c *config) error {
		return option.SetUnless(&c.suffixes, slices.Clone(suffixes), len(suffixes) == 0 || slices.Contains(suffixes, ""),
			"suffixes: none is given, or an empty one: give ends of file names, such as .csv")
	}
}

// WithMaxFileSize sets the maximum size of a file in bytes; 64 MiB by default.
func WithMaxFileSize(bytes int64) Option {
	return func(c *config) error {
		return option.SetUnless(&c.maxFile, bytes, bytes < 1, "max file size %d: must be at least 1", bytes)
	}
}

// WithMaxTotalSize sets the maximum size of all files together in bytes; 256 MiB by
// default.
func WithMaxTotalSize(bytes int64) Option {
	return func(c *config) error {
		return option.SetUnless(&c.maxTotal, bytes, bytes < 1, "max total size %d: must be at least 1", bytes)
	}
}

// WithPollInterval sets how often the files are read without an event, for network
// mounts and lost events; 30 s by default, at least 1 s.
func WithPollInterval(every time.Duration) Option {
	return func(c *config) error {
		return option.SetUnless(&c.poll, every, every < time.Second, "poll interval %v: must be at least 1s", every)
	}
}

// WithDebounce sets how long the files must be unchanged before they are read, and
// after what time they are read even though they are still changing. The defaults
// are 100 ms and 1 s; quiet is at least 1 ms and maxDelay not less than quiet and
// at most 1 minute.
func WithDebounce(quiet, maxDelay time.Duration) Option {
	return func(c *config) error {
		if quiet < time.Millisecond || maxDelay < quiet || maxDelay > time.Minute {
			return fmt.Errorf("debounce %v, at most %v: must be at least 1ms, and the second between the first and 1m", quiet, maxDelay)
		}
		c.quiet, c.maxDelay = quiet, maxDelay
		return nil
	}
}

// WithErrorObserver sets a function that is told of errors that the callback cannot
// know: that the files cannot be read, that events are not available (an error that
// wraps [ErrPolling]), that the callback panicked (a [*core.PanicError]). It is not told
// of errors that the callback returned, except with [Load], which has no callback
// of the caller's and reports every refused edit too.
//
// Without this option, slog's default logger is told. An error that stays the same is
// reported once, until the files have been read successfully again. The function is
// called on the callback's goroutine, never at the same time as the callback, and must
// call neither Close nor Trigger.
func WithErrorObserver(report func(error)) Option {
	return func(c *config) error { return option.Set(&c.onError, report, "error observer is nil") }
}

// WithCurrentSnapshot sets the content that is already in use, as read by [Read]:
// the callback is first called when the content differs from it.
func WithCurrentSnapshot(s Snapshot) Option {
	return func(c *config) error {
		c.inUseEnded = s.ended()
		return option.Set(&c.inUse, s.Hash, "current snapshot: it has no hash; give one that Read returned")
	}
}

func newConfig(paths []string, opts []Option) (*config, error) {
	c := &config{
		maxFile:  64 << 20,
		maxTotal: 256 << 20,
		poll:     30 * time.Second,
		quiet:    100 * time.Millisecond,
		maxDelay: time.Second,
		onError:  func(err error) { slog.Warn("watched files not up to date", "error", err) },
		events:   fsnotify.NewWatcher,
	}
	if err := option.Apply(c, opts); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("no path is given")
	}
	for _, path := range paths {
		if path == "" {
			return nil, errors.New("a path is empty")
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("path %s: %w", path, err)
		}
		if slices.ContainsFunc(c.paths, func(s source) bool { return s.abs == abs }) {
			return nil, fmt.Errorf("path %s is given twice", path)
		}
		c.paths = append(c.paths, source{path, abs})
	}
	return c, nil
}

// report reports err. A panic of the observer changes nothing.
func (c *config) report(err error) {
	defer func() { _ = recover() }()
	c.onError(err)
}

// counts reports whether a directory's entry called name is one of its files, or looks
// like one ([config.misspelt]).
func (c *config) counts(name string) bool {
	name = strings.ToLower(name)
	return !strings.HasPrefix(name, ".") &&
		slices.ContainsFunc(c.suffixes, func(s string) bool { return strings.HasSuffix(name, strings.ToLower(s)) })
}

// misspelt reports whether name has a suffix in other letters, as in "DENY.CSV". On some
// file systems that is the same name. Such a file is an error: its content would be
// missing without a word.
func (c *config) misspelt(name string) bool {
	return !slices.ContainsFunc(c.suffixes, func(s string) bool { return strings.HasSuffix(name, s) })
}
