package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

// measured is a Telemetry whose metrics a test reads.
type measured struct {
	*telemetry.Telemetry
	reader *metric.ManualReader
}

func measure(t testing.TB, opts ...telemetry.Option) measured {
	t.Helper()
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	m, err := telemetry.New(append([]telemetry.Option{telemetry.WithMeterProvider(provider)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return measured{m, reader}
}

// series are all that is collected: numbers, or how many values a histogram has,
// by name and attributes.
func (m measured) series(t testing.TB) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	add := func(name string, set attribute.Set, value float64) {
		all[name+"{"+set.Encoded(attribute.DefaultEncoder())+"}"] = value
	}
	for _, metric := range m.collect(t) {
		switch data := metric.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				add(metric.Name, p.Attributes, float64(p.Value))
			}
		case metricdata.Gauge[int64]:
			for _, p := range data.DataPoints {
				add(metric.Name, p.Attributes, float64(p.Value))
			}
		case metricdata.Gauge[float64]:
			for _, p := range data.DataPoints {
				add(metric.Name, p.Attributes, p.Value)
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				add(metric.Name, p.Attributes, float64(p.Count))
			}
		default:
			t.Fatalf("%s is a %T", metric.Name, data)
		}
	}
	return all
}

func (m measured) collect(t testing.TB) []metricdata.Metrics {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := m.reader.Collect(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.ScopeMetrics) == 0 {
		return nil
	}
	return got.ScopeMetrics[0].Metrics
}

// counted are the series of name that are not zero.
func (m measured) counted(t testing.TB, name string) map[string]float64 {
	t.Helper()
	all := m.series(t)
	maps.DeleteFunc(all, func(series string, value float64) bool { return value == 0 || !strings.HasPrefix(series, name+"{") })
	return all
}

// service is an application behind gates, one after another.
func service(t testing.TB, o core.Observer) http.Handler {
	t.Helper()
	guard, err := core.NewGuard([]core.Authenticator{named{}}, core.WithObserver(o), core.WithAuthorizer(rule.Any(rule.Role("reader"), rule.Role("admin"))))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /reports/{id}", httpauth.Authenticate(guard)(httpauth.Authorize(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "7" && httpauth.Check(w, r, guard, rule.Role("admin")) != nil {
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))))
	mux.Handle("/", httpauth.Authenticate(guard)(http.NotFoundHandler()))
	return mux
}

// named believes the name that a request gives, of people it knows.
type named struct{}

func (named) Scheme() core.Scheme {
	return core.Scheme{Name: "Named", Sender: core.SentByClient, Vary: []string{"X-Name"}, Attempt: core.Unguessable}
}

func (named) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	switch name, _ := r.Header("X-Name"); name {
	case "":
		return nil, core.ErrNoCredentials
	case "ann", "bob", "eve":
		roles := map[string][]string{"ann": {"admin"}, "bob": {"reader"}}[name]
		return core.NewPrincipal(core.PrincipalInfo{ID: name, Roles: roles})
	case "down":
		return nil, errors.New("the store is down")
	}
	return nil, &core.CredentialError{Reason: core.ReasonUnknownPrincipal}
}

func (named) Challenges(core.Request, error) []challenge.Challenge {
	c, err := challenge.New("Named", challenge.Param{Name: "realm", Value: "reports"})
	if err != nil {
		panic(err)
	}
	return []challenge.Challenge{c}
}

func ask(h http.Handler, method, path, key string) int {
	r := httptest.NewRequest(method, path, nil)
	if key != "" {
		r.Header.Set("X-Name", key)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestEachOutcomeOfARequestIsCountedOnce(t *testing.T) {
	m := measure(t, telemetry.WithDurationSampling(1))
	app := service(t, m)
	for _, r := range []struct {
		key    string
		path   string
		status int
	}{
		{"ann", "/reports/7", 204}, {"bob", "/reports/1", 204}, {"bob", "/reports/7", 403}, {"eve", "/reports/1", 403},
		{"", "/reports/1", 401}, {"mallory", "/reports/1", 401}, {"down", "/reports/1", 503},
	} {
		if got := ask(app, "GET", r.path, r.key); got != r.status {
			t.Fatalf("%s at %s: %d, want %d", r.key, r.path, got, r.status)
		}
	}
	const scheme = "sallyport.scheme=Named"
	for name, want := range map[string]map[string]float64{
		"sallyport.requests": {
			"sallyport.outcome=allowed": 4, "sallyport.outcome=forbidden": 2, "sallyport.outcome=unauthenticated": 2, "sallyport.outcome=unavailable": 1,
		},
		"sallyport.authentications": {
			"sallyport.gate=authenticate,sallyport.result=success," + scheme:      4,
			"sallyport.gate=authenticate,sallyport.result=failure," + scheme:      1,
			"sallyport.gate=authenticate,sallyport.result=error," + scheme:        1,
			"sallyport.gate=authenticate,sallyport.result=none,sallyport.scheme=": 1,
		},
		"sallyport.challenges": {scheme: 2},
		"sallyport.authorizations": {
			"sallyport.gate=authorize,sallyport.result=success": 3, "sallyport.gate=authorize,sallyport.result=failure": 1,
			"sallyport.gate=check,sallyport.result=success": 1, "sallyport.gate=check,sallyport.result=failure": 1,
		},
	} {
		got := map[string]float64{}
		for series, value := range m.counted(t, name) {
			got[strings.TrimSuffix(strings.TrimPrefix(series, name+"{"), "}")] = value
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	refusals := m.counted(t, "sallyport.refusals")
	for _, want := range []string{
		"{http.route=/reports/{id},sallyport.outcome=forbidden,sallyport.reason=missing_role,sallyport.rule=", "sallyport.reason=no_credentials,",
		"sallyport.reason=unknown_principal,", "sallyport.outcome=unavailable,sallyport.reason=dependency_unavailable,",
	} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(refusals)), func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("no refusal has %q: %v", want, refusals)
		}
	}
	if got := sum(refusals); got != 5 {
		t.Errorf("%v refusals, want 5", got)
	}
	if got := sum(m.counted(t, "sallyport.gate.duration")); got != 13 {
		t.Errorf("%v durations of 13 verdicts", got)
	}
}

// TestEachGateHasItsName: [core.Event] lists them.
func TestEachGateHasItsName(t *testing.T) {
	m := measure(t)
	for _, gate := range []string{"authenticate", "optional", "authorize", "require", "check", "sign_in", "refresh", "logout", "recheck"} {
		m.Observe(t.Context(), core.Event{Gate: gate, Outcome: core.OutcomeAllowed, PrincipalID: "ann"})
		if m.series(t)["sallyport.authentications{sallyport.gate="+gate+",sallyport.result=success,sallyport.scheme=}"] != 1 {
			t.Errorf("%s is not counted by its name", gate)
		}
	}
}

func sum(series map[string]float64) (all float64) {
	for _, value := range series {
		all += value
	}
	return all
}

func TestWhatClientsMakeUpAddsNoSeries(t *testing.T) {
	m := measure(t, telemetry.WithDurationSampling(1))
	app := service(t, m)
	flood := func(from, to int) {
		for i := from; i < to; i++ {
			made := fmt.Sprintf("x%d", i)
			ask(app, "GET", "/reports/"+made, "ann")
			ask(app, "GET", "/reports/"+made, "eve")
			ask(app, "GET", "/reports/"+made, made)
			ask(app, made, "/"+made+"/"+made, made)
			ask(app, made, "/"+made, "ann")
			ask(app, "GET", "/reports/a%2F"+made, "ann")
			ask(app, "GET", "/"+made, "")
		}
	}
	flood(0, 1)
	before := m.series(t)
	flood(1, 300)
	after := m.series(t)
	if len(after) != len(before) {
		t.Errorf("%d series became %d", len(before), len(after))
	}
	for series := range after {
		if strings.Contains(series, "x1") {
			t.Errorf("a client's text is in %s", series)
		}
	}
}

// What an application's own rules and schemes say has a bound as well, and no
// refusal is lost beyond it.
func TestSeriesAreBounded(t *testing.T) {
	m := measure(t, telemetry.WithMaxSeries(100))
	const events = 20_000
	for i := range events {
		made := fmt.Sprintf("%d", i)
		m.Observe(t.Context(), core.Event{
			Outcome: core.OutcomeForbidden, Reason: core.Reason("own_" + made), Gate: "gate" + made, Scheme: "Scheme" + made,
			Route: "/" + made, Rule: made + strings.Repeat("r", i%300), PrincipalID: made, Method: made, Resource: "/" + made,
		})
	}
	m.Observe(t.Context(), core.Event{Outcome: core.OutcomeForbidden, Reason: "no_rule_matched", Gate: "authorize", Scheme: "Bearer", PrincipalID: "ann"})
	if got := len(m.series(t)); got > 1000 {
		t.Errorf("%d series", got)
	}
	refusals := m.counted(t, "sallyport.refusals")
	if got := sum(refusals); got != events+1 {
		t.Errorf("%v refusals counted, want %d", got, events+1)
	}
	if got := sum(m.counted(t, "sallyport.authentications")); got != events+1 {
		t.Errorf("%v authentications counted, want %d", got, events+1)
	}
	known := 0.0
	for series, value := range refusals {
		if strings.Contains(series, "reason=no_rule_matched,") {
			known += value
		}
	}
	if known != 1 {
		t.Errorf("a reason of this project is crowded out: %v", refusals)
	}
}

func TestOptionsAndNamesThatCannotWork(t *testing.T) {
	for name, o := range map[string]telemetry.Option{
		"no meters": telemetry.WithMeterProvider(nil), "no tracers": telemetry.WithTracerProvider(nil), "nil option": nil,
		"few series": telemetry.WithMaxSeries(99), "no sampling": telemetry.WithDurationSampling(0), "rare": telemetry.WithDurationSampling(1001),
	} {
		if _, err := telemetry.New(o); err == nil || !strings.HasPrefix(err.Error(), "telemetry: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := measure(t)
	status := func() telemetry.PolicyStatus { return telemetry.PolicyStatus{} }
	if err := m.AddPolicy("reports", status); err != nil {
		t.Fatal(err)
	}
	if _, err := m.AddKeySet("idp"); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a policy twice": m.AddPolicy("reports", status), "no status": m.AddPolicy("other", nil), "no name": m.AddPolicy("", status),
		"not UTF-8": m.AddPolicy("\xff", status), "long": m.AddPolicy(strings.Repeat("a", 200), status),
		"a key set twice": second(m.AddKeySet("idp")), "no transport": second(m.Transport("idp", nil)),
		"no cache": m.AddCache("passwords", nil), "no limits": m.AddAttempts("reports", nil), "no source": m.AddSource("basic", nil),
		"no revocations": m.AddRevocations("reports", nil), "no attempt store": second(m.AttemptStore("attempts", nil)),
		"no replay store": second(m.ReplayStore("proofs", nil)), "no count store": second(m.CountStore("digests", nil)),
		"a transport without a name": second(m.Transport("", http.DefaultTransport)), "no store": second(m.Store("sessions", nil)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "telemetry: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestADecisionLogIsReported(t *testing.T) {
	m := measure(t)
	stats := decisionlog.Stats{Written: 5, Skipped: 4, QueueFull: 3, WriteFailed: 2, Queued: 1}
	for _, name := range []string{"reports", ""} {
		if err := m.AddDecisionLog(name, func() decisionlog.Stats { return stats }); (err == nil) != (name != "") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if m.AddDecisionLog("reports", func() decisionlog.Stats { return stats }) == nil || m.AddDecisionLog("other", nil) == nil {
		t.Error("a name twice, or no stats, is taken")
	}
	got := m.series(t)
	const name = "sallyport.decisionlog.name=reports"
	for result, want := range map[string]float64{"written": 5, "sampled_out": 4, "queue_full": 3, "write_failed": 2} {
		if value := got["sallyport.decisionlog.decisions{"+name+",sallyport.result="+result+"}"]; value != want {
			t.Errorf("%s: %v, want %v", result, value, want)
		}
	}
	if value := got["sallyport.decisionlog.queued{"+name+"}"]; value != 1 {
		t.Errorf("queued: %v", value)
	}
}

// TestWhatIsFollowedInAStoreIsReported: how old its word is, whether it tells of
// publications, which revision is in force, and for how long one has not come into
// force; alike for a policy, a file and a log of revocations.
func TestWhatIsFollowedInAStoreIsReported(t *testing.T) {
	m := measure(t)
	now := time.Now()
	status := source.Status{Revision: 7, Confirmed: now.Add(-time.Minute), Behind: now.Add(-time.Hour), Listening: true, Listens: 3}
	revoked := revoke.Status{Read: revoke.Position{Number: 9}, Entries: 4, Restarts: 2, Confirmed: now.Add(-time.Minute), Listening: true, Listens: 3}
	for name, err := range map[string]error{
		"policy":      m.AddPolicy("reports", func() telemetry.PolicyStatus { return telemetry.PolicyStatus{Loaded: now, Source: &status} }),
		"file":        m.AddSource("reports", func() source.Status { return status }),
		"revocations": m.AddRevocations("reports", func() revoke.Status { return revoked }),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	got := m.series(t)
	for kind, want := range map[string]struct{ revision, lag float64 }{"policy": {7, 3600}, "file": {7, 3600}, "revocations": {9, 0}} {
		name := "{sallyport.source.kind=" + kind + ",sallyport.source.name=reports}"
		if age, lag := got["sallyport.source.age"+name], got["sallyport.source.lag"+name]; age < 60 || age > 3000 || lag < want.lag || lag > want.lag+3000 {
			t.Errorf("%s: age %v, lag %v", kind, age, lag)
		}
		for metric, number := range map[string]float64{"revision": want.revision, "listening": 1, "listens": 3} {
			if value, there := got["sallyport.source."+metric+name]; !there || value != number {
				t.Errorf("%s: %s is %v, %v; want %v", kind, metric, value, there, number)
			}
		}
	}
	if got["sallyport.revocations.entries{sallyport.source.name=reports}"] != 4 || got["sallyport.revocations.restarts{sallyport.source.name=reports}"] != 2 {
		t.Errorf("revocations: %v", got)
	}
	status.Behind, status.Listening = time.Time{}, false
	revoked.Confirmed = time.Time{} // never read: its age begins when it was added
	got = m.series(t)
	if lag := got["sallyport.source.lag{sallyport.source.kind=policy,sallyport.source.name=reports}"]; lag != 0 {
		t.Errorf("lag %v once it is in force", lag)
	}
	if age := got["sallyport.source.age{sallyport.source.kind=revocations,sallyport.source.name=reports}"]; age <= 0 || age > 3000 {
		t.Errorf("a log that was never read is %v s old", age)
	}
}

// Caches and limits of a guard in use, by the numbers that they keep themselves.
func TestCachesAndLimitsAreReported(t *testing.T) {
	m := measure(t)
	limits, err := attempts.New(attempts.WithAddressBudget(1, time.Minute, 2), attempts.WithMaxEntries(1024))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := basic.NewCache(basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if password != "right" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := basic.New("reports", cache)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"cache": m.AddCache("passwords", cache.Stats), "attempts": m.AddAttempts("reports", limits.Stats),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(m), core.WithAttemptLimiter(limits))
	if err != nil {
		t.Fatal(err)
	}
	app := httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for i, password := range []string{"right", "right", "wrong", "wrong", "wrong", "right"} {
		r := httptest.NewRequest("GET", "/reports", nil)
		r.SetBasicAuth("ann", password)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if want := []int{204, 204, 401, 401, 429, 429}[i]; w.Code != want {
			t.Fatalf("request %d: %d, want %d", i, w.Code, want)
		}
	}
	got := m.series(t)
	const of = "sallyport.attempts.name=reports"
	for series, want := range map[string]float64{
		"cache.lookups{sallyport.cache.name=passwords,sallyport.result=hit}":  1,
		"cache.lookups{sallyport.cache.name=passwords,sallyport.result=miss}": 3,
		"cache.entries{sallyport.cache.name=passwords}":                       1,
		"attempts.checks{" + of + ",sallyport.result=allowed}":                4,
		"attempts.checks{" + of + ",sallyport.result=refused_address}":        2,
		"attempts.checks{" + of + ",sallyport.result=refused_account}":        0,
		"attempts.failures{" + of + "}":                                       2,
		"attempts.held{sallyport.attempts.kind=address," + of + "}":           1,
		"attempts.held{sallyport.attempts.kind=account," + of + "}":           1,
		"attempts.capacity{" + of + "}":                                       1024,
	} {
		if value, there := got["sallyport."+series]; !there || value != want {
			t.Errorf("%s is %v, %v; want %v", series, value, there, want)
		}
	}
}

func TestAPolicyIsReported(t *testing.T) {
	m := measure(t)
	status := telemetry.PolicyStatus{Revision: "0123456789abcdef", Loaded: time.Now().Add(-time.Hour), Rules: 12}
	if err := m.AddPolicy("reports", func() telemetry.PolicyStatus { return status }); err != nil {
		t.Fatal(err)
	}
	m.Reloaded(t.Context(), "reports", "loaded", time.Second)
	m.Reloaded(t.Context(), "reports", "rejected", time.Second)
	m.Reloaded(t.Context(), "reports", "rejected", time.Second)
	const name = "sallyport.policy.name=reports"
	got := m.series(t)
	for series, want := range map[string]float64{
		"sallyport.policy.info{" + name + ",sallyport.policy.revision=0123456789ab}": 1,
		"sallyport.policy.rules{" + name + "}":                                       12,
		"sallyport.policy.outdated{" + name + "}":                                    0,
		"sallyport.policy.reloads{" + name + ",sallyport.result=loaded}":             1,
		"sallyport.policy.reloads{" + name + ",sallyport.result=rejected}":           2,
		"sallyport.policy.reload.duration{" + name + ",sallyport.result=rejected}":   2,
	} {
		if value, there := got[series]; !there || value != want {
			t.Errorf("%s is %v, %v; want %v", series, value, there, want)
		}
	}
	if age := got["sallyport.policy.age{"+name+"}"]; age < 3600 || age > 3700 {
		t.Errorf("age %v", age)
	}
	status.Revision, status.OutdatedSince = "fedcba9876543210", time.Now().Add(-time.Minute)
	got = m.series(t)
	if since := got["sallyport.policy.outdated{"+name+"}"]; since < 60 || since > 120 {
		t.Errorf("outdated for %v s", since)
	}
	if _, there := got["sallyport.policy.info{"+name+",sallyport.policy.revision=0123456789ab}"]; there {
		t.Error("the revision before is still reported")
	}
}
