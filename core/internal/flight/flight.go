// Package flight lets concurrent callers that want the same result share one call.
package flight

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/cache"
)

// Group shares calls by key. The zero Group is ready for use; it is safe for
// concurrent use and never has more calls than callers.
type Group[V any] struct {
	Name string // of what calls, in front of errors

	mu    sync.Mutex
	calls map[cache.Key]*call[V]
}

// call is one call. The rest of it is set before done is closed.
type call[V any] struct {
	callers int // guarded by Group.mu
	done    chan struct{}

	value V
	err   error
	// ended is false if others cannot use the result, because its caller gave up or
	// it panicked.
	ended bool
}

// Do returns the result of do, from this call or one under way. do runs in the
// goroutine of the first caller. If that caller's context ends and do fails,
// another caller starts again.
//
// A caller whose context ends while it waits gets a [core.UnavailableError].
func (g *Group[V]) Do(ctx context.Context, key cache.Key, do func() (V, error)) (V, error) {
	for {
		c, first, _ := g.join(key, 0)
		if first {
			defer g.end(key, c) // also after a panic
			value, err := do()
			if err == nil || ctx.Err() == nil {
				c.value, c.err, c.ended = value, err, true
			}
			return value, err
		}
		if err := g.wait(ctx, c); err != nil || c.ended {
			return c.result(err)
		}
	}
}

// Go returns the result of do, from this call or one under way. do has a goroutine
// of its own, so that a caller that leaves does not affect the others; if it
// panics, all get a [core.InternalError].
//
// There are at most limit calls; beyond that, and for a caller whose context ends,
// the error is a [core.UnavailableError].
func (g *Group[V]) Go(ctx context.Context, key cache.Key, limit int, do func() (V, error)) (V, error) {
	c, first, ok := g.join(key, limit)
	if !ok {
		return c.result(&core.UnavailableError{Err: fmt.Errorf("%s: %d calls are waiting or in progress", g.Name, limit)})
	}
	if first {
		go func() {
			defer g.end(key, c)
			defer func() {
				if !c.ended { // the program would end with the panic
					c.err = g.fault(recover(), debug.Stack())
				}
			}()
			c.value, c.err = do()
			c.ended = true
		}()
	}
	return c.result(g.wait(ctx, c))
}

// join returns the call for key, which the caller has to make if it is the first.
// ok is false if there are limit others; 0 means no limit.
func (g *Group[V]) join(key cache.Key, limit int) (c *call[V], first, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, found := g.calls[key]
	if !found {
		c = &call[V]{done: make(chan struct{})}
		if limit > 0 && len(g.calls) >= limit {
			return c, false, false
		}
		if g.calls == nil {
			g.calls = make(map[cache.Key]*call[V])
		}
		g.calls[key] = c
	}
	c.callers++
	return c, !found, true
}

// end wakes all waiting callers.
func (g *Group[V]) end(key cache.Key, c *call[V]) {
	g.mu.Lock()
	delete(g.calls, key)
	g.mu.Unlock()
	close(c.done)
}

// wait waits for the end of the call.
func (g *Group[V]) wait(ctx context.Context, c *call[V]) error {
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return &core.UnavailableError{Err: fmt.Errorf("%s: waiting for the result of the same call: %w", g.Name, context.Cause(ctx))}
	}
}

// result returns the result of the call, unless waiting failed.
func (c *call[V]) result(failed error) (V, error) {
	if failed != nil {
		var none V
		return none, failed
	}
	return c.value, c.err
}

func (g *Group[V]) fault(value any, stack []byte) error {
	var err error = &core.PanicError{Value: value, Stack: stack}
	if value == nil {
		err = errors.New("the call ended its goroutine")
	}
	return &core.InternalError{Err: fmt.Errorf("%s: %w", g.Name, err)}
}

// Size returns the number of calls, and of callers that share them, for tests.
func (g *Group[V]) Size() (calls, callers int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.calls {
		callers += c.callers
	}
	return len(g.calls), callers
}
