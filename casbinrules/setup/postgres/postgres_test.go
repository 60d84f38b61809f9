//go:build unix

package postgres

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/postgres"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgresstate"
	"github.com/sallyport-go/sallyport/core/source/postgres/postgrestest"
)

// write writes a file of users beside a configuration with text.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	users := "ann:$2a$10$KZ5kDTJu4kBdbkvCBVzwJOZGXk7XQFV7nVrv3BtRNIqEuVdvJJ9Hu\n"
	path := filepath.Join(dir, "sallyport.yaml")
	for name, content := range map[string]string{"users.htpasswd": users, "sallyport.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func publish(t *testing.T, s *postgres.Store, base source.Revision, policy string) {
	t.Helper()
	_, err := s.Publish(t.Context(), source.Publication{Base: base, Note: source.Note{Author: "ann"}, Files: []source.File{
		{Name: "model.conf", Content: []byte(casbinrules.RBAC().Text())}, {Name: "policy.csv", Content: []byte(policy)},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

var blocks = regexp.MustCompile("(?ms)^```yaml sallyport-postgres\n(.*?)^```$")

// TestPolicyFromPostgres opens the file on the page and publishes to it.
func TestPolicyFromPostgres(t *testing.T) {
	server := postgrestest.Start(t)
	store, err := postgres.New(server.URL("sallyport"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish(t, store, 0, "p, ann, /reports, GET\n")
	t.Setenv("POLICY_DATABASE", server.URL("sallyport"))
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	block := blocks.FindSubmatch(text)
	if block == nil {
		t.Fatal("the page shows no file")
	}
	s, err := setup.Open(write(t, string(block[1])), setup.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Scheme: "Basic"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		revision source.Revision
		policy   string
		allowed  bool
	}{{1, "", false}, {2, "p, ann, /reports, *\n", true}} {
		if tt.policy != "" {
			publish(t, store, tt.revision-1, tt.policy)
		}
		waiting, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
		defer cancel()
		if err := s.Policy().WaitFor(waiting, tt.revision); err != nil {
			t.Fatal(err)
		}
		d, err := s.Policy().Authorize(t.Context(), p, core.Access{Action: "POST", Resource: core.Resource{Path: "/reports"}})
		if err != nil || d.Allowed != tt.allowed {
			t.Errorf("revision %d: %+v, %v", tt.revision, d, err)
		}
	}
	for _, key := range []string{"url", "set", "unverified_server"} {
		if !strings.Contains(string(text), "| `"+key+"` |") {
			t.Errorf("the page lacks %s", key)
		}
	}
}

var stateBlocks = regexp.MustCompile("(?ms)^```yaml sallyport-state-postgres\n(.*?)^```$")

// TestStateFromPostgres opens the file on the page twice: a session of one instance is
// the other's, and a revocation at one of them ends it at both.
func TestStateFromPostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	state, err := postgresstate.New(server.URL("sallyport"), postgresstate.WithTimeout(authtest.TimeLimit(5*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	if err := state.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	instances := stateInstances(t, server.URL("sallyport"))
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Scheme: "Basic"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "https://app.example/", nil)
	fields, err := instances[0].Sessions().Login(t.Context(), httpauth.Request(r), p)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	httpauth.AddFields(w.Header(), fields...)
	r.AddCookie(w.Result().Cookies()[0])
	for i, s := range instances {
		if p, err := s.Sessions().Authenticate(t.Context(), httpauth.Request(r)); err != nil || p.ID() != "ann" {
			t.Errorf("instance %d: %v, %v", i, p, err)
		}
	}
	at, err := instances[1].Revocations().Append(t.Context(), "", revoke.Entry{Subject: "ann", IssuedBefore: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	if err := instances[0].Revocations().WaitFor(waiting, at); err != nil {
		t.Fatal(err)
	}
	for i, s := range instances {
		var over *core.CredentialError
		if _, err := s.Sessions().Authenticate(t.Context(), httpauth.Request(r)); !errors.As(err, &over) || over.Reason != core.ReasonRevoked {
			t.Errorf("instance %d: %v", i, err)
		}
	}
}

// stateInstances opens the file on the page twice, with a secret in a file and more
// time than it has there.
func stateInstances(t *testing.T, url string) (instances []*setup.Setup) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"service", "timeout", "max_connections"} {
		if !strings.Contains(string(text), "| `"+key+"` |") {
			t.Errorf("the page lacks %s", key)
		}
	}
	block := stateBlocks.FindSubmatch(text)
	if block == nil {
		t.Fatal("the page shows no file")
	}
	path := write(t, strings.NewReplacer(`"${STATE_DATABASE}", service: shop`, `{file: url}, service: shop, timeout: 1m`,
		"sign_in_page: /login", "sign_in_page: /login\n  store_timeout: 1m", "max_staleness: 1m", "max_staleness: 1h").Replace(string(block[1])))
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "url"), []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := setup.Open(path, setup.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		instances = append(instances, s)
	}
	return instances
}

// TestSettings refuses what cannot work, with its place.
func TestSettings(t *testing.T) {
	t.Setenv("POLICY_DATABASE", "postgres://db.example/app")
	const begin = "realm: reports\nbasic: {htpasswd: users.htpasswd}\npolicy: {model: model.conf, "
	for text, want := range map[string]string{
		"store: {postgres: {url: 'postgres://db'}}}":                                                        ":3:53: policy.store.postgres.url: a secret must not be written",
		"store: {postgres: {url: '${POLICY_DATABASE}'}}}":                                                   "would not verify the server",
		"store: {postgres: {url: '${POLICY_DATABASE}'}}, files: users.htpasswd}":                            "choose one",
		"files: users.htpasswd}\nrevocations: {late_start: true}":                                           "revocations: store is missing",
		"files: users.htpasswd}\nrevocations: {store: {postgres: {url: '${POLICY_DATABASE}'}}}":             "would not verify the server",
		"files: users.htpasswd, max_staleness: 1m}":                                                         "this is only for a policy in a store",
		"store: {postgres: {url: '${POLICY_DATABASE}', unverified_server: true}}, when_stale: unavailable}": "when_stale needs max_staleness",
	} {
		path := write(t, begin+text+"\n")
		_, err := setup.Open(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
