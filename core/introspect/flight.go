package introspect

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/cache"
)

// flightsPerSlot is how many calls may be waiting or under way for each that
// may be under way.
const flightsPerSlot = 9

// flights joins the requests that ask about one token at the same time.
type flights struct {
	mu  sync.Mutex
	all map[cache.Key]*flight
}

// flight is one call; verdict and err are written before done is closed.
type flight struct {
	joined  int // how many requests have asked for it; guarded by flights.mu
	done    chan struct{}
	verdict verdict
	err     error
}

// do returns what call returns, run once for all that ask for key meanwhile.
// call has its own goroutine, so that one caller who leaves takes the answer
// from nobody. At most limit calls run at a time.
func (f *flights) do(ctx context.Context, key cache.Key, limit int, call func() (verdict, error)) (verdict, error) {
	f.mu.Lock()
	one, ok := f.all[key]
	if !ok {
		if len(f.all) >= limit {
			f.mu.Unlock()
			return verdict{}, unavailable(fmt.Errorf("%d tokens are being asked about", limit))
		}
		one = &flight{done: make(chan struct{})}
		if f.all == nil {
			f.all = make(map[cache.Key]*flight)
		}
		f.all[key] = one
		go f.run(key, one, call)
	}
	one.joined++
	f.mu.Unlock()
	select {
	case <-one.done:
		return one.verdict, one.err
	case <-ctx.Done():
		return verdict{}, unavailable(context.Cause(ctx))
	}
}

// run makes the call. A panic in a token source or transport would end the
// program here, so it becomes an error.
func (f *flights) run(key cache.Key, one *flight, call func() (verdict, error)) {
	returned := false
	defer func() {
		if !returned {
			one.err = fault(recover(), debug.Stack())
		}
		f.mu.Lock()
		delete(f.all, key)
		f.mu.Unlock()
		close(one.done)
	}()
	one.verdict, one.err = call()
	returned = true
}

func fault(value any, stack []byte) error {
	if value == nil {
		return &core.InternalError{Err: errors.New("introspect: the call ended its goroutine")}
	}
	return &core.InternalError{Err: fmt.Errorf("introspect: %w", &core.PanicError{Value: value, Stack: stack})}
}
