package telemetry

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport-go/sallyport/core/session"
)

// classes are the results of a call: how it ended, or of what kind the answer is.
const (
	ok       = "ok"
	redirect = "redirect"
	rejected = "rejected" // 4xx
)

// call is one that is measured.
type call struct {
	t     *Telemetry
	name  string
	span  trace.Span
	began time.Time
}

// begin begins a call of the service called name.
func (t *Telemetry) begin(ctx context.Context, name, operation string, attrs ...attribute.KeyValue) (context.Context, call) {
	attrs = append(attrs, dependencyKey.String(name))
	ctx, span := t.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...)) //nolint:spancheck // call.end ends it
	return ctx, call{t, name, span, time.Now()}
}

// end ends it. errorType is what went wrong, in one word of no client's choice.
func (c call) end(ctx context.Context, result, errorType string) {
	took := time.Since(c.began)
	if errorType != "" {
		c.span.SetAttributes(attribute.String("error.type", errorType))
		c.span.SetStatus(codes.Error, "")
	}
	c.t.callTime.Record(ctx, took.Seconds(), metric.WithAttributes(dependencyKey.String(c.name), resultKey.String(result)))
	c.span.End()
}

// Transport makes a transport that measures the calls of base and gives each a
// span, for jwtauth.WithTransport, introspect.WithTransport and the clients of
// applications. dependency names what is called, in metrics and spans; it must be
// a text of the program's own, since each one is a series. Nothing of a URL but its
// host and port is in a span, and nothing is added to the request. A call ends when
// the header of the answer is there.
//
// A nil base is an error: jwtauth.NewTransport and introspect.NewTransport make those
// that these packages use by themselves, with limits.
func (t *Telemetry) Transport(dependency string, base http.RoundTripper) (http.RoundTripper, error) {
	if base == nil {
		return nil, errors.New("telemetry: transport is nil")
	}
	if err := checkName("transport", dependency, 0, false); err != nil {
		return nil, err
	}
	return transport{t, dependency, base}, nil
}

type transport struct {
	t    *Telemetry
	name string
	base http.RoundTripper
}

func (r transport) RoundTrip(request *http.Request) (*http.Response, error) {
	attrs := []attribute.KeyValue{
		attribute.String("http.request.method", request.Method), attribute.String("server.address", request.URL.Hostname()),
	}
	if port, err := strconv.Atoi(request.URL.Port()); err == nil {
		attrs = append(attrs, attribute.Int("server.port", port))
	}
	ctx, c := r.t.begin(request.Context(), r.name, request.Method, attrs...)
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

// CloseIdleConnections closes those of base.
func (r transport) CloseIdleConnections() {
	if c, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
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

// errorType says in one word why a call failed. The text of the error may hold an
// address with a secret.
func errorType(ctx context.Context) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "timeout"
	case ctx.Err() != nil:
		return "canceled"
	}
	return "unreachable"
}

// Store makes a store of sessions that measures the calls of base and gives each a
// span. dependency is as for [Telemetry.Transport]. It calls base by the methods of
// [session.ContextStore] where that has them.
func (t *Telemetry) Store(dependency string, base session.Store) (session.ContextStore, error) {
	if base == nil {
		return nil, errors.New("telemetry: store is nil")
	}
	if err := checkName("store", dependency, 0, false); err != nil {
		return nil, err
	}
	s := store{t: t, name: dependency, base: base}
	s.ctx, _ = base.(session.ContextStore)
	return s, nil
}

type store struct {
	t    *Telemetry
	name string
	base session.Store
	ctx  session.ContextStore // base, where it takes contexts
}

// do measures one call.
func (s store) do(ctx context.Context, operation string, call func(context.Context) error) error {
	ctx, c := s.t.begin(ctx, s.name, operation, attribute.String("db.operation.name", operation))
	if err := call(ctx); err != nil {
		c.end(ctx, results[failed], errorType(ctx))
		return err
	}
	c.end(ctx, ok, "")
	return nil
}

func (s store) Find(key string) ([]byte, bool, error) { return s.FindCtx(context.Background(), key) }
func (s store) Delete(key string) error               { return s.DeleteCtx(context.Background(), key) }
func (s store) Commit(key string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), key, data, expires)
}

func (s store) FindCtx(ctx context.Context, key string) (data []byte, found bool, err error) {
	err = s.do(ctx, "find", func(ctx context.Context) (err error) {
		if s.ctx != nil {
			data, found, err = s.ctx.FindCtx(ctx, key)
		} else {
			data, found, err = s.base.Find(key)
		}
		return err
	})
	return data, found, err
}

func (s store) CommitCtx(ctx context.Context, key string, data []byte, expires time.Time) error {
	return s.do(ctx, "commit", func(ctx context.Context) error {
		if s.ctx != nil {
			return s.ctx.CommitCtx(ctx, key, data, expires)
		}
		return s.base.Commit(key, data, expires)
	})
}

func (s store) DeleteCtx(ctx context.Context, key string) error {
	return s.do(ctx, "delete", func(ctx context.Context) error {
		if s.ctx != nil {
			return s.ctx.DeleteCtx(ctx, key)
		}
		return s.base.Delete(key)
	})
}
