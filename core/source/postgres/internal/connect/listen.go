package connect

import (
	"context"
	"errors"
	"math/rand/v2"
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
	busy bool               // a question is in asks, or being answered
	used bool               // there has been one
	over bool
	asks chan question

	// These are of the goroutine that listens.
	heard time.Time // when the server last said something
	until time.Time // when the connection is old; zero for never
}

// question is what is to be done with the connection.
type question struct {
	do    func(*pgx.Conn)
	asked chan<- bool // told whether it was done
}

// Ask calls do with the connection that listens, and reports true after that; it reports
// false, and does nothing, if there is none that is free and alive, or ctx ends before it
// is. A connection that do has closed listens no longer.
func (l *Listener) Ask(ctx context.Context, do func(*pgx.Conn)) bool {
	l.mu.Lock()
	on := l.line
	l.mu.Unlock()
	return on != nil && on.ask(ctx, do)
}

func (l *line) ask(ctx context.Context, do func(*pgx.Conn)) bool {
	asked := make(chan bool, 1)
	if !l.put(question{do, asked}) {
		return false
	}
	select {
	case done := <-asked:
		return done
	case <-ctx.Done():
	}
	select {
	case <-l.asks: // nobody has taken it
		l.free()
		return false
	case done := <-asked:
		return done
	}
}

func (l *line) put(q question) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy || l.over {
		return false
	}
	l.busy, l.used = true, true
	l.asks <- q // has room for one
	if l.wake != nil {
		l.wake()
	}
	return true
}

func (l *line) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
}

// Listen calls hint when it listens on a channel, and for each notification there with
// the payload. It takes a connection from the pool, which the server closes when nobody
// is there, and which a query tests now and then. A connection is used for as long as
// those of the pool, after which another is taken: the name of the server may lead
// elsewhere by then.
func (l *Listener) Listen(ctx context.Context, pool *pgxpool.Pool, channel, payload string, hint func()) error {
	for {
		if err := l.listen(ctx, pool, channel, payload, hint); !errors.Is(err, errOld) {
			return err
		}
	}
}

// listen is Listen with one connection.
func (l *Listener) listen(ctx context.Context, pool *pgxpool.Pool, channel, payload string, hint func()) error {
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
	on := &line{asks: make(chan question, 1), heard: time.Now(), until: endOf(pool.Config())}
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
	on.mu.Unlock()
	select {
	case q := <-on.asks:
		q.asked <- false
	default:
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
	if hinted && l.isUsed() {
		moment := time.NewTimer(soon)
		select {
		case q := <-l.asks:
			l.answer(ctx, c, q)
		case <-moment.C:
		}
		moment.Stop()
	}
	for !c.IsClosed() {
		limit := time.Now().Add(quiet)
		if !l.until.IsZero() && l.until.Before(limit) {
			limit = l.until
		}
		waiting, stop := context.WithDeadline(ctx, limit)
		if l.asked(stop) {
			stop()
			select {
			case q := <-l.asks:
				l.answer(ctx, c, q)
			default: // it was taken back
			}
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
		case !l.until.IsZero() && !time.Now().Before(l.until):
			return nil, errOld
		case errors.Is(why, context.DeadlineExceeded):
			if err := l.test(ctx, c, testTimeout); err != nil {
				return nil, err
			}
		}
	}
	return nil, errClosed
}

var (
	errClosed = errors.New("the connection was closed")
	errOld    = errors.New("the connection has been used for long enough")
)

// endOf is when a connection that is new is old.
func endOf(c *pgxpool.Config) (at time.Time) {
	if c.MaxConnLifetime > 0 { // not for all instances at once
		at = time.Now().Add(c.MaxConnLifetime - rand.N(c.MaxConnLifetime/10+1))
	}
	return at
}

func (l *line) isUsed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used
}

// asked reports whether there is a question; if not, wake is called when there is one.
func (l *line) asked(wake context.CancelFunc) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake = wake
	return l.busy
}

// answer has a question done, unless the connection was silent and turns out to be dead.
func (l *line) answer(ctx context.Context, c *pgx.Conn, q question) {
	done := false // nor is it if do panics
	defer func() {
		l.free()
		q.asked <- done
	}()
	if time.Since(l.heard) <= idle || l.test(ctx, c, pingTimeout) == nil {
		q.do(c)
		l.heard, done = time.Now(), true
	}
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
