package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source"
)

// PolicyStatus is the status of the policy in force.
type PolicyStatus struct {
	// Revision identifies its content. Twelve characters of it are reported.
	Revision string
	// Loaded is when it took effect.
	Loaded time.Time
	// Rules is the number of its rules and role links.
	Rules int
	// OutdatedSince is the time since which its source has had different content
	// that is not in force because it is invalid or cannot be read; zero if the
	// policy is current.
	OutdatedSince time.Time
	// Source is the status of the store, for a policy that several instances share;
	// nil for files.
	Source *source.Status
}

// shownRevision is how many characters of a revision are enough to distinguish two.
const shownRevision = 12

// AddPolicy reports a policy in metrics under the given name: its revision, age and
// size, and how long it has been outdated. status is called whenever metrics are
// collected and must not block. A name may be used once, and there may be 64.
func (t *Telemetry) AddPolicy(name string, status func() PolicyStatus) error {
	if status == nil {
		return errors.New("telemetry: policy status is nil")
	}
	return t.add(part{"policy", name, func(to metric.Observer, o *observables, now time.Time) {
		s := status()
		own := named(policyKey, name)
		revision := clean(s.Revision[:min(len(s.Revision), shownRevision)])
		to.ObserveInt64(o.policyInfo, 1, named(policyKey, name, revisionKey.String(revision)))
		to.ObserveInt64(o.policyRules, int64(s.Rules), own)
		to.ObserveFloat64(o.policyAge, now.Sub(s.Loaded).Seconds(), own)
		to.ObserveFloat64(o.policyOutdated, since(s.OutdatedSince, now), own)
		if s.Source != nil {
			reportSource(to, o, s.Source, now, sourceAttrs("policy", name))
		}
	}})
}

// since returns the seconds that have passed since at; 0 for the zero time.
func since(at, now time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return now.Sub(at).Seconds()
}

// Reloaded counts an attempt to load the named policy, and how long it took.
// outcome is a short code such as "loaded" or "rejected".
func (t *Telemetry) Reloaded(ctx context.Context, name, outcome string, took time.Duration) {
	k := pair{clean(name), clean(outcome)}
	if n := t.reloads.of(k, reloadSet); n != nil {
		n.Add(1)
		t.reloadTime.Record(ctx, took.Seconds(), metric.WithAttributeSet(n.set))
	}
}

// AddSource reports something other than a policy that is followed in a store, such
// as a file of users: how long ago the store confirmed it, which revision is in
// force, and how long it has been behind. status is the method Status of a
// [source.Follower]. A name may be used once, and there may be 64.
func (t *Telemetry) AddSource(name string, status func() source.Status) error {
	if status == nil {
		return errors.New("telemetry: source status is nil")
	}
	return t.add(part{"source", name, func(to metric.Observer, o *observables, now time.Time) {
		s := status()
		reportSource(to, o, &s, now, sourceAttrs("file", name))
	}})
}

// AddRevocations reports a followed log of revocations, as [Telemetry.AddSource]
// does; its revision is the number of the last record read. status is the method
// Status of a [revoke.Follower]. A name may be used once, and there may be 64.
func (t *Telemetry) AddRevocations(name string, status func() revoke.Status) error {
	if status == nil {
		return errors.New("telemetry: status of revocations is nil")
	}
	started := time.Now()
	return t.add(part{"revocations", name, func(to metric.Observer, o *observables, now time.Time) {
		s := status()
		if s.Confirmed.IsZero() {
			s.Confirmed = started // so that the age grows even if it never answers
		}
		attrs := sourceAttrs("revocations", name)
		reportSource(to, o, &source.Status{
			Revision: source.Revision(s.Read.Number), Confirmed: s.Confirmed, Listening: s.Listening, Listens: s.Listens,
		}, now, attrs)
		to.ObserveInt64(o.revocations, int64(s.Entries), named(sourceKey, name))
		to.ObserveInt64(o.restarts, int64(s.Restarts), named(sourceKey, name))
	}})
}

func sourceAttrs(kind, name string) metric.ObserveOption {
	return named(sourceKey, name, sourceKindKey.String(kind))
}

// reportSource reports how well something in a store is followed.
func reportSource(to metric.Observer, o *observables, s *source.Status, now time.Time, own metric.ObserveOption) {
	listening := int64(0)
	if s.Listening {
		listening = 1
	}
	to.ObserveInt64(o.sourceRevision, int64(s.Revision), own)
	to.ObserveFloat64(o.sourceAge, now.Sub(s.Confirmed).Seconds(), own)
	to.ObserveFloat64(o.sourceLag, since(s.Behind, now), own)
	to.ObserveInt64(o.listening, listening, own)
	to.ObserveInt64(o.listens, int64(s.Listens), own)
}

// keySet is a reported key set.
type keySet struct {
	name    string
	started time.Time

	mu            sync.Mutex
	keys, skipped int
	confirmed     time.Time // zero before the first good fetch
}

// AddKeySet reports the fetched keys of an issuer in metrics under the given name.
// Pass the returned function to [jwtauth.WithRefreshObserver]. A name may be used
// once, and there may be 64.
func (t *Telemetry) AddKeySet(name string) (func(jwtauth.Refresh), error) {
	s := &keySet{name: name, started: time.Now()}
	if err := t.add(part{"key set", name, s.report}); err != nil {
		return nil, err
	}
	return func(r jwtauth.Refresh) {
		if n := t.fetches.of(pair{name, s.refreshed(r)}, fetchSet); n != nil {
			n.Add(1)
		}
	}, nil
}

// refreshed records the result of a fetch, and returns it in one word.
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
		since = s.started // so that the age grows even if no fetch ever succeeds
	}
	own := named(keySetKey, s.name)
	to.ObserveInt64(o.keys, int64(keys), own)
	to.ObserveInt64(o.skipped, int64(skipped), own)
	to.ObserveFloat64(o.keySetAge, now.Sub(since).Seconds(), own)
}
