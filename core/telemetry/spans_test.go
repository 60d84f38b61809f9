package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// traced is a Telemetry whose spans a test reads.
func traced(t *testing.T) (measured, *tracetest.SpanRecorder, *sdktrace.TracerProvider) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	return measure(t, telemetry.WithTracerProvider(provider)), spans, provider
}

// attributesOf are those of a span, as texts.
func attributesOf(s sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// The span of the server, the line of the log and the exemplar of a refusal name
// one trace, also where the service itself has begun it.
func TestARefusalIsJoinedByItsTrace(t *testing.T) {
	m, spans, provider := traced(t)
	var lines bytes.Buffer
	guard, err := core.NewGuard([]core.Authenticator{named{}}, core.WithObserver(m),
		core.WithObserver(core.LogObserver(slog.New(slog.NewJSONHandler(&lines, nil)))), core.WithTraceID(telemetry.TraceID))
	if err != nil {
		t.Fatal(err)
	}
	app := httpauth.Authenticate(guard)(http.NotFoundHandler())
	ctx, span := provider.Tracer("server").Start(t.Context(), "GET")
	r := httptest.NewRequest("GET", "/reports", nil).WithContext(ctx)
	r.Header.Set("X-Name", "mallory")
	r.Header.Set("X-Request-Id", "c0ffee\xff")
	app.ServeHTTP(httptest.NewRecorder(), r)
	span.End()

	want := span.SpanContext().TraceID()
	var line struct {
		Trace string `json:"trace_id"`
	}
	if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Trace != want.String() {
		t.Errorf("the log has trace %q, want %v: %v", line.Trace, want, err)
	}
	got := attributesOf(spans.Ended()[0])
	for key, value := range map[string]string{
		"sallyport.outcome": "unauthenticated", "sallyport.reason": "unknown_principal", "sallyport.gate": "authenticate",
		"sallyport.scheme": "Named", "sallyport.request_id": "c0ffee\uFFFD",
	} {
		if got[key] != value {
			t.Errorf("the span has %s %q, want %q", key, got[key], value)
		}
	}
	if strings.Contains(strings.Join(slices.Collect(valuesOf(got)), " "), "mallory") {
		t.Errorf("the span names somebody: %v", got)
	}
	found := false
	for _, metric := range m.collect(t) {
		data, ok := metric.Data.(metricdata.Histogram[float64])
		if !ok {
			continue
		}
		for _, p := range data.DataPoints {
			found = found || slices.ContainsFunc(p.Exemplars, func(e metricdata.Exemplar[float64]) bool { return bytes.Equal(e.TraceID, want[:]) })
		}
	}
	if !found {
		t.Error("no exemplar leads to the trace")
	}
}

func valuesOf(all map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range all {
			if !yield(v) {
				return
			}
		}
	}
}

func TestCallsHaveSpansWithoutSecrets(t *testing.T) {
	m, spans, provider := traced(t)
	statuses := map[string]int{"/ok": 200, "/moved": 302, "/refused": 401, "/broken": 500}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Traceparent") != "" {
			t.Error("the call carries a trace, which tells another service of it")
		}
		w.WriteHeader(statuses[r.URL.Path])
	}))
	transport, err := m.Transport("idp", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := provider.Tracer("server").Start(t.Context(), "GET /reports")
	call := func(path string) error {
		r, err := http.NewRequestWithContext(ctx, "GET", server.URL+path+"?token=secret", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(r)
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}
	for path := range statuses {
		if err := call(path); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := call("/ok"); err == nil {
		t.Fatal("a server that is gone answers")
	}
	for _, s := range spans.Ended() {
		got := attributesOf(s)
		if s.Parent().SpanID() != parent.SpanContext().SpanID() || got["sallyport.dependency"] != "idp" || got["server.address"] != "127.0.0.1" {
			t.Errorf("span %s below %v: %v", s.Name(), s.Parent().SpanID(), got)
		}
		if strings.Contains(strings.Join(slices.Collect(valuesOf(got)), " "), "secret") {
			t.Errorf("a span has the query: %v", got)
		}
	}
	counted := m.counted(t, "sallyport.dependency.duration")
	for result, want := range map[string]float64{"ok": 1, "redirect": 1, "rejected": 1, "error": 2} {
		if got := counted["sallyport.dependency.duration{sallyport.dependency=idp,sallyport.operation=GET,sallyport.result="+result+"}"]; got != want {
			t.Errorf("%v calls are %s, want %v", got, result, want)
		}
	}
}

func TestAKeySetIsReported(t *testing.T) {
	m, spans, _ := traced(t)
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"new","kid":"b"}]}`)) // the client has gone
	}))
	defer server.Close()
	report, err := m.AddKeySet("idp")
	if err != nil {
		t.Fatal(err)
	}
	transport, err := m.Transport("idp", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{}, 10)
	keys, err := jwtauth.Fetch(server.URL, jwtauth.WithTransport(transport), jwtauth.WithRefetchInterval(time.Millisecond),
		jwtauth.WithRetryInterval(time.Hour, time.Hour), // none beside those of the test
		jwtauth.WithRefreshObserver(func(r jwtauth.Refresh) { report(r); told <- struct{}{} }))
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	wait := func() {
		t.Helper()
		select {
		case <-told:
		case <-time.After(authtest.TimeLimit(time.Minute)):
			t.Fatal("no fetch has completed")
		}
	}
	wait()
	const name = "{sallyport.keyset.name=idp"
	got := m.series(t)
	for series, want := range map[string]float64{"keys" + name + "}": 1, "skipped" + name + "}": 1, "fetches" + name + ",sallyport.result=changed}": 1} {
		if got["sallyport.keyset."+series] != want {
			t.Errorf("%s is %v, want %v", series, got["sallyport.keyset."+series], want)
		}
	}
	down.Store(true)
	if _, err := keys.Renew(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	wait()
	if got := m.series(t)["sallyport.keyset.fetches"+name+",sallyport.result=failed}"]; got != 1 {
		t.Errorf("%v fetches have failed, want 1", got)
	}
	if len(spans.Ended()) != 2 {
		t.Errorf("%d spans of two fetches", len(spans.Ended()))
	}
}

// memory is a store of scs that knows no contexts.
type memory struct {
	entries map[string][]byte
	err     error
}

func (m memory) Find(key string) ([]byte, bool, error) {
	data, found := m.entries[key]
	return data, found, m.err
}
func (m memory) Commit(key string, data []byte, _ time.Time) error {
	m.entries[key] = data
	return m.err
}
func (m memory) Delete(key string) error { delete(m.entries, key); return m.err }

func TestAStoreIsMeasured(t *testing.T) {
	for _, failing := range []error{nil, errors.New("down")} {
		m, spans, _ := traced(t)
		base := memory{map[string][]byte{}, failing}
		s, err := m.Store("sessions", base)
		if err != nil {
			t.Fatal(err)
		}
		again, err := m.Store("again", s) // one that takes contexts
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{again.Commit("key-of-somebody", []byte("x"), time.Now().Add(time.Hour)), second(first(again.Find("key-of-somebody"))), again.Delete("key-of-somebody")} {
			if !errors.Is(err, failing) {
				t.Errorf("got %v, want %v", err, failing)
			}
		}
		result := map[bool]string{true: "ok", false: "error"}[failing == nil]
		counted := m.counted(t, "sallyport.dependency.duration")
		for _, operation := range []string{"find", "commit", "delete"} {
			if got := counted["sallyport.dependency.duration{sallyport.dependency=sessions,sallyport.operation="+operation+",sallyport.result="+result+"}"]; got != 1 {
				t.Errorf("%v calls of %s, want 1: %v", got, operation, counted)
			}
		}
		var names []string
		for _, span := range spans.Ended() {
			names = append(names, span.Name())
			if strings.Contains(strings.Join(slices.Collect(valuesOf(attributesOf(span))), " "), "somebody") {
				t.Error("a span has the key of a session")
			}
		}
		if want := []string{"commit", "commit", "find", "find", "delete", "delete"}; !slices.Equal(names, want) {
			t.Errorf("spans %q, want %q", names, want)
		}
	}
}

// sharedState is a store of attempts, of proofs and of answers of Digest.
type sharedState struct{ err error }

func (s sharedState) Reserve(context.Context, attempts.Attempt) (attempts.Answer, error) {
	return attempts.Answer{Failed: 7}, s.err
}
func (s sharedState) Settle(context.Context, attempts.Attempt, attempts.Outcome) error { return s.err }
func (s sharedState) Remember(context.Context, [32]byte, [32]byte, time.Duration) (bool, error) {
	return true, s.err
}

func (s sharedState) Use(context.Context, [32]byte, uint32, time.Duration) (bool, error) {
	return true, s.err
}

func TestStoresThatInstancesShareAreMeasured(t *testing.T) {
	for result, failing := range map[string]error{"ok": nil, "error": errors.New("down"), "rejected": &core.LimitError{}} {
		m, spans, provider := traced(t)
		counts, err := m.AttemptStore("attempts", sharedState{failing})
		if err != nil {
			t.Fatal(err)
		}
		proofs, err := m.ReplayStore("proofs", sharedState{failing})
		if err != nil {
			t.Fatal(err)
		}
		digests, err := m.CountStore("digests", sharedState{failing})
		if err != nil {
			t.Fatal(err)
		}
		ctx, parent := provider.Tracer("server").Start(t.Context(), "GET /reports")
		answer, err := counts.Reserve(ctx, attempts.Attempt{})
		if answer.Failed != 7 || !errors.Is(err, failing) || !errors.Is(counts.Settle(ctx, attempts.Attempt{}, attempts.Outcome{}), failing) {
			t.Errorf("got %+v, %v", answer, err)
		}
		if fresh, err := proofs.Remember(ctx, [32]byte{}, [32]byte{}, time.Minute); !fresh || !errors.Is(err, failing) {
			t.Errorf("got %v, %v", fresh, err)
		}
		if fresh, err := digests.Use(ctx, [32]byte{}, 1, time.Minute); !fresh || !errors.Is(err, failing) {
			t.Errorf("got %v, %v", fresh, err)
		}
		counted := m.counted(t, "sallyport.dependency.duration")
		for dependency, operations := range map[string][]string{"attempts": {"reserve", "settle"}, "proofs": {"remember"}, "digests": {"use"}} {
			for _, operation := range operations {
				series := "sallyport.dependency.duration{sallyport.dependency=" + dependency + ",sallyport.operation=" + operation + ",sallyport.result=" + result + "}"
				if counted[series] != 1 {
					t.Errorf("%s is %v: %v", series, counted[series], counted)
				}
			}
		}
		if len(spans.Ended()) != 4 || spans.Ended()[0].Parent().SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("%d spans of four calls", len(spans.Ended()))
		}
	}
}

// Dependencies and methods that somebody makes up, as behind a proxy, add no series
// beyond a bound.
func TestDependenciesAreBounded(t *testing.T) {
	m, _, _ := traced(t)
	answer := roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, nil })
	const calls = 300
	for i := range calls {
		transport, err := m.Transport(fmt.Sprintf("tenant-%d", i), answer)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(fmt.Sprintf("MADE%d", i), "/", nil)
		if _, err := transport.RoundTrip(r); err != nil {
			t.Fatal(err)
		}
	}
	counted := m.counted(t, "sallyport.dependency.duration")
	if len(counted) > 65 || sum(counted) != calls {
		t.Errorf("%d series, %v calls", len(counted), sum(counted))
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func first[A, B any](a A, _ B, err error) (A, error) { return a, err }

// Without providers of the program nothing is measured, and nothing fails.
func TestWithoutAnSDK(t *testing.T) {
	m, err := telemetry.New()
	if err != nil {
		t.Fatal(err)
	}
	m.Observe(context.Background(), core.Event{Outcome: core.OutcomeAllowed})
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
