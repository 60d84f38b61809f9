package authtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/rule"
)

var introspectCases = []testCase{
	{"active tokens pass, others are 401", introspectTokens},
	{"B18 a token bound to a key is no Bearer token", introspectBound},
	{"E29 a kept answer is judged by each rule and by the time", introspectKept},
	{"invariant 4 a server that cannot be asked is 503", introspectOutage},
}

// server is an introspection endpoint that knows the tokens alice, bob and bound, and fails
// while down is not 0.
type server struct {
	*httptest.Server
	asked, down atomic.Int64
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if status := int(s.down.Load()); status != 0 {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		return
	}
	const active = `{"active":true,"iss":"https://issuer.example/realm","exp":%d,"sub":%q%s}`
	w.Header().Set("Content-Type", "application/json")
	switch token := r.FormValue("token"); token {
	case "alice":
		fmt.Fprintf(w, active, introspectStart.Add(20*time.Second).Unix(), token, `,"aud":"api","scope":"read write","roles":["admin"]`)
	case "bob":
		fmt.Fprintf(w, active, introspectStart.Add(time.Hour).Unix(), token, `,"aud":["other","api"],"scope":"read"`)
	case "bound":
		fmt.Fprintf(w, active, introspectStart.Add(time.Hour).Unix(), token, `,"aud":"api","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`)
	case "elsewhere":
		fmt.Fprintf(w, active, introspectStart.Add(time.Hour).Unix(), token, `,"aud":"other"`)
	case "garbage":
		fmt.Fprint(w, `{"active":"true"}`)
	default:
		fmt.Fprint(w, `{"active":false}`)
	}
}

var introspectStart = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// introspectDoor returns a door for a server's tokens, and a function that advances its
// clock.
func introspectDoor(t *testing.T, f Framework, s *server, rules ...core.Authorizer) (*door, *Recorder, *atomic.Int64) {
	t.Helper()
	passed := new(atomic.Int64)
	v, err := introspect.New(s.URL, introspect.Secret("me", "secret"), introspect.WithIssuer(issuer), introspect.WithAudience("api"),
		introspect.WithClock(func() time.Time { return introspectStart.Add(time.Duration(passed.Load())) }))
	if err != nil {
		t.Fatal(err)
	}
	a, err := bearer.New("r", v)
	if err != nil {
		t.Fatal(err)
	}
	g, rec := guardOf(t, []core.Authenticator{a})
	if len(rules) == 0 {
		return newDoor(t, f, Gate{Kind: "Authenticate", Guard: g}), rec, passed
	}
	return newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: rules}), rec, passed
}

func token(t string) string { return "Authorization: Bearer " + t }

// introspectTokens: RFC 7662 §2.2, RFC 6750 §3.1.
func introspectTokens(t *testing.T, f Framework) {
	d, rec, _ := introspectDoor(t, f, newServer(t))
	d.admits("alice", token("alice"))
	d.admits("bob", token("bob"))
	for name, want := range map[string]struct {
		reason      core.Reason
		description string
	}{
		"unknown":   {introspect.ReasonInactive, "The access token is not active"},
		"elsewhere": {core.ReasonWrongAudience, "The access token was issued for another audience"},
	} {
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, token(name))
		challenged(t, name, a, `Bearer realm="r", error="invalid_token", error_description="`+want.description+`"`)
		if e := rec.Last(t); e.Reason != want.reason || strings.Contains(e.Cause.Error(), "secret") {
			t.Errorf("%s: event %s %v", name, e.Reason, e.Cause)
		}
	}
}

// introspectBound: RFC 9449 §7.2.
func introspectBound(t *testing.T, f Framework) {
	d, rec, _ := introspectDoor(t, f, newServer(t))
	d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, token("bound"))
	if e := rec.Last(t); e.Reason != core.ReasonBadClaim {
		t.Errorf("reason %s", e.Reason)
	}
}

// introspectKept: an answer cached on one route allows nothing more on another, and expires
// with its token.
func introspectKept(t *testing.T, f Framework) {
	s := newServer(t)
	d, _, passed := introspectDoor(t, f, s, rule.Scope("write"))
	for range 3 {
		d.admits("alice", token("alice"))
		a := d.refuses(http.StatusForbidden, core.CodeInsufficientScope, token("bob"))
		challenged(t, "bob", a, `Bearer realm="r", error="insufficient_scope", scope="write"`)
	}
	if n := s.asked.Load(); n != 2 {
		t.Errorf("the server was asked %d times", n)
	}
	passed.Store(int64(20 * time.Second)) // alice's exp; 30 s of leeway are left, but no kept answer
	d.admits("alice", token("alice"))
	if n := s.asked.Load(); n != 3 {
		t.Errorf("the server was asked %d times", n)
	}
	passed.Store(int64(50 * time.Second))
	d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, token("alice"))
}

// introspectOutage: an error of the endpoint about the client says nothing about the token.
func introspectOutage(t *testing.T, f Framework) {
	for _, status := range []int{401, 403, 404, 429, 500, 503} {
		s := newServer(t)
		d, rec, passed := introspectDoor(t, f, s)
		d.admits("bob", token("bob"))
		s.down.Store(int64(status))
		a := d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, token("unseen"))
		challenged(t, "outage", a, "")
		if v := a.Header.Get("Retry-After"); v != "7" {
			t.Errorf("%d: Retry-After %q", status, v)
		}
		if e := rec.Last(t); e.Outcome != core.OutcomeUnavailable || e.Cause == nil {
			t.Errorf("%d: event %s %v", status, e.Outcome, e.Cause)
		}
		d.admits("bob", token("bob"))
		passed.Store(int64(30 * time.Second))
		d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, token("bob"))
		s.down.Store(0)
		passed.Store(int64(40 * time.Second))
		d.admits("bob", token("bob"))
		d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, token("garbage"))
	}
}
