package telemetry_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// TestAFloodIsBoundedOnThePage: an application with 100,000 routes, as many reasons,
// rules and schemes of its own, and clients that make up methods, paths, hosts and
// names, has a page of Prometheus that stops growing, with the SDK's own limits: no
// refusal is lost, and none is in the SDK's series for what is too much.
func TestAFloodIsBoundedOnThePage(t *testing.T) {
	registry := client.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	m, err := telemetry.New(telemetry.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(exporter))), telemetry.WithDurationSampling(1))
	if err != nil {
		t.Fatal(err)
	}
	const routes = 100_000
	outcomes := []core.Outcome{core.OutcomeUnauthenticated, core.OutcomeForbidden, core.OutcomeUnavailable, core.OutcomeLimited, core.OutcomeError, core.OutcomeBadRequest, "made_up"}
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			made := fmt.Sprintf("made%d", i)
			m.Observe(t.Context(), core.Event{
				Outcome: outcomes[i%len(outcomes)], Reason: core.Reason(made), Gate: []string{"authorize", "check", made}[i%3], Scheme: made,
				Route: "/" + made + "/{id}", Rule: made + ".csv:1", Resource: "/" + made, Method: made, PrincipalID: []string{"", made}[i%2],
				RequestID: made, TraceID: made, Revision: made, Duration: time.Microsecond,
			})
		}
	}
	flood(0, routes/2)
	before, _, _ := scraped(t, registry)
	flood(routes/2, routes)
	after, refusals, samples := scraped(t, registry)
	if !maps.Equal(before, after) {
		t.Errorf("series became more: %v, %v", before, after)
	}
	if refusals != routes {
		t.Errorf("%v refusals are on the page, want %d", refusals, routes)
	}
	if most := slices.Max(slices.Collect(maps.Values(after))); most > 1100 || samples > 8000 {
		t.Errorf("%d series of one metric, %d samples in all: %v", most, samples, after)
	}
}

// scraped is how many series each metric has, how many refusals they count, and how
// many samples the page has.
func scraped(t *testing.T, registry *client.Registry) (series map[string]int, refusals float64, samples int) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series = map[string]int{}
	for _, f := range families {
		series[f.GetName()] = len(f.GetMetric())
		for _, one := range f.GetMetric() {
			samples += 1 + len(one.GetHistogram().GetBucket())
			if f.GetName() == "sallyport_refusals_total" {
				refusals += one.GetCounter().GetValue()
			}
			for _, l := range one.GetLabel() {
				if strings.Contains(l.GetName(), "overflow") {
					t.Errorf("%s is beyond the limit of the SDK", f.GetName())
				}
			}
		}
	}
	return series, refusals, samples
}
