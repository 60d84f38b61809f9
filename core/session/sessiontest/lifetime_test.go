package sessiontest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

// The defaults of package session.
const (
	idle        = 30 * time.Minute
	absolute    = 12 * time.Hour
	noted       = time.Minute
	replacedFor = time.Minute
)

var lifetimeCases = []testCase{
	{"F08 a logout ends the session on the server", logout},
	{"F08 only a POST logs out", logoutMethods},
	{"F08 a logout may lead to a page", logoutRedirect},
	{"F08 a logout everywhere ends every session", logoutEverywhere},
	{"F08 a request in flight brings no session back", inFlight},
	{"F08 idle timeout", idleTimeout},
	{"F08 absolute timeout", absoluteTimeout},
	{"F08 use is noted once in a while", throttled},
}

func logout(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b, other := s.signedIn(t, "alice"), s.signedIn(t, "alice")
	id := b.id
	if a := b.send("POST", "/logout"); a.Status != http.StatusNoContent || a.Body != "" || b.id != "" {
		t.Errorf("logout: %d %q, cookie %q", a.Status, a.Body, b.id)
	}
	if n := len(s.store.Keys()); n != 2 {
		t.Errorf("%d entries in the store for one session and the mark of an ended one", n)
	}
	b.isOver(id, session.ReasonUnknown)
	other.is("alice")
	for what, cookie := range map[string]string{"twice": id, "nobody": ""} {
		b.id = cookie
		if a := b.send("POST", "/logout"); a.Status != http.StatusNoContent || (cookieOf(a) != nil) != (cookie != "") {
			t.Errorf("%s: %d %v", what, a.Status, a.Header)
		}
	}
}

func logoutMethods(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	a := b.send("GET", "/logout")
	if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" || cookieOf(a) != nil {
		t.Errorf("GET: %d %v", a.Status, a.Header)
	}
	b.is("alice")
}

func logoutRedirect(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithLogoutRedirect("/bye"))
	b := s.signedIn(t, "alice")
	id := b.id
	if a := b.send("POST", "/logout"); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/bye" || b.id != "" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	b.isOver(id, session.ReasonUnknown)
}

func logoutEverywhere(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	var alices []*browser
	for range 5 {
		alices = append(alices, s.signedIn(t, "alice"))
	}
	bob := s.signedIn(t, "bob")
	commits := s.store.Asked("commit")
	alices[0].does("POST", "/everywhere", "done")
	if n := s.store.Asked("commit") - commits; n != 1 {
		t.Errorf("%d writes for 5 sessions, want 1", n)
	}
	for _, b := range alices {
		b.isOver(b.id, core.ReasonRevoked)
	}
	bob.is("bob")
	again := s.signedIn(t, "alice")
	again.is("alice")
	again.does("POST", "/promote", "done")
	again.does("GET", "/me", "alice user admin")
	// It applies for as long as an earlier session could have lived.
	s.clock.Advance(absolute - time.Second)
	s.browser(t).isOver(alices[1].id, core.ReasonRevoked)
	again.login("alice")
	s.clock.Advance(2 * time.Second)
	again.is("alice")
}

// inFlight: a request records the session's use while it is logged out.
func inFlight(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithStoreTimeout(time.Minute))
	b := s.signedIn(t, "alice")
	id := b.id
	s.clock.Advance(2 * noted)
	reached, released := make(chan struct{}), make(chan struct{})
	var held atomic.Bool
	s.store.Before(func(_ context.Context, verb string) {
		if verb == "commit" && held.CompareAndSwap(false, true) {
			close(reached)
			<-released
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { (&browser{t: t, s: s, id: id}).is("alice") })
	<-reached
	if a := b.send("POST", "/logout"); a.Status != http.StatusNoContent {
		t.Errorf("logout: %d", a.Status)
	}
	close(released)
	wg.Wait()
	b.isOver(id, session.ReasonUnknown)
}

func idleTimeout(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	for range 10 { // use keeps it alive
		s.clock.Advance(idle - noted - time.Second)
		b.is("alice")
	}
	s.clock.Advance(idle - time.Second)
	b.is("alice")
	s.clock.Advance(idle)
	b.isOver(b.id, session.ReasonIdle)
	s.clock.Advance(-2 * noted)
	unused := s.signedIn(t, "bob")
	s.clock.Advance(idle)
	b.isOver(unused.id, session.ReasonIdle)
}

func absoluteTimeout(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithIdleTimeout(absolute))
	b := s.signedIn(t, "alice")
	s.clock.Advance(absolute - time.Second)
	b.is("alice")
	s.clock.Advance(time.Second)
	b.isOver(b.id, session.ReasonUnknown) // the store has deleted it
	if c := cookieOf(b.send("GET", "/public")); c == nil || c.MaxAge >= 0 {
		t.Error("the cookie stays in the browser")
	}
	b.does("GET", "/public", "nobody")
}

func throttled(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	writes := s.store.Asked("commit")
	for range 100 {
		b.is("alice")
		s.clock.Advance(3 * time.Second)
	}
	if n := s.store.Asked("commit") - writes; n != 4 {
		t.Errorf("%d writes in 5 minutes, want 4", n)
	}
	reads := s.store.Asked("find")
	b.is("alice")
	if n := s.store.Asked("find") - reads; n > 3 {
		t.Errorf("%d reads for a request, at most 3 are promised", n)
	}
}
