package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// The results of a call: how it ended, or the class of the response.
const (
	ok       = "ok"
	redirect = "redirect"
	rejected = "rejected" // 4xx
)

// dependency is a service that is called, by its name in metrics.
type dependency struct {
	t    *Telemetry
	name string
}

// newDependency checks the arguments of a caller. There are at most 64 names, and one
// for all others.
func (t *Telemetry) newDependency(what, name string, missing bool) (dependency, error) {
	if missing {
		return dependency{}, fmt.Errorf("telemetry: %s is nil", what)
	}
	if err := checkName(what, name, 0, false); err != nil {
		return dependency{}, err
	}
	return dependency{t, t.dependencies.of(name)}, nil
}

// call is a call that is being measured.
type call struct {
	dependency
	operation string
	span      trace.Span
	began     time.Time
}

// begin starts measuring a call.
func (d dependency) begin(ctx context.Context, operation string, attrs ...attribute.KeyValue) (context.Context, call) {
	attrs = append(attrs, dependencyKey.String(d.name))
	ctx, span := d.t.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...)) //nolint:spancheck // call.end ends it
	return ctx, call{d, operation, span, time.Now()}                                                                        //nolint:spancheck // as above
}

// end records the call. errorType says in one word what failed; it is never a text that
// a client has chosen.
func (c call) end(ctx context.Context, result, errorType string) {
	took := time.Since(c.began)
	if errorType != "" {
		c.span.SetAttributes(attribute.String("error.type", errorType))
		c.span.SetStatus(codes.Error, "")
	}
	c.t.callTime.Record(ctx, took.Seconds(), metric.WithAttributes(
		dependencyKey.String(c.name), operationKey.String(c.operation), resultKey.String(result)))
	c.span.End()
}

// Transport returns a transport that measures the calls of base and records a span
// for each, for jwtauth.WithTransport, introspect.WithTransport and the clients of
// applications. dependency names the called service in metrics and spans; up to 64
// names are distinguished. A span has only the host and port of the URL, and
// nothing is added to the request. A call ends when the header of the response
// arrives.
//
// A nil base is an error: jwtauth.NewTransport and introspect.NewTransport return
// the defaults of these packages, with their limits.
func (t *Telemetry) Transport(dependency string, base http.RoundTripper) (http.RoundTripper, error) {
	d, err := t.newDependency("transport", dependency, base == nil)
	if err != nil {
		return nil, err
	}
	return transport{d, base}, nil
}

type transport struct {
	dependency
	base http.RoundTripper
}

func (r transport) RoundTrip(request *http.Request) (*http.Response, error) {
	method := methodOf(request)
	attrs := []attribute.KeyValue{
		attribute.String("http.request.method", method), attribute.String("server.address", request.URL.Hostname()),
	}
	if port, err := strconv.Atoi(request.URL.Port()); err == nil {
		attrs = append(attrs, attribute.Int("server.port", port))
	}
	ctx, c := r.begin(request.Context(), method, attrs...)
	response, err := r.base.RoundTrip(request.WithContext(ctx))
	if err != nil {
		c.end(ctx, results[failed], errorType(ctx))
		return response, err
	}
	c.span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
	result, problem := resultOf(response.StatusCode), ""
	if result != ok && result != redirect {
		problem = strconv.Itoa(response.StatusCode)
	}
	c.end(ctx, result, problem)
	return response, nil
}

// CloseIdleConnections closes the idle connections of base.
func (r transport) CloseIdleConnections() {
	if c, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// methodOf returns the method of a request, or "_OTHER" for one that a client may have
// made up, as in requests that a proxy passes on.
func methodOf(r *http.Request) string {
	switch r.Method {
	case "":
		return http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "_OTHER"
}

func resultOf(status int) string {
	switch {
	case status < 300:
		return ok
	case status < 400:
		return redirect
	case status < 500:
		return rejected
	}
	return results[failed]
}

// errorType says in one word why a call failed. The text of the error is not used,
// since it may contain a URL with a secret.
func errorType(ctx context.Context) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "timeout"
	case ctx.Err() != nil:
		return "canceled"
	}
	return "unreachable"
}
