package decisionlog

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// Log writes decisions. It is a [core.Observer], and safe for concurrent use.
//
// Decisions wait in a queue, from which one goroutine writes up to 256 at once. If
// the process is killed they are lost: at most as many as fit into the queue and
// 256 more. The next run records this in its first line.
type Log struct {
	sampler
	queue   chan core.Event
	orders  chan order
	stop    chan struct{}
	stopped chan struct{} // closed once nothing is written any more
	closed  atomic.Bool
	err     error // of Close, once stopped

	dropped, skipped, written, failed atomic.Uint64
}

var _ core.Observer = (*Log)(nil)

// order is a task for the writer to do between two decisions.
type order struct {
	do   func(*writer) error
	done chan error
}

// Open writes decisions to a file, which is created with mode 0600 or continued. It
// is an error if the file contains anything else, or if another process writes to
// it (on Unix).
//
// A file that has reached the size or age set by options is renamed with the time:
// decisions.jsonl to decisions-20060102T150405.000Z.jsonl. If another program
// renames it, call [Log.Reopen].
func Open(file string, opts ...Option) (*Log, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	out, err := openFile(file, c)
	if err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	return start(c, out)
}

// New writes decisions to w, whole lines at a time. Nothing else may write to w,
// and it is not closed. If w blocks, the queue fills up.
func New(w io.Writer, opts ...Option) (*Log, error) {
	c, err := configure(opts)
	switch {
	case err != nil:
		return nil, err
	case w == nil:
		return nil, errors.New("decision log: the writer is nil")
	case c.forFiles():
		return nil, errors.New("decision log: a writer cannot be rotated: use Open for a file")
	}
	return start(c, &stream{w: w})
}

// NewSlog writes decisions as records at level info to a logger, whose handler
// decides how to write their time. There is no hash chain.
func NewSlog(l *slog.Logger, opts ...Option) (*Log, error) {
	c, err := configure(opts)
	switch {
	case err != nil:
		return nil, err
	case l == nil:
		return nil, errors.New("decision log: the logger is nil")
	case c.forFiles() || c.chained:
		return nil, errors.New("decision log: a logger's lines cannot be rotated or chained: use Open for a file")
	}
	return start(c, &records{l})
}

func configure(opts []Option) (*config, error) {
	c := &config{queue: defaultQueueSize, rate: 1, heads: defaultHeadInterval, logger: slog.Default(), now: time.Now}
	if err := option.Apply(c, opts); err != nil {
		return nil, fmt.Errorf("decision log: %w", err)
	}
	return c, nil
}

func start(c *config, out sink) (*Log, error) {
	l := &Log{
		queue: make(chan core.Event, c.queue), orders: make(chan order),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	l.set(c)
	w := &writer{log: l, config: c, out: out, chain: newChain(c), complained: map[string]time.Time{}}
	if err := w.begin(); err != nil {
		return nil, errors.Join(fmt.Errorf("decision log: %w", err), out.close())
	}
	go w.run()
	return l, nil
}

// Observe puts a decision into the queue. It never blocks, and does not allocate.
func (l *Log) Observe(_ context.Context, e core.Event) {
	if !l.takes(&e) {
		l.skipped.Add(1)
		return
	}
	if l.closed.Load() {
		l.dropped.Add(1)
		return
	}
	select {
	case l.queue <- e:
	default:
		l.dropped.Add(1)
	}
}

// Stats counts decisions since the log was opened.
type Stats struct {
	// Written decisions are in the log, Skipped were left out by sampling,
	// QueueFull found the queue full or came after Close, and WriteFailed could not
	// be written.
	Written, Skipped, QueueFull, WriteFailed uint64
	// Queued is the number of decisions in the queue.
	Queued int
}

// Stats returns counts for metrics.
func (l *Log) Stats() Stats {
	return Stats{l.written.Load(), l.skipped.Load(), l.dropped.Load(), l.failed.Load(), len(l.queue)}
}

// Flush writes everything observed before. The error is a write error, or that of
// ctx.
func (l *Log) Flush(ctx context.Context) error { return l.order(ctx, (*writer).drain) }

// Reopen closes the file and opens the one that now has its name: call it on SIGHUP
// if logrotate or a similar program renames the file. It does nothing if the log is
// not a file.
func (l *Log) Reopen(ctx context.Context) error { return l.order(ctx, (*writer).reopen) }

func (l *Log) order(ctx context.Context, do func(*writer) error) error {
	o := order{do, make(chan error, 1)}
	select {
	case l.orders <- o:
	case <-l.stopped:
		return errors.New("decision log: closed")
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes queued decisions, ends the log and closes the file. Call it once the
// server has stopped: decisions that arrive meanwhile may be lost without being
// counted. The error is a write error. Further calls return it again.
func (l *Log) Close() error {
	if l.closed.CompareAndSwap(false, true) {
		close(l.stop)
	}
	<-l.stopped
	return l.err
}

// sampler selects the allowed requests that are written.
type sampler struct {
	all, none bool
	below     uint64
	key       [sha256.Size]byte
}

func (s *sampler) set(c *config) {
	s.all, s.none = c.rate >= 1, c.rate <= 0
	s.below = uint64(c.rate * math.MaxInt64 * 2)
	if c.key != nil {
		s.key = sha256.Sum256(c.key)
		return
	}
	_, _ = rand.Read(s.key[:]) // never fails
}

// maxSampledID is the number of bytes of an ID that count.
const maxSampledID = 64

// takes reports whether a decision is to be written.
func (s *sampler) takes(e *core.Event) bool {
	if s.all || e.Outcome != core.OutcomeAllowed && e.Outcome != core.OutcomePreflight {
		return true
	}
	if s.none {
		return false
	}
	id := cmp.Or(e.RequestID, e.TraceID)
	if id == "" {
		return mathrand.Uint64() < s.below
	}
	// The minute is included so that an ID that a client sends with every request is
	// not sampled the same way forever.
	var b [sha256.Size + 8 + maxSampledID]byte
	n := copy(b[:], s.key[:])
	binary.BigEndian.PutUint64(b[n:], uint64(e.Time.Unix()/60))
	n += 8
	n += copy(b[n:], id)
	sum := sha256.Sum256(b[:n])
	return binary.BigEndian.Uint64(sum[:]) < s.below
}
