package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/session"
)

// TestUseOnce: a failed operation uses nothing up.
func TestUseOnce(t *testing.T) {
	b := newBench(t)
	until := b.clock.Now().Add(time.Minute)
	down := errors.New("down")
	if first, err := b.manager.UseOnce(t.Context(), "token 1", until, func() error { return down }); first || !errors.Is(err, down) {
		t.Errorf("not done: %v, %v", first, err)
	}
	first, err := b.manager.UseOnce(t.Context(), "token 1", until, func() error {
		var busy *core.UnavailableError
		if again, err := b.manager.UseOnce(t.Context(), "token 1", until, func() error { return nil }); again || !errors.As(err, &busy) {
			t.Errorf("at the same time: %v, %v", again, err)
		}
		return nil
	})
	if !first || err != nil {
		t.Errorf("done: %v, %v", first, err)
	}
	if first, err := b.manager.UseOnce(t.Context(), "token 1", until, nil); first || err != nil {
		t.Errorf("again: %v, %v", first, err)
	}
}

// TestAuthTimeOfLogin: a sign-in at another server has the time that this server gives,
// or none.
func TestAuthTimeOfLogin(t *testing.T) {
	b := newBench(t)
	now := b.clock.Now()
	for _, at := range []time.Time{{}, now.Add(-8 * time.Hour).Truncate(time.Second)} {
		p := principal(t, core.PrincipalInfo{ID: "alice", AuthTime: now})
		fields, err := b.manager.Login(t.Context(), request("POST", ""), p, session.WithAuthenticatedAt(at))
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.manager.Authenticate(t.Context(), request("GET", cookieFrom(t, fields)))
		if err != nil || !got.AuthTime().Equal(at) {
			t.Errorf("%v, want %v; %v", got.AuthTime(), at, err)
		}
	}
}
