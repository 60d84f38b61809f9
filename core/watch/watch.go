// Package watch calls back when the content of files has really changed.
//
// A [Watcher] watches a set of files and directories and passes all of them to its
// callback, complete and in one consistent state, whenever their content has
// changed. It handles the ways in which files change in practice: editors that
// rename over, truncate and write, write twice or delete and recreate; the swapped
// symbolic links of a Kubernetes ConfigMap or a release directory; directories that
// disappear and come back; network mounts without events; a touch, which is not a
// change at all.
//
// It listens to the file events of the operating system on each directory that
// leads to a file, and also polls the files. A hash of the content decides whether
// they have changed. Only the callback knows what the files mean: it may reject
// them, and what was in use stays in use.
package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed is returned by [Watcher.Trigger] after [Watcher.Close].
var ErrClosed = errors.New("watch: the watcher is closed")

// ErrPolling means that the operating system provides no file events, for all
// directories or for one, for instance because its limit of watches is reached.
// Changes there are noticed only by polling.
var ErrPolling = errors.New("no file events, so changes show at the next poll only")

// Func is called with the content of all files when it has changed, and when they
// can be read again after they could not, even if the content is what it was. An
// error rejects the content: the previous content stays in use, and Func is not
// called with this content again unless [Watcher.Trigger] asks for it. A panic
// rejects it too.
//
// The context ends when the watcher is closed. Func must call neither Close nor
// Trigger, which would wait for it forever.
type Func func(ctx context.Context, s Snapshot) error

// Watcher watches files until it is closed. It is safe for concurrent use.
type Watcher struct {
	config   *config
	changed  Func
	events   *events
	triggers chan chan<- outcome
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	done     chan struct{} // closed when the loop has ended
	closeErr error         // set before done is closed

	mu  sync.Mutex
	err error
}

// outcome is the result of one read of the files.
type outcome struct {
	changed bool
	err     error
}

// New reads paths, calls changed with their content, and keeps watching them. A
// path is a file, or a directory that stands for the files in it that
// [WithSuffixes] allows; relative paths are resolved against the current working
// directory.
//
// changed is called before New returns, unless [WithCurrentSnapshot] names the same
// content, and always on one goroutine, one call at a time. If the files cannot be
// read, or changed rejects them, New fails and leaves nothing running. Missing file
// events are not a failure; see [WithErrorObserver].
//
// Later, large files are read in parts with pauses in between, so that requests do not
// wait for that.
func New(paths []string, changed Func, opts ...Option) (*Watcher, error) {
	if changed == nil {
		return nil, errors.New("watch: the callback is nil")
	}
	c, err := newConfig(paths, opts)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return start(c, changed)
}

// start starts a watcher and waits for its first read of the files.
func start(c *config, changed Func) (*Watcher, error) {
	w := &Watcher{
		config:   c,
		changed:  changed,
		events:   newEvents(c),
		triggers: make(chan chan<- outcome),
		done:     make(chan struct{}),
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	first := make(chan outcome, 1)
	go w.run(first)
	o, err := w.await(w.ctx, first)
	if err == nil {
		err = o.err
	}
	if err != nil {
		_ = w.Close() // err says more
		return nil, err
	}
	return w, nil
}

// Trigger reads the files now, without waiting until they stop changing. It returns
// true if they had changed, or could not be read before, and the callback accepted
// them. Rejected content is passed to the callback again.
//
// The error is the callback's own, or says why the files could not be read, or is
// [ErrClosed] or that of ctx. If ctx ends, Trigger stops waiting, but the files are
// still read.
func (w *Watcher) Trigger(ctx context.Context) (changed bool, err error) {
	reply := make(chan outcome, 1)
	select {
	case w.triggers <- reply:
	case <-w.done:
		return false, ErrClosed
	case <-ctx.Done():
		return false, ctx.Err()
	}
	o, err := w.await(ctx, reply)
	if err != nil {
		return false, err
	}
	return o.changed, o.err
}

// await waits for the outcome of one read.
func (w *Watcher) await(ctx context.Context, reply <-chan outcome) (outcome, error) {
	select {
	case o := <-reply:
		return o, nil
	case <-ctx.Done():
		return outcome{}, ctx.Err()
	case <-w.done:
	}
	select {
	case o := <-reply: // it was the last thing done
		return o, nil
	default: // the callback ended its goroutine
		return outcome{}, ErrClosed
	}
}

// Err returns why the files, as last read, are not in use: they could not be read,
// or the callback rejected them. It returns nil if they are in use.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close stops watching. It cancels the context of a running callback, waits for it,
// and leaves no goroutine behind. Further calls only wait too.
func (w *Watcher) Close() error {
	w.cancel()
	<-w.done
	return w.closeErr
}
