package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	_ "github.com/sallyport-go/sallyport/casbinrules/setup/telemetry" // the metrics of a clinic
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	shared "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// clinic is a service with a guard, a log file and a metrics page, in which tests cause
// faults.
type clinic struct {
	t      *testing.T
	dir    string
	url    string
	setup  *setup.Setup
	signer *jwtsign.Signer
	issuer *httptest.Server
	down   atomic.Bool // the issuer
	full   bool        // the disk, which Close reports as well
}

func (c *clinic) log() string     { return filepath.Join(c.dir, "service.log") }
func (c *clinic) metrics() string { return c.url + "/metrics" }

// clinicPolicy allows reading all reports but one.
const clinicPolicy = "p, alice, /reports/*, GET, allow\np, alice, /reports/secret, GET, deny\n"

// newClinic starts a service. config replaces parts of its configuration by key.
func newClinic(t *testing.T, config map[string]string) *clinic {
	t.Helper()
	c := &clinic{t: t, dir: t.TempDir()}
	c.signer = newSigner(t)
	c.issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.down.Load() || r.URL.Path == "/none" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		keys, err := c.signer.JWKS()
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(keys) // the client has disconnected
	}))
	t.Cleanup(c.issuer.Close)
	parts := map[string]string{
		"realm": "reports", "proxies": "{trusted: 127.0.0.1/32}", "serve": "{proxy: caddy}", "observers": "[{prometheus: {}}]",
		"bearer": fmt.Sprintf("{issuer: https://idp.example, audience: reports, jwks: %q}", c.issuer.URL),
		"basic":  "{htpasswd: users.htpasswd}", "policy": "{model: rbac-deny, files: policy.csv}",
	}
	for key, value := range config {
		parts[key] = strings.ReplaceAll(value, "ISSUER", c.issuer.URL)
	}
	yaml := ""
	for key, value := range parts {
		if value != "" {
			yaml += key + ": " + value + "\n"
		}
	}
	for name, text := range map[string]string{
		"sallyport.yaml": yaml, "policy.csv": clinicPolicy, "introspection.secret": "secret",
		"users.htpasswd": "ann:$2a$10$vJQ1dvoGOYxQIWBa3nFA.OPzTDx77/PpDgK3B2j0xALqsYFtoDY2i\n",
	} {
		c.write(name, text)
	}
	lines, err := os.Create(c.log())
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(lines, nil))
	c.setup, err = setup.Open(filepath.Join(c.dir, "sallyport.yaml"), setup.WithLogger(logger))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.setup.Close(); (err != nil) != c.full {
			t.Errorf("closing: %v", err)
		}
		if err := lines.Close(); err != nil {
			t.Error(err)
		}
	})
	page, err := c.setup.Handler()
	if err != nil {
		t.Fatal(err)
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux := http.NewServeMux()
	mux.Handle("/metrics", page)
	mux.Handle("/reports/{id}", httpauth.Authorize(c.setup.Guard())(ok))
	mux.Handle("/faulty", httpauth.Require(c.setup.Guard(), faulty{})(ok))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// faulty is a rule that panics.
type faulty struct{}

func (faulty) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	panic("a mistake of the program")
}

func newSigner(t *testing.T) *jwtsign.Signer {
	t.Helper()
	key, err := jwtsign.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s, err := jwtsign.New(key, jwtsign.WithIssuer("https://idp.example"), jwtsign.WithAudience("reports"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (c *clinic) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// token returns a token of alice.
func (c *clinic) token(s *jwtsign.Signer) string {
	c.t.Helper()
	token, err := s.Sign(jwtsign.Token{Subject: "alice"})
	if err != nil {
		c.t.Fatal(err)
	}
	return "Bearer " + token
}

// ask sends requests and requires the given status.
func (c *clinic) ask(times int, path, authorization string, status int) {
	c.t.Helper()
	for range times {
		if got := c.once(path, authorization); got != status {
			c.t.Fatalf("%s: %d, want %d", path, got, status)
		}
	}
}

func (c *clinic) once(path, authorization string) int {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), "GET", c.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode
}

// becomes sends requests until the status is as given, since keys are fetched
// asynchronously.
func (c *clinic) becomes(path, authorization string, status int) {
	c.t.Helper()
	deadline := time.Now().Add(authtest.TimeLimit(time.Minute))
	for c.once(path, authorization) != status {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s never becomes %d", path, status)
		}
	}
}

// diagnosed returns doctor's findings about a log or a metrics page, as plumbing and
// alert.
func diagnosed(t *testing.T, from ...string) []string {
	t.Helper()
	got := run(t, t.TempDir(), "", append([]string{"doctor", "--format", "json"}, from...)...)
	var answer struct {
		Findings []struct{ Plumbing, Alert, Seen, Look string }
	}
	if err := json.Unmarshal([]byte(got.Stdout), &answer); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	if (got.Code == 1) != (len(answer.Findings) > 0) {
		t.Errorf("exit code %d with %d findings", got.Code, len(answer.Findings))
	}
	var all []string
	for _, f := range answer.Findings {
		if f.Seen == "" || f.Look == "" {
			t.Errorf("a finding has no text: %+v", f)
		}
		all = append(all, f.Plumbing+" "+f.Alert)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// outage is a fault in a service, and doctor's expected finding.
type outage struct {
	config          map[string]string
	breaks          func(c *clinic)
	plumbing, alert string
	onlyLog         bool // metrics show it after a minute
}

// outages are all those in the runbook.
func outages() map[string]outage {
	return map[string]outage{
		"tokens that are cut off": {
			breaks: func(c *clinic) { c.ask(30, "/reports/1", "Bearer undefined", 401) }, plumbing: "identity", alert: "SallyportIdentityBurst",
		},
		"a proxy that drops header fields": {
			breaks: func(c *clinic) { c.ask(30, "/reports/1", "", 401) }, plumbing: "identity", alert: "SallyportIdentityBurst",
		},
		"a deny line": {
			breaks: func(c *clinic) { c.ask(30, "/reports/secret", c.token(c.signer), 403) }, plumbing: "policy", alert: "SallyportPolicyBurst",
		},
		"somebody who guesses": {
			config: map[string]string{"attempts": "{address: {failures: 1, per: 1m, burst: 3}}"},
			breaks: func(c *clinic) {
				const wrong = "Basic YW5uOndyb25n" // ann:wrong
				c.ask(3, "/reports/1", wrong, 401)
				c.ask(20, "/reports/1", wrong, 429)
			}, plumbing: "guessing", alert: "SallyportGuessing",
		},
		"tokens of another environment": {
			breaks: func(c *clinic) {
				other := c.token(newSigner(c.t))
				c.becomes("/reports/1", other, 401) // 503 while keys are fetched again
				c.ask(30, "/reports/1", other, 401)
			}, plumbing: "keys", alert: "SallyportKeyRotation",
		},
		"an issuer that never gave keys": {
			config: map[string]string{"bearer": `{issuer: https://idp.example, audience: reports, jwks: "ISSUER/none"}`, "basic": ""},
			breaks: func(c *clinic) { c.ask(10, "/reports/1", c.token(c.signer), 503) }, plumbing: "keys", alert: "SallyportKeySetStale",
		},
		"an edit that is rejected": {
			breaks: func(c *clinic) {
				c.write("policy.csv", clinicPolicy+"p, alice\n")
				if c.setup.Reload(c.t.Context()) == nil {
					c.t.Fatal("a policy with a broken line is accepted")
				}
			}, plumbing: "policy", alert: "SallyportPolicyOutdated",
		},
		"introspection that is down": {
			config: map[string]string{"bearer": `{introspection: {endpoint: "ISSUER/introspect", client: reports, secret: {file: introspection.secret}, issuer: https://idp.example, audience: reports}}`},
			breaks: func(c *clinic) { c.down.Store(true); c.ask(10, "/reports/1", "Bearer opaque", 503) }, plumbing: "dependency", alert: "SallyportDependencyDown",
		},
		"a rule that panics": {
			breaks: func(c *clinic) { c.ask(1, "/faulty", c.token(c.signer), 500) }, plumbing: "program", alert: "SallyportFault",
		},
		"a policy store that has gone away": {
			config: map[string]string{"policy": "{model: rbac-deny, store: {fading: {}}, poll_interval: 100ms, max_staleness: 500ms, when_stale: serve}"},
			breaks: func(c *clinic) {
				c.awaitLine("policy stale")
			}, plumbing: "dependency", alert: "SallyportSourceStale", onlyLog: true,
		},
		"a decision log on a full disk": {
			config: map[string]string{"decision_log": "{path: full.jsonl}"},
			breaks: func(c *clinic) {
				const full = "/dev/full" // each write to it fails
				if _, err := os.Stat(full); err != nil {
					c.t.Skip("there is no /dev/full on this system")
				}
				path := filepath.Join(c.dir, "full.jsonl")
				if err := errors.Join(os.Remove(path), os.Symlink(full, path)); err != nil {
					c.t.Fatal(err)
				}
				c.full = true
				_ = c.setup.Reload(c.t.Context()) // reopens the file, and cannot write its first line
				c.ask(10, "/reports/1", c.token(c.signer), 204)
				c.awaitLine("decisions cannot be written")
				c.awaitMetric(`"write_failed"[^}]*} [1-9]`) // the line comes before requests
			}, plumbing: "program", alert: "SallyportDecisionsLost",
		},
	}
}

// awaitLine waits for a line of the log.
func (c *clinic) awaitLine(message string) {
	c.t.Helper()
	c.await(regexp.MustCompile(regexp.QuoteMeta(message)), func() ([]byte, error) { return os.ReadFile(c.log()) })
}

// awaitMetric waits for a line of the metrics page.
func (c *clinic) awaitMetric(line string) {
	c.t.Helper()
	c.await(regexp.MustCompile(line), func() ([]byte, error) {
		resp, err := http.Get(c.metrics())
		if err != nil {
			return nil, err
		}
		defer func() { _ = resp.Body.Close() }()
		return io.ReadAll(resp.Body)
	})
}

// await reads a text, which another goroutine writes, until it contains want.
func (c *clinic) await(want *regexp.Regexp, read func() ([]byte, error)) {
	c.t.Helper()
	deadline := time.Now().Add(authtest.TimeLimit(time.Minute))
	for {
		text, err := read()
		if err != nil {
			c.t.Fatal(err)
		}
		if want.Match(text) {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("no line has %q:\n%s", want, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// fading is a policy store that answers only once.
type fading struct {
	sourcetest.Memory
	asked atomic.Bool
}

func (s *fading) Fetch(ctx context.Context, known shared.State) (shared.Fetched, error) {
	if s.asked.Swap(true) {
		return shared.Fetched{}, errors.New("no route to host")
	}
	return s.Memory.Fetch(ctx, known)
}

func init() {
	setup.RegisterPolicyStore("fading", func(*struct{}) (shared.Source, func() error, error) {
		s := new(fading)
		_, err := s.Publish(context.Background(), shared.Publication{Note: shared.Note{Author: "ann"}, Files: []shared.File{
			{Name: "policy.csv", Content: []byte(clinicPolicy)},
		}})
		return s, nil, err
	})
}

// TestDoctorNamesWhatIsBroken causes each outage of the runbook in a service with normal
// traffic, and has doctor read its log and metrics: it names the right plumbing, with the
// alert that fires, and no other.
func TestDoctorNamesWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, o := range outages() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, o.config)
			if _, other := o.config["bearer"]; !other && o.config["decision_log"] == "" {
				c.ask(40, "/reports/1", c.token(c.signer), 204)
				if got := diagnosed(t, c.log()); len(got) > 0 && !o.onlyLog {
					t.Errorf("the log of a healthy service: %q", got)
				}
				if got := diagnosed(t, c.metrics()); len(got) > 0 {
					t.Errorf("the metrics of a healthy service: %q", got)
				}
			}
			o.breaks(c)
			want := []string{o.plumbing + " " + o.alert}
			if got := diagnosed(t, c.log()); !slices.Equal(got, want) {
				t.Errorf("the log: %q, want %q", got, want)
			}
			if got := diagnosed(t, c.metrics()); !o.onlyLog && !slices.Equal(got, want) {
				t.Errorf("metrics: %q, want %q", got, want)
			}
		})
	}
}

// Instances with different policies are told apart by their logs and metrics; those with
// the same one are not.
func TestDoctorComparesInstances(t *testing.T) {
	t.Parallel()
	a, b, other := newClinic(t, nil), newClinic(t, nil), newClinic(t, nil)
	other.write("policy.csv", clinicPolicy+"p, bob, /reports/*, GET, allow\n")
	if err := other.setup.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*clinic{a, b, other} {
		c.ask(5, "/reports/1", c.token(c.signer), 204)
	}
	for _, from := range []func(*clinic) string{(*clinic).log, (*clinic).metrics} {
		if got := diagnosed(t, from(a), from(b)); len(got) > 0 {
			t.Errorf("%s: with the same policy: %q", from(a), got)
		}
		if got, want := diagnosed(t, from(a), from(b), from(other)), []string{"policy SallyportPolicyRevisionsDiffer"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", from(a), got, want)
		}
	}
}

// An issuer that stops answering is noticed between two readings of metrics, and is no
// longer a finding once keys are fetched again.
func TestDoctorSeesFetchesThatFail(t *testing.T) {
	t.Parallel()
	c := newClinic(t, nil)
	c.ask(5, "/reports/1", c.token(c.signer), 204)
	c.down.Store(true)
	unknown := c.token(newSigner(t))
	c.becomes("/reports/1", unknown, 503) // makes keys be fetched again
	c.awaitLine("keys not fetched")
	if got, want := diagnosed(t, c.log()), "keys SallyportKeySetStale"; !slices.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	c.down.Store(false)
	c.becomes("/reports/1", unknown, 401)
	c.awaitLine("keys fetched again")
	c.ask(200, "/reports/1", c.token(c.signer), 204) // so that the others are rare
	if got := diagnosed(t, c.log()); slices.Contains(got, "keys SallyportKeySetStale") {
		t.Errorf("once they are fetched again: %q", got)
	}
}

// TestDoctorHasAVerdictForEachAlert: the outages above and the alerts have the same
// names.
func TestDoctorHasAVerdictForEachAlert(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../../../../../../docs/observability/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	alerts := map[string]string{}
	for _, a := range regexp.MustCompile(`(?s)- alert: (\w+)\n.*?plumbing: (\w+)\}`).FindAllStringSubmatch(string(rules), -1) {
		alerts[a[1]] = a[2]
	}
	if len(alerts) < 11 {
		t.Fatalf("only %d alerts found", len(alerts))
	}
	named := map[string]string{"SallyportPolicyRevisionsDiffer": "policy"} // of several instances
	for _, o := range outages() {
		named[o.alert] = o.plumbing
	}
	for alert, plumbing := range alerts {
		if got := named[alert]; cmp.Or(map[string]string{"guessing": "attack"}[got], got) != plumbing {
			t.Errorf("%s is about %s, and doctor is tested with %q", alert, plumbing, got)
		}
		delete(named, alert)
	}
	for alert := range named {
		t.Errorf("doctor names %s, and there is no such alert", alert)
	}
}
