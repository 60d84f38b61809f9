package basic

import (
	"context"
	"fmt"
	"sync"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/cache"
)

// flights lets requests with the same key share one verification. There are
// never more of them than requests.
type flights struct {
	mu      sync.Mutex
	running map[cache.Key]*flight
}

// flight is one verification. The rest is set before done is closed.
type flight struct {
	done      chan struct{}
	principal *core.Principal
	err       error
	// answered is false when others cannot use what came of it: its own
	// request ended, or it panicked.
	answered bool
}

// do returns what verify returns, for this call or for one that is under way.
// One that was given up is begun again by a request that is still there.
func (f *flights) do(ctx context.Context, k cache.Key, verify func() (*core.Principal, error)) (*core.Principal, error) {
	for {
		f.mu.Lock()
		other, busy := f.running[k]
		if !busy {
			own := f.start(k)
			f.mu.Unlock()
			return f.lead(ctx, k, own, verify)
		}
		f.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			err := fmt.Errorf("basic: waiting for the same password to be checked: %w", ctx.Err())
			return nil, &core.UnavailableError{Err: err}
		}
		if other.answered {
			return other.principal, other.err
		}
	}
}

// start announces a flight. f.mu is held.
func (f *flights) start(k cache.Key) *flight {
	if f.running == nil {
		f.running = make(map[cache.Key]*flight)
	}
	own := &flight{done: make(chan struct{})}
	f.running[k] = own
	return own
}

// lead verifies and tells the others.
func (f *flights) lead(ctx context.Context, k cache.Key, own *flight, verify func() (*core.Principal, error)) (*core.Principal, error) {
	defer func() { // also after a panic
		f.mu.Lock()
		delete(f.running, k)
		f.mu.Unlock()
		close(own.done)
	}()
	p, err := verify()
	if err == nil || ctx.Err() == nil {
		own.principal, own.err, own.answered = p, err, true
	}
	return p, err
}
