package observability

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	_ "github.com/sallyport-go/sallyport/casbinrules/setup/telemetry" // the kind prometheus
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// service is one behind a guard, with a page of metrics.
type service struct {
	url   string
	setup *setup.Setup
	store *sourcetest.Memory // of the policy
}

// openStores has the stores of the service below known by their names.
var openStores = sync.OnceFunc(func() {
	type settings struct {
		Name string `key:"name" doc:"what the test knows the store by"`
	}
	setup.RegisterPolicyStore("memory", func(s *settings) (source.Source, func() error, error) {
		store, _ := policyStores.Load(s.Name)
		return store.(*sourcetest.Memory), nil, nil
	})
	setup.RegisterAttemptStore("counted", func(*struct{}) (attempts.Store, func() error, error) { return counted{}, nil, nil })
})

// policyStores are the stores of policies of services, by the folder of each.
var policyStores sync.Map

// publish publishes a policy that says the same as the one before.
func (s service) publish(t *testing.T, revision source.Revision) {
	t.Helper()
	text := fmt.Sprintf("# revision %d\np, alice, /reports/*, GET, allow\np, alice, /secret, GET, deny\n", revision)
	_, err := s.store.Publish(t.Context(), source.Publication{
		Base: revision - 1, Note: source.Note{Author: "ann"}, Files: []source.File{{Name: "policy.csv", Content: []byte(text)}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// counted is a store of attempts that refuses none.
type counted struct{}

func (counted) Reserve(context.Context, attempts.Attempt) (attempts.Answer, error) {
	return attempts.Answer{}, nil
}
func (counted) Settle(context.Context, attempts.Attempt, attempts.Outcome) error { return nil }

// newService starts a service whose passwords are those of the examples, whose tokens
// are of an issuer that answers, and whose policy is in a store.
func newService(t *testing.T) service {
	t.Helper()
	openStores()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`) // the client has gone
	}))
	t.Cleanup(issuer.Close)
	users, err := filepath.Abs("../../../examples/policy/users.htpasswd")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	made := service{store: new(sourcetest.Memory)}
	policyStores.Store(dir, made.store)
	made.publish(t, 1)
	for name, text := range map[string]string{
		"store.key": "0123456789abcdef0123456789abcdef",
		"sallyport.yaml": fmt.Sprintf(`realm: reports
bearer: {issuer: "https://idp.example", audience: reports, jwks: %q}
basic: {htpasswd: %q}
policy: {model: rbac-deny, store: {memory: {name: %q}}}
attempts:
  store: {counted: {}}
  store_key: {file: store.key}
  address: {failures: 1000, per: 1s, burst: 10000}
  account: {failures: 1000, per: 1s, burst: 10000}
decision_log: {path: decisions.jsonl}
proxies: {trusted: 127.0.0.1/32}
serve: {proxy: caddy}
observers: [{prometheus: {}}]
`, issuer.URL, users, dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := setup.Open(filepath.Join(dir, "sallyport.yaml"), setup.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	metrics, err := s.Handler()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", metrics)
	guarded := httpauth.Authorize(s.Guard())(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	mux.Handle("/reports/{id}", guarded)
	mux.Handle("/secret", guarded)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	made.url, made.setup = server.URL, s
	return made
}

// The requests that are sent, with the status of each.
var (
	allowed   = call{"GET", "/reports/1", "alice", "alice-pass", 204}
	forbidden = call{"DELETE", "/reports/1", "alice", "alice-pass", 403}
	denied    = call{"GET", "/secret", "alice", "alice-pass", 403}
	wrong     = call{"GET", "/reports/1", "alice", "wrong", 401}
	anonymous = call{"GET", "/reports/1", "", "", 401}
	malformed = call{"GET", "/reports/1", "", "undefined", 401}
)

type call struct {
	method, path, user, secret string
	status                     int
}

// ask sends a request; a secret without a user is a token.
func (s service) ask(t *testing.T, c call) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, s.url+c.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case c.user != "":
		r.SetBasicAuth(c.user, c.secret)
	case c.secret != "":
		r.Header.Set("Authorization", "Bearer "+c.secret)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != c.status {
		t.Fatalf("%s %s by %q: %s, want %d", c.method, c.path, c.user, response.Status, c.status)
	}
}

// prometheus starts a Prometheus that scrapes s five times a second, with the rules
// of docs, and returns its address once it is ready.
func prometheus(t *testing.T, s service) string {
	t.Helper()
	program := programs.Need(t, "prometheus")
	rules, err := filepath.Abs(filepath.Join(docs, "rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	dir, addr := t.TempDir(), programs.Unused(t)
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf(`global: {scrape_interval: 200ms, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs: [{job_name: reports, static_configs: [{targets: [%q]}]}]
`, rules, strings.TrimPrefix(s.url, "http://"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it is in a folder of its own
		_ = cmd.Wait()         // says that it was killed
	})
	await(t, "Prometheus is ready", func() error {
		response, err := http.Get("http://" + addr + "/-/ready")
		if err != nil {
			return err
		}
		defer response.Body.Close() // it was only read
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("got %s", response.Status)
		}
		return nil
	})
	return "http://" + addr
}

// await has ok succeed within a minute: another process cannot be awaited but by
// asking it.
func await(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(authtest.TimeLimit(time.Minute))
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// result is the answer of Prometheus to a query.
type result struct {
	Metric map[string]string
	Values [][2]any
}

// query asks Prometheus.
func query(address, path string, values url.Values) ([]result, error) {
	response, err := http.Get(address + path + "?" + values.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() // it was only read
	var answer struct {
		Status, Error string
		Data          struct{ Result []result }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", values.Get("query"), answer.Error)
	}
	return answer.Data.Result, nil
}

// panel is one of the dashboard.
type panel struct {
	Title   string
	Targets []struct{ Expr string }
	Links   []struct{ URL string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	return dashboard.Panels
}

// panelsOf are the queries of the dashboard, by panel.
func panelsOf(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			all[p.Title] = append(all[p.Title], strings.NewReplacer("$__rate_interval", "3s", "$job", ".*").Replace(target.Expr))
		}
	}
	return all
}

// linkedPanels are the queries of panels that link a section of the runbook, by link.
func linkedPanels(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, p := range panels(t) {
		for _, link := range p.Links {
			for _, target := range p.Targets {
				all[link.URL] = append(all[link.URL], target.Expr)
			}
		}
	}
	return all
}

// TestTheDashboardShowsSomething runs each query of the dashboard in a Prometheus
// that scrapes a service, and the rules there.
func TestTheDashboardShowsSomething(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it takes some seconds until there is enough to show, and -short is given")
	}
	t.Parallel()
	programs.Need(t, "prometheus")
	s := newService(t)
	address := prometheus(t, s)
	revision := source.Revision(1)
	send := func() {
		revision++
		s.publish(t, revision)
		for _, c := range []call{allowed, forbidden, denied, anonymous, malformed} {
			for range 10 {
				s.ask(t, c)
			}
		}
		s.ask(t, wrong) // which costs a password hash
		if err := s.setup.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	shown := panelsOf(t)
	if len(shown) < 30 {
		t.Fatalf("only %d panels", len(shown))
	}
	await(t, "each panel shows something", func() error {
		send()
		var missing []string
		for title, queries := range shown {
			for _, q := range queries {
				got, err := query(address, "/api/v1/query", url.Values{"query": {q}})
				if err != nil {
					t.Fatalf("%s: %v", title, err)
				}
				if len(got) == 0 {
					missing = append(missing, title+": "+q)
				}
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("nothing comes of %q", missing)
		}
		return nil
	})
	await(t, "the rules are evaluated", func() error {
		response, err := http.Get(address + "/api/v1/rules")
		if err != nil {
			return err
		}
		defer response.Body.Close() // it was only read
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		all := len(rulesOf(t))
		if n := strings.Count(string(text), `"health":"ok"`); n != all {
			return fmt.Errorf("%d of %d rules are evaluated: %s", n, all, text)
		}
		return nil
	})
}
