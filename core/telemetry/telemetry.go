// Package telemetry measures a guard's decisions and dependencies with
// OpenTelemetry: authentication, challenges, authorization and refusals by reason,
// policies, key sets, caches, limits on guessing, followed stores, and calls to
// other services. 401 and 403 are never in the same series, since they wake
// different people.
//
//	metrics, err := telemetry.New()
//	guard, err := core.NewGuard(schemes,
//		core.WithObserver(metrics), core.WithObserver(core.LogObserver(nil)),
//		core.WithTraceID(telemetry.TraceID))
//
// It uses only OpenTelemetry's API. The program chooses the SDK and the exporter,
// and without them nothing is measured. docs/telemetry.md lists every metric. Their
// names begin with "sallyport." until there is a convention for them.
//
// The number of series is bounded, whatever clients send: no path, method, personal
// name or address is an attribute, and values that the application chooses, such as
// routes and rules, are limited by [WithMaxSeries].
//
// A verdict costs less than 100 ns and does not allocate, unless its request has a
// recorded span, to which attributes are added.
package telemetry

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// scope is the name of the meter and the tracer.
const scope = "github.com/sallyport-go/sallyport/core/telemetry"

// Telemetry is a [core.Observer] that measures. Several guards may share it, and it
// is safe for concurrent use.
type Telemetry struct {
	meters  metric.MeterProvider
	tracers trace.TracerProvider
	maximum int    // of series, routes and rules
	every   uint32 // one verdict in this many is in the histogram

	verdicts     verdicts
	gateTime     metric.Float64Histogram
	reloadTime   metric.Float64Histogram
	callTime     metric.Float64Histogram
	tracer       trace.Tracer
	dependencies *labels
	reloads      *counters[pair]
	fetches      *counters[pair]
	callback     metric.Registration
	mu           sync.Mutex
	parts        []part
}

var _ core.Observer = (*Telemetry)(nil)

// Option configures a [Telemetry].
type Option func(*Telemetry) error

// WithMeterProvider sets the provider for metrics; OpenTelemetry's global one by
// default.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(t *Telemetry) error { return option.Set(&t.meters, p, "meter provider is nil") }
}

// WithTracerProvider sets the provider for spans of calls; OpenTelemetry's global
// one by default. It does not affect the span of a request, to which attributes are
// added.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(t *Telemetry) error { return option.Set(&t.tracers, p, "tracer provider is nil") }
}

// The bounds of WithMaxSeries.
const (
	defaultMaxSeries = 1000
	maxMaxSeries     = 100_000
)

// WithMaxSeries sets the maximum number of series for refusals, and of routes and
// of rules that are distinguished: 1000 by default, from 100 to 100,000. Any more
// are counted under "_other".
func WithMaxSeries(n int) Option {
	return func(t *Telemetry) error {
		return option.SetUnless(&t.maximum, n, n < 100 || n > maxMaxSeries, "max series %d: must be from 100 to %d", n, maxMaxSeries)
	}
}

// WithDurationSampling records one verdict in n, chosen at random, in the histogram
// sallyport.gate.duration: 16 by default, 1 for all, at most 1000. The quantiles
// estimate those of all verdicts; the counters count every verdict. Sampling keeps
// a verdict cheap: a histogram of the SDK takes longer than all counters together.
// A refusal with a recorded span is always included, so that an exemplar leads to
// its trace.
func WithDurationSampling(n int) Option {
	return func(t *Telemetry) error {
		return option.SetUnless(&t.every, uint32(n), n < 1 || n > 1000, "duration sampling %d: must be from 1 to 1000", n)
	}
}

// New returns a Telemetry and registers its metrics.
func New(opts ...Option) (*Telemetry, error) {
	t := &Telemetry{maximum: defaultMaxSeries, every: 16}
	if err := option.Apply(t, opts); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	if t.meters == nil {
		t.meters = otel.GetMeterProvider()
	}
	if t.tracers == nil {
		t.tracers = otel.GetTracerProvider()
	}
	t.tracer = t.tracers.Tracer(scope)
	t.verdicts.init(t.maximum)
	t.dependencies = newLabels(maxNames)
	t.reloads, t.fetches = newCounters[pair](maxNames), newCounters[pair](maxNames)
	if err := t.register(t.meters.Meter(scope)); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return t, nil
}

// Close unregisters the metrics. Later counts are not reported.
func (t *Telemetry) Close() error {
	if err := t.callback.Unregister(); err != nil {
		return fmt.Errorf("telemetry: close: %w", err)
	}
	return nil
}

// TraceID returns the trace ID of the span in ctx, or "". Pass it to
// [core.WithTraceID], so that log lines name the trace of the request's span.
func TraceID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		return s.TraceID().String()
	}
	return ""
}
