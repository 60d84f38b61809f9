package sessiontest

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var formCases = []testCase{
	{"a form signs in and leads back", formLeadsBack},
	{"a script signs in by JSON", formJSON},
}

// enter posts a form to the login endpoint.
func (b *browser) enter(fields url.Values, header ...string) authtest.Answer {
	b.t.Helper()
	return b.enterWith("application/x-www-form-urlencoded", fields.Encode(), header...)
}

func (b *browser) enterWith(media, body string, header ...string) authtest.Answer {
	b.t.Helper()
	if b.id != "" {
		header = append(header, "Cookie: "+cookieName+"="+b.id)
	}
	header = append(header, "Content-Type: "+media, fmt.Sprintf("Content-Length: %d", len(body)))
	a := authtest.Send(b.t, b.s.addr, authtest.Request("POST", "/enter", header...)+"\n\n"+body)
	if c := cookieOf(a); c != nil {
		b.id = c.Value
	}
	return a
}

func credentials(user, password string, more ...string) url.Values {
	v := url.Values{"user": {user}, "password": {password}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// leads wants 303 to a page, which no cache keeps.
func leads(t testing.TB, what string, a authtest.Answer, to string) {
	t.Helper()
	if a.Status != http.StatusSeeOther || a.Header.Get("Location") != to || a.Header.Get("Cache-Control") != "no-store" || a.Body != "" {
		t.Errorf("%s: %d %v %q, want 303 to %s", what, a.Status, a.Header, a.Body, to)
	}
}

func formLeadsBack(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithSignInRedirect("/account"))
	for from, to := range map[string]string{"": "/account", "/": "/account", "/reports/7?tab=a": "/reports/7?tab=a"} {
		b := s.browser(t)
		leads(t, from, b.enter(credentials("alice", "right", "return_to", from)), to)
		b.is("alice")
	}
	if a := authtest.Send(t, s.addr, authtest.Request("GET", "/enter?user=alice&password=right")); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", a.Status, a.Header)
	}
	b := serve(t, f).browser(t)
	leads(t, "by default", b.enter(credentials("alice", "right")), "/")
}

func formJSON(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.browser(t)
	a := b.enterWith("application/json", `{"user":"alice","password":"right","return_to":"/reports"}`)
	if a.Status != http.StatusNoContent || a.Header.Get("Location") != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	b.is("alice")
	for _, body := range []string{`{"user":"alice","password":"wrong"}`, `{"user":"alice"}`, `{"user":"alice","password":7}`, `{`} {
		refused(t, body, s.browser(t).enterWith("application/json", body), http.StatusUnauthorized, core.CodeInvalidCredentials)
	}
}
