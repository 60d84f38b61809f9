package telemetry_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// TestThePageListsEveryMetric holds the table of docs/telemetry.md: name, kind,
// unit, attributes.
func TestThePageListsEveryMetric(t *testing.T) {
	page, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(sallyport\\.[a-z.]+)` \\| ([a-z]+) \\| ([^|]*) \\| ([^|]*) \\|").FindAllStringSubmatch(string(page), -1) {
		attributes := regexp.MustCompile("`[^`]+`").FindAllString(row[4], -1)
		listed[row[1]] = append([]string{row[2], strings.TrimSpace(row[3])}, attributes...)
	}
	m := measure(t, telemetry.WithDurationSampling(1))
	everything(t, m)
	seen := 0
	for _, metric := range m.collect(t) {
		kind, attributes := describeData(t, metric.Data)
		want := append([]string{kind, "`" + metric.Unit + "`"}, attributes...)
		if got := listed[metric.Name]; !slices.Equal(got, want) {
			t.Errorf("docs/telemetry.md has %s as %q, want %q", metric.Name, got, want)
		}
		seen++
	}
	if seen != len(listed) {
		t.Errorf("docs/telemetry.md lists %d metrics, and there are %d", len(listed), seen)
	}
}

// TestReasonsOfThisProjectAreNotCrowdedOut: each reason of the table on the page is
// told apart, however many others there are.
func TestReasonsOfThisProjectAreNotCrowdedOut(t *testing.T) {
	page, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Reason codes\n")
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z0-9, ]+) \\|").FindAllStringSubmatch(table, -1)
	if len(rows) < 60 {
		t.Fatalf("only %d reasons found on the page", len(rows))
	}
	m := measure(t)
	for i := range 200 {
		m.Observe(t.Context(), core.Event{Outcome: core.OutcomeForbidden, Reason: core.Reason(fmt.Sprintf("own_%d", i))})
	}
	for _, row := range rows {
		m.Observe(t.Context(), core.Event{Outcome: core.OutcomeForbidden, Reason: core.Reason(row[1])})
	}
	refusals := m.counted(t, "sallyport.refusals")
	for _, row := range rows {
		if series := "sallyport.refusals{http.route=,sallyport.outcome=forbidden,sallyport.reason=" + row[1] + ",sallyport.rule=,sallyport.scheme=}"; refusals[series] != 1 {
			t.Errorf("%s is not told apart", row[1])
		}
	}
}

// everything makes m report each metric.
func everything(t *testing.T, m measured) {
	t.Helper()
	app := service(t, m)
	ask(app, "GET", "/reports/1", "ann")
	ask(app, "GET", "/reports/1", "")
	status := telemetry.PolicyStatus{Loaded: time.Now(), Source: &source.Status{Listening: true, Listens: 1}}
	if err := m.AddPolicy("reports", func() telemetry.PolicyStatus { return status }); err != nil {
		t.Fatal(err)
	}
	if err := m.AddDecisionLog("reports", func() decisionlog.Stats { return decisionlog.Stats{Queued: 1} }); err != nil {
		t.Fatal(err)
	}
	m.Reloaded(context.Background(), "reports", "loaded", time.Second)
	report, err := m.AddKeySet("idp")
	if err != nil {
		t.Fatal(err)
	}
	report(jwtauth.Refresh{Keys: 1, Changed: true})
	if err := m.AddSource("basic", func() source.Status { return *status.Source }); err != nil {
		t.Fatal(err)
	}
	if err := m.AddRevocations("reports", func() revoke.Status { return revoke.Status{Restarts: 1} }); err != nil {
		t.Fatal(err)
	}
	if err := m.AddCache("passwords", func() core.CacheStats { return core.CacheStats{Hits: 1} }); err != nil {
		t.Fatal(err)
	}
	if err := m.AddAttempts("reports", func() attempts.Stats { return attempts.Stats{Allowed: 1} }); err != nil {
		t.Fatal(err)
	}
	s, err := m.Store("sessions", memory{map[string][]byte{}, nil})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete("key"); err != nil {
		t.Fatal(err)
	}
	m.Observe(context.Background(), core.Event{Outcome: core.OutcomeForbidden})
}

func describeData(t *testing.T, data metricdata.Aggregation) (kind string, attributes []string) {
	t.Helper()
	var set attribute.Set
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		kind, set = "counter", d.DataPoints[0].Attributes
	case metricdata.Gauge[int64]:
		kind, set = "gauge", d.DataPoints[0].Attributes
	case metricdata.Gauge[float64]:
		kind, set = "gauge", d.DataPoints[0].Attributes
	case metricdata.Histogram[float64]:
		kind, set = "histogram", d.DataPoints[0].Attributes
	default:
		t.Fatalf("a %T", data)
	}
	for _, a := range set.ToSlice() {
		attributes = append(attributes, "`"+string(a.Key)+"`")
	}
	return kind, attributes
}
