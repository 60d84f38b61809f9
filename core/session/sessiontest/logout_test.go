package sessiontest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var lifetimeSemantics = []testCase{
	{"F08 only a POST logs out", logoutMethods},
	{"F08 a logout may lead to a page", logoutRedirect},
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
