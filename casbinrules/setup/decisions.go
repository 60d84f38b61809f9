package setup

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// decisionLog is the decision log of a setup and of its successors. A file has one
// writer, so the open log is handed from one setup to the next. It observes the
// guards of all of them.
type decisionLog struct {
	// log is the open log; nil while it is being replaced.
	log atomic.Pointer[decisionlog.Log]
	// waiting are the decisions made while there is no log, and lost the number for
	// which there was no room. Both are guarded by gap, which is only locked while
	// there is no log.
	gap     sync.Mutex
	waiting []core.Event
	lost    uint64

	mu       sync.Mutex
	users    int
	path     string // absolute; "" if the log is not a file
	settings [9]any // all other settings of the section
	open     func() (*decisionlog.Log, error)
	before   decisionlog.Stats // of logs that were closed
}

// maxWaiting is the maximum number of decisions that wait while a log is being
// opened.
const maxWaiting = 8192

// Observe implements [core.Observer].
func (d *decisionLog) Observe(ctx context.Context, e core.Event) {
	if l := d.log.Load(); l != nil {
		l.Observe(ctx, e)
		return
	}
	d.gap.Lock()
	defer d.gap.Unlock()
	switch l := d.log.Load(); {
	case l != nil: // opened in the meantime
		l.Observe(ctx, e)
	case len(d.waiting) < maxWaiting:
		d.waiting = append(d.waiting, e)
	default:
		d.lost++
	}
}

// stats counts the decisions since the first of the setups was opened.
func (d *decisionLog) stats() decisionlog.Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.before
	d.gap.Lock()
	s.QueueFull += d.lost
	d.gap.Unlock()
	if l := d.log.Load(); l != nil {
		s = sum(s, l.Stats())
	}
	return s
}

func sum(a, b decisionlog.Stats) decisionlog.Stats {
	return decisionlog.Stats{
		Written: a.Written + b.Written, Skipped: a.Skipped + b.Skipped, QueueFull: a.QueueFull + b.QueueFull,
		WriteFailed: a.WriteFailed + b.WriteFailed, Queued: a.Queued + b.Queued,
	}
}

func (d *decisionLog) reopen(ctx context.Context) error {
	if l := d.log.Load(); l != nil {
		return l.Reopen(ctx)
	}
	return nil
}

// close closes the log once no setup uses it.
func (d *decisionLog) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users--; d.users > 0 {
		return nil
	}
	if l := d.log.Load(); l != nil {
		return l.Close()
	}
	return nil
}

// takeOver makes another setup use d, with the settings of next, which has the same
// file. After an error d continues as before.
func (d *decisionLog) takeOver(next *decisionLog) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.settings != next.settings || d.log.Load() == nil || d.users == 0 { // closed with the last one
		if err := d.replace(next); err != nil {
			return err
		}
	}
	d.users++
	return nil
}

// replace closes the log and opens it with other settings. Decisions that a request
// still passes to the old log are lost.
func (d *decisionLog) replace(next *decisionLog) error {
	if old := d.log.Swap(nil); old != nil {
		_ = old.Close() // its logger has reported what could not be written
		d.before = sum(d.before, old.Stats())
	}
	l, err := next.open()
	if err == nil {
		d.settings, d.open = next.settings, next.open
	} else {
		again, failed := d.open()
		if failed != nil {
			return errors.Join(err, failed)
		}
		l = again
	}
	d.gap.Lock()
	d.log.Store(l)
	waited := d.waiting
	d.waiting = nil
	d.gap.Unlock()
	for _, e := range waited {
		l.Observe(context.Background(), e)
	}
	return err
}

// decisions opens the decision log, or prepares to take over that of the
// predecessor.
func (a *assembly) decisions() ([]core.Option, error) {
	c := a.config.Decision
	if c == nil {
		return nil, nil
	}
	d, err := a.describeDecisions(c)
	if err != nil {
		return nil, err
	}
	at := &a.config.Decision
	made := d
	takesOver := false
	if p := a.settings.predecessor; p != nil && p.decisions != nil && d.path != "" && p.decisions.path == d.path {
		made, takesOver = p.decisions, true
	} else {
		l, err := d.open()
		if err != nil {
			return nil, a.doc.Wrap(err, at)
		}
		d.log.Store(l)
		d.users = 1
		a.closes(d.close)
	}
	a.made.decisions = made
	a.made.reloads = append(a.made.reloads, made.reopen)
	a.measure(func(i Instrument) error { return i.AddDecisionLog(a.config.Realm, made.stats) })
	if takesOver {
		a.atEnd = func() error { // it cannot be undone
			if err := made.takeOver(d); err != nil {
				return a.doc.Wrap(err, at)
			}
			a.closes(made.close)
			return nil
		}
	}
	return []core.Option{core.WithObserver(made)}, nil
}

// describeDecisions returns the log that the section describes, without opening it.
func (a *assembly) describeDecisions(c *decisionConfig) (*decisionLog, error) {
	opts := options[decisionlog.Option]{
		decisionlog.WithLogger(a.log), decisionlog.WithQueueSize(c.Queue), decisionlog.WithHeadInterval(c.Heads),
		decisionlog.WithSampleRate(float64(c.Percent) / 100),
	}
	var sample, signer string
	if a.doc.Has(&c.Sample) {
		sample = c.Sample.Reveal()
		opts = append(opts, decisionlog.WithSampleKey([]byte(sample)))
	}
	opts.on(c.Chain, decisionlog.WithHashChain)
	if a.doc.Has(&c.Key) {
		signer = c.Key.Reveal()
		key, err := decisionlog.ParseKey([]byte(signer))
		if err != nil {
			return nil, a.doc.Wrap(err, &c.Key)
		}
		opts = append(opts, decisionlog.WithChainKey(key))
	}
	d := &decisionLog{settings: [9]any{c.MaxSize, c.MaxAge, c.Files, c.Percent, c.Queue, c.Chain, c.Heads, sample, signer}}
	switch {
	case a.settings.noWrites:
		d.open = func() (*decisionlog.Log, error) { return decisionlog.New(io.Discard, opts...) }
		return d, nil
	case c.Path == "-":
		d.open = func() (*decisionlog.Log, error) { return decisionlog.New(os.Stdout, opts...) }
		return d, nil
	}
	path := a.path(c.Path)
	opts = append(opts, decisionlog.WithMaxFileSize(int64(c.MaxSize)), decisionlog.WithMaxFileAge(c.MaxAge), decisionlog.WithMaxFiles(c.Files))
	d.open = func() (*decisionlog.Log, error) { return decisionlog.Open(path, opts...) }
	var err error
	if d.path, err = filepath.Abs(path); err != nil {
		return nil, a.doc.Wrap(err, &c.Path)
	}
	return d, nil
}
