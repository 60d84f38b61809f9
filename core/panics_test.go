package core_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// broken is a handler of a logger that panics.
type broken struct{ slog.Handler }

func (broken) Enabled(context.Context, slog.Level) bool  { return true }
func (broken) Handle(context.Context, slog.Record) error { panic("the log is gone") }

// panickingResponder has no response.
type panickingResponder struct{}

func (panickingResponder) Respond(core.Request, *core.Denial) core.Response { panic("no response") }

// TestLoggerThatPanics: no verdict is changed or lost because it cannot be logged.
func TestLoggerThatPanics(t *testing.T) {
	logger := slog.New(broken{slog.DiscardHandler})
	g, err := core.NewGuard([]core.Authenticator{newScheme(t, "Bearer")}, core.WithLogger(logger),
		core.WithObserver(core.LogObserver(logger)), core.WithResponder(panickingResponder{}), core.WithRecheck())
	if err != nil {
		t.Fatal(err)
	}
	gate := mounted(t)(g.Authenticate())
	v := gate.Check(t.Context(), kept{get("/live")})
	if v.Denial == nil || v.Response == nil || v.Response.Status != http.StatusUnauthorized {
		t.Errorf("nobody: %+v", v)
	}
	v.WroteAfter(t.Context(), get("/live"))
	v = gate.Check(t.Context(), kept{get("/live", "Authorization: Bearer alice")})
	if v.Denial != nil {
		t.Errorf("somebody: %+v", v.Denial)
	}
	refusing := answering(core.Decision{}, nil)
	if d := denialOf(t, core.Recheck(v.Context, refusing)); d == nil || d.Kind != core.Forbidden {
		t.Errorf("recheck: %+v", d)
	}
	plain, err := core.NewGuard([]core.Authenticator{newScheme(t, "Bearer")}, core.WithLogger(logger))
	if err != nil {
		t.Fatal(err)
	}
	v = mounted(t)(plain.Authenticate()).Check(t.Context(), get("/live", "Authorization: Bearer alice"))
	if d := denialOf(t, core.Recheck(v.Context)); d == nil || d.Kind != core.Faulty {
		t.Errorf("recheck of a request that is not kept: %+v", d)
	}
}

// TestRecheckNeverPanics: it runs where no framework recovers.
func TestRecheckNeverPanics(t *testing.T) {
	panics := false
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Bearer")}, core.WithRecheck(), core.WithTraceID(func(context.Context) string {
		if panics {
			panic("no span")
		}
		return ""
	}))
	v := mounted(t)(g.Authenticate()).Check(t.Context(), kept{get("/live", "Authorization: Bearer alice")})
	panics = true
	if d := denialOf(t, core.Recheck(v.Context)); d == nil || d.Kind != core.Faulty || d.Reason != core.ReasonPanic || o.last(t).Reason != core.ReasonPanic {
		t.Errorf("%+v", d)
	}
}
