package telemetry

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// part is something that is read whenever metrics are collected.
type part struct {
	kind, name string
	report     func(to metric.Observer, o *observables, now time.Time)
}

// add registers p. A name may be used once for each kind, and there may be 64 of a
// kind.
func (t *Telemetry) add(p part) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	have, taken := 0, false
	for i := range t.parts {
		if t.parts[i].kind == p.kind {
			have, taken = have+1, taken || t.parts[i].name == p.name
		}
	}
	if err := checkName(p.kind, p.name, have, taken); err != nil {
		return err
	}
	t.parts = append(t.parts[:len(t.parts):len(t.parts)], p)
	return nil
}

// checkName refuses a name that cannot be an attribute.
func checkName(what, name string, have int, taken bool) error {
	switch {
	case name == "" || len(name) > maxLabel || clean(name) != name:
		return fmt.Errorf("telemetry: name of %s %.200q: must be UTF-8 of 1 to %d bytes", what, name, maxLabel)
	case taken:
		return fmt.Errorf("telemetry: two of %s have the name %q", what, name)
	case have == maxNames:
		return fmt.Errorf("telemetry: more than %d of %s", maxNames, what)
	}
	return nil
}

// reportParts reports every part that was added.
func (t *Telemetry) reportParts(to metric.Observer, o *observables) {
	t.mu.Lock()
	parts := t.parts
	t.mu.Unlock()
	now := time.Now()
	for i := range parts {
		parts[i].report(to, o, now)
	}
	reportAll(to, o.reloads, t.reloads)
	reportAll(to, o.fetches, t.fetches)
}

// named returns the option for a value with a name chosen by the program.
func named(key attribute.Key, name string, more ...attribute.KeyValue) metric.ObserveOption {
	return metric.WithAttributeSet(attribute.NewSet(append(more, key.String(name))...))
}

// counted is how often a result occurred.
type counted struct {
	result string
	n      uint64
}

// AddDecisionLog reports the counts of a [decisionlog.Log] in metrics under the
// given name. stats is its method Stats. A name may be used once, and there may be
// 64.
func (t *Telemetry) AddDecisionLog(name string, stats func() decisionlog.Stats) error {
	if stats == nil {
		return errors.New("telemetry: stats of a decision log are nil")
	}
	return t.add(part{"decision log", name, func(to metric.Observer, o *observables, _ time.Time) {
		s := stats()
		for _, c := range []counted{
			{"written", s.Written}, {"sampled_out", s.Skipped}, {"queue_full", s.QueueFull}, {"write_failed", s.WriteFailed},
		} {
			to.ObserveInt64(o.logged, int64(c.n), named(logKey, name, resultKey.String(c.result)))
		}
		to.ObserveInt64(o.queued, int64(s.Queued), named(logKey, name))
	}})
}

// AddCache reports a credential cache: stats is the method Stats of a basic.Cache,
// or CacheStats of a verifier of package jwtauth or introspect. A name may be used
// once, and there may be 64.
func (t *Telemetry) AddCache(name string, stats func() core.CacheStats) error {
	if stats == nil {
		return errors.New("telemetry: stats of a cache are nil")
	}
	return t.add(part{"cache", name, func(to metric.Observer, o *observables, _ time.Time) {
		s := stats()
		to.ObserveInt64(o.lookups, int64(s.Hits), named(cacheKey, name, resultKey.String("hit")))
		to.ObserveInt64(o.lookups, int64(s.Misses), named(cacheKey, name, resultKey.String("miss")))
		to.ObserveInt64(o.entries, int64(s.Entries), named(cacheKey, name))
	}})
}

// AddAttempts reports an [attempts.Limiter]: how many attempts it allowed and
// refused, and how much of its capacity is used. stats is its method Stats. A name
// may be used once, and there may be 64.
func (t *Telemetry) AddAttempts(name string, stats func() attempts.Stats) error {
	if stats == nil {
		return errors.New("telemetry: stats of attempts are nil")
	}
	return t.add(part{"attempts", name, func(to metric.Observer, o *observables, _ time.Time) {
		s := stats()
		for _, c := range []counted{
			{"allowed", s.Allowed}, {"pending", s.Pending}, {"refused_address", s.RefusedAddress},
			{"refused_network", s.RefusedNetwork}, {"refused_account", s.RefusedAccount},
		} {
			to.ObserveInt64(o.attempts, int64(c.n), named(attemptsKey, name, resultKey.String(c.result)))
		}
		to.ObserveInt64(o.attemptsFailed, int64(s.Failed), named(attemptsKey, name))
		for _, h := range [...]struct {
			kind string
			n    int
		}{
			{"address", s.Addresses}, {"network", s.Networks}, {"account", s.Accounts}, {"tried", s.Tried}, {"known", s.Known},
		} {
			to.ObserveInt64(o.attemptsHeld, int64(h.n), named(attemptsKey, name, heldKey.String(h.kind)))
		}
		to.ObserveInt64(o.attemptsCapacity, int64(s.Capacity), named(attemptsKey, name))
	}})
}
