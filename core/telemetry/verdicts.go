package telemetry

import (
	"context"
	"math/rand/v2"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport-go/sallyport/core"
)

// gates and outcomes are those of events; the last of each is for any other.
var (
	gates    = [...]string{"authenticate", "optional", "authorize", "require", "check", "sign_in", "refresh", "recheck", other}
	outcomes = [...]core.Outcome{
		core.OutcomeAllowed, core.OutcomePreflight, core.OutcomeUnauthenticated, core.OutcomeForbidden,
		core.OutcomeBadRequest, core.OutcomeUnavailable, core.OutcomeError, core.OutcomeLimited, core.OutcomeClientGone, other,
	}
)

// The results of gate one and of gate two.
const (
	success = "success"
	none    = "none"
	failure = "failure"
	limited = "limited"
	failed  = "error"
)

// verdicts counts events. The counters are read when metrics are collected.
type verdicts struct {
	requests       [len(outcomes)]counter
	authentication *counters[authentication]
	challenges     *counters[pair]
	authorization  *counters[authorization]
	refusals       *counters[refusal]
	crowded        *counters[refusal] // without route and rule
	rest           [len(outcomes)]counter
	durations      [len(gates)][len(outcomes)][]metric.RecordOption

	schemes, reasons, routes, rules *labels
}

type (
	authentication struct{ gate, result, scheme string }
	authorization  struct{ gate, result string }
	refusal        struct{ outcome, reason, scheme, route, rule string }
)

func (v *verdicts) init(maximum int) {
	v.authentication = newCounters[authentication](len(gates) * 5 * (maxSchemes + 2))
	v.challenges = newCounters[pair](maxSchemes + 2)
	v.authorization = newCounters[authorization](len(gates) * 3)
	v.refusals, v.crowded = newCounters[refusal](maximum-maximum/4), newCounters[refusal](maximum/4)
	v.schemes, v.reasons = newLabels(maxSchemes), newLabels(maxNames, knownReasons()...)
	v.routes, v.rules = newLabels(maximum), newLabels(maximum)
	for o, outcome := range outcomes {
		v.requests[o].set = attribute.NewSet(outcomeKey.String(string(outcome)))
		v.rest[o].set = refusal{string(outcome), other, other, other, other}.set()
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
	if result := authenticated(&e); result != "" {
		v.countAuthentication(authentication{gates[g], result, e.Scheme})
	}
	if result := authorized(&e); result != "" {
		v.authorization.of(authorization{gates[g], result}, authorization.set).Add(1)
	}
	for _, c := range e.Challenges() {
		v.countChallenge(c.Scheme())
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

// indexOf is where s stands in all, the last for what does not.
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

// authenticated is what came of gate one, "" where it did not run.
func authenticated(e *core.Event) string {
	if e.Reused {
		return ""
	}
	known := e.PrincipalID != ""
	switch e.Outcome {
	case core.OutcomeAllowed, core.OutcomeForbidden, core.OutcomeUnavailable, core.OutcomeError, core.OutcomeUnauthenticated:
		if known { // a refusal is then gate two's
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
	return "" // of another site, or a path or credentials that nobody looked at
}

// authorized is what came of gate two, "" where it did not run.
func authorized(e *core.Event) string {
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
	return ""
}

func (v *verdicts) countAuthentication(k authentication) {
	n := v.authentication.find(k)
	if n == nil {
		k.scheme = v.schemes.of(k.scheme)
		n = v.authentication.of(k, authentication.set)
	}
	n.Add(1)
}

func (v *verdicts) countChallenge(scheme string) {
	n := v.challenges.find(pair{a: scheme})
	if n == nil {
		scheme = v.schemes.of(scheme)
		n = v.challenges.of(pair{a: scheme}, challengeSet)
	}
	if n != nil {
		n.Add(1)
	}
}

// countRefusal counts each refusal in exactly one series: its own, or where there
// are too many, one without route and rule, and at last one for its outcome.
func (v *verdicts) countRefusal(outcome int, k refusal) {
	n := v.refusals.find(k)
	if n == nil {
		k = refusal{string(outcomes[outcome]), v.reasons.of(k.reason), v.schemes.of(k.scheme), v.routes.of(k.route), v.rules.of(k.rule)}
		n = v.refusals.of(k, refusal.set)
	}
	if n == nil {
		k.route, k.rule = other, other
		n = v.crowded.of(k, refusal.set)
	}
	if n == nil {
		n = &v.rest[outcome]
	}
	n.Add(1)
}

// describe puts attributes on the span of the request, and reports whether that
// span is recorded. The last gate that the request reached is the one it shows.
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
