package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestMain fails when a test leaves a goroutine of the watcher or of its event
// source behind. Close has waited for them, so there is nothing to wait for.
func TestMain(m *testing.M) {
	code := m.Run()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "fsnotify") || strings.Contains(stack, "watch.(*") {
			fmt.Fprintf(os.Stderr, "goroutine left behind:\n%s\n", stack)
			code = 1
		}
	}
	os.Exit(code)
}

// patience is how long a test waits for what has to come. It is no measure of
// speed; those are the benchmarks.
var patience = authtest.TimeLimit(2 * time.Minute)

// spy is a callback that keeps what it is called with.
type spy struct {
	*Watcher
	got      chan Snapshot
	reported chan error

	mu     sync.Mutex
	reject func(Snapshot) error
}

func (s *spy) changed(_ context.Context, snap Snapshot) error {
	s.mu.Lock()
	reject := s.reject
	s.mu.Unlock()
	s.got <- snap
	if reject != nil {
		return reject(snap)
	}
	return nil
}

// rejecting makes the callback reject content that holds text.
func (s *spy) rejecting(text string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reject = func(snap Snapshot) error {
		if strings.Contains(show(snap), text) {
			return err
		}
		return nil
	}
}

// watching starts a watcher that depends on events, with a short debounce.
func watching(t testing.TB, paths []string, opts ...Option) *spy {
	t.Helper()
	s := &spy{got: make(chan Snapshot, 10_000), reported: make(chan error, 10_000)}
	opts = append([]Option{
		WithSuffixes(".csv"), WithPollInterval(time.Hour), WithDebounce(10*time.Millisecond, 500*time.Millisecond),
		WithErrorObserver(func(err error) { s.reported <- err }),
	}, opts...)
	w, err := New(paths, s.changed, opts...)
	if err != nil {
		t.Fatal(err)
	}
	s.Watcher = w
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// next is the next thing the callback is called with.
func (s *spy) next(t testing.TB) Snapshot {
	t.Helper()
	select {
	case snap := <-s.got:
		return snap
	case err := <-s.reported:
		t.Fatalf("reported: %v", err)
	case <-time.After(patience):
		t.Fatal("the callback is not called")
	}
	return Snapshot{}
}

// await waits until the callback is called with want, past steps on the way.
func (s *spy) await(t testing.TB, want string) {
	t.Helper()
	deadline := time.After(patience)
	var last string
	for {
		select {
		case snap := <-s.got:
			if last = show(snap); last == want {
				return
			}
		case <-deadline:
			t.Fatalf("the callback last got\n%s\nand never\n%s", last, want)
		}
	}
}

// failure is the next error reported.
func (s *spy) failure(t testing.TB) error {
	t.Helper()
	select {
	case err := <-s.reported:
		return err
	case <-time.After(patience):
		t.Fatal("no error is reported")
	}
	return nil
}

// noCallback looks at the files and makes sure that nothing came of it.
func (s *spy) noCallback(t testing.TB) {
	t.Helper()
	if changed, err := s.Trigger(t.Context()); changed || err != nil {
		t.Errorf("Trigger = %v, %v; want no change", changed, err)
	}
	select {
	case snap := <-s.got:
		t.Errorf("called with\n%s", show(snap))
	default:
	}
}

// show writes a snapshot down as a line a file.
func show(s Snapshot) string {
	var b strings.Builder
	for _, f := range s.Files {
		fmt.Fprintf(&b, "%s=%s\n", filepath.Base(f.Name), f.Content)
	}
	return b.String()
}

// write creates or truncates a file first, which somebody may see empty.
func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// overwrite writes over a file that has as many bytes, which nobody sees empty.
func overwrite(t testing.TB, path, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// replace renames a new file over path.
func replace(t testing.TB, path, content string) {
	t.Helper()
	write(t, path+".new~", content)
	rename(t, path+".new~", path)
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t testing.TB, path string) string {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t testing.TB, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// relink swaps a symbolic link in one step, as Kubernetes does.
func relink(t testing.TB, target, path string) {
	t.Helper()
	link(t, target, path+"_tmp")
	rename(t, path+"_tmp", path)
}

// pollEvery polls more often than [WithPollInterval] allows.
func pollEvery(d time.Duration) Option {
	return func(c *config) error { c.poll = d; return nil }
}

// eventsFrom replaces the operating system's events.
func eventsFrom(open func() (*fsnotify.Watcher, error)) Option {
	return func(c *config) error { c.events = open; return nil }
}

// deafEvents is an event source that attaches directories and tells nothing.
func deafEvents() (*fsnotify.Watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err == nil {
		w.Events = make(chan fsnotify.Event)
		w.Errors = make(chan error)
	}
	return w, err
}

// counted is a watcher without events that looks every few milliseconds, and
// a function that waits until the files were looked at as they are now.
func counted(t *testing.T, paths []string, opts ...Option) (*spy, func()) {
	t.Helper()
	// Each look tries to start the events first.
	looks := make(chan struct{}, 1_000_000)
	opts = append([]Option{pollEvery(5 * time.Millisecond), eventsFrom(func() (*fsnotify.Watcher, error) {
		looks <- struct{}{}
		return nil, syscall.EMFILE
	})}, opts...)
	s := watching(t, paths, opts...)
	if err := s.failure(t); !errors.Is(err, ErrPolling) {
		t.Errorf("reported %v", err)
	}
	return s, func() {
		t.Helper()
		for len(looks) > 0 {
			<-looks
		}
		for range 4 { // the first may have begun before, the last may go on
			select {
			case <-looks:
			case <-time.After(patience):
				t.Fatal("nobody looks at the files")
			}
		}
	}
}
