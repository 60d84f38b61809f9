package decisionlog

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// sink is where lines are written.
type sink interface {
	// write writes complete lines: all of them or, as far as possible, none.
	write(lines []byte) error
	close() error
}

// stream is a sink that the application provides.
type stream struct {
	w    io.Writer
	torn bool // it ends with a partial line
}

func (s *stream) write(lines []byte) (err error) {
	defer recovered(&err)
	if s.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	n, err := s.w.Write(lines)
	if n > 0 {
		s.torn = lines[n-1] != '\n'
	}
	return err
}

func (s *stream) close() error { return nil }

// recovered makes a panic of what the application provides an error. It would end the
// program, since nobody else recovers on the writer's goroutine.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &core.PanicError{Value: v, Stack: debug.Stack()}
	}
}

// chain is the state of the hash chain.
type chain struct {
	seq    uint64 // of the last line
	last   hashed
	on     bool
	signed uint64 // the last line that has a head
	hash   hash.Hash
}

func newChain(c *config) chain { return chain{on: c.chained, hash: sha256.New()} }

// writer is the state of the goroutine of a log.
type writer struct {
	log    *Log
	config *config
	out    sink
	chain  chain
	kept   chain // as it was when the last batch was written
	name   string
	enc    encoder
	event  core.Event // the one being written
	lines  int        // decisions in the batch
	// told are the counts that were last written to the log.
	told struct{ dropped, failed uint64 }
	// complained is when the logger was told of each kind of failure.
	complained map[string]time.Time
	// unopened is why the file still needs an opening; "" if it does not.
	unopened string
	// unrotated is when renaming the file failed.
	unrotated time.Time
}

// begin writes the first record of a run.
func (w *writer) begin() error {
	var run [8]byte
	_, _ = rand.Read(run[:]) // never fails
	w.name = hex.EncodeToString(run[:])
	o := w.opening("start")
	if f, ok := w.out.(*file); ok {
		w.chain.seq, w.chain.last = f.state.seq, f.state.last
		o.Cut, o.Unclean = f.state.cut, f.state.unclean
		if o.Unclean {
			o.LostAtMost = f.state.lostAtMost
		}
	}
	return w.open(o)
}

func (w *writer) opening(why string) *Opening {
	c := w.config
	o := &Opening{Why: why, Run: w.name, SampleRate: c.rate, QueueSize: c.queue, BatchSize: batchSize}
	if c.signer != nil {
		o.Signed = c.signer.String()
		if f, ok := w.out.(*file); ok {
			o.HeadFile = filepath.Base(f.name) + headSuffix
		}
	}
	return o
}

// open writes an opening, and a head for it.
func (w *writer) open(o *Opening) error {
	w.unopened = o.Why
	if w.chain.on {
		o.Previous = w.chain.last.String()
	}
	if err := w.record(KindOpen, "open", o); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.unopened = ""
	return w.head(false)
}

// ready writes the opening that the file still needs.
func (w *writer) ready() error {
	if w.unopened == "" {
		return nil
	}
	return w.open(w.opening(w.unopened))
}

// look begins a new file if the one in use was removed, replaced or truncated.
func (w *writer) look() error {
	f, ok := w.out.(*file)
	if !ok || !f.lost() {
		return nil
	}
	w.say(slog.LevelWarn, "the decision log file was removed, replaced or truncated: starting a new one", "file", f.name)
	w.unopened = "reopen"
	return f.reopen()
}

// tick runs every second.
func (w *writer) tick() {
	if err := errors.Join(w.look(), w.ready()); err != nil {
		w.complain(cannotWrite, err)
		return
	}
	_ = w.flush() // for the record of dropped decisions; errors are logged
	_ = w.head(false)
	w.rotateIfDue()
}

// run writes until the log is closed.
func (w *writer) run() {
	defer close(w.log.stopped)
	tick := time.NewTicker(min(w.config.heads, time.Second))
	defer tick.Stop()
	for {
		select {
		case w.event = <-w.log.queue:
			_ = w.batch() // errors are logged
		case o := <-w.log.orders:
			o.done <- o.do(w)
		case <-tick.C:
			w.tick()
		case <-w.log.stop:
			w.log.err = w.end()
			return
		}
	}
}

// batch writes the decision that was taken from the queue, and those that follow.
func (w *writer) batch() error {
	if err := w.ready(); err != nil {
		w.log.failed.Add(1) // errors are logged
		return err
	}
	w.add()
	for w.lines < batchSize {
		select {
		case w.event = <-w.log.queue:
			w.add()
			continue
		default:
		}
		break
	}
	err := w.flush()
	w.rotateIfDue()
	return err
}

// drain writes everything in the queue.
func (w *writer) drain() error {
	errs := w.look()
	for n := len(w.log.queue); n > 0; n = len(w.log.queue) {
		w.event = <-w.log.queue // there is no other receiver
		if err := w.batch(); err != nil {
			errs = err
		}
	}
	if err := w.ready(); err != nil {
		return errors.Join(errs, err)
	}
	return errors.Join(errs, w.flush())
}

// end writes everything in the queue, and closes the sink.
func (w *writer) end() error {
	err := w.drain()
	if l := w.log; w.unopened == "" {
		_ = w.record(KindClose, "close", &Closing{l.written.Load(), l.dropped.Load(), l.failed.Load()})
		err = errors.Join(err, w.flush(), w.head(true))
	}
	if err = errors.Join(err, w.out.close()); err != nil {
		return fmt.Errorf("decision log: %w", err)
	}
	return nil
}

// add adds the decision to the batch.
func (w *writer) add() {
	w.lines++
	if s, ok := w.out.(*records); ok {
		if err := s.decision(&w.event); err != nil {
			w.lines--
			w.log.failed.Add(1)
			w.complain(cannotWrite, err)
		}
		return
	}
	_ = w.line(KindDecision, w.event.Time, func() error { // never fails
		w.enc.decision(&w.event)
		return nil
	})
}

// record adds a record of the log's own to the batch.
func (w *writer) record(kind, key string, v any) error {
	if s, ok := w.out.(*records); ok {
		return s.record(kind, v)
	}
	return w.line(kind, w.config.now(), func() error { return w.enc.object(key, v) })
}

// line appends a line to the batch.
func (w *writer) line(kind string, at time.Time, fields func() error) error {
	from := len(w.enc.b)
	w.enc.begin(kind, w.chain.seq+1, at)
	if err := fields(); err != nil {
		w.enc.b = w.enc.b[:from]
		return err
	}
	w.chain.seq++
	if w.chain.on {
		w.chain.last.follow(w.chain.hash, w.enc.b[from:])
		w.enc.b = append(w.enc.b, chainKey...)
		w.enc.b = hex.AppendEncode(w.enc.b, w.chain.last[:])
		w.enc.b = append(w.enc.b, '"')
	}
	w.enc.b = append(w.enc.b, "}\n"...)
	return nil
}

// flush writes the batch, preceded by the number of decisions missing before it.
func (w *writer) flush() error {
	l := w.log
	dropped, failed := l.dropped.Load(), l.failed.Load()
	if dropped != w.told.dropped || failed != w.told.failed {
		if err := w.record(KindDropped, "dropped", &Dropped{dropped - w.told.dropped, failed - w.told.failed}); err != nil {
			return err
		}
	}
	n := uint64(w.lines)
	w.lines = 0
	if len(w.enc.b) > 0 {
		err := w.out.write(w.enc.b)
		w.enc.b = w.enc.b[:0]
		if err != nil {
			w.chain = w.kept
			l.failed.Add(n)
			w.complain(cannotWrite, err)
			return err
		}
	}
	w.kept = w.chain
	w.told.dropped, w.told.failed = dropped, failed
	l.written.Add(n)
	return nil
}

// complainEvery is the minimum time between two log messages about the same failure.
const complainEvery = time.Minute

// The kinds of failures that are logged.
const (
	cannotWrite  = "decisions cannot be written to the decision log"
	cannotRotate = "the decision log file cannot be rotated"
	cannotPrune  = "old decision log files cannot be removed"
	cannotVouch  = "the last head of the decision log cannot be written beside it"
)

// complain logs a failure, but not for each line.
func (w *writer) complain(what string, err error) {
	now := time.Now()
	if now.Sub(w.complained[what]) < complainEvery {
		return
	}
	w.complained[what] = now
	w.say(slog.LevelError, what, "error", err, "lost", w.log.failed.Load())
}

// say logs. A panic of the logger keeps nothing from being written.
func (w *writer) say(level slog.Level, text string, args ...any) {
	defer func() { _ = recover() }()
	w.config.logger.Log(context.Background(), level, text, args...)
}

// head signs the last line, if it is not signed yet.
func (w *writer) head(final bool) error {
	k := w.config.signer
	if k == nil || w.chain.signed == w.chain.seq && !final {
		return nil
	}
	of := w.chain.seq
	h := &Head{Of: of, Chain: w.chain.last.String(), Algorithm: k.algorithm, Key: k.id, Final: final,
		Signature: k.sign(headMessage(of, w.chain.last, final))}
	if err := w.record(KindHead, "head", h); err != nil {
		return err
	}
	line := append([]byte(nil), w.enc.b...) // the batch is empty at this point
	signed := w.chain.seq                   // the head itself needs no head
	if err := w.flush(); err != nil {
		return err
	}
	w.chain.signed, w.kept.signed = signed, signed
	if f, ok := w.out.(*file); ok {
		if err := f.writeHead(line); err != nil {
			w.complain(cannotVouch, err)
			return err
		}
	}
	return nil
}

// rotateIfDue begins a new file if the options require it. After a failure it tries
// again in a second.
func (w *writer) rotateIfDue() {
	f, ok := w.out.(*file)
	now := w.config.now()
	if !ok || !f.due(now) || time.Since(w.unrotated) < time.Second || w.look() != nil || !f.due(now) {
		return
	}
	_ = w.head(false) // errors are logged
	renamed, err := f.rotate(now)
	if renamed {
		w.unopened = "rotation"
	}
	if err != nil {
		w.unrotated = time.Now()
		w.complain(cannotRotate, err)
		return
	}
	_ = w.ready() // errors are logged
	if err := f.prune(); err != nil {
		w.complain(cannotPrune, err)
	}
}

// reopen opens the file that now has the name.
func (w *writer) reopen() error {
	f, ok := w.out.(*file)
	if !ok {
		return nil
	}
	if w.unopened == "" {
		_ = w.flush() // errors are logged: a new file may help
		_ = w.head(false)
	}
	w.unopened = "reopen"
	if err := f.reopen(); err != nil {
		return err
	}
	return w.ready()
}
