package sessiontest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var formCases = []testCase{
	{"a form signs in and leads back", formLeadsBack},
	{"a script signs in by JSON", formJSON},
	{"a wrong form leads to the form again, and is an event", formWrong},
	{"attack: open redirect by a form", formRedirect},
	{"attack: login by another site's form", formCrossSite},
	{"attack: guessing by a form", formLimited},
	{"attack: fixation of a form's session", formFixation},
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

// leads requires 303 to a page, uncacheable.
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

func formWrong(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	for _, tt := range []struct {
		fields url.Values
		reason core.Reason
		to     string
	}{
		{credentials("alice", "wrong"), core.ReasonWrongSecret, ""},
		{credentials("nobody", "right"), core.ReasonUnknownPrincipal, ""},
		{credentials("", "right"), core.ReasonMalformed, ""},
		{url.Values{"theme": {"dark"}}, core.ReasonMalformed, ""},
		{credentials("alice", "wrong", "return_to", "/reports/7?tab=a"), core.ReasonWrongSecret, "&return_to=%2Freports%2F7%3Ftab%3Da"},
	} {
		b := s.browser(t)
		leads(t, tt.fields.Encode(), b.enter(tt.fields), "/login?error=invalid_credentials"+tt.to)
		e := s.events.Last(t)
		if b.id != "" || e.Gate != "sign_in" || e.Outcome != core.OutcomeUnauthenticated || e.Reason != tt.reason || e.PrincipalID != "" {
			t.Errorf("%s: cookie %q, event %+v", tt.fields.Encode(), b.id, e)
		}
	}
	refused(t, "an outage", s.browser(t).enter(credentials("alice", "outage")), http.StatusServiceUnavailable, core.CodeUnavailable)
	refused(t, "text", s.browser(t).enterWith("text/plain", "user=alice&password=right"), http.StatusUnauthorized, core.CodeInvalidCredentials)
	refused(t, "two users", s.browser(t).enterWith("application/x-www-form-urlencoded", "user=alice&user=bob&password=right"), http.StatusBadRequest, core.CodeInvalidRequest)
}

func formRedirect(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	for _, evil := range []string{
		"https://evil.example", "//evil.example", "/\\evil.example", "/%5cevil.example", "/..//evil.example", "javascript:alert(1)", "\t//evil.example",
		"/a\r\nSet-Cookie: x=y", "/%2F/evil.example", "http:evil.example", "@evil.example",
	} {
		leads(t, evil, s.browser(t).enter(credentials("alice", "right", "return_to", evil)), "/")
		leads(t, evil, s.browser(t).enter(credentials("alice", "wrong", "return_to", evil)), "/login?error=invalid_credentials")
	}
}

func formCrossSite(t *testing.T, f authtest.Framework) {
	l := &limiter{}
	s := serve(t, f, session.WithAnswers(core.WithAttemptLimiter(l)))
	for line, bad := range matrix {
		b := s.browser(t)
		a := b.enter(credentials("alice", "right"), line)
		if !bad {
			leads(t, line, a, "/")
			continue
		}
		refused(t, line, a, http.StatusForbidden, core.CodeCrossSite)
		if b.id != "" {
			t.Errorf("%s: cookie %q", line, b.id)
		}
	}
	if heard := l.all(); strings.Count(heard, "allow") != strings.Count(heard, "<nil>") {
		t.Errorf("the limiter heard %q", heard)
	}
}

func formLimited(t *testing.T, f authtest.Framework) {
	l := &limiter{refuse: "locked"}
	s := serve(t, f, session.WithAnswers(core.WithAttemptLimiter(l)))
	for _, password := range []string{"right", "wrong"} {
		a := s.browser(t).enter(credentials("locked", password))
		if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "60" || a.Header.Get("Location") != "" || s.verified.Load() != 0 {
			t.Errorf("%s: %d %v, %d passwords verified", password, a.Status, a.Header, s.verified.Load())
		}
	}
	s.browser(t).enter(credentials("alice", "wrong"))
	if want := "allow locked; allow locked; allow alice; alice: wrong_secret: wrong password"; l.all() != want {
		t.Errorf("the limiter heard %q, want %q", l.all(), want)
	}
}

func formFixation(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	mallory := s.signedIn(t, "mallory")
	b := s.browser(t)
	b.id = mallory.id
	leads(t, "a planted cookie", b.enter(credentials("alice", "right")), "/")
	if b.id == mallory.id {
		t.Error("the planted session goes on")
	}
	b.is("alice")
	b.isOver(mallory.id, session.ReasonReplaced)
}
