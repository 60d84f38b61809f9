// Package telemetry counts what a guard decides, and what that depends on, with
// OpenTelemetry: authentication, challenges, authorization and refusals by
// reason, policies, key sets, caches, limits on guessing, what is followed in
// stores, and calls of other services. 401 and 403 are never
// in one series, since they wake different people.
//
//	metrics, err := telemetry.New()
//	guard, err := core.NewGuard(schemes,
//		core.WithObserver(metrics), core.WithObserver(core.LogObserver(nil)),
//		core.WithTraceID(telemetry.TraceID))
//
// It uses OpenTelemetry's API alone. The program chooses the SDK and the
// exporter, and without them nothing is measured. The page docs/telemetry.md
// lists every metric. Their names begin with "sallyport." until there is a
// convention for what they count.
//
// The number of series is bounded, whatever clients send: no path, method,
// name of a person or address is an attribute, and of what an application
// chooses, such as routes and rules, [WithMaxSeries] are told apart.
//
// A verdict costs less than 100 ns and allocates nothing, unless its request has
// a span that is recorded, which gets attributes.
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

// Telemetry measures. It is a [core.Observer], may be that of several guards, and
// is safe for concurrent use.
type Telemetry struct {
	meters  metric.MeterProvider
	tracers trace.TracerProvider
	maximum int    // of series, routes and rules
	every   uint32 // one verdict in so many is in the histogram

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

// WithMeterProvider sets where metrics go; OpenTelemetry's global provider
// otherwise.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(t *Telemetry) error { return option.Set(&t.meters, p, "meter provider is nil") }
}

// WithTracerProvider sets where spans of calls go; OpenTelemetry's global provider
// otherwise. Attributes on the span of a request go where that span does.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(t *Telemetry) error { return option.Set(&t.tracers, p, "tracer provider is nil") }
}

// The bounds of WithMaxSeries.
const (
	defaultMaxSeries = 1000
	maxMaxSeries     = 100_000
)

// WithMaxSeries sets how many series refusals have at most, and how many routes,
// and rules, have one of their own: 1000 by default, from 100 to 100,000. What
// comes later is counted under "_other".
func WithMaxSeries(n int) Option {
	return func(t *Telemetry) error {
		if n < 100 || n > maxMaxSeries {
			return fmt.Errorf("max series %d: must be from 100 to %d", n, maxMaxSeries)
		}
		t.maximum = n
		return nil
	}
}

// WithDurationSampling sets that one verdict in n, chosen at random, is in the histogram
// sallyport.gate.duration: 16 by default, 1 for all, at most 1000. Its quantiles
// are those of all verdicts; how many there were is said by the counters, each of
// which counts all. It keeps a verdict cheap: a histogram of the SDK takes longer
// than all counters together. A refusal whose span is recorded is always in it,
// so that an exemplar leads to its trace.
func WithDurationSampling(n int) Option {
	return func(t *Telemetry) error {
		if n < 1 || n > 1000 {
			return fmt.Errorf("duration sampling %d: must be from 1 to 1000", n)
		}
		t.every = uint32(n)
		return nil
	}
}

// New makes a Telemetry and registers its metrics.
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

// Close takes the metrics back. What it counts afterwards nobody sees.
func (t *Telemetry) Close() error {
	if err := t.callback.Unregister(); err != nil {
		return fmt.Errorf("telemetry: close: %w", err)
	}
	return nil
}

// TraceID is the trace of the span in ctx, or "" for none: give it to
// [core.WithTraceID], so that the lines of the log name the trace that the
// request's span is part of.
func TraceID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		return s.TraceID().String()
	}
	return ""
}
