package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

// TestMemoryIsTheDefault also covers stores that answer immediately.
func TestMemoryIsTheDefault(t *testing.T) {
	m, err := session.New()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, manager: m}
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
	if p, err := m.Authenticate(t.Context(), request("GET", cookie)); err != nil || p.ID() != "alice" {
		t.Error(p, err)
	}
	if fields, err := m.Logout(t.Context(), request("POST", cookie)); err != nil || len(fields) != 2 {
		t.Error(fields, err)
	}
	if p, err := m.Authenticate(t.Context(), request("GET", cookie)); err == nil {
		t.Error(p)
	}
}

// plain is a store without contexts, like some stores of scs.
type plain struct{ session.Store }

// TestStoreWithoutContexts: their calls are limited in time as well.
func TestStoreWithoutContexts(t *testing.T) {
	b := newBench(t)
	manager := func(timeout time.Duration) *session.Manager {
		m, err := session.New(session.WithStore(plain{b.store}), session.WithClock(b.clock.Now), session.WithStoreTimeout(timeout))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := manager(time.Minute)
	b.manager = m
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
	if p, err := m.Authenticate(t.Context(), request("GET", cookie)); err != nil || p.ID() != "alice" {
		t.Error(p, err)
	}
	released := make(chan struct{})
	defer close(released)
	b.store.Before(func(context.Context, string) { <-released })
	m = manager(20 * time.Millisecond)
	var unavailable *core.UnavailableError
	if _, err := m.Authenticate(t.Context(), request("GET", cookie)); !errors.As(err, &unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a store that hangs: %v", err)
	}
	if _, err := m.Logout(t.Context(), request("POST", cookie)); !errors.As(err, &unavailable) {
		t.Errorf("a logout from a store that hangs: %v", err)
	}
}

// TestHangingStoreCollectsNoGoroutines: requests beyond the limit wait in their own
// goroutine, and give up in time.
func TestHangingStoreCollectsNoGoroutines(t *testing.T) {
	b := newBench(t, session.WithStoreTimeout(authtest.TimeLimit(300*time.Millisecond)))
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
	released := make(chan struct{})
	defer close(released)
	b.store.Before(func(context.Context, string) { <-released })
	before := b.store.Asked("find")
	b.unavailable(t.Context(), session.MaxCalls+200, cookie).Wait()
	if n := b.store.Asked("find") - before; n > session.MaxCalls {
		t.Errorf("%d calls under way, at most %d", n, session.MaxCalls)
	}
}

// TestClientsThatLeaveAHangingStore: disconnected clients whose calls are in progress
// make room for no more.
func TestClientsThatLeaveAHangingStore(t *testing.T) {
	b := newBench(t, session.WithStoreTimeout(time.Minute)) // the maximum
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
	released, called := make(chan struct{}), make(chan struct{}, 2*session.MaxCalls)
	defer close(released)
	b.store.Before(func(context.Context, string) {
		called <- struct{}{}
		<-released
	})
	before := b.store.Asked("find")
	const first = session.MaxCalls/2 + 100
	for _, calls := range []int{first, session.MaxCalls - first} {
		ctx, leave := context.WithCancel(t.Context())
		clients := b.unavailable(ctx, first, cookie)
		for range calls {
			<-called
		}
		leave()
		clients.Wait()
	}
	if n := b.store.Asked("find") - before; n != session.MaxCalls {
		t.Errorf("%d calls under way, want %d", n, session.MaxCalls)
	}
}

// unavailable has clients call the store concurrently without getting an answer.
func (b *bench) unavailable(ctx context.Context, clients int, cookie string) *sync.WaitGroup {
	all := new(sync.WaitGroup)
	for range clients {
		all.Go(func() {
			var unavailable *core.UnavailableError
			if _, err := b.manager.Authenticate(ctx, request("GET", cookie)); !errors.As(err, &unavailable) {
				b.t.Errorf("%v", err)
			}
		})
	}
	return all
}

// TestRequestsThatEnd: a store call continues after its request, so that no connection is
// abandoned, and ends after the time limit.
func TestRequestsThatEnd(t *testing.T) {
	b := newBench(t, session.WithStoreTimeout(authtest.TimeLimit(500*time.Millisecond)))
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice"}), "")
	ctx, leave := context.WithCancel(t.Context())
	left, ended := make(chan error, 1), make(chan error, 1)
	answered := make(chan struct{})
	b.store.Before(func(ctx context.Context, _ string) {
		leave()
		<-answered
		left <- ctx.Err()
		<-ctx.Done()
		ended <- ctx.Err()
	})
	_, err := b.manager.Authenticate(ctx, request("GET", cookie))
	close(answered)
	var unavailable *core.UnavailableError
	if !errors.As(err, &unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("the request ends with %v", err)
	}
	if err := <-left; err != nil {
		t.Errorf("the call ends with its request: %v", err)
	}
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call ends with %v", err)
	}
}
