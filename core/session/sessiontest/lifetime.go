package sessiontest

import (
	"net/http"
	"testing"
	"time"

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
}

func logout(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b, other := s.signedIn(t, "alice"), s.signedIn(t, "alice")
	id := b.id
	if a := b.send("POST", "/logout"); a.Status != http.StatusNoContent || a.Body != "" || b.id != "" {
		t.Errorf("logout: %d %q, cookie %q", a.Status, a.Body, b.id)
	}
	if n := len(s.store.Keys()); n != 2 {
		t.Errorf("%d entries in the store for a session that is left and the mark of one that has ended", n)
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
