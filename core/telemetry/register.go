package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observables are the instruments that are read when metrics are collected.
type observables struct {
	requests, authentications, challenges, authorizations, refusals, reloads, fetches, logged, listens,
	lookups, attempts, attemptsFailed, restarts metric.Int64ObservableCounter

	policyInfo, policyRules, keys, skipped, queued, listening,
	sourceRevision, revocations, entries, attemptsHeld, attemptsCapacity metric.Int64ObservableGauge

	policyAge, policyOutdated, keySetAge, sourceAge, sourceLag metric.Float64ObservableGauge
}

// register creates all instruments.
func (t *Telemetry) register(m metric.Meter) error {
	var errs []error
	var all []metric.Observable // what the callback reports to
	counter := func(name, unit, text string) metric.Int64ObservableCounter {
		c, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs, all = append(errs, err), append(all, c)
		return c
	}
	number := func(name, unit, text string) metric.Int64ObservableGauge {
		g, err := m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(text))
		errs, all = append(errs, err), append(all, g)
		return g
	}
	seconds := func(name, text string) metric.Float64ObservableGauge {
		g, err := m.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(text))
		errs, all = append(errs, err), append(all, g)
		return g
	}
	histogram := func(name, text string, bounds ...float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), metric.WithExplicitBucketBoundaries(bounds...))
		errs = append(errs, err)
		return h
	}
	o := observables{
		requests:        counter("sallyport.requests", "{request}", "Requests by outcome, each outcome of a request once."),
		authentications: counter("sallyport.authentications", "{authentication}", "Results of gate one."),
		challenges:      counter("sallyport.challenges", "{challenge}", "Challenges that were sent."),
		authorizations:  counter("sallyport.authorizations", "{decision}", "Results of gate two."),
		refusals:        counter("sallyport.refusals", "{request}", "Refused requests, by reason."),
		policyInfo:      number("sallyport.policy.info", "{policy}", "1 for the revision of a policy that is in force."),
		policyRules:     number("sallyport.policy.rules", "{rule}", "Rules and role links of a policy."),
		policyAge:       seconds("sallyport.policy.age", "How long ago the policy in force took effect."),
		policyOutdated:  seconds("sallyport.policy.outdated", "For how long newer content of the source has not taken effect; 0 when there is none."),
		reloads:         counter("sallyport.policy.reloads", "{reload}", "Attempts to load a policy, by outcome."),
		keys:            number("sallyport.keyset.keys", "{key}", "Usable keys of an issuer."),
		skipped:         number("sallyport.keyset.skipped", "{key}", "Keys of an issuer that were ignored, at most 20."),
		keySetAge:       seconds("sallyport.keyset.age", "How long ago the keys were last fetched from the issuer."),
		fetches:         counter("sallyport.keyset.fetches", "{fetch}", "Fetches of keys, by result."),
	}
	o.logged = counter("sallyport.decisionlog.decisions", "{decision}", "Decisions passed to a decision log, by what happened to them.")
	o.queued = number("sallyport.decisionlog.queued", "{decision}", "Decisions that wait to be written to a decision log.")
	o.sourceAge = seconds("sallyport.source.age", "How long ago a store last confirmed what is followed in it.")
	o.sourceLag = seconds("sallyport.source.lag", "For how long a newer revision in the store has not taken effect; 0 when there is none.")
	o.sourceRevision = number("sallyport.source.revision", "{revision}", "The number of the revision in force.")
	o.listening = number("sallyport.source.listening", "{connection}", "1 while the store sends notifications of publications.")
	o.listens = counter("sallyport.source.listens", "{connection}", "How often notifications from the store have started.")
	o.revocations = number("sallyport.revocations.entries", "{entry}", "Known revocations.")
	o.restarts = counter("sallyport.revocations.restarts", "{restart}", "How often a log of revocations was read again from the beginning.")
	o.lookups = counter("sallyport.cache.lookups", "{lookup}", "Look-ups of credentials in a cache.")
	o.entries = number("sallyport.cache.entries", "{entry}", "Entries of a cache.")
	o.attempts = counter("sallyport.attempts.checks", "{attempt}", "Attempts for which a limit on guessing was consulted.")
	o.attemptsFailed = counter("sallyport.attempts.failures", "{attempt}", "Attempts that were guesses and failed.")
	o.attemptsHeld = number("sallyport.attempts.held", "{key}", "Addresses, networks, accounts and pairs that are held.")
	o.attemptsCapacity = number("sallyport.attempts.capacity", "{key}", "How many of each kind can be held.")
	t.gateTime = histogram("sallyport.gate.duration", "How long a gate took, of a sample of verdicts.",
		1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
	t.reloadTime = histogram("sallyport.policy.reload.duration", "How long loading a policy took.",
		1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1, 5, 10, 30, 60)
	t.callTime = histogram("sallyport.dependency.duration", "How long calls of other services took.",
		5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
	err := errors.Join(errs...)
	if err != nil {
		return err
	}
	t.callback, err = m.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		t.verdicts.report(to, &o)
		t.reportParts(to, &o)
		return nil
	}, all...)
	return err
}

// report reports the counters.
func (v *verdicts) report(to metric.Observer, o *observables) {
	tell := func(as metric.Int64ObservableCounter, n int64, attrs ...attribute.KeyValue) {
		if n > 0 {
			to.ObserveInt64(as, n, metric.WithAttributes(attrs...))
		}
	}
	for i, outcome := range outcomes {
		if outcome != other { // a series that begins at 0 loses no first increase
			to.ObserveInt64(o.requests, v.requests[i].Load(), metric.WithAttributes(outcomeKey.String(string(outcome))))
		} else {
			tell(o.requests, v.requests[i].Load(), outcomeKey.String(other))
		}
		set := refusal{string(outcome), other, other, other, other}.set()
		tell(o.refusals, v.rest[i].Load(), set.ToSlice()...)
	}
	for g, gate := range gates {
		for r, result := range results {
			tell(o.authorizations, v.authorization[g][r].Load(), gateKey.String(gate), resultKey.String(result))
			for s := range *v.schemes.known.Load() {
				tell(o.authentications, v.authentication[g][r][s].Load(), gateKey.String(gate), resultKey.String(result), schemeKey.String(v.schemes.name(s)))
			}
		}
	}
	for s := range *v.schemes.known.Load() {
		tell(o.challenges, v.challenges[s].Load(), schemeKey.String(v.schemes.name(s)))
	}
	reportAll(to, o.refusals, v.refusals)
	reportAll(to, o.refusals, v.crowded)
}

func reportAll[K comparable](to metric.Observer, as metric.Int64ObservableCounter, all *counters[K]) {
	for _, n := range *all.known.Load() {
		to.ObserveInt64(as, n.Load(), metric.WithAttributeSet(n.set))
	}
}
