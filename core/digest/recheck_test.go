package digest

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestRecheck: count and nonce belong to the request that opened the connection, and are
// used and stale at a recheck. Only the user and password are checked then.
func TestRecheck(t *testing.T) {
	c := newClock()
	store := storeOf(t, false, "bob")
	a := mustNew(t, store, WithClock(c.now))
	g, err := core.NewGuard([]core.Authenticator{a}, core.WithRecheck())
	if err != nil {
		t.Fatal(err)
	}
	gate, err := g.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/door?a=1", nil)
	r.Header.Set("Authorization", answers(t, a, SHA256).String())
	v := gate.Check(t.Context(), httpauth.Request(r))
	if v.Response != nil {
		t.Fatalf("%+v", v.Denial)
	}
	c.advance(24 * time.Hour)
	if err := core.Recheck(v.Context); err != nil {
		t.Errorf("a day later: %v", err)
	}
	if again := gate.Check(t.Context(), httpauth.Request(r)); again.Response == nil {
		t.Error("the answer opens a second connection")
	}
	a.store = storeOf(t, false, "carol")
	if err := core.Recheck(v.Context); err == nil {
		t.Error("the user is gone")
	}
}
