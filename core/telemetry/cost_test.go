//go:build unix

package telemetry_test

import (
	"context"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// verdicts are events of the kinds that there are most of.
var verdicts = map[string]core.Event{
	"allowed": {
		Outcome: core.OutcomeAllowed, Status: 200, Reason: core.ReasonAllowed, Gate: "authorize", Scheme: "Bearer", PrincipalID: "ann",
		Method: "GET", Route: "/reports/{id}", Resource: "/reports/7", Rule: "policy.csv:12", Duration: 20 * time.Microsecond,
	},
	"forbidden": {
		Outcome: core.OutcomeForbidden, Status: 403, Reason: "no_rule_matched", Gate: "authorize", Scheme: "Bearer", PrincipalID: "ann",
		Method: "GET", Route: "/reports/{id}", Resource: "/reports/7", Duration: 20 * time.Microsecond,
	},
	"unauthenticated": {
		Outcome: core.OutcomeUnauthenticated, Status: 401, Reason: core.ReasonExpired, Gate: "authorize", Scheme: "Bearer",
		Method: "GET", Route: "/reports/{id}", Resource: "/reports/7", Duration: 20 * time.Microsecond,
	},
}

// prometheusTelemetry is one as programs have it, with the exporter.
func prometheusTelemetry(t testing.TB) *telemetry.Telemetry {
	t.Helper()
	exporter, err := prometheus.New(prometheus.WithRegisterer(client.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	m, err := telemetry.New(telemetry.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(exporter))))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAVerdictAllocatesNothing(t *testing.T) {
	all, one := measure(t), measure(t, telemetry.WithDurationSampling(1))
	for name, e := range verdicts {
		for sampling, m := range map[string]measured{"sampled": all, "each in the histogram": one} {
			if got := testing.AllocsPerRun(1000, func() { m.Observe(context.Background(), e) }); got != 0 {
				t.Errorf("%s, %s: %v allocations", name, sampling, got)
			}
		}
	}
}

// BenchmarkRequest measures a request in process, on net/http, with both gates.
func BenchmarkRequest(b *testing.B) {
	silent := core.ObserverFunc(func(context.Context, core.Event) {})
	for _, tt := range []struct {
		name     string
		observer core.Observer
	}{{"bare", silent}, {"with telemetry", prometheusTelemetry(b)}} {
		app := service(b, tt.observer)
		for key, what := range map[string]string{"bob": "allowed", "eve": "forbidden", "": "unauthenticated"} {
			r := httptest.NewRequest("GET", "/reports/1", nil)
			if key != "" {
				r.Header.Set("X-Name", key)
			}
			b.Run(what+"/"+tt.name, func(b *testing.B) {
				b.ReportAllocs()
				began := processorTime()
				for b.Loop() {
					app.ServeHTTP(httptest.NewRecorder(), r)
				}
				b.ReportMetric(float64(processorTime()-began)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkVerdict measures what one verdict costs beside the gate itself. On a
// machine that does other work, cpu-ns/op is the time that was spent on it.
func BenchmarkVerdict(b *testing.B) {
	m := prometheusTelemetry(b)
	ctx := context.Background()
	for name, e := range verdicts {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			began := processorTime()
			for b.Loop() {
				m.Observe(ctx, e)
			}
			b.ReportMetric(float64(processorTime()-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
