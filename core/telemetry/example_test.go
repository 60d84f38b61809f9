package telemetry_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// A guard that counts: give it the Telemetry as an observer, and the log beside it.
func ExampleNew() {
	reader := metric.NewManualReader() // in a service, that of an exporter
	metrics, err := telemetry.New(telemetry.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))))
	if err != nil {
		log.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{named{}},
		core.WithObserver(metrics), core.WithObserver(core.LogObserver(nil)), core.WithTraceID(telemetry.TraceID))
	if err != nil {
		log.Fatal(err)
	}
	_ = guard

	metrics.Observe(context.Background(), core.Event{Outcome: core.OutcomeForbidden, Reason: "no_rule_matched", Gate: "authorize", Route: "/reports/{id}"})
	var got metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &got); err != nil {
		log.Fatal(err)
	}
	for _, m := range got.ScopeMetrics[0].Metrics {
		if m.Name == "sallyport.refusals" {
			p := m.Data.(metricdata.Sum[int64]).DataPoints[0]
			reason, _ := p.Attributes.Value("sallyport.reason")
			fmt.Println(p.Value, reason.AsString())
		}
	}
	// Output: 1 no_rule_matched
}
