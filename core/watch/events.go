package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// attachRounds bounds how often the directories are looked up again because they changed
// while they were being attached.
const attachRounds = 5

// events reports that something may have happened to the files. Directories are watched,
// never files: a file that replaces another by a rename is a different file, and there
// would be no events for it. Its methods are for one goroutine.
type events struct {
	config *config
	// wake gets a value if the files should be checked; one is enough.
	wake chan struct{}
	// failed gets the errors of the operating system, one at a time.
	failed chan error

	source   *fsnotify.Watcher // nil if there are no events
	attached map[string]fs.FileInfo
	current  atomic.Pointer[lookup]
	stop     chan struct{}
	pumping  sync.WaitGroup
}

func newEvents(c *config) *events {
	return &events{config: c, wake: make(chan struct{}, 1), failed: make(chan error, 1)}
}

// attach looks up the paths and makes sure that every directory on the way is watched.
// Files that are read after it returns cannot change unnoticed. Its error, which is
// [ErrPolling], says where that does not hold.
func (e *events) attach() error {
	if e.source == nil {
		if err := e.open(); err != nil {
			return fmt.Errorf("watch: %w: %w", ErrPolling, err)
		}
	}
	var err error
	for range attachRounds {
		l := e.config.lookup()
		// First the names, then the directories: an event in between must not be
		// ignored as one about another file.
		e.current.Store(l)
		var moved bool
		if moved, err = e.update(l.dirs); !moved {
			break
		}
	}
	return err
}

func (e *events) open() error {
	source, err := e.config.events()
	if err != nil {
		return err
	}
	e.source = source
	e.attached = make(map[string]fs.FileInfo)
	e.stop = make(chan struct{})
	stop := e.stop
	e.pumping.Go(func() { e.pump(source, stop) })
	return nil
}

// update watches exactly dirs, and reports whether any of them was not watched before or
// has disappeared.
func (e *events) update(dirs map[string]bool) (moved bool, err error) {
	for dir := range e.attached {
		if _, ok := dirs[dir]; !ok {
			e.detach(dir)
		}
	}
	var failures []error
	for dir, expected := range dirs {
		added, err := e.add(dir)
		moved = moved || added || errors.Is(err, fs.ErrNotExist)
		// Directories further up may be unreadable and rarely change: that only
		// the poll notices it is not worth reporting.
		if err != nil && expected && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, fmt.Errorf("watch: %w: directory %s: %w", ErrPolling, dir, err))
		}
	}
	if len(failures) > 0 {
		// The others usually fail for the same reason.
		return moved, failures[0]
	}
	return moved, nil
}

// add watches dir, even if it is watched already: after lost events, only the kernel
// knows whether it is.
func (e *events) add(dir string) (moved bool, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		e.detach(dir)
		return false, err
	}
	before, known := e.attached[dir]
	if known && !os.SameFile(before, info) {
		e.detach(dir) // another directory has taken its place
		known = false
	}
	if err := e.source.Add(dir); err != nil {
		e.detach(dir)
		return false, err
	}
	e.attached[dir] = info
	return !known, nil
}

func (e *events) detach(dir string) {
	if _, ok := e.attached[dir]; ok {
		delete(e.attached, dir)
		// It fails if the directory is gone, and then there is nothing to remove.
		_ = e.source.Remove(dir)
	}
}

// pump receives events as they arrive, even while files are read or the callback runs:
// the kernel's queue stays short, and the source never waits for a goroutine that is
// waiting for the source.
func (e *events) pump(source *fsnotify.Watcher, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case event, ok := <-source.Events:
			if !ok {
				return
			}
			if l := e.current.Load(); l != nil && !l.concerns(event.Name) {
				continue
			}
		case err, ok := <-source.Errors:
			if !ok {
				return
			}
			e.fail(err)
		}
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
}

// fail passes on err, except for errors that the check which follows compensates: an
// overflow of the queue, and a watch that ended before it was removed.
func (e *events) fail(err error) {
	if errors.Is(err, fsnotify.ErrEventOverflow) || errors.Is(err, syscall.EINVAL) {
		return
	}
	select {
	case e.failed <- fmt.Errorf("watch: file events: %w", err):
	default:
	}
}

// close stops the events and waits until their goroutines have ended.
func (e *events) close() error {
	if e.source == nil {
		return nil
	}
	close(e.stop)
	err := e.source.Close()
	e.pumping.Wait()
	e.source = nil
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}
