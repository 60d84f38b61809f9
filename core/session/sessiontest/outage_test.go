package sessiontest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var outageCases = []testCase{
	{"invariant 4 a store that is down is 503 and logs nobody out", storeDown},
	{"invariant 4 a store that hangs is 503", storeHangs},
	{"invariant 4 a store that takes no writes is 503", storeReadOnly},
	{"invariant 4 a store that panics is 500", storePanics},
	{"invariant 6 what the store holds is broken", storeBroken},
}

// everyUse lists all operations that call the store.
var everyUse = []string{
	"GET /me", "POST /me", "GET /public", "GET /admin", "POST /login?user=alice", "POST /logout", "POST /promote", "POST /everywhere",
}

// fails requires every use of the session to be refused like this, without changing the
// browser's cookie.
func (b *browser) fails(status int, code string) {
	b.t.Helper()
	for _, target := range everyUse {
		method, path, _ := strings.Cut(target, " ")
		a := b.send(method, path)
		refused(b.t, target, a, status, code)
		if lines := a.Header.Values("Set-Cookie"); len(lines) > 0 {
			b.t.Fatalf("%s: an outage sets %q", target, lines)
		}
		if strings.Contains(a.Body, "refused") || strings.Contains(a.Body, "panic") {
			b.t.Errorf("%s: the body contains the cause: %s", target, a.Body)
		}
		if e := b.s.events.Last(b.t); e.Status != status || e.Cause == nil {
			b.t.Errorf("%s: event %d %v", target, e.Status, e.Cause)
		}
	}
}

func storeDown(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	s.store.Fail(ErrDown)
	b.fails(http.StatusServiceUnavailable, core.CodeUnavailable)
	s.browser(t).does("GET", "/public", "nobody") // the store need not be called
	s.store.Fail(nil)
	b.is("alice")
}

func storeHangs(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithStoreTimeout(authtest.TimeLimit(200*time.Millisecond)))
	b := s.signedIn(t, "alice")
	released := make(chan struct{})
	s.store.Before(func(context.Context, string) { <-released }) // whatever the context says
	b.fails(http.StatusServiceUnavailable, core.CodeUnavailable)
	close(released)
	s.store.Before(nil)
	// The interrupted logout may have been completed when the store recovered.
	s.signedIn(t, "alice").is("alice")
}

// storeReadOnly: if its use cannot be recorded, a session would end early, so the outage
// would log people out; if its end cannot be recorded, it continues.
func storeReadOnly(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	s.store.Fail(ErrDown, "commit", "delete")
	b.is("alice")
	for _, path := range []string{"/login?user=bob", "/logout", "/promote", "/everywhere"} {
		refused(t, path, b.send("POST", path), http.StatusServiceUnavailable, core.CodeUnavailable)
	}
	s.clock.Advance(2 * noted)
	b.fails(http.StatusServiceUnavailable, core.CodeUnavailable)
	s.store.Fail(nil)
	b.is("alice")
	// The old session could not be ended, so no new one begins.
	before := b.id
	commits := 0
	s.store.Before(func(_ context.Context, verb string) {
		if verb == "commit" {
			commits++
			s.store.Fail(ErrDown, "commit")
		}
	})
	refused(t, "half a login", b.send("POST", "/login?user=bob"), http.StatusServiceUnavailable, core.CodeUnavailable)
	s.store.Before(nil)
	s.store.Fail(nil)
	if b.id != before || commits != 2 {
		t.Errorf("cookie %q for %q after %d writes", b.id, before, commits)
	}
	b.is("alice")
}

func storePanics(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	s.store.Before(func(context.Context, string) { panic("no connection") })
	b.fails(http.StatusInternalServerError, core.CodeInternal)
	s.store.Before(nil)
	b.is("alice")
}

// storeBroken: undecodable entries let no one in, only observers learn of the fault, and
// logging in or out overcomes it.
func storeBroken(t *testing.T, f authtest.Framework) {
	for name, damage := range map[string]func([]byte) []byte{
		"empty":      func([]byte) []byte { return nil },
		"cut":        func(data []byte) []byte { return data[:len(data)-1] },
		"no JSON":    func([]byte) []byte { return []byte("\x00\xff") },
		"other type": func(data []byte) []byte { return []byte(strings.Replace(string(data), `"alice"`, `["alice"]`, 1)) },
		"nobody":     func(data []byte) []byte { return []byte(strings.Replace(string(data), `"alice"`, `""`, 1)) },
		"other form": func(data []byte) []byte { return []byte(strings.Replace(string(data), `"v":1`, `"v":2`, 1)) },
		"more fields": func(data []byte) []byte {
			return []byte(strings.Replace(string(data), `"v":1`, `"v":1,"admin":true`, 1))
		},
		"two records": func(data []byte) []byte { return append(data, data...) },
		"endless":     func(data []byte) []byte { return append(data, make([]byte, 1<<20)...) },
	} {
		s := serve(t, f)
		b := s.signedIn(t, "alice")
		s.store.Overwrite(damage)
		for _, path := range []string{"/me", "/public", "/admin"} {
			a := b.send("GET", path)
			refused(t, name+" "+path, a, http.StatusInternalServerError, core.CodeInternal)
		}
		if e := s.events.Last(t); e.PrincipalID != "" || strings.Contains(e.Cause.Error(), "alice") {
			t.Errorf("%s: event for %q: %v", name, e.PrincipalID, e.Cause)
		}
		broken := b.id
		if a := b.send("POST", "/logout"); a.Status != http.StatusNoContent {
			t.Errorf("%s: logout %d", name, a.Status)
		}
		b.isOver(broken, session.ReasonUnknown)
		s.store.Overwrite(damage)
		b.id = broken
		b.login("alice")
		b.is("alice")
	}
}
