package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Only the request's context tells a client that disconnected from a failure, never the
// error of a dependency.
func TestClientGone(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, stop := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer stop()
	ended, end := context.WithCancelCause(context.Background())
	end(errors.New("shutting down"))
	lookup := fmt.Errorf("select from members: %w", context.Canceled)
	for _, tt := range []struct {
		name    string
		ctx     context.Context
		err     error
		outcome core.Outcome
		status  int
	}{
		{"the client hung up", cancelled, lookup, core.OutcomeClientGone, core.StatusClientGone},
		{"the client hung up, in a driver's words", cancelled, errDown, core.OutcomeClientGone, core.StatusClientGone},
		{"the client hung up, marked unavailable", cancelled, &core.UnavailableError{Err: lookup}, core.OutcomeClientGone, core.StatusClientGone},
		{"the client hung up, marked internal", cancelled, &core.InternalError{Err: lookup}, core.OutcomeClientGone, core.StatusClientGone},
		{"a fault of the program beside it", cancelled, &core.InternalError{Err: errDown}, core.OutcomeError, 500},
		{"a dependency was cancelled", context.Background(), lookup, core.OutcomeUnavailable, 503},
		{"a deadline of the program's own", late, context.DeadlineExceeded, core.OutcomeUnavailable, 503},
		{"cancelled for a reason of the program's own", ended, lookup, core.OutcomeUnavailable, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
			r := get("/", "Authorization: Basic alice")
			v := g.CheckNow(tt.ctx, r, answering(core.Decision{Allowed: true}, tt.err))
			e := o.last(t)
			if e.Outcome != tt.outcome || e.Status != tt.status || !errors.Is(e.Cause, tt.err) {
				t.Errorf("event %s %d %v", e.Outcome, e.Status, e.Cause)
			}
			if gone := tt.outcome == core.OutcomeClientGone; gone != (e.Reason == core.ReasonClientGone) || v.Denial.Reason != e.Reason {
				t.Errorf("reason %s, of the denial %s", e.Reason, v.Denial.Reason)
			}
			if v.Response.Status < 500 || v.Response.Status == core.StatusClientGone {
				t.Errorf("sent %d", v.Response.Status)
			}
		})
	}
	t.Run("verdicts stand", func(t *testing.T) {
		g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
		for header, want := range map[string]core.Outcome{
			"Accept: */*": core.OutcomeUnauthenticated, "Authorization: Basic wrong": core.OutcomeUnauthenticated,
			"Authorization: Basic alice": core.OutcomeForbidden,
		} {
			g.CheckNow(cancelled, get("/", header), answering(core.Decision{}, nil))
			if got := o.last(t).Outcome; got != want {
				t.Errorf("%s: %s", header, got)
			}
		}
	})
}

// Writing after a refusal is a warning in the guard's log, in which no client can forge a
// line.
func TestWroteAfter(t *testing.T) {
	var b strings.Builder
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithLogger(newLog(&b)))
	r := get("/reports/:id", "Authorization: Basic alice").with("GET\nlevel=ERROR")
	v := g.CheckNow(t.Context(), r, answering(core.Decision{}, nil))
	v.WroteAfter(t.Context(), r)
	for _, want := range []string{"level=WARN", "gate=check", "status=403", "reason=unknown_method", "route=/reports/:id"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in %q", want, b.String())
		}
	}
	if n := strings.Count(b.String(), "\n"); n != 1 {
		t.Errorf("%d lines: %q", n, b.String())
	}
	core.Verdict{}.WroteAfter(t.Context(), r) // allowed: nothing to tell

	b.Reset()
	g, _ = newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithLogger(newLog(&b)), core.WithPseudonyms(pseudonymKey))
	g.CheckNow(t.Context(), r, answering(core.Decision{}, nil)).WroteAfter(t.Context(), r)
	if !strings.Contains(b.String(), "method=~") || strings.Contains(b.String(), "level=ERROR") {
		t.Errorf("the client's method as it is: %q", b.String())
	}
}
