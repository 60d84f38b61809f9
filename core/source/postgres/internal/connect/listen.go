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
	// quiet is how long a connection may be silent before it is tested.
	quiet = 15 * time.Second
	// testTimeout limits the test of a connection.
	testTimeout  = 5 * time.Second
	closeTimeout = time.Second
	// soon is the time within which a follower queries after a hint.
	soon = 5 * time.Millisecond
)

// Listener listens for notifications, and runs queries on the same connection, so that
// an instance that follows something needs only one. The zero Listener is ready for
// use. It is safe for concurrent use.
type Listener struct {
	mu   sync.Mutex
	line *line // the listening connection; nil if there is none
}

// line is a listening connection.
type line struct {
	mu   sync.Mutex
	wake context.CancelFunc // ends the wait for notifications; nil if nothing waits
	busy bool               // a query is in asks, or is running
	used bool               // a query has run
	over bool
	asks chan question

	// These belong to the goroutine that listens.
	heard time.Time // when the server last sent something
	until time.Time // when the connection must be replaced; zero for never
}

// question is a query to run on the connection.
type question struct {
	do    func(*pgx.Conn)
	asked chan<- bool // receives whether the query ran
}

// Ask calls do with the listening connection and then returns true. It returns false
// without calling do if no connection is free and alive, or if ctx ends before one is.
// A connection that do has closed no longer listens.
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
	case <-l.asks: // it was not taken
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
	l.asks <- q // has a capacity of one
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

// Listen calls hint once it listens on a channel, and then with the payload of each
// notification. It takes a connection from the pool, and tests it with a query when it
// has been silent. A connection is used as long as those of the pool, and then
// replaced: by then the name of the server may resolve to another address.
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
		_ = c.Close(closing) // the follower reads what it may have missed when it listens again
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

// end stops queries on a connection.
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

// listen subscribes to the channel. Queries wait until that is done.
func (l *line) listen(ctx context.Context, c *pgx.Conn, channel string) error {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	_, err := c.Exec(ctx, "listen "+channel)
	return err
}

// await waits for a notification, and runs queries meanwhile. After a hint a query is
// about to come, so it first waits for that, which saves interrupting a read from the
// server. A connection whose peer vanished silently would be silent forever, so a
// silent connection is tested.
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
			default: // it was withdrawn
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

// endOf returns when a new connection must be replaced.
func endOf(c *pgxpool.Config) (at time.Time) {
	if c.MaxConnLifetime > 0 { // so that instances do not reconnect at the same time
		at = time.Now().Add(c.MaxConnLifetime - rand.N(c.MaxConnLifetime/10+1))
	}
	return at
}

func (l *line) isUsed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used
}

// asked reports whether a query is waiting; if not, wake is called once there is one.
func (l *line) asked(wake context.CancelFunc) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake = wake
	return l.busy
}

// answer runs a query, unless the connection was silent and turns out to be dead.
func (l *line) answer(ctx context.Context, c *pgx.Conn, q question) {
	done := false // remains false if do panics
	defer func() {
		l.free()
		q.asked <- done
	}()
	if time.Since(l.heard) <= idle || l.test(ctx, c, pingTimeout) == nil {
		q.do(c)
		l.heard, done = time.Now(), true
	}
}

// test checks that the server responds in time, and closes the connection otherwise.
func (l *line) test(ctx context.Context, c *pgx.Conn, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := c.Ping(ctx)
	if err == nil {
		l.heard = time.Now()
	}
	return err
}
