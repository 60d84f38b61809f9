package setup

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/source"
)

// noting is an [Instrument] that notes what it is told.
type noting struct {
	mu    sync.Mutex
	noted []string
	done  chan struct{} // receives once keys were fetched
}

func (n *noting) note(format string, args ...any) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.noted = append(n.noted, fmt.Sprintf(format, args...))
	return nil
}

func (n *noting) Observe(context.Context, core.Event) {}
func (n *noting) TraceID(context.Context) string      { return "trace-17" }
func (n *noting) Page() http.Handler                  { return nil }
func (n *noting) AddCache(name string, _ func() core.CacheStats) error {
	return n.note("cache %s", name)
}

func (n *noting) AddPolicy(name string, _ *casbinrules.Authorizer) error {
	return n.note("policy %s", name)
}

func (n *noting) PolicyReloaded(_ context.Context, name string, e casbinrules.ReloadEvent) {
	_ = n.note("reload of %s: %s", name, e.Outcome)
}

func (n *noting) AddKeySet(name string) (func(jwtauth.Refresh), error) {
	return func(r jwtauth.Refresh) {
		_ = n.note("keys of %s fetched: %v", name, r.Err == nil)
		select {
		case n.done <- struct{}{}:
		default:
		}
	}, n.note("keys %s", name)
}

func (n *noting) AddDecisionLog(name string, _ func() decisionlog.Stats) error {
	return n.note("decisions %s", name)
}

func (n *noting) AddAttempts(name string, _ func() attempts.Stats) error {
	return n.note("limits %s", name)
}

func (n *noting) AddSource(name string, _ func() source.Status) error {
	return n.note("source %s", name)
}

func (n *noting) AddRevocations(name string, _ func() revoke.Status) error {
	return n.note("revocations %s", name)
}

// sending is a transport that notes requests.
type sending struct {
	*noting
	name string
	base http.RoundTripper
}

func (s sending) RoundTrip(r *http.Request) (*http.Response, error) {
	_ = s.note("call of %s", s.name)
	return s.base.RoundTrip(r)
}

func (n *noting) Transport(name string, base http.RoundTripper) (http.RoundTripper, error) {
	return sending{n, name, base}, n.note("transport %s", name)
}

func (n *noting) Store(name string, _ session.Store) (session.Store, error) {
	return recorder{}, n.note("store %s", name)
}

func (n *noting) AttemptStore(name string, base attempts.Store) (attempts.Store, error) {
	return base, n.note("store %s", name)
}

// replaying is a store of proofs in the place of another one.
type replaying struct{}

func (replaying) Remember(context.Context, [32]byte, [32]byte, time.Duration) (bool, error) {
	return true, nil
}

func (n *noting) ReplayStore(name string, _ dpop.ReplayStore) (dpop.ReplayStore, error) {
	return replaying{}, n.note("store %s", name)
}

func (n *noting) CountStore(name string, base digest.CountStore) (digest.CountStore, error) {
	return base, n.note("store %s", name)
}

// noted is what the kind noting of one test notes.
var noted = &noting{done: make(chan struct{}, 1)}

func init() {
	RegisterObserver("noting", func(*struct{}) (core.Observer, func() error, error) { return noted, nil, nil })
}

// TestInstrumentsAreToldOfAllParts by their names, which never hold the secrets of a URL,
// and the log is told as without them.
func TestInstrumentsAreToldOfAllParts(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.NotFoundHandler())
	defer down.Close()
	host := strings.TrimPrefix(down.URL, "http://")
	path := configFile(t, fmt.Sprintf(`realm: reports
observers: [{noting: {}}]
watch: false
bearer:
  issuer_template: https://{tid}.example
  audience: reports
  jwks: %[1]q
  introspection: {endpoint: %[1]q, client: reports, secret: {file: names.key}, audience: reports}
dpop: {address: 'https://api.example', replays: {gone: {}}}
basic: {htpasswd: users.htpasswd, cache_ttl: 1m}
digest: {htdigest: users.htdigest, nonce_key: {file: names.key}, counts: {gone: {}}}
session: {sign_in_page: /login, store: {gone: {}}}
attempts: {store_key: {file: names.key}, store: {gone: {}}}
revocations: {store: {memory: {}}}
decision_log: {path: decisions.jsonl}
policy: {model: model.conf, files: policy.csv}
`, down.URL+"/keys?key=hidden"))
	var log bytes.Buffer
	s, err := Open(path, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-noted.done:
	case <-time.After(authtest.TimeLimit(20 * time.Second)):
		t.Error("the fetch of keys was not reported")
	}
	wants(t, s.Guard(), 403, "GET", "/nowhere", basicOf("erin", "erin-pass")...)
	write(t, filepath.Join(filepath.Dir(path), "policy.csv"), "p, nobody, /reports, GET, allow\n")
	if err := s.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil { // nothing is logged afterwards
		t.Error(err)
	}
	for _, want := range []string{"keys not fetched, and there are none from before", "issuer=" + host, "trace_id=trace-17", "outcome=loaded"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, &log)
		}
	}
	if n := strings.Count(log.String(), "outcome=loaded"); n != 2 {
		t.Errorf("the log tells of %d loads, want 2:\n%s", n, &log)
	}
	slices.Sort(noted.noted)
	want := []string{
		"cache https://{tid}.example", "cache introspection", "cache passwords", "call of " + host, "decisions reports",
		"keys " + host, "keys of " + host + " fetched: false", "limits reports", "policy reports", "reload of reports: loaded",
		"revocations reports", "store attempts", "store digests", "store proofs", "store sessions",
		"transport " + host, "transport introspection",
	}
	if got := slices.Compact(noted.noted); !slices.Equal(got, want) {
		t.Errorf("noted\n%q\nwant\n%q", got, want)
	}
	if all := log.String() + strings.Join(noted.noted, " "); strings.Contains(all, "hidden") {
		t.Errorf("the query of a URL is told:\n%s", all)
	}
}
