package doctor

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Sample is the metrics of a service at one time.
type Sample map[string]*dto.MetricFamily

// ReadMetrics parses the text format of Prometheus.
func ReadMetrics(r io.Reader) (Sample, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	s, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("metrics: the page is not in Prometheus's text format: %w", err)
	}
	if s["sallyport_requests_total"] == nil {
		return nil, fmt.Errorf("metrics: no sallyport_requests_total: the page is not that of a service with core/telemetry")
	}
	return s, nil
}

// CountsSince returns what was counted between before and s; if before is nil, since the
// service started. A request that passed one gate and was refused by another counts as both
// allowed and refused.
func (s Sample) CountsSince(before Sample) *Counts {
	c := &Counts{}
	was := before.counters()
	for k, n := range s.counters() {
		if n = since(n, was[k]); n == 0 {
			continue
		}
		switch {
		case k.name == "sallyport_requests_total" && k.outcome == "allowed":
			c.Allowed += n
		case k.name == "sallyport_refusals_total":
			c.Add(Kind{k.outcome, k.reason}, n, k.route, k.rule, k.scheme)
		}
	}
	s.states(c)
	s.fetches(c, before)
	s.missing(c, before)
	return c
}

// since returns how far a counter has got from a previous value. A smaller value is that
// of a service which was restarted, and counts from 0; one that is not a number counts
// nothing.
func since(now, before float64) float64 {
	switch {
	case now >= before && !math.IsInf(now, 0):
		return now - before
	case now > 0 && !math.IsInf(now, 0):
		return now
	}
	return 0
}

type series struct{ name, outcome, reason, route, rule, scheme string }

func (s Sample) counters() map[series]float64 {
	all := map[series]float64{}
	for _, name := range []string{"sallyport_requests_total", "sallyport_refusals_total"} {
		for _, m := range s[name].GetMetric() {
			l := labels(m)
			k := series{name, l["sallyport_outcome"], l["sallyport_reason"], l["http_route"], l["sallyport_rule"], l["sallyport_scheme"]}
			all[k] += value(m)
		}
	}
	return all
}

// value returns the value of a counter or gauge, even if the page does not declare its
// type.
func value(m *dto.Metric) float64 {
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return m.GetUntyped().GetValue()
}

func labels(m *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, l := range m.GetLabel() {
		all[l.GetName()] = l.GetValue()
	}
	return all
}

// states adds findings for what gauges report as broken now.
func (s Sample) states(c *Counts) {
	each := func(name string, note func(l map[string]string, n float64)) {
		for _, m := range s[name].GetMetric() {
			note(labels(m), value(m))
		}
	}
	each("sallyport_policy_info", func(l map[string]string, _ float64) {
		if c.revisions == nil {
			c.revisions = map[string]string{}
		}
		c.revisions[l["sallyport_policy_name"]] = l["sallyport_policy_revision"]
	})
	each("sallyport_policy_outdated_seconds", func(l map[string]string, since float64) {
		if since > 0 {
			c.note(Finding{Plumbing: policy, Alert: policyOutdated, Look: outdatedLook,
				Seen: fmt.Sprintf("the policy %s has been older than its source for %v", l["sallyport_policy_name"], seconds(since))})
		}
	})
	each("sallyport_source_lag_seconds", func(l map[string]string, since float64) {
		if since > 0 && l["sallyport_source_kind"] != "policy" { // policies have a gauge of their own
			c.note(Finding{Plumbing: policy, Alert: policyOutdated, Look: outdatedLook,
				Seen: fmt.Sprintf("the file of %s has been older than that in its store for %v", l["sallyport_source_name"], seconds(since))})
		}
	})
	each("sallyport_source_age_seconds", func(l map[string]string, age float64) {
		if age > staleStore.Seconds() {
			c.note(Finding{Plumbing: dependency, Alert: sourceStale, Look: storeLook,
				Seen: fmt.Sprintf("the store of the %s %s has not confirmed it for %v", l["sallyport_source_kind"], l["sallyport_source_name"], seconds(age))})
		}
	})
	each("sallyport_keyset_keys", func(l map[string]string, n float64) {
		if n == 0 {
			c.note(Finding{Plumbing: keys, Alert: keySetStale, Look: keySetLook + "; until they come tokens are 503", Seen: "there are no keys of " + l["sallyport_keyset_name"]})
		}
	})
	each("sallyport_keyset_age_seconds", func(l map[string]string, age float64) {
		if age > staleKeys.Seconds() {
			c.note(Finding{Plumbing: keys, Alert: keySetStale, Look: keySetLook + "; after a day every token is 503",
				Seen: fmt.Sprintf("%s has not confirmed its keys for %v", l["sallyport_keyset_name"], seconds(age))})
		}
	})
}

func seconds(n float64) time.Duration { return time.Duration(n) * time.Second }

// fetches adds findings for key sets for which every fetch since before has failed. Without
// an earlier sample it is unknown how long ago that was.
func (s Sample) fetches(c *Counts, before Sample) {
	if before == nil {
		return
	}
	failed := func(result string) bool { return result == "failed" }
	good := func(result string) bool { return !failed(result) }
	fetched := func(s Sample, is func(string) bool) map[string]float64 {
		return s.sums("sallyport_keyset_fetches_total", "sallyport_keyset_name", is)
	}
	bad, wasBad, succeeded, wasGood := fetched(s, failed), fetched(before, failed), fetched(s, good), fetched(before, good)
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		if n := since(bad[name], wasBad[name]); n > 0 && since(succeeded[name], wasGood[name]) == 0 {
			c.note(Finding{Plumbing: keys, Alert: keySetStale, Look: keySetLook + "; after a day every token is 503",
				Seen: fmt.Sprintf("%.0f fetches of the keys of %s have failed", n, name)})
		}
	}
}

// sums returns the sums of a counter by the value of a label, for some results.
func (s Sample) sums(counter, by string, of func(result string) bool) map[string]float64 {
	all := map[string]float64{}
	for _, m := range s[counter].GetMetric() {
		if l := labels(m); of(l["sallyport_result"]) {
			all[l[by]] += value(m)
		}
	}
	return all
}

// missing adds findings for records that decision logs have lost since before.
func (s Sample) missing(c *Counts, before Sample) {
	lost := func(s Sample) map[string]float64 {
		return s.sums("sallyport_decisionlog_decisions_total", "sallyport_decisionlog_name", func(result string) bool {
			return result == "queue_full" || result == "write_failed"
		})
	}
	was := lost(before)
	for name, n := range lost(s) {
		if n = since(n, was[name]); n > 0 {
			c.note(Finding{Plumbing: program, Alert: decisionsLost, Look: decisionsLook, Seen: fmt.Sprintf("the decision log %s lacks %.0f decisions", name, n)})
		}
	}
}

// Advice for findings other than refusals.
const (
	storeLook     = "the store, from the machine of the service; what was published or revoked since does not count yet"
	outdatedLook  = "the log line of the reload, which names file and line. Revocations of the edit do not count yet"
	keySetLook    = "the address of the key set, from the machine of the service"
	decisionsLook = "sallyport_decisionlog_decisions_total: queue_full for a slow disk or a small queue_size, write_failed for a full disk or a file that cannot be written"
)

// staleStore is the age at which the state read from a store counts as stale: stores are
// asked every few seconds.
const staleStore = time.Minute

// staleKeys is twice the maximum age of keys while their issuer answers.
const staleKeys = 2 * time.Hour
