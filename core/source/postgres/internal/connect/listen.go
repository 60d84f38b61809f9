package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// quiet is for how long a connection may say nothing before it is tested.
	quiet = 15 * time.Second
	// testTimeout is how long the answer to the test may take.
	testTimeout  = 5 * time.Second
	closeTimeout = time.Second
	// soon is within what whoever is hinted asks.
	soon = 5 * time.Millisecond
)

// Listener listens for notifications, and is asked on the connection that does so:
// an instance which follows something needs no other one. The zero Listener is ready for
// use. It is safe for concurrent use.
type Listener struct {
	mu   sync.Mutex
	line *line // that listens, nil if none does
}

// line is a connection that listens.
type line struct {
	mu   sync.Mutex
	wake context.CancelFunc // ends the wait for notifications; nil if none is waited for
	busy bool               // there is a question
	over bool
	asks chan question

	heard time.Time // when the server last said something; of the goroutine that listens
}

// question is what is to be done with the connection.
type question struct {
	do    func(*pgx.Conn)
	asked chan<- bool // told whether it was done
}

// Ask calls do with the connection that listens, and reports true after that; it reports
// false, and does nothing, if there is none that is free and alive. A connection that do
// has closed listens no longer.
func (l *Listener) Ask(do func(*pgx.Conn)) bool {
	l.mu.Lock()
	on := l.line
	l.mu.Unlock()
	return on != nil && on.ask(do)
}

func (l *line) ask(do func(*pgx.Conn)) bool {
	l.mu.Lock()
	if l.busy || l.over {
		l.mu.Unlock()
		return false
	}
	l.busy = true
	if l.wake != nil {
		l.wake()
	}
	l.mu.Unlock()
	asked := make(chan bool, 1)
	l.asks <- question{do, asked}
	return <-asked
}

// Listen calls hint when it listens on a channel, and for each notification there with
// the payload. It takes a connection from the pool for good, which the server closes
// when nobody is there, and which a query tests now and then.
func (l *Listener) Listen(ctx context.Context, pool *pgxpool.Pool, channel, payload string, hint func()) error {
	acquired, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	c := acquired.Hijack()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = c.Close(closing) // what was lost is listened to again, and looked at
	}()
	on := &line{asks: make(chan question, 1), heard: time.Now()}
	l.begin(on)
	defer l.end(on)
	if err := on.listen(ctx, c, channel); err != nil {
		return err
	}
	hint()
	hinted := true
	for {
		notified, err := on.await(ctx, c, hinted)
		if err != nil {
			return err
		}
		if hinted = notified.Payload == payload; hinted {
			hint()
		}
	}
}

func (l *Listener) begin(on *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = on
}

// end has nobody ask on a connection any more.
func (l *Listener) end(on *line) {
	l.mu.Lock()
	if l.line == on {
		l.line = nil
	}
	l.mu.Unlock()
	on.mu.Lock()
	on.over = true
	busy := on.busy
	on.mu.Unlock()
	if busy {
		q := <-on.asks
		q.asked <- false
	}
}

// listen has the server notify. Questions wait until it does.
func (l *line) listen(ctx context.Context, c *pgx.Conn, channel string) error {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	_, err := c.Exec(ctx, "listen "+channel)
	return err
}

// await waits for a notification, and answers questions meanwhile. Whoever was hinted is
// about to ask: not to wait for the server just then saves it from being interrupted. A
// connection whose other end is gone without a word would be silent forever, so that
// silence is tested.
func (l *line) await(ctx context.Context, c *pgx.Conn, hinted bool) (*pgconn.Notification, error) {
	if hinted {
		moment := time.NewTimer(soon)
		select {
		case q := <-l.asks:
			l.answer(ctx, c, q)
		case <-moment.C:
		}
		moment.Stop()
	}
	for !c.IsClosed() {
		waiting, stop := context.WithTimeout(ctx, quiet)
		if l.asked(stop) {
			stop()
			l.answer(ctx, c, <-l.asks)
			continue
		}
		n, err := c.WaitForNotification(waiting)
		l.asked(nil)
		why := waiting.Err()
		stop()
		switch {
		case err == nil:
			l.heard = time.Now()
			return n, nil
		case ctx.Err() != nil || why == nil:
			return nil, err
		case errors.Is(why, context.DeadlineExceeded):
			if err := l.test(ctx, c, testTimeout); err != nil {
				return nil, err
			}
		}
	}
	return nil, errClosed
}

var errClosed = errors.New("the connection was closed")

// asked reports whether there is a question; if not, wake is called when there is one.
func (l *line) asked(wake context.CancelFunc) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake = wake
	return l.busy
}

// answer has a question done, unless the connection was silent and turns out to be dead.
func (l *line) answer(ctx context.Context, c *pgx.Conn, q question) {
	alive := time.Since(l.heard) <= idle || l.test(ctx, c, pingTimeout) == nil
	if alive {
		q.do(c)
		l.heard = time.Now()
	}
	l.mu.Lock()
	l.busy = false
	l.mu.Unlock()
	q.asked <- alive
}

// test has the server answer within some time, or the connection closed.
func (l *line) test(ctx context.Context, c *pgx.Conn, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := c.Ping(ctx)
	if err == nil {
		l.heard = time.Now()
	}
	return err
}
