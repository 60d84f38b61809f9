package telemetry

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport-go/sallyport/core"
)

// gates and outcomes are those of events; the last of each stands for any other.
var (
	gates    = [...]string{"authenticate", "optional", "authorize", "require", "check", "sign_in", "refresh", "logout", "recheck", other}
	outcomes = [...]core.Outcome{
		core.OutcomeAllowed, core.OutcomePreflight, core.OutcomeUnauthenticated, core.OutcomeForbidden,
		core.OutcomeBadRequest, core.OutcomeUnavailable, core.OutcomeError, core.OutcomeLimited, core.OutcomeClientGone, other,
	}
)

// The results of gate one and of gate two, as indexes of results.
const (
	success = iota
	failure
	failed
	none
	limited
	nothing // the gate did not run
)

var results = [...]string{success: "success", failure: "failure", failed: "error", none: "none", limited: "limited"}

// verdicts counts events. The counters are read when metrics are collected.
type verdicts struct {
	requests       [len(outcomes)]atomic.Int64
	authentication [len(gates)][len(results)][allSchemes]atomic.Int64
	challenges     [allSchemes]atomic.Int64
	authorization  [len(gates)][len(results)]atomic.Int64
	refusals       *counters[refusal]
	crowded        *counters[refusal] // without route and rule
	rest           [len(outcomes)]atomic.Int64
	durations      [len(gates)][len(outcomes)][]metric.RecordOption

	// frequent holds some of refusals, found without hashing texts: a refusal takes
	// 62 ns then, and 95 without (BenchmarkVerdict).
	frequent               [256]atomic.Pointer[frequentRefusal]
	schemes                schemes
	reasons, routes, rules *labels
}

type refusal struct{ outcome, reason, scheme, route, rule string }

// frequentRefusal is a counter of refusals with the fields of the events it counts.
type frequentRefusal struct {
	refusal
	*counter
}

func (v *verdicts) init(maximum int) {
	v.refusals, v.crowded = newCounters[refusal](maximum-maximum/4), newCounters[refusal](maximum/4)
	v.schemes.known.Store(&[]string{"", other})
	v.reasons = newLabels(maxNames, knownReasons()...)
	v.routes, v.rules = newLabels(maximum), newLabels(maximum)
	for o, outcome := range outcomes {
		for g, gate := range gates {
			set := attribute.NewSet(gateKey.String(gate), outcomeKey.String(string(outcome)))
			v.durations[g][o] = []metric.RecordOption{metric.WithAttributeSet(set)}
		}
	}
}

// Observe implements [core.Observer].
func (t *Telemetry) Observe(ctx context.Context, e core.Event) {
	v := &t.verdicts
	g, o := indexOf(gates[:], e.Gate), indexOf(outcomes[:], e.Outcome)
	if !e.PassedBefore || e.Outcome != core.OutcomeAllowed {
		v.requests[o].Add(1)
	}
	if result := authenticated(&e); result != nothing {
		v.authentication[g][result][v.schemes.of(e.Scheme)].Add(1)
	}
	if result := authorized(&e); result != nothing {
		v.authorization[g][result].Add(1)
	}
	for _, c := range e.Challenges() {
		v.challenges[v.schemes.of(c.Scheme())].Add(1)
	}
	refused := isRefusal(e.Outcome)
	if refused {
		v.countRefusal(o, refusal{string(e.Outcome), string(e.Reason), e.Scheme, e.Route, e.Rule})
	}
	recorded := describe(ctx, &e)
	if recorded && refused || t.every == 1 || rand.Uint32N(t.every) == 0 {
		t.gateTime.Record(ctx, e.Duration.Seconds(), v.durations[g][o]...)
	}
}

// indexOf returns the index of s in all, the last one if s is not in all.
func indexOf[S ~string](all []S, s S) int {
	for i := range all {
		if all[i] == s {
			return i
		}
	}
	return len(all) - 1
}

func isRefusal(o core.Outcome) bool {
	return o != core.OutcomeAllowed && o != core.OutcomePreflight && o != core.OutcomeClientGone
}

// authenticated returns the result of gate one.
func authenticated(e *core.Event) int {
	if e.Reused {
		return nothing
	}
	known := e.PrincipalID != ""
	switch e.Outcome {
	case core.OutcomeAllowed, core.OutcomeForbidden, core.OutcomeUnavailable, core.OutcomeError, core.OutcomeUnauthenticated:
		if known { // so a refusal is by gate two
			return success
		}
	}
	switch e.Outcome {
	case core.OutcomeAllowed:
		if e.Reason == core.ReasonExpiredAnonymous {
			return failure
		}
		return none
	case core.OutcomeUnauthenticated:
		if e.Reason == core.ReasonNoCredentials {
			return none
		}
		return failure
	case core.OutcomeLimited:
		return limited
	case core.OutcomeUnavailable, core.OutcomeError:
		return failed
	}
	return nothing // a cross-site request, or a path or credentials that were refused unseen
}

// authorized returns the result of gate two.
func authorized(e *core.Event) int {
	known := e.PrincipalID != ""
	switch e.Outcome {
	case core.OutcomeAllowed:
		switch e.Gate {
		case "authorize", "require", "check":
			return success
		}
	case core.OutcomeForbidden:
		return failure
	case core.OutcomeUnauthenticated: // a stronger sign-in is needed
		if known {
			return failure
		}
	case core.OutcomeUnavailable, core.OutcomeError:
		if known {
			return failed
		}
	}
	return nothing
}

// countRefusal counts each refusal in exactly one series: its own; if there are too
// many, one without route and rule; and finally one for its outcome.
func (v *verdicts) countRefusal(outcome int, k refusal) {
	slot := &v.frequent[k.slot()]
	if f := slot.Load(); f != nil && f.refusal == k {
		f.Add(1)
		return
	}
	n, ok := v.refusals.find(k)
	if !ok {
		n = v.newRefusal(outcome, k)
	} else if slot.Load() == nil {
		slot.CompareAndSwap(nil, &frequentRefusal{k, n})
	}
	if n == nil {
		v.rest[outcome].Add(1)
		return
	}
	n.Add(1)
}

// slot returns the index of k in frequent. Another refusal may have the same one; then
// k is found in refusals.
func (k *refusal) slot() uint8 {
	h := uint32(len(k.outcome))
	for _, s := range [...]string{k.reason, k.scheme, k.route, k.rule} {
		h = h*31 + uint32(len(s))
		if n := len(s); n > 0 {
			h = h*31 + uint32(s[n-1]) + uint32(s[n/2])<<3
		}
	}
	return uint8(h ^ h>>8 ^ h>>16)
}

// newRefusal returns the counter for a refusal that was not seen before, or not with
// these very strings; nil if there is no room for it.
func (v *verdicts) newRefusal(outcome int, k refusal) *counter {
	k = refusal{string(outcomes[outcome]), v.reasons.of(k.reason), v.schemes.name(v.schemes.of(k.scheme)), v.routes.of(k.route), v.rules.of(k.rule)}
	if n := v.refusals.of(k, refusal.set); n != nil {
		return n
	}
	k.route, k.rule = other, other
	return v.crowded.of(k, refusal.set)
}

// describe sets attributes on the span of the request, and reports whether that span is
// recorded. The attributes are those of the last gate that the request reached.
func describe(ctx context.Context, e *core.Event) bool {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return false
	}
	attrs := make([]attribute.KeyValue, 0, 10)
	attrs = append(attrs, outcomeKey.String(string(e.Outcome)), gateKey.String(e.Gate), reasonKey.String(clean(string(e.Reason))))
	for _, a := range [...]struct {
		key   attribute.Key
		value string
	}{
		{schemeKey, e.Scheme}, {routeKey, e.Route}, {ruleKey, e.Rule}, {revisionKey, e.Revision}, {requestKey, e.RequestID},
	} {
		if a.value != "" {
			attrs = append(attrs, a.key.String(clean(a.value)))
		}
	}
	span.SetAttributes(attrs...)
	return true
}
