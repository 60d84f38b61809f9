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

// Watched is the context of a gate while it decides. fasthttp does not cancel a
// request whose client has hung up; this one is cancelled then, as that of
// net/http is. Only a rule or an authenticator that asks for Done pays for it:
// from then on the connection is looked at every hangupInterval, without
// reading from it. It is cancelled also where a client has closed its half of
// the connection. Where that cannot be seen (Windows, a test without a socket)
// it is never cancelled.
//
// Once the gate has decided it is its parent and nothing more. It is made for one
// gate; its methods may be called by several goroutines.
type Watched struct {
	context.Context          // the parent
	conn            net.Conn // nil once the gate has decided

	live atomic.Pointer[watching] // nil before Done is asked for
	mu   sync.Mutex               // held by who changes live
}

// watching is a context that is cancelled when the client hangs up.
type watching struct {
	context.Context
	cancel context.CancelFunc
}

// Shared is what a request that has passed a gate carries in its context, allocated as
// one: what the gate has left there and, for the next gate, the route.
type Shared struct {
	context.Context
	of      *fasthttp.RequestCtx
	matched routing.Found
	room    core.Room
}

// sharedKey is where a context has what is shared.
type sharedKey struct{}

// Value implements [context.Context].
func (s *Shared) Value(key any) any {
	if _, ok := key.(sharedKey); ok {
		return s
	}
	return s.Context.Value(key)
}

// hangupInterval is how often a connection is looked at.
const hangupInterval = 50 * time.Millisecond

// Begin makes w the context of a gate that decides about a request which came by
// conn, with the context parent.
func (w *Watched) Begin(parent context.Context, conn net.Conn) {
	w.Context, w.conn = parent, conn
}

// Done implements [context.Context].
func (w *Watched) Done() <-chan struct{} { return w.current(true).Done() }

// Err implements [context.Context].
func (w *Watched) Err() error { return w.current(false).Err() }

// Value implements [context.Context]. It shows the watching context's own
// values, too, by which context.Cause finds it.
func (w *Watched) Value(key any) any { return w.current(false).Value(key) }

// current is the context that is meant now. It begins to watch if start is set.
func (w *Watched) current(start bool) context.Context {
	if live := w.live.Load(); live != nil {
		return live.Context
	}
	if !start {
		return w.Context
	}
	return w.watch()
}

// watch begins to watch, unless that has been done or the gate has decided.
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

// End is to be called when the gate has decided.
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

// socket is the socket below a connection, or nil.
func socket(conn net.Conn) peeker {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return newPeeker(conn)
}

// peeker sees whether the other side has closed a connection.
type peeker interface{ hungUp() bool }
