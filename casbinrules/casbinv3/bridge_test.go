package casbinv3

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/casbin/casbin/v3/persist"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// table is an adapter of rows in memory.
type table struct {
	persist.Adapter
	mu   sync.Mutex
	rows [][]string
}

func newTable(lines ...string) *table {
	a := &table{}
	a.set(lines...)
	return a
}

func (a *table) set(lines ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rows = nil
	for _, line := range lines {
		a.rows = append(a.rows, strings.Split(line, ", "))
	}
}

func (a *table) LoadPolicy(m model.Model) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, row := range a.rows {
		if err := persist.LoadPolicyArray(row, m); err != nil {
			return err
		}
	}
	return nil
}

// pager is a watcher that is called by hand.
type pager struct {
	persist.Watcher
	call   func(string)
	closed bool
}

func (w *pager) SetUpdateCallback(call func(string)) error { w.call = call; return nil }
func (w *pager) Close()                                    { w.closed = true }

// allowed asks an authorizer for a GET by erin.
func allowed(t *testing.T, a core.Authorizer, path string) core.Decision {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Authorize(t.Context(), p, core.Access{Action: "GET", Resource: core.Resource{Path: path}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAdapterAndWatcher(t *testing.T) {
	adapter, watcher := newTable("g, erin, staff", "p, staff, /a/:id, GET"), &pager{}
	events := make(chan casbinrules.ReloadEvent, 1)
	a, err := FromAdapter(casbinrules.RBAC(), adapter, WithWatcher(watcher), casbinrules.WithLogger(slog.New(slog.DiscardHandler)),
		casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	if d := allowed(t, a, "/a/1"); !d.Allowed || d.Rule != "adapter:1" {
		t.Errorf("got %+v", d)
	}
	adapter.set("p, erin, /b, GET")
	watcher.call("")
	if e := <-events; e.Outcome != casbinrules.ReloadLoaded {
		t.Errorf("%s: %v", e.Outcome, e.Err)
	}
	if allowed(t, a, "/a/1").Allowed || !allowed(t, a, "/b").Allowed {
		t.Error("the policy is the old one")
	}
	adapter.set("p, erin , /b, GET")
	watcher.call("")
	if e := <-events; e.Outcome != casbinrules.ReloadRejected {
		t.Errorf("%s: %v", e.Outcome, e.Err)
	}
	if err := a.Close(); err != nil || !watcher.closed {
		t.Errorf("close: %v, watcher closed %v", err, watcher.closed)
	}
	for _, bad := range []string{"p, erin, /b", "q, erin, /b, GET", "p"} {
		if _, err := FromAdapter(casbinrules.RBAC(), newTable(bad)); err == nil || !strings.HasPrefix(err.Error(), "casbinrules: read policy: adapter: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestEnforcersDecide(t *testing.T) {
	text := casbinrules.RBAC().Text()
	plain, err := enforcerOf(text, "p, staff, /a/:id, GET", "g, erin, staff")
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	synced, err := casbin.NewSyncedEnforcer(m, lineAdapter{lines: []string{"p, staff, /a/:id, GET", "g, erin, staff"}})
	if err != nil {
		t.Fatal(err)
	}
	synced.EnableAutoSave(false)
	for name, e := range map[string]casbin.IEnforcer{"plain": plain, "synced": synced} {
		a, err := FromEnforcer(e, casbinrules.WithoutTokenRoles())
		if err != nil {
			t.Fatal(err)
		}
		if d := allowed(t, a, "/a/1"); !d.Allowed || d.Rule != "p, staff, /a/:id, GET" {
			t.Errorf("%s: %+v", name, d)
		}
		if allowed(t, a, "/b").Allowed {
			t.Errorf("%s: /b is allowed", name)
		}
		err = a.Update(func() error {
			_, err := e.AddPolicy("erin", "/b", "GET")
			return err
		})
		if err != nil || !allowed(t, a, "/b").Allowed {
			t.Errorf("%s: after an update: %v", name, err)
		}
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
		if err != nil {
			t.Fatal(err)
		}
		if roles, err := a.RolesOf(t.Context(), p); err != nil || len(roles) != 1 || roles[0] != "staff" {
			t.Errorf("%s: roles %q, %v", name, roles, err)
		}
	}
}

func TestMisassemblyIsRefused(t *testing.T) {
	constrained, err := enforcerOf(casbinrules.RBAC().Text() + "\n[constraint_definition]\nc = sod(\"a\", \"b\")\n")
	if err != nil {
		t.Fatal(err)
	}
	empty, err := casbin.NewEnforcer()
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"the adapter is nil":                  second(FromAdapter(casbinrules.RBAC(), nil)),
		"the adapter is nil:":                 second(FromAdapter(casbinrules.RBAC(), (*table)(nil))),
		"the enforcer is nil":                 second(FromEnforcer(nil)),
		"the enforcer is nil:":                second(FromEnforcer((*casbin.Enforcer)(nil))),
		"it has no model":                     second(FromEnforcer(empty)),
		"its model has constraints":           second(FromEnforcer(constrained, casbinrules.WithoutTokenRoles())),
		"remove WithCasbin":                   second(FromEnforcer(constrained, WithCasbin())),
		"casbin is nil":                       second(Open(casbinrules.RBAC(), []string{"p.csv"}, casbinrules.WithCasbin(nil))),
		"watcher is nil":                      second(FromAdapter(casbinrules.RBAC(), newTable(), WithWatcher(nil))),
		"read none.csv":                       second(Open(casbinrules.RBAC(), []string{"none.csv"})),
		"the function that loads the rows is": second(casbinrules.FromRows(casbinrules.RBAC(), nil)),
	} {
		if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ":")) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestTenantPatternsAreCasbins: Casbin v3 takes tenants of role links for
// patterns, whatever the fields are called, where v2 does so by one name alone.
func TestTenantPatternsAreCasbins(t *testing.T) {
	text := strings.ReplaceAll(strings.Replace(rbacWithDomains, "r.dom == p.dom", "keyMatch(r.dom, p.dom)", 1), "dom", "tenant")
	m := casbinrules.ModelText("model.conf", text)
	lines := []string{"p, staff, t*, /a, GET", "g, erin, staff, t*"}
	a, err := FromAdapter(m, newTable(lines...), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	e, err := enforcerOf(text, lines...)
	if err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[string]bool{"t1": true, "x1": false} {
		casbins, err := e.Enforce("erin", tenant, "/a", "GET")
		if err != nil || casbins != want {
			t.Errorf("casbin in %s: %v, %v", tenant, casbins, err)
		}
		if d, err := a.Enforce(t.Context(), "erin", tenant, "/a", "GET"); a.Status().Engine != casbinrules.EngineIndex || err != nil || d.Allowed != want {
			t.Errorf("in %s: %+v, %v", tenant, d, err)
		}
	}
	// With v2 the pattern is one of the rules alone.
	if _, err := casbinrules.FromRows(m, func(string) ([][]string, error) { return [][]string{{"p", "erin", "t*", "/a", "GET"}}, nil }); err != nil {
		t.Errorf("v2: %v", err)
	}
}
