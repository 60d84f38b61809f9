// Package adapter shows, by its test, a policy that lives in a database while
// requests flow.
package adapter

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// named lets in whoever gives a name: the test is about gate two.
type named struct{}

func (named) Scheme() core.Scheme {
	return core.Scheme{Name: "Name", Sender: core.SentByClient, Vary: []string{"X-Name"}, Attempt: core.Unguessable}
}

func (named) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	name, n := r.Header("X-Name")
	if n == 0 {
		return nil, core.ErrNoCredentials
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: name})
}
func (named) Challenges(core.Request, error) []challenge.Challenge {
	c, _ := challenge.New("Name") // the name is a good one
	return []challenge.Challenge{c}
}

// bell is a persist.Watcher that the test rings when it has written.
type bell struct {
	persist.Watcher
	ring   func(string)
	closed bool
}

func (b *bell) SetUpdateCallback(call func(string)) error { b.ring = call; return nil }
func (b *bell) Close()                                    { b.closed = true }

// service is a server whose policy is in a database.
type service struct {
	policy *casbinrules.Authorizer
	bell   *bell
	events chan casbinrules.ReloadEvent
	url    string
}

func serve(t *testing.T, name string) *service {
	t.Helper()
	rules, err := openStore(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rules.db.Close() })
	s := &service{bell: &bell{}, events: make(chan casbinrules.ReloadEvent, 1)}
	s.policy, err = casbinrules.FromAdapter(casbinrules.RBAC(), rules,
		casbinrules.WithWatcher(s.bell),
		casbinrules.WithLogger(slog.New(slog.DiscardHandler)),
		casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { s.events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{named{}}, core.WithAuthorizer(s.policy), core.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{page}", httpauth.Authorize(g)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// status is that of a GET by erin.
func (s *service) status(t *testing.T, path string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("X-Name", "erin")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = resp.Body.Close() // it is empty, or nobody's business here
	return resp.StatusCode
}

// load keeps asking until stopped: /always is allowed and /never refused by
// every good policy, and no answer is another one.
func (s *service) load(t *testing.T) (stop func() (answers int)) {
	t.Helper()
	done := make(chan struct{})
	var group sync.WaitGroup
	var mu sync.Mutex
	answers := 0
	for range 2 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				always, never := s.status(t, "/always"), s.status(t, "/never")
				if always != http.StatusNoContent || never != http.StatusForbidden {
					t.Errorf("/always %d, /never %d", always, never)
					return
				}
				mu.Lock()
				answers += 2
				mu.Unlock()
			}
		})
	}
	return func() int {
		close(done)
		group.Wait()
		return answers
	}
}

func TestPolicyInADatabaseIsReloadedUnderLoad(t *testing.T) {
	name := filepath.Join(t.TempDir(), "policy.db")
	db := create(t, name, "p, erin, /always, GET")
	s := serve(t, name)
	stop := s.load(t)
	for _, c := range []struct {
		name string
		do   func()
		want casbinrules.ReloadOutcome
		page bool // whether /page is allowed afterwards
	}{
		{"a rule more", func() { replace(t, db, "p, erin, /always, GET", "p, staff, /page, GET", "g, erin, staff") }, casbinrules.ReloadLoaded, true},
		{"a row that means something else", func() { replace(t, db, "p, erin, /always, GET", "p, staff , /never, GET") }, casbinrules.ReloadRejected, true},
		{"a row with a column too few", func() { replace(t, db, "p, erin, /always, GET", "p, erin, /never") }, casbinrules.ReloadFailed, true},
		{"a row of an unknown kind", func() { replace(t, db, "p, erin, /always, GET", "q, erin, /never, GET") }, casbinrules.ReloadFailed, true},
		{"roles in a circle", func() { replace(t, db, "p, erin, /always, GET", "g, staff, erin", "g, erin, staff") }, casbinrules.ReloadRejected, true},
		{"no rows", func() { replace(t, db) }, casbinrules.ReloadRejected, true},
		{"no table", func() { execute(t, db, "ALTER TABLE casbin_rule RENAME TO old") }, casbinrules.ReloadFailed, true},
		{"locked", func() { execute(t, db, "ALTER TABLE old RENAME TO casbin_rule"); lock(t, db) }, casbinrules.ReloadFailed, true},
		{"a rule less", func() { execute(t, db, "ROLLBACK"); replace(t, db, "p, erin, /always, GET", "p, ann, /page, GET") }, casbinrules.ReloadLoaded, false},
		{"no file", func() { remove(t, name) }, casbinrules.ReloadFailed, false},
		{"no database", func() { write(t, name, strings.Repeat("not a database", 100)) }, casbinrules.ReloadFailed, false},
		{"another file", func() { remove(t, name); create(t, name, "p, erin, /always, GET", "p, erin, /page, GET") }, casbinrules.ReloadLoaded, true},
	} {
		c.do()
		s.bell.ring("")
		if e := <-s.events; e.Outcome != c.want {
			t.Errorf("%s: %s: %v", c.name, e.Outcome, e.Err)
		}
		if got := s.status(t, "/page") == http.StatusNoContent; got != c.page {
			t.Errorf("%s: /page allowed %v", c.name, got)
		}
		if good := c.want == casbinrules.ReloadLoaded; (s.policy.Status().Err == nil) != good {
			t.Errorf("%s: status %+v", c.name, s.policy.Status())
		}
	}
	if answers := stop(); answers == 0 {
		t.Error("no request was answered meanwhile")
	}
	if err := s.policy.Close(); err != nil || !s.bell.closed {
		t.Errorf("close: %v, watcher closed %v", err, s.bell.closed)
	}
}

func TestPolicyInADatabaseMustBeThereAtTheStart(t *testing.T) {
	dir := t.TempDir()
	create(t, filepath.Join(dir, "empty.db"))
	create(t, filepath.Join(dir, "bad.db"), "p, erin , /a, GET")
	for name, want := range map[string]string{"none.db": "select rules", "empty.db": "empty_policy", "bad.db": "adapter:1:4: error: surrounding_space"} {
		rules, err := openStore(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := casbinrules.FromAdapter(casbinrules.RBAC(), rules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		_ = rules.db.Close()
	}
}

// lock has db hold the database for itself until ROLLBACK.
func lock(t *testing.T, db *sql.DB) {
	t.Helper()
	execute(t, db, "BEGIN EXCLUSIVE")
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
