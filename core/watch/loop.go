package watch

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// loop is the state of a watcher's goroutine, touched by no other.
type loop struct {
	*Watcher
	offered   string         // hash of the content last given to the callback; "" to give it again
	rejection error          // the callback's error for it
	ended     map[string]int // of the content in use, see Snapshot.ended
	burst     burst
	readErr   string // the errors last reported, so that they are not repeated
	eventErr  string
}

// run is the watcher's goroutine.
func (w *Watcher) run(first chan<- outcome) {
	l := &loop{Watcher: w, offered: w.config.inUse, ended: w.config.inUseEnded, burst: newBurst(w.config)}
	defer close(w.done)
	defer func() { w.closeErr = w.events.close() }()

	o := l.start()
	first <- o
	if o.err != nil {
		return
	}
	poll := time.NewTicker(w.config.poll)
	defer poll.Stop()
	for w.ctx.Err() == nil { // a callback that Close has ended must be the last
		select {
		case <-w.ctx.Done():
			return
		case <-w.events.wake:
			l.burst.more()
		case <-poll.C:
			l.burst.more()
		case err := <-w.events.failed:
			l.config.report(err)
		case <-l.burst.over():
			l.settle()
		case reply := <-w.triggers:
			s, err := l.load(rest)
			reply <- l.conclude(s, err, true)
		}
	}
}

// start reads the files for the first time. New reports failures.
func (l *loop) start() outcome {
	s, err := l.load(runtime.Gosched)
	if err != nil {
		return outcome{err: err}
	}
	if s.cutOff(l.ended) { // what is in use stays meanwhile
		l.burst.more()
		return outcome{}
	}
	return l.offer(s, false)
}

// settle reads the files after they were unchanged for a while. A file that is
// missing or incomplete is given more time, since it is usually about to be
// recreated, or still being copied.
func (l *loop) settle() {
	s, err := l.load(rest)
	if (err != nil || s.cutOff(l.ended)) && l.burst.again() {
		return
	}
	l.burst.end()
	l.conclude(s, err, false)
}

// load attaches the events before it reads, so that no change is missed in between.
func (l *loop) load(pause func()) (Snapshot, error) {
	err := l.events.attach()
	if text := message(err); text != l.eventErr {
		l.eventErr = text
		if err != nil {
			l.config.report(err)
		}
	}
	return l.config.load(pause)
}

// conclude handles the result of a read. If insist is true, rejected content is
// offered again.
func (l *loop) conclude(s Snapshot, err error, insist bool) outcome {
	if err == nil && l.readErr != "" {
		l.offered = "" // the callback learns that the files are back
	}
	if text := message(err); text != l.readErr {
		l.readErr = text
		if err != nil {
			l.config.report(err)
		}
	}
	o := outcome{err: err}
	if err == nil {
		o = l.offer(s, insist)
	}
	l.mu.Lock()
	l.err = o.err
	l.mu.Unlock()
	return o
}

// offer passes s to the callback if it is new.
func (l *loop) offer(s Snapshot, insist bool) outcome {
	if s.Hash == l.offered && (l.rejection == nil || !insist) {
		return outcome{err: l.rejection}
	}
	l.offered = s.Hash
	if l.rejection = l.call(s); l.rejection == nil {
		l.ended = s.ended()
	}
	return outcome{changed: l.rejection == nil, err: l.rejection}
}

// call calls the callback. A parser that panics at one file must not take the
// whole server down.
func (l *loop) call(s Snapshot) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("watch: callback: %w", &core.PanicError{Value: v, Stack: debug.Stack()})
			l.config.report(err)
		}
	}()
	return l.changed(l.ctx, s)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// burst is a series of events that belong together: it ends when none has come for
// a while, or when it has lasted too long.
type burst struct {
	quiet, maxDelay time.Duration
	since           time.Time // zero when there is none
	timer           *time.Timer
}

func newBurst(c *config) burst {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return burst{quiet: c.quiet, maxDelay: c.maxDelay, timer: t}
}

func (b *burst) over() <-chan time.Time { return b.timer.C }

// more adds an event.
func (b *burst) more() {
	if b.since.IsZero() {
		b.since = time.Now()
	}
	b.timer.Reset(max(0, min(b.quiet, b.maxDelay-time.Since(b.since))))
}

// again prolongs the burst without an event, if it may last longer.
func (b *burst) again() bool {
	if time.Since(b.since) >= b.maxDelay {
		return false
	}
	b.more()
	return true
}

func (b *burst) end() { b.since = time.Time{} }
