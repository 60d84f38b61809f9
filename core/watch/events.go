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

// attachRounds bounds how often the directories are looked up anew because
// they changed while they were being attached.
const attachRounds = 5

// events tells that something may have happened to the files. Directories are
// watched and never files: a file that is renamed over is another file, and
// nobody would be told of the new one. Its methods are for one goroutine.
type events struct {
	config *config
	// wake gets a value when there is reason to look; one is enough.
	wake chan struct{}
	// failed gets what the operating system said was wrong, one at a time.
	failed chan error

	source   *fsnotify.Watcher // nil when there are no events
	attached map[string]fs.FileInfo
	current  atomic.Pointer[lookup]
	stop     chan struct{}
	pumping  sync.WaitGroup
}

func newEvents(c *config) *events {
	return &events{config: c, wake: make(chan struct{}, 1), failed: make(chan error, 1)}
}

// attach looks the paths up and sees to it that each directory on the way is
// watched. Files that are read after it returns cannot change unnoticed. Its
// error, which is [ErrPolling], says where that does not hold.
func (e *events) attach() error {
	if e.source == nil {
		if err := e.open(); err != nil {
			return fmt.Errorf("watch: %w: %w", ErrPolling, err)
		}
	}
	var err error
	for range attachRounds {
		l := e.config.lookup()
		// First the names, then the directories: an event that comes in
		// between must not be taken for a stranger's.
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

// update watches dirs and nothing else, and reports whether any of them was
// not watched before or is gone again.
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
		// Directories above may be closed to us and rarely change: that the
		// poll sees to them is not worth a word.
		if err != nil && expected && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, fmt.Errorf("watch: %w: directory %s: %w", ErrPolling, dir, err))
		}
	}
	if len(failures) > 0 {
		// The others fail for the same reason as a rule.
		return moved, failures[0]
	}
	return moved, nil
}

// add watches dir. It does so again though dir is watched already: when events
// got lost, only the kernel knows whether it still watches it.
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
		// It fails when the directory is gone, and then there is nothing to
		// remove.
		_ = e.source.Remove(dir)
	}
}

// pump takes events as they come, also while the files are read or the
// callback runs: the kernel's queue stays short, and the source never waits
// for a goroutine that waits for the source.
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

// fail passes err on, except for those that the check which follows makes good:
// an overflow of the queue, and a watch that ended before it was taken back.
func (e *events) fail(err error) {
	if errors.Is(err, fsnotify.ErrEventOverflow) || errors.Is(err, syscall.EINVAL) {
		return
	}
	select {
	case e.failed <- fmt.Errorf("watch: file events: %w", err):
	default:
	}
}

// close stops the events and waits until no goroutine is left.
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
