package core_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// Who counts requests tells by these fields which events of a request to leave
// out.
func TestAnEventSaysWhatGatesBeforeItDid(t *testing.T) {
	s, other := newScheme(t, "Basic"), newScheme(t, "Basic")
	g, seen := newGuard(t, []core.Authenticator{s})
	h, seenByOther := newGuard(t, []core.Authenticator{other})
	r := get("/", "Authorization: Basic alice")
	first := mounted(t)(g.Authenticate()).Check(t.Context(), r)
	if e := seen.last(t); e.PassedBefore || e.Reused {
		t.Errorf("at the first gate: passed before %v, reused %v", e.PassedBefore, e.Reused)
	}
	second := mounted(t)(g.Require(allowing())).Check(first.Context, r)
	if e := seen.last(t); !e.PassedBefore || !e.Reused {
		t.Errorf("at the second gate: passed before %v, reused %v", e.PassedBefore, e.Reused)
	}
	if v := g.CheckNow(second.Context, r, needs{"admin"}); v.Denial == nil {
		t.Fatal("not refused")
	}
	if e := seen.last(t); e.Outcome != core.OutcomeForbidden || !e.PassedBefore || !e.Reused {
		t.Errorf("at a check: %+v", e)
	}
	mounted(t)(h.Authenticate()).Check(second.Context, r)
	if e := seenByOther.last(t); !e.PassedBefore || e.Reused {
		t.Errorf("at another guard's gate: passed before %v, reused %v", e.PassedBefore, e.Reused)
	}
	known := core.ContextWithPrincipal(t.Context(), newPrincipal(t, core.PrincipalInfo{ID: "alice", Scheme: "Basic"}))
	mounted(t)(g.Authenticate()).Check(known, r)
	if e := seen.last(t); e.PassedBefore || e.Reused {
		t.Errorf("with a principal of no gate: passed before %v, reused %v", e.PassedBefore, e.Reused)
	}
}

func TestAnEventHasTheChallengesOfTheAnswer(t *testing.T) {
	g, seen := newGuard(t, []core.Authenticator{newScheme(t, "Basic"), newScheme(t, "Bearer")})
	gate := mounted(t)(g.Authenticate())
	gate.Check(t.Context(), get("/"))
	e := seen.last(t)
	cs := e.Challenges()
	if len(cs) != 2 || cs[0].Scheme() != "Basic" || cs[1].Scheme() != "Bearer" {
		t.Errorf("a 401 has challenges %v", cs)
	}
	gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
	if e := seen.last(t); len(e.Challenges()) != 0 {
		t.Errorf("an allowed request has challenges %v", e.Challenges())
	}
}

func TestTheTraceOfAnEvent(t *testing.T) {
	type traceKey struct{}
	of := func(ctx context.Context) string {
		id, _ := ctx.Value(traceKey{}).(string)
		return id
	}
	const sent = "0af7651916cd43dd8448eb211c80319c"
	g, seen := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithTraceID(of))
	gate := mounted(t)(g.Authenticate())
	r := get("/", "Traceparent: 00-"+sent+"-b7ad6b7169203331-01")
	gate.Check(t.Context(), r)
	if e := seen.last(t); e.TraceID != sent {
		t.Errorf("without a span: %q", e.TraceID)
	}
	gate.Check(context.WithValue(t.Context(), traceKey{}, "own"), r)
	if e := seen.last(t); e.TraceID != "own" {
		t.Errorf("with a span: %q", e.TraceID)
	}
	if _, err := core.NewGuard([]core.Authenticator{newScheme(t, "Basic")}, core.WithTraceID(nil)); err == nil || errors.Unwrap(err) == nil {
		t.Errorf("nil function: %v", err)
	}
}
