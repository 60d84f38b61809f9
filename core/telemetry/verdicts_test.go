package telemetry_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// TestVerdictsAreToldApart: refusals whose texts look alike have series of their own, a
// client that has gone was not refused, lapsed credentials are a failure even if the
// request goes on, and gates and outcomes that nobody knows are "_other".
func TestVerdictsAreToldApart(t *testing.T) {
	m := measure(t)
	refused := core.Event{Gate: "authorize", Outcome: core.OutcomeForbidden, Reason: core.ReasonDenied, PrincipalID: "ann", Rule: "a.csv:11"}
	for range 3 {
		m.Observe(t.Context(), refused)
		refused.Rule = "b.csv:11" // as long, with the same characters in the middle and at the end
		m.Observe(t.Context(), refused)
		refused.Rule = "a.csv:11"
	}
	m.Observe(t.Context(), core.Event{Gate: "authorize", Outcome: core.OutcomeClientGone, Reason: core.ReasonClientGone})
	m.Observe(t.Context(), core.Event{Gate: "optional", Outcome: core.OutcomeAllowed, Reason: core.ReasonExpiredAnonymous, Scheme: "Bearer"})
	m.Observe(t.Context(), core.Event{Gate: "new", Outcome: "odd"})
	for name, want := range map[string]map[string]float64{
		"sallyport.refusals": {
			"sallyport.refusals{http.route=,sallyport.outcome=forbidden,sallyport.reason=denied,sallyport.rule=a.csv:11,sallyport.scheme=}": 3,
			"sallyport.refusals{http.route=,sallyport.outcome=forbidden,sallyport.reason=denied,sallyport.rule=b.csv:11,sallyport.scheme=}": 3,
			"sallyport.refusals{http.route=,sallyport.outcome=_other,sallyport.reason=,sallyport.rule=,sallyport.scheme=}":                  1,
		},
		"sallyport.requests": {
			"sallyport.requests{sallyport.outcome=forbidden}": 6, "sallyport.requests{sallyport.outcome=client_gone}": 1,
			"sallyport.requests{sallyport.outcome=allowed}": 1, "sallyport.requests{sallyport.outcome=_other}": 1,
		},
		"sallyport.authentications": {
			"sallyport.authentications{sallyport.gate=authorize,sallyport.result=success,sallyport.scheme=}":      6,
			"sallyport.authentications{sallyport.gate=optional,sallyport.result=failure,sallyport.scheme=Bearer}": 1,
		},
	} {
		if got := m.counted(t, name); !maps.Equal(got, want) {
			t.Errorf("%s: got\n%q\nwant\n%q", name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			t.Log(got)
		}
	}
}
