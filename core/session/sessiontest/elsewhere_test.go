package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var elsewhereCases = []testCase{
	{"a sign-in elsewhere leads back", elsewhereLeadsBack},
	{"a logout elsewhere ends a group of sessions", elsewhereEnded},
	{"a sign-in elsewhere that failed leads to the sign-in page, and is an event", elsewhereFailed},
	{"attack: flooding with sign-ins elsewhere", elsewhereLimited},
	{"attack: fixation by a sign-in elsewhere", elsewhereFixation},
}

// flowCookie stands for package openid's record of a sign-in in progress, kept in the
// browser that began it.
const flowCookie = "flow"

// back is the address to which another server sends browsers back, as in package openid:
// the path ends with the server's name, a cookie shows that the sign-in began here, and
// the answer removes it.
func (s *service) back(ctx context.Context, r core.Request) core.Response {
	to, _ := r.Query("return_to")
	resp := s.manager.SignInElsewhere(ctx, r, to, func(ctx context.Context) (*core.Principal, []session.LoginOption, error) {
		line, _ := r.Header("Cookie")
		flow, n := r.Cookie(flowCookie)
		path, _, _ := strings.Cut(r.Target(), "?")
		user, _ := r.Query("user")
		p, err := s.password(ctx, user, "right")
		if err != nil || n != 1 || flow != "begun" || !strings.Contains(line, "theme=dark") || !strings.HasSuffix(path, "/one") {
			return nil, nil, &core.CredentialError{Reason: core.ReasonWrongSecret, Err: fmt.Errorf("%s, %q, %w", path, line, err)}
		}
		return p, []session.LoginOption{session.WithGroup("group of " + user)}, nil
	})
	resp.Fields = append(slices.Clone(resp.Fields), core.Field{Name: "Set-Cookie", Value: flowCookie + "=; Path=/; Max-Age=0"})
	return resp
}

// ended receives, as a form, the sessions that have ended at another server.
func (s *service) ended(ctx context.Context, r core.Request) core.Response {
	v := s.manager.LogoutElsewhere(ctx, r, func(ctx context.Context) (*core.Principal, error) {
		b, ok := r.(core.BodyReader)
		if !ok {
			return nil, errors.New("the request has no body")
		}
		text, err := io.ReadAll(b.Body())
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(text))
		if err != nil {
			return nil, err
		}
		if err := s.manager.LogoutGroup(ctx, form.Get("group")); err != nil {
			return nil, err
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: form.Get("user"), Scheme: "Elsewhere"})
	})
	if v.Response != nil {
		return *v.Response
	}
	return core.Response{Status: http.StatusOK}
}

// comesBack is the request that another site caused.
func (b *browser) comesBack(query string, more ...string) authtest.Answer {
	b.t.Helper()
	cookies := "Cookie: " + flowCookie + "=begun; theme=dark"
	if b.id != "" {
		cookies += "; " + cookieName + "=" + b.id
	}
	a := authtest.Send(b.t, b.s.addr, authtest.Request("GET", "/back/one?"+query,
		append(more, cookies, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")...))
	if c := cookieOf(a); c != nil {
		b.id = c.Value
	}
	return a
}

func elsewhereLeadsBack(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.browser(t)
	a := b.comesBack("user=alice&return_to=%2Freports%2F7%3Ftab%3Da")
	leads(t, "signed in elsewhere", a, "/reports/7?tab=a")
	if lines := a.Header.Values("Set-Cookie"); len(lines) != 2 || !strings.HasPrefix(lines[1], flowCookie+"=;") {
		t.Errorf("cookies %q, want that of the session and the removal of another one", lines)
	}
	if e := s.events.Last(t); e.Gate != "sign_in" || e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" {
		t.Errorf("event %s %s %q", e.Gate, e.Outcome, e.PrincipalID)
	}
	b.is("alice")
	leads(t, "to another site", s.browser(t).comesBack("user=alice&return_to=%2F%2Fevil.example"), "/")
	if a := b.send("POST", "/back/one?user=alice"); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET" {
		t.Errorf("POST: %d %v", a.Status, a.Header)
	}
}

func elsewhereEnded(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	alice, again, bob := s.browser(t), s.browser(t), s.browser(t)
	alice.comesBack("user=alice")
	again.comesBack("user=alice")
	bob.comesBack("user=bob")
	body := url.Values{"user": {"alice"}, "group": {"group of alice"}}.Encode()
	a := authtest.Send(t, s.addr, authtest.Request("POST", "/ended/one", "Content-Type: application/x-www-form-urlencoded",
		fmt.Sprintf("Content-Length: %d", len(body)))+"\n\n"+body)
	if a.Status != http.StatusOK {
		t.Errorf("%d %q, want 200", a.Status, a.Body)
	}
	if e := s.events.Last(t); e.Gate != "logout" || e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" {
		t.Errorf("event %s %s %q", e.Gate, e.Outcome, e.PrincipalID)
	}
	for _, id := range []string{alice.id, again.id} {
		if got := (&browser{t: t, s: s, id: id}).send("GET", "/me"); got.Status != http.StatusUnauthorized {
			t.Errorf("a session that has ended: %d, want 401", got.Status)
		}
	}
	bob.is("bob")
}

func elsewhereFailed(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.browser(t)
	leads(t, "nobody", b.comesBack("user=nobody&return_to=%2Freports"), "/login?error=invalid_credentials&return_to=%2Freports")
	if e := s.events.Last(t); e.Gate != "sign_in" || e.Outcome != core.OutcomeUnauthenticated || e.Reason != core.ReasonWrongSecret || b.id != "" {
		t.Errorf("event %s %s %s, session %q", e.Gate, e.Outcome, e.Reason, b.id)
	}
}

func elsewhereLimited(t *testing.T, f authtest.Framework) {
	l := &limiter{refuse: "an account"}
	s := serve(t, f, session.WithAnswers(core.WithAttemptLimiter(l)))
	s.browser(t).comesBack("user=nobody")
	if got := l.all(); !strings.HasPrefix(got, "allow ; : wrong_secret: ") {
		t.Errorf("the limiter heard %q", got)
	}
	s = serve(t, f, session.WithAnswers(core.WithAttemptLimiter(new(limiter)))) // refuses attempts without an account
	a := s.browser(t).comesBack("user=alice")
	if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "60" || a.Header.Get("Location") != "" || s.verified.Load() != 0 {
		t.Errorf("%d %v, %d verified, want 429 and none", a.Status, a.Header, s.verified.Load())
	}
}

func elsewhereFixation(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	mallory := s.signedIn(t, "mallory")
	b := s.browser(t)
	b.id = mallory.id
	leads(t, "a planted cookie", b.comesBack("user=alice"), "/")
	if b.id == mallory.id {
		t.Error("the planted session goes on")
	}
	b.is("alice")
	b.isOver(mallory.id, session.ReasonReplaced)
}
