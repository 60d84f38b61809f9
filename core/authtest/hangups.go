package authtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// waiting is a rule that waits for its context to end.
type waiting struct{ entered chan struct{} }

func (w waiting) Authorize(ctx context.Context, _ *core.Principal, _ core.Access) (core.Decision, error) {
	w.entered <- struct{}{}
	select {
	case <-ctx.Done():
		return core.Decision{}, fmt.Errorf("select from members: %w", ctx.Err())
	case <-time.After(TimeLimit(10 * time.Second)):
		return core.Decision{}, errors.New("the context was not cancelled")
	}
}

// hangUps checks that a rule is cancelled when its client hangs up, at a gate and in a
// check, and that the resulting error is not reported as an outage.
func hangUps(t *testing.T, f Framework) {
	if f.IgnoresHangUps {
		t.Skip("the adapter cannot see it on this system")
	}
	events := make(chan core.Event, 2)
	g, _ := guard(t, core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) { events <- e })))
	rule := waiting{make(chan struct{})}
	addr := f.Start(t, App{Routes: []Route{
		{Pattern: "/gate", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule}}}, Handler: ok},
		{Pattern: "/check", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Authenticate", Guard: g}}, Handler: func(x Exchange) error {
			<-events // the event of the gate
			return x.Check(g, rule)
		}},
	}})
	for _, path := range []string{"/gate", "/check"} {
		c := must.Have(dial(addr))(t)
		if err := c.write(Request("GET", path, as("bob"))); err != nil {
			t.Fatal(err)
		}
		<-rule.entered
		c.close()
		e := <-events
		if e.Outcome != core.OutcomeClientGone || e.Status != core.StatusClientGone || e.Reason != core.ReasonClientGone || !errors.Is(e.Cause, context.Canceled) {
			t.Errorf("%s: event %s %d %s %v", path, e.Outcome, e.Status, e.Reason, e.Cause)
		}
	}
}
