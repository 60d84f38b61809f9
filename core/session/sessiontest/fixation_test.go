package sessiontest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var fixationCases = []testCase{
	{"F07 the id changes at login", rotatedAtLogin},
	{"F07 an id that nobody issued is never adopted", notAdopted},
	{"F07 the id changes with the roles", rotatedWithRoles},
	{"F07 the id changes at step-up", rotatedAtStepUp},
}

// rotatedAtLogin: an attacker who knows the id from before the login, perhaps of the
// attacker's own session, gains nothing from it afterwards.
func rotatedAtLogin(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "mallory")
	before := b.id
	if b.login("alice") == before {
		t.Fatal("the id is the same after the login")
	}
	b.is("alice")
	b.isOver(before, session.ReasonReplaced)
	s.clock.Advance(2 * replacedFor)
	b.isOver(before, session.ReasonUnknown)
	b.is("alice")
}

func notAdopted(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	planted := strings.Repeat("A", 43)
	s.browser(t).isOver(planted, session.ReasonUnknown)
	b := s.browser(t)
	b.id = planted
	if b.login("alice") == planted {
		t.Fatal("login adopted an id from the client")
	}
	b.is("alice")
	s.browser(t).isOver(planted, session.ReasonUnknown)
	if n := len(s.store.Keys()); n != 1 {
		t.Errorf("%d entries in the store for one session", n)
	}
	// Nor does logging out or rotating with such an id make it a session.
	for _, target := range []string{"/logout", "/promote"} {
		b.id = planted
		b.send("POST", target)
		s.browser(t).isOver(planted, session.ReasonUnknown)
	}
}

func rotatedWithRoles(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	before := b.id
	refused(t, "before", b.send("GET", "/admin"), http.StatusForbidden, core.CodeForbidden)
	b.does("POST", "/promote", "done")
	if b.id == before {
		t.Fatal("the id is the same with other roles")
	}
	b.does("GET", "/admin", "alice user admin")
	b.isOver(before, session.ReasonReplaced)
	// Rotation does not extend a session for ever.
	for range 39 {
		s.clock.Advance(absolute / 40)
		b.does("POST", "/promote", "done")
	}
	s.clock.Advance(absolute / 40)
	b.isOver(b.id, session.ReasonUnknown)
}

// rotatedAtStepUp: RFC 9470 §3 for sessions: 401 with the requirement, then a login, then
// another id.
func rotatedAtStepUp(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	before := b.id
	b.does("GET", "/sensitive", "alice user")
	s.clock.Advance(2 * stepUpAge)
	a := b.send("GET", "/sensitive")
	refused(t, "old login", a, http.StatusUnauthorized, core.CodeStepUp)
	if line := a.Header.Get("WWW-Authenticate"); !strings.Contains(line, `error="insufficient_user_authentication", max_age="300"`) {
		t.Errorf("challenge %s", line)
	}
	if cookieOf(a) != nil {
		t.Error("the session was ended")
	}
	b.is("alice")
	b.login("alice")
	b.does("GET", "/sensitive", "alice user")
	b.isOver(before, session.ReasonReplaced)
}
