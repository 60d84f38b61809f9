package doctor

import (
	"fmt"
	"io"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Sample is what a service shows of its metrics at one time.
type Sample map[string]*dto.MetricFamily

// ReadMetrics reads the text format of Prometheus.
func ReadMetrics(r io.Reader) (Sample, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	s, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if s["sallyport_requests_total"] == nil {
		return nil, fmt.Errorf("metrics: no sallyport_requests_total: the page is not that of a service with core/telemetry")
	}
	return s, nil
}

// CountsSince is what was counted between before and s; before may be nil for all
// since the service has started. A request that one gate has let pass and another
// has refused is one that was allowed and one that was refused.
func (s Sample) CountsSince(before Sample) *Counts {
	c := &Counts{}
	was := before.counters()
	for k, n := range s.counters() {
		if n -= was[k]; n <= 0 { // less than before if the service was started again
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
	s.missing(c, before)
	return c
}

type series struct{ name, outcome, reason, route, rule, scheme string }

func (s Sample) counters() map[series]float64 {
	all := map[series]float64{}
	for _, name := range []string{"sallyport_requests_total", "sallyport_refusals_total"} {
		for _, m := range s[name].GetMetric() {
			l := labels(m)
			k := series{name, l["sallyport_outcome"], l["sallyport_reason"], l["http_route"], l["sallyport_rule"], l["sallyport_scheme"]}
			all[k] += m.GetCounter().GetValue()
		}
	}
	return all
}

func labels(m *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, l := range m.GetLabel() {
		all[l.GetName()] = l.GetValue()
	}
	return all
}

// states adds what gauges say is broken now.
func (s Sample) states(c *Counts) {
	for _, m := range s["sallyport_policy_outdated_seconds"].GetMetric() {
		if since := m.GetGauge().GetValue(); since > 0 {
			c.note(Finding{Plumbing: policy, Seen: fmt.Sprintf("the policy %s has been older than its source for %v",
				labels(m)["sallyport_policy_name"], time.Duration(since)*time.Second),
				Look: "the log line of the reload, which names file and line. Revocations of the edit do not count yet"})
		}
	}
	for _, m := range s["sallyport_policy_source_age_seconds"].GetMetric() {
		if age := m.GetGauge().GetValue(); age > staleStore.Seconds() {
			c.note(Finding{Plumbing: dependency, Seen: fmt.Sprintf("the store of the policy %s has not confirmed it for %v",
				labels(m)["sallyport_policy_name"], time.Duration(age)*time.Second), Look: storeLook})
		}
	}
	for _, m := range s["sallyport_keyset_keys"].GetMetric() {
		if m.GetGauge().GetValue() == 0 {
			c.note(Finding{Plumbing: keys, Seen: "there are no keys of " + labels(m)["sallyport_keyset_name"], Look: "the address of the key set, from the machine of the service; until they come tokens are 503"})
		}
	}
	for _, m := range s["sallyport_keyset_age_seconds"].GetMetric() {
		if age := m.GetGauge().GetValue(); age > staleKeys.Seconds() {
			c.note(Finding{Plumbing: keys, Seen: fmt.Sprintf("%s has not confirmed its keys for %v", labels(m)["sallyport_keyset_name"], time.Duration(age)*time.Second),
				Look: "the address of the key set; after a day every token is 503"})
		}
	}
}

// missing adds what decision logs have lost since before.
func (s Sample) missing(c *Counts, before Sample) {
	lost := func(s Sample) map[string]float64 {
		all := map[string]float64{}
		for _, m := range s["sallyport_decisionlog_decisions_total"].GetMetric() {
			if l := labels(m); l["sallyport_result"] == "queue_full" || l["sallyport_result"] == "write_failed" {
				all[l["sallyport_decisionlog_name"]] += m.GetCounter().GetValue()
			}
		}
		return all
	}
	was := lost(before)
	for name, n := range lost(s) {
		if n -= was[name]; n > 0 {
			c.note(Finding{Plumbing: program, Seen: fmt.Sprintf("the decision log %s lacks %.0f decisions", name, n),
				Look: "sallyport_decisionlog_decisions_total: queue_full for a slow disk or a small queue_size, write_failed for a full disk or a file that cannot be written"})
		}
	}
}

// storeLook is what to look at when the store of a policy does not answer.
const storeLook = "the store of the policy, from the machine of the service; revocations that were published since do not count yet"

// staleStore is how old the word of a store gets when it does not answer: it is asked
// every few seconds.
const staleStore = time.Minute

// staleKeys is twice as old as keys get while the issuer answers.
const staleKeys = 2 * time.Hour
