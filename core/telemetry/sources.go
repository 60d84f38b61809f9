package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/source"
)

// PolicyStatus is what is known of a policy in force.
type PolicyStatus struct {
	// Revision names its content. Twelve characters of it are reported.
	Revision string
	// Loaded is when it came into force.
	Loaded time.Time
	// Rules is how many rules and role links it has.
	Rules int
	// OutdatedSince is since when its source says something else that is not in
	// force, since it is no good policy or cannot be read; zero when it is in force.
	OutdatedSince time.Time
	// Source is what is known of the store of a policy that several instances
	// share; nil for files.
	Source *source.Status
}

// policy is one that is reported.
type policy struct {
	name   string
	status func() PolicyStatus
}

// shownRevision is how much of a revision tells two of them apart.
const shownRevision = 12

// AddPolicy reports the policy that is called name in metrics: its revision, its
// age, its size, and for how long it has been outdated. status is called whenever
// metrics are collected and must not wait. A name may be used once, and there may
// be 64.
func (t *Telemetry) AddPolicy(name string, status func() PolicyStatus) error {
	if status == nil {
		return errors.New("telemetry: policy status is nil")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := checkName("policy", name, len(t.policies), t.policyNames[name] != nil); err != nil {
		return err
	}
	p := &policy{name, status}
	t.policyNames[name] = p
	t.policies = append(t.policies[:len(t.policies):len(t.policies)], p)
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

// Reloaded counts an attempt to load the policy called name, which took that long.
// outcome is a short code such as "loaded" or "rejected".
func (t *Telemetry) Reloaded(ctx context.Context, name, outcome string, took time.Duration) {
	k := pair{clean(name), clean(outcome)}
	if n := t.reloads.of(k, reloadSet); n != nil {
		n.Add(1)
		t.reloadTime.Record(ctx, took.Seconds(), metric.WithAttributeSet(n.set))
	}
}

func (p *policy) report(to metric.Observer, o *observables, now time.Time) {
	s := p.status()
	own := named(policyKey, p.name)
	revision := clean(s.Revision[:min(len(s.Revision), shownRevision)])
	to.ObserveInt64(o.policyInfo, 1, metric.WithAttributeSet(attribute.NewSet(policyKey.String(p.name), revisionKey.String(revision))))
	to.ObserveInt64(o.policyRules, int64(s.Rules), own)
	to.ObserveFloat64(o.policyAge, now.Sub(s.Loaded).Seconds(), own)
	outdated := time.Duration(0)
	if !s.OutdatedSince.IsZero() {
		outdated = now.Sub(s.OutdatedSince)
	}
	to.ObserveFloat64(o.policyOutdated, outdated.Seconds(), own)
	if s.Source != nil {
		reportStore(to, o, s.Source, now, own)
	}
}

// reportStore tells how well the store of a policy is followed.
func reportStore(to metric.Observer, o *observables, s *source.Status, now time.Time, own metric.ObserveOption) {
	lag, listening := time.Duration(0), int64(0)
	if !s.Behind.IsZero() {
		lag = now.Sub(s.Behind)
	}
	if s.Listening {
		listening = 1
	}
	to.ObserveFloat64(o.sourceAge, now.Sub(s.Confirmed).Seconds(), own)
	to.ObserveFloat64(o.sourceLag, lag.Seconds(), own)
	to.ObserveInt64(o.listening, listening, own)
	to.ObserveInt64(o.listens, int64(s.Listens), own)
}

// decisionLog is one that is reported.
type decisionLog struct {
	name  string
	stats func() decisionlog.Stats
}

// AddDecisionLog reports the decision log that is called name in metrics: how many
// decisions were written, left out by sampling, or lost, and how many wait. stats is
// that of [decisionlog.Log]; it is called whenever metrics are collected. A name may
// be used once, and there may be 64.
func (t *Telemetry) AddDecisionLog(name string, stats func() decisionlog.Stats) error {
	if stats == nil {
		return errors.New("telemetry: decision log stats is nil")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := slices.ContainsFunc(t.logs, func(l decisionLog) bool { return l.name == name })
	if err := checkName("decision log", name, len(t.logs), taken); err != nil {
		return err
	}
	t.logs = append(t.logs[:len(t.logs):len(t.logs)], decisionLog{name, stats})
	return nil
}

func (l decisionLog) report(to metric.Observer, o *observables) {
	s := l.stats()
	for _, c := range []struct {
		result string
		n      uint64
	}{{"written", s.Written}, {"sampled_out", s.Skipped}, {"queue_full", s.QueueFull}, {"write_failed", s.WriteFailed}} {
		to.ObserveInt64(o.logged, int64(c.n), metric.WithAttributes(logKey.String(l.name), resultKey.String(c.result)))
	}
	to.ObserveInt64(o.queued, int64(s.Queued), named(logKey, l.name))
}

// keySet is one that is reported.
type keySet struct {
	name    string
	started time.Time

	mu            sync.Mutex
	keys, skipped int
	confirmed     time.Time // zero before the first good fetch
}

// AddKeySet reports the keys of an issuer that are fetched, under the name that
// they have in metrics. What it returns is for [jwtauth.WithRefreshObserver]. A
// name may be used once, and there may be 64.
func (t *Telemetry) AddKeySet(name string) (func(jwtauth.Refresh), error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := checkName("key set", name, len(t.keySets), t.keySetNames[name]); err != nil {
		return nil, err
	}
	s := &keySet{name: name, started: time.Now()}
	t.keySetNames[name] = true
	t.keySets = append(t.keySets[:len(t.keySets):len(t.keySets)], s)
	return func(r jwtauth.Refresh) {
		if n := t.fetches.of(pair{name, s.refreshed(r)}, fetchSet); n != nil {
			n.Add(1)
		}
	}, nil
}

// refreshed notes what became of a fetch, and returns that in one word.
func (s *keySet) refreshed(r jwtauth.Refresh) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = r.Keys
	switch {
	case r.Err != nil:
		return "failed"
	case !r.Changed:
		s.confirmed = time.Now()
		return "unchanged"
	}
	s.confirmed, s.skipped = time.Now(), len(r.Skipped)
	return "changed"
}

func (s *keySet) report(to metric.Observer, o *observables, now time.Time) {
	s.mu.Lock()
	keys, skipped, since := s.keys, s.skipped, s.confirmed
	s.mu.Unlock()
	if since.IsZero() {
		since = s.started // so that one that never came gets older, too
	}
	own := named(keySetKey, s.name)
	to.ObserveInt64(o.keys, int64(keys), own)
	to.ObserveInt64(o.skipped, int64(skipped), own)
	to.ObserveFloat64(o.keySetAge, now.Sub(since).Seconds(), own)
}
