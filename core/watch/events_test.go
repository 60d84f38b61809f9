package watch

import (
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

func TestPollingAloneWhenEventsCannotBeStarted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	var limited atomic.Bool
	limited.Store(true)
	var starts atomic.Int32
	s := watching(t, []string{file}, pollEvery(20*time.Millisecond), eventsFrom(func() (*fsnotify.Watcher, error) {
		starts.Add(1)
		if limited.Load() {
			return nil, syscall.EMFILE
		}
		return fsnotify.NewWatcher()
	}))
	if err := s.failure(t); !errors.Is(err, ErrPolling) || !errors.Is(err, syscall.EMFILE) {
		t.Errorf("reported %v", err)
	}
	s.await(t, "p.csv=old\n")
	for _, content := range []string{"new", "newer"} {
		replace(t, file, content)
		s.await(t, "p.csv="+content+"\n")
	}
	if n := len(s.reported); n > 0 {
		t.Errorf("%d more errors are reported, such as %v", n, <-s.reported)
	}

	// It is tried again, and left alone once it works.
	limited.Store(false)
	if _, err := s.Trigger(t.Context()); err != nil {
		t.Error(err)
	}
	before := starts.Load()
	s.noCallback(t)
	if n := starts.Load(); n != before {
		t.Errorf("events started %d times more", n-before)
	}
}

func TestLostEventsAreMadeGoodByThePoll(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	s := watching(t, []string{file}, pollEvery(20*time.Millisecond), eventsFrom(deafEvents))
	s.await(t, "p.csv=old\n")
	replace(t, file, "new")
	s.await(t, "p.csv=new\n")
}

func TestOverflowCausesAFullCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err      error
		reported bool
	}{
		"overflow":             {err: fsnotify.ErrEventOverflow},
		"watch that was ended": {err: syscall.EINVAL},
		"anything else":        {err: syscall.EIO, reported: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "p.csv")
			write(t, file, "old")
			var source *fsnotify.Watcher
			s := watching(t, []string{file}, eventsFrom(func() (w *fsnotify.Watcher, err error) {
				source, err = deafEvents()
				return source, err
			}))
			s.await(t, "p.csv=old\n")
			replace(t, file, "new")
			source.Errors <- c.err
			s.await(t, "p.csv=new\n")
			if c.reported {
				if err := s.failure(t); !errors.Is(err, c.err) {
					t.Errorf("reported %v", err)
				}
			}
			if n := len(s.reported); n > 0 {
				t.Errorf("reported %v", <-s.reported)
			}
		})
	}
}

// The limit of watches is reached: the directory that matters is named, once.
func TestDirectoryWithoutEventsIsReported(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "p.csv")
	write(t, file, "old")
	s := watching(t, []string{file}, pollEvery(20*time.Millisecond), eventsFrom(func() (*fsnotify.Watcher, error) {
		w, err := deafEvents()
		if err == nil {
			err = w.Close() // so that it attaches nothing
		}
		return w, err
	}))
	if err := s.failure(t); !errors.Is(err, ErrPolling) || !errors.Is(err, fsnotify.ErrClosed) || !strings.Contains(err.Error(), dir) {
		t.Errorf("reported %v", err)
	}
	s.await(t, "p.csv=old\n")
	replace(t, file, "new")
	s.await(t, "p.csv=new\n")
	if n := len(s.reported); n > 0 {
		t.Errorf("%d more errors are reported, such as %v", n, <-s.reported)
	}
}

// An event source that ends by itself leaves the poll.
func TestSourceThatEndsLeavesThePoll(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	var source *fsnotify.Watcher
	s := watching(t, []string{file}, pollEvery(20*time.Millisecond), eventsFrom(func() (w *fsnotify.Watcher, err error) {
		source, err = fsnotify.NewWatcher()
		return source, err
	}))
	s.next(t)
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	replace(t, file, "new")
	s.await(t, "p.csv=new\n")
}

// Directories that are no longer on the way are let go.
func TestStaleDirectoriesAreDetached(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"1", "2"} {
		write(t, filepath.Join(mkdir(t, filepath.Join(root, v)), "p.csv"), v)
	}
	current := filepath.Join(root, "current")
	link(t, "1", current)
	var source *fsnotify.Watcher
	s := watching(t, []string{filepath.Join(current, "p.csv")}, eventsFrom(func() (w *fsnotify.Watcher, err error) {
		source, err = fsnotify.NewWatcher()
		return source, err
	}))
	s.next(t)
	relink(t, "2", current)
	s.await(t, "p.csv=2\n")
	list := "\n" + strings.Join(source.WatchList(), "\n") + "\n"
	if strings.Contains(list, filepath.Join(root, "1")+"\n") || !strings.Contains(list, filepath.Join(root, "2")+"\n") {
		t.Errorf("watched are %s", list)
	}
}

// What others do in the directories above, such as /var, costs no look at the
// files.
func TestEventsOfStrangersAreIgnored(t *testing.T) {
	t.Parallel()
	dir := mkdir(t, filepath.Join(t.TempDir(), "policies"))
	write(t, filepath.Join(dir, "p.csv"), "x")
	c, err := newConfig([]string{dir}, []Option{WithSuffixes(".csv")})
	if err != nil {
		t.Fatal(err)
	}
	l := c.lookup()
	for path, want := range map[string]bool{
		filepath.Join(dir, "p.csv"):                true,
		filepath.Join(dir, "new.csv"):              true,
		dir:                                        true,
		filepath.Dir(dir):                          true,
		strings.ToUpper(filepath.Join(dir)):        true,
		filepath.Join(dir, "p.csv~"):               false,
		filepath.Join(dir, ".p.csv"):               false,
		filepath.Join(filepath.Dir(dir), "log"):    false,
		filepath.Join(filepath.Dir(dir), "p.conf"): false,
	} {
		if got := l.concerns(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
