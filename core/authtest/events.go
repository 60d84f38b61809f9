package authtest

import (
	"bytes"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

var eventCases = []testCase{
	{"invariant 3 each verdict is one event with its reason", eventFields},
}

// eventFields checks that events distinguish 401 from 403 and contain what operators need.
func eventFields(t *testing.T, f Framework) {
	g, rec := guard(t, core.WithAuthorizer(AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		return core.Decision{Allowed: p.ID() == "alice", Rule: "policy.csv:7"}, nil
	})))
	addr := f.Start(t, App{Routes: []Route{{
		Group: "/api", Pattern: "/door/:id", Methods: []string{"PUT"},
		Gates: []Gate{{Kind: "Authorize", Guard: g}}, Handler: ok,
	}}})
	trace := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	pattern := f.pattern("/api/door/:id")
	for _, c := range []struct {
		header string
		want   core.Event
	}{
		{"Accept: */*", core.Event{Outcome: core.OutcomeUnauthenticated, Status: 401, Reason: core.ReasonNoCredentials}},
		{as("bad"), core.Event{Outcome: core.OutcomeUnauthenticated, Status: 401, Reason: core.ReasonMalformed, Scheme: "Name"}},
		{as("bob"), core.Event{Outcome: core.OutcomeForbidden, Status: 403, Reason: core.ReasonDenied, Scheme: "Name", PrincipalID: "bob", Rule: "policy.csv:7"}},
		{as("alice"), core.Event{Outcome: core.OutcomeAllowed, Status: 200, Reason: core.ReasonAllowed, Scheme: "Name", PrincipalID: "alice", Rule: "policy.csv:7"}},
		{as("down"), core.Event{Outcome: core.OutcomeUnavailable, Status: 503, Reason: core.ReasonUnavailable, Scheme: "Name"}},
	} {
		start := time.Now()
		before := len(rec.Events())
		Send(t, addr, Request("PUT", "/api/door/7?q=1", c.header, "X-Request-Id: req-1", "Traceparent: "+trace, "Content-Length: 0"))
		e := rec.Last(t)
		if n := len(rec.Events()) - before; n != 1 {
			t.Errorf("%s: %d events", c.header, n)
		}
		if e.Time.Before(start) || e.Time.After(time.Now()) || e.Duration <= 0 || e.Duration > time.Since(start) {
			t.Errorf("%s: time %v, duration %v", c.header, e.Time, e.Duration)
		}
		want := e // with the principal, whose roles are part of a refusal
		want.Outcome, want.Status, want.Reason = c.want.Outcome, c.want.Status, c.want.Reason
		want.Scheme, want.PrincipalID, want.Rule, want.Revision = c.want.Scheme, c.want.PrincipalID, c.want.Rule, ""
		want.Gate, want.Method, want.Route, want.Resource = "authorize", "PUT", pattern, "/api/door/7"
		want.RequestID, want.TraceID = "req-1", trace[3:35]
		if want.Action = ""; want.Status == http.StatusOK || want.Status == http.StatusForbidden || want.Reason == core.ReasonNoCredentials {
			want.Action = "PUT" // the rules were asked
		}
		if client := e.ClientAddr(); client != "127.0.0.1" {
			t.Errorf("%s: client %q", c.header, client)
		}
		if e != want {
			t.Errorf("%s: event\n%+v\nwant\n%+v", c.header, e, want)
		}
	}
}

// logBuffer is a buffer that loggers may write to concurrently.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
