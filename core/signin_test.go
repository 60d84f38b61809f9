package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// browserBasic is a scheme with passwords, which a browser adds by itself.
type browserBasic struct{ guessable }

func (b browserBasic) Scheme() core.Scheme {
	s := b.guessable.Scheme()
	s.Sender = core.SentByBrowser
	return s
}

// attackPages are requests that a page of another site makes a browser send.
var attackPages = map[string][]string{
	"fetch metadata":   {"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"},
	"a sibling domain": {"Sec-Fetch-Site: same-site"},
	"an old browser":   {"Origin: https://evil.example"},
	"a sandbox":        {"Origin: null"},
	"two origins":      {"Origin: https://evil.example", "Origin: https://example.com"},
	"a WebSocket":      {"Upgrade: websocket", "Origin: https://evil.example"},
}

// What another site causes is refused unseen: nothing is counted, and the answer
// is the same for a right password as for a wrong one.
func TestAnotherSitesAttemptIsNotLookedAt(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for name, lines := range attackPages {
			s, l := newScheme(t, "Basic"), &limiter{}
			g, o := newGuard(t, []core.Authenticator{browserBasic{guessable{s}}}, core.WithAttemptLimiter(l))
			var first core.Verdict
			for i, password := range []string{"alice", "wrong", "expired", "down", "panic", "ambiguous"} {
				r := get("/", append(lines, "Authorization: Basic "+password)...).with(method)
				v := mounted(t)(g.Optional()).Check(t.Context(), r)
				if i == 0 {
					first = v
				}
				if v.Response == nil || v.Response.Status != http.StatusForbidden || !reflect.DeepEqual(v.Response, first.Response) {
					t.Errorf("%s, %s, %s: %+v, want %+v", method, name, password, v.Response, first.Response)
				}
				if e := o.last(t); e.Reason != core.ReasonCrossSite || e.PrincipalID != "" || e.Scheme != "Basic" {
					t.Errorf("%s, %s, %s: %+v", method, name, password, e)
				}
			}
			if s.asked != 0 || len(l.asked) != 0 || len(l.reports) != 0 {
				t.Errorf("%s, %s: looked at %d passwords, asked %q, told %q", method, name, s.asked, l.asked, l.reports)
			}
		}
	}
}

// passwords is a verifier of forms, and counts what it is asked.
type passwords struct {
	asked int
	known *core.Principal
}

func (p *passwords) verifier(password string) func(context.Context) (*core.Principal, error) {
	return func(context.Context) (*core.Principal, error) {
		p.asked++
		switch password {
		case "right":
			return p.known, nil
		case "down":
			return nil, errDown
		case "panic":
			panic("secret detail")
		case "nothing":
			return nil, nil
		case "none":
			return nil, core.ErrNoCredentials
		}
		return nil, &core.CredentialError{Reason: core.ReasonWrongSecret, Err: errors.New("secret detail")}
	}
}

func TestSignIn(t *testing.T) {
	known := newPrincipal(t, core.PrincipalInfo{ID: "alice"})
	for _, tt := range []struct {
		name, method, password string
		lines                  []string
		refusal                error
		status                 int
		outcome                core.Outcome
		reason                 core.Reason
		asked                  int
		told                   string
	}{
		{name: "right", password: "right", status: 0, outcome: core.OutcomeAllowed, reason: core.ReasonAllowed, asked: 1, told: "[alice: <nil>]"},
		{name: "wrong", password: "wrong", status: 401, outcome: core.OutcomeUnauthenticated, reason: core.ReasonWrongSecret, asked: 1,
			told: "[alice: wrong_secret: secret detail]"},
		{name: "empty", password: "none", status: 401, outcome: core.OutcomeUnauthenticated, reason: core.ReasonNoCredentials, asked: 1, told: "[alice: no credentials]"},
		{name: "an outage", password: "down", status: 503, outcome: core.OutcomeUnavailable, reason: core.ReasonUnavailable, asked: 1,
			told: fmt.Sprintf("[alice: %v]", errDown)},
		{name: "a panic", password: "panic", status: 500, outcome: core.OutcomeError, reason: core.ReasonPanic, asked: 1,
			told: "[alice: internal error: the attempt ended in a panic]"},
		{name: "nobody", password: "nothing", status: 500, outcome: core.OutcomeError, reason: core.ReasonInternal, asked: 1,
			told: "[alice: internal error: the attempt returned neither principal nor error]"},
		{name: "limited", password: "right", refusal: &core.LimitError{Err: errors.New("7 failures")}, status: 429,
			outcome: core.OutcomeLimited, reason: core.ReasonTooManyAttempts, told: "[]"},
		{name: "limited by another site", password: "right", lines: attackPages["fetch metadata"], refusal: &core.LimitError{Err: errors.New("7 failures")},
			status: 403, outcome: core.OutcomeForbidden, reason: core.ReasonCrossSite, told: "[]"},
		{name: "GET", method: "GET", password: "right", status: 500, outcome: core.OutcomeError, reason: core.ReasonInternal, told: "[]"},
		{name: "HEAD", method: "HEAD", password: "right", status: 500, outcome: core.OutcomeError, reason: core.ReasonInternal, told: "[]"},
		{name: "a preflight", method: "OPTIONS", lines: []string{"Origin: https://evil.example", "Access-Control-Request-Method: POST"},
			status: 500, outcome: core.OutcomeError, reason: core.ReasonInternal, told: "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, verifier := &limiter{refusal: tt.refusal}, &passwords{known: known}
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAttemptLimiter(l))
			if tt.method == "" {
				tt.method = "POST"
			}
			p, v := g.SignIn(t.Context(), get("/login", tt.lines...).with(tt.method), "alice", verifier.verifier(tt.password))
			if status := statusOf(v); status != tt.status || (p == known) != (tt.status == 0) || (p == nil) != (tt.status != 0) {
				t.Errorf("status %d and principal %v, want %d", status, p, tt.status)
			}
			if tt.status == 401 {
				wantFields(t, v.Response.Fields, "WWW-Authenticate", `Basic realm="test"`)
			}
			e := o.last(t)
			if e.Gate != "sign_in" || e.Outcome != tt.outcome || e.Reason != tt.reason || e.Resource != "/login" || (e.PrincipalID == "alice") != (tt.status == 0) {
				t.Errorf("event %+v", e)
			}
			if len(o.events) != 1 || verifier.asked != tt.asked || fmt.Sprint(l.reports) != tt.told {
				t.Errorf("%d events, %d passwords looked at, told %q, want 1, %d, %s", len(o.events), verifier.asked, l.reports, tt.asked, tt.told)
			}
		})
	}
}

// TestAnotherSitesSignInDoesNotDependOnThePassword: status, fields and body are
// the same, and nothing is counted.
func TestAnotherSitesSignInDoesNotDependOnThePassword(t *testing.T) {
	for name, lines := range attackPages {
		if name == "a WebSocket" {
			continue // no form
		}
		l, verifier := &limiter{}, &passwords{known: newPrincipal(t, core.PrincipalInfo{ID: "alice"})}
		g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAttemptLimiter(l))
		var first core.Verdict
		for i, password := range []string{"right", "wrong", "none", "down", "panic"} {
			_, v := g.SignIn(t.Context(), get("/login", lines...).with("POST"), "alice", verifier.verifier(password))
			if i == 0 {
				first = v
			}
			if statusOf(v) != http.StatusForbidden || !reflect.DeepEqual(v.Response, first.Response) {
				t.Errorf("%s, %s: %+v, want %+v", name, password, v.Response, first.Response)
			}
		}
		if verifier.asked != 0 || len(l.asked) != 0 || len(l.reports) != 0 {
			t.Errorf("%s: looked at %d passwords, asked %q, told %q", name, verifier.asked, l.asked, l.reports)
		}
	}
}

// A trusted origin may post the form.
func TestSignInFromATrustedOrigin(t *testing.T) {
	verifier := &passwords{known: newPrincipal(t, core.PrincipalInfo{ID: "alice"})}
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithTrustedOrigins("https://front.example"))
	p, v := g.SignIn(t.Context(), get("/login", "Origin: https://front.example", "Sec-Fetch-Site: cross-site").with("POST"), "", verifier.verifier("right"))
	if p == nil || v.Response != nil || v.Context == nil {
		t.Errorf("%v, %+v", p, v)
	}
}

// What another server has proved is limited by address alone.
func TestSignInElsewhereIsLimited(t *testing.T) {
	verifier := &passwords{known: newPrincipal(t, core.PrincipalInfo{ID: "alice"})}
	l := &limiter{}
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAttemptLimiter(l))
	r := get("/callback", "Sec-Fetch-Site: cross-site")
	if p, v := g.SignInElsewhere(t.Context(), r, verifier.verifier("right")); p == nil || v.Response != nil {
		t.Errorf("%v, %+v", p, v)
	}
	if _, v := g.SignInElsewhere(t.Context(), r, verifier.verifier("wrong")); statusOf(v) != http.StatusUnauthorized {
		t.Errorf("%+v, want 401", v.Response)
	}
	l.refusal = &core.LimitError{Err: errors.New("7 failures")}
	if _, v := g.SignInElsewhere(t.Context(), r, verifier.verifier("right")); statusOf(v) != http.StatusTooManyRequests || verifier.asked != 2 {
		t.Errorf("%+v after %d attempts, want 429 after 2", v.Response, verifier.asked)
	}
	if want := []string{"", "", ""}; !reflect.DeepEqual(l.asked, want) {
		t.Errorf("asked for %q", l.asked)
	}
	if want := []string{": <nil>", ": wrong_secret: secret detail"}; !reflect.DeepEqual(l.reports, want) {
		t.Errorf("told %q, want %q", l.reports, want)
	}
}
