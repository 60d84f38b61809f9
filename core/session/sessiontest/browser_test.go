package sessiontest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/session"
)

// browser holds the session cookie of one user.
type browser struct {
	t  testing.TB
	s  *service
	id string // the cookie's value, "" for none
}

func (s *service) browser(t testing.TB) *browser { return &browser{t: t, s: s} }

// signedIn returns a browser whose user has logged in.
func (s *service) signedIn(t testing.TB, user string) *browser {
	t.Helper()
	b := s.browser(t)
	b.login(user)
	return b
}

// send sends a request with the cookie, and keeps the one in the answer.
func (b *browser) send(method, target string, header ...string) authtest.Answer {
	b.t.Helper()
	if b.id != "" {
		header = append(header, "Cookie: theme=dark; "+cookieName+"="+b.id)
	}
	if method != http.MethodGet {
		header = append(header, "Content-Length: 0")
	}
	a := authtest.Send(b.t, b.s.addr, authtest.Request(method, target, header...))
	if c := cookieOf(a); c != nil {
		b.id = c.Value
	}
	return a
}

// login logs user in and returns the new id.
func (b *browser) login(user string) string {
	b.t.Helper()
	a := b.send("POST", "/login?user="+user)
	if a.Status != http.StatusOK || b.id == "" {
		b.t.Fatalf("login: %d %q, cookie %q", a.Status, a.Body, b.id)
	}
	return b.id
}

// does requires a request to target to succeed with body.
func (b *browser) does(method, target, body string) authtest.Answer {
	b.t.Helper()
	a := b.send(method, target)
	if a.Status != http.StatusOK || a.Body != body {
		b.t.Errorf("%s %s: %d %q, want %q", method, target, a.Status, a.Body, body)
	}
	return a
}

// is requires the session to belong to user.
func (b *browser) is(user string) {
	b.t.Helper()
	b.does("GET", "/me", user+" user")
}

// isOver requires the id to be refused with 401, for reason, and the browser's cookie to
// be removed.
func (b *browser) isOver(id string, reason core.Reason) {
	b.t.Helper()
	a := (&browser{t: b.t, s: b.s, id: id}).send("GET", "/me")
	refused(b.t, "GET /me", a, http.StatusUnauthorized, core.CodeInvalidCredentials)
	if e := b.s.events.Last(b.t); e.Reason != reason || e.PrincipalID != "" {
		b.t.Errorf("event %s for %q, want %s", e.Reason, e.PrincipalID, reason)
	}
	c := cookieOf(a)
	switch {
	case reason == session.ReasonReplaced:
		if c != nil {
			b.t.Errorf("the cookie of a replaced id is removed: %v", c)
		}
	case c == nil || c.MaxAge >= 0 || c.Value != "":
		b.t.Errorf("the cookie is not removed: %v", a.Header["Set-Cookie"])
	}
}

// cookieOf returns the session cookie that an answer sets, or nil.
func cookieOf(a authtest.Answer) *http.Cookie {
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if strings.HasSuffix(c.Name, "session") {
			return c
		}
	}
	return nil
}

// refused requires a denial in the form of every adapter.
func refused(t testing.TB, what string, a authtest.Answer, status int, code string) {
	t.Helper()
	var body struct {
		Error string `json:"error"`
	}
	err := json.Unmarshal([]byte(a.Body), &body)
	if a.Status != status || err != nil || body.Error != code {
		t.Errorf("%s: %d %q, want %d %s", what, a.Status, a.Body, status, code)
	}
	if v := a.Header.Get("Cache-Control"); v != "no-store" {
		t.Errorf("%s: Cache-Control %q", what, v)
	}
	if v := a.Header.Get("Vary"); v != "Cookie" {
		t.Errorf("%s: Vary %q", what, v)
	}
	if (status == http.StatusServiceUnavailable) != (a.Header.Get("Retry-After") != "") {
		t.Errorf("%s: Retry-After %q", what, a.Header.Get("Retry-After"))
	}
	lines := a.Header.Values("WWW-Authenticate")
	if status != http.StatusUnauthorized {
		if len(lines) > 0 {
			t.Errorf("%s: challenges %q on %d", what, lines, status)
		}
		return
	}
	cs, err := challenge.Parse(strings.Join(lines, ", "))
	if err != nil || len(cs) != 1 || cs[0].Scheme() != "Session" {
		t.Fatalf("%s: challenges %q: %v", what, lines, err)
	}
	realm, _ := cs[0].Param("realm")
	if login, _ := cs[0].Param("login"); realm != "shop" || login != "/login" {
		t.Errorf("%s: challenge %s", what, cs[0])
	}
}
