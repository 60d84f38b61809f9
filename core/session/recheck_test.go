package session_test

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/session"
)

// TestRecheck: an open connection does not keep a session alive, and ends with it.
func TestRecheck(t *testing.T) {
	b := newBench(t, session.WithIdleTimeout(30*time.Minute))
	g, err := core.NewGuard([]core.Authenticator{b.manager}, core.WithRecheck())
	if err != nil {
		t.Fatal(err)
	}
	gate, err := g.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	alice := principal(t, core.PrincipalInfo{ID: "alice"})
	idle, out := b.login(alice, ""), b.login(alice, "")
	busy := gate.Check(t.Context(), request("GET", idle))
	left := gate.Check(t.Context(), request("GET", out))
	for range 5 {
		b.clock.Advance(6*time.Minute - time.Second)
		if err := core.Recheck(busy.Context); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.manager.Logout(t.Context(), request("POST", out)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		verdict core.Verdict
		reason  core.Reason
	}{"idle": {busy, session.ReasonIdle}, "logged out": {left, session.ReasonUnknown}} {
		if name == "idle" {
			b.clock.Advance(10 * time.Second)
		}
		d, _ := core.Recheck(tt.verdict.Context).(*core.Denial)
		if d == nil || d.Kind != core.Unauthenticated || d.Reason != tt.reason {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
