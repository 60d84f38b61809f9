package fasthttpauth

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// Watched is the context of a gate while it decides. fasthttp does not cancel the
// context of a request whose client has hung up. This one is cancelled then, like
// that of net/http, and also if the client has closed its half of the connection.
// Only a rule or an authenticator that calls Done pays for it: from then on the
// connection is checked every hangupInterval, without reading from it. Where that is
// impossible (Windows, a test without a socket) it is never cancelled.
//
// Once the gate has decided it is the same as its parent. It is made for one gate;
// its methods are safe for concurrent use.
type Watched struct {
	context.Context          // the parent
	conn            net.Conn // nil once the gate has decided

	live atomic.Pointer[watching] // nil until Done is called
	mu   sync.Mutex               // held while live is changed
}

// watching is a context that is cancelled when the client hangs up.
type watching struct {
	context.Context
	cancel context.CancelFunc
}

// Shared is what a request that has passed a gate carries in its context, in one
// allocation: what the gate has stored there and, for the next gate, the route.
type Shared struct {
	core.Room
	of      *fasthttp.RequestCtx
	matched routing.Found
}

// sharedKey is the context key of a Shared.
type sharedKey struct{}

// Value implements [context.Context].
func (s *Shared) Value(key any) any {
	if _, ok := key.(sharedKey); ok {
		return s
	}
	return s.Room.Value(key)
}

// hangupInterval is how often a connection is checked.
const hangupInterval = 50 * time.Millisecond

// Begin makes w the context of a gate that decides about a request, with the context
// parent, that arrived on conn.
func (w *Watched) Begin(parent context.Context, conn net.Conn) {
	w.Context, w.conn = parent, conn
}

// Done implements [context.Context].
func (w *Watched) Done() <-chan struct{} { return w.current(true).Done() }

// Err implements [context.Context].
func (w *Watched) Err() error { return w.current(false).Err() }

// Value implements [context.Context]. It also returns the watching context's own
// values, which context.Cause looks for.
func (w *Watched) Value(key any) any { return w.current(false).Value(key) }

// current returns the context in force. It begins to watch if start is set.
func (w *Watched) current(start bool) context.Context {
	if live := w.live.Load(); live != nil {
		return live.Context
	}
	if !start {
		return w.Context
	}
	return w.watch()
}

// watch begins to watch, unless that has happened or the gate has decided.
func (w *Watched) watch() context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	if live := w.live.Load(); live != nil {
		return live.Context
	}
	conn := socket(w.conn)
	if conn == nil {
		return w.Context
	}
	ctx, cancel := context.WithCancel(w.Context)
	w.live.Store(&watching{ctx, cancel})
	go watchConn(ctx, cancel, conn)
	return ctx
}

// End must be called when the gate has decided.
func (w *Watched) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = nil
	if live := w.live.Load(); live != nil {
		w.live.Store(nil)
		live.cancel()
	}
}

func watchConn(ctx context.Context, cancel context.CancelFunc, conn peeker) {
	tick := time.NewTicker(hangupInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if conn.hungUp() {
				cancel()
				return
			}
		}
	}
}

// socket returns the socket below a connection, or nil.
func socket(conn net.Conn) peeker {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return newPeeker(conn)
}

// peeker detects whether the other side has closed a connection.
type peeker interface{ hungUp() bool }
