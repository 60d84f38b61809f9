package flight_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/cache"
	"github.com/sallyport-go/sallyport/core/internal/flight"
)

// both are the ways to make a call, which differ in whose goroutine it has.
var both = map[string]func(*flight.Group[int], context.Context, cache.Key, func() (int, error)) (int, error){
	"Do": func(g *flight.Group[int], ctx context.Context, k cache.Key, do func() (int, error)) (int, error) {
		return g.Do(ctx, k, do)
	},
	"Go": func(g *flight.Group[int], ctx context.Context, k cache.Key, do func() (int, error)) (int, error) {
		return g.Go(ctx, k, 2, do)
	},
}

type outcome struct {
	value int
	err   error
}

func TestCallersWithOneKeyShareOneCall(t *testing.T) {
	for name, share := range both {
		for _, want := range []outcome{{7, nil}, {0, errors.New("refused")}} {
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[int]
				var begun atomic.Int64
				release := make(chan struct{})
				done := make(chan outcome)
				call := func(k cache.Key) {
					v, err := share(&g, t.Context(), k, func() (int, error) {
						begun.Add(1)
						<-release
						return want.value, want.err
					})
					done <- outcome{v, err}
				}
				for range 20 {
					go call(cache.Key{1})
				}
				go call(cache.Key{2})
				synctest.Wait()
				if calls, callers := g.Size(); calls != 2 || callers != 21 || begun.Load() != 2 {
					t.Errorf("%s: %d calls for %d callers, %d begun", name, calls, callers, begun.Load())
				}
				close(release)
				for range 21 {
					if got := <-done; got != want {
						t.Errorf("%s: %v, want %v", name, got, want)
					}
				}
				synctest.Wait()
				if calls, _ := g.Size(); calls != 0 {
					t.Errorf("%s: %d calls are left over", name, calls)
				}
			})
		}
	}
}

func TestWhoLeavesGetsUnavailable(t *testing.T) {
	for name, share := range both {
		synctest.Test(t, func(t *testing.T) {
			var g flight.Group[int]
			release := make(chan struct{})
			go share(&g, context.Background(), cache.Key{}, func() (int, error) { <-release; return 1, nil })
			synctest.Wait()
			ctx, cancel := context.WithCancelCause(t.Context())
			gone := errors.New("gone")
			cancel(gone)
			var unavailable *core.UnavailableError
			if _, err := share(&g, ctx, cache.Key{}, nil); !errors.As(err, &unavailable) || !errors.Is(err, gone) {
				t.Errorf("%s: %v", name, err)
			}
			close(release)
		})
	}
}

func TestGivenUpCallIsBegunAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		ctx, cancel := context.WithCancel(t.Context())
		go g.Do(ctx, cache.Key{}, func() (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		synctest.Wait()
		done := make(chan outcome)
		for range 5 {
			go func() {
				v, err := g.Do(t.Context(), cache.Key{}, func() (int, error) { return 5, nil })
				done <- outcome{v, err}
			}()
		}
		synctest.Wait()
		cancel()
		for range 5 {
			if got := <-done; got != (outcome{5, nil}) {
				t.Errorf("%v", got)
			}
		}
	})
}

func TestGoHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		release := make(chan struct{})
		for k := range byte(2) {
			go g.Go(t.Context(), cache.Key{k}, 2, func() (int, error) { <-release; return 0, nil })
		}
		synctest.Wait()
		var unavailable *core.UnavailableError
		if _, err := g.Go(t.Context(), cache.Key{2}, 2, nil); !errors.As(err, &unavailable) {
			t.Errorf("a third call: %v", err)
		}
		close(release)
		synctest.Wait()
		if v, err := g.Go(t.Context(), cache.Key{2}, 2, func() (int, error) { return 3, nil }); v != 3 || err != nil {
			t.Errorf("%d, %v once there is room", v, err)
		}
	})
}

func TestPanicLeavesNothingBehind(t *testing.T) {
	var g flight.Group[int]
	func() {
		defer func() {
			if recover() != "oh" {
				t.Error("Do: the panic is gone")
			}
		}()
		_, _ = g.Do(t.Context(), cache.Key{}, func() (int, error) { panic("oh") })
	}()
	var failed *core.InternalError
	var panicked *core.PanicError
	if _, err := g.Go(t.Context(), cache.Key{}, 1, func() (int, error) { panic("oh") }); !errors.As(err, &failed) || !errors.As(err, &panicked) || panicked.Value != "oh" {
		t.Errorf("Go: %v", err)
	}
	if _, err := g.Go(t.Context(), cache.Key{}, 1, func() (int, error) { runtime.Goexit(); return 0, nil }); !errors.As(err, &failed) || errors.As(err, new(*core.PanicError)) {
		t.Errorf("Go, goroutine ended: %v", err)
	}
	if calls, _ := g.Size(); calls != 0 {
		t.Errorf("%d calls are left over", calls)
	}
}
