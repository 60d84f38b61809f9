package gorm

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/casbin/casbin/v3/persist"
	gormadapter "github.com/casbin/gorm-adapter/v3"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/casbinv3"
	"github.com/sallyport-go/sallyport/core"
)

// model is one with constraints, which only Casbin v3 knows.
const model = `[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act
[constraint_definition]
c = sod("editor", "auditor")
`

// bell is a watcher that the test rings when it has written.
type bell struct {
	persist.Watcher
	ring func(string)
}

func (b *bell) SetUpdateCallback(call func(string)) error { b.ring = call; return nil }
func (b *bell) Close()                                    {}

func TestPolicyInSQLite(t *testing.T) {
	testPolicy(t, sqlite.Open(filepath.Join(t.TempDir(), "policy.db")), nil)
}

// testPolicy edits a policy in the database while an authorizer reads it there.
// At the end, stop stops the database; nil for none that can be stopped.
func testPolicy(t *testing.T, dialector gorm.Dialector, stop func()) {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool, err := db.DB(); err == nil {
			_ = pool.Close() // the server may be gone
		}
	})
	adapter, err := gormadapter.NewAdapterByDB(db)
	if err != nil {
		t.Fatal(err)
	}
	add := func(kind string, rule ...string) {
		t.Helper()
		if err := adapter.AddPolicy(kind[:1], kind, rule); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(kind string, rule ...string) {
		t.Helper()
		if err := adapter.RemovePolicy(kind[:1], kind, rule); err != nil {
			t.Fatal(err)
		}
	}
	add("g", "erin", "editor")
	add("p", "editor", "/reports/:id", "GET")

	bell, events := &bell{}, make(chan casbinrules.ReloadEvent, 1)
	a, err := casbinv3.FromAdapter(casbinrules.ModelText("model.conf", model), adapter, casbinv3.WithWatcher(bell), casbinrules.WithLogger(slog.New(slog.DiscardHandler)),
		casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	for _, c := range []struct {
		name string
		edit func()
		want casbinrules.ReloadOutcome
		put  bool // whether erin may PUT afterwards
	}{
		{"nothing", func() {}, casbinrules.ReloadUnchanged, false},
		{"a rule more", func() { add("p", "editor", "/reports/:id", "PUT") }, casbinrules.ReloadLoaded, true},
		{"a row with a column too few", func() { add("p", "editor", "/reports") }, casbinrules.ReloadFailed, true},
		{"a row that means something else", func() { remove("p", "editor", "/reports"); add("p", "editor ", "/reports", "GET") }, casbinrules.ReloadRejected, true},
		{"a link that violates a constraint", func() { remove("p", "editor ", "/reports", "GET"); add("g", "erin", "auditor") }, casbinrules.ReloadRejected, true},
		{"a rule less", func() { remove("g", "erin", "auditor"); remove("p", "editor", "/reports/:id", "PUT") }, casbinrules.ReloadLoaded, false},
	} {
		c.edit()
		bell.ring("")
		if e := <-events; e.Outcome != c.want {
			t.Errorf("%s: %s: %v", c.name, e.Outcome, e.Err)
		}
		if got := allowed(t, a, "PUT"); got != c.put {
			t.Errorf("%s: PUT allowed %v", c.name, got)
		}
		if !allowed(t, a, "GET") {
			t.Errorf("%s: GET is refused", c.name)
		}
	}
	if stop == nil {
		return
	}
	stop()
	bell.ring("")
	if e := <-events; e.Outcome != casbinrules.ReloadFailed || !allowed(t, a, "GET") {
		t.Errorf("without a server: %s: %v", e.Outcome, e.Err)
	}
}

// allowed says whether erin may do something with a report.
func allowed(t *testing.T, a *casbinrules.Authorizer, method string) bool {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Authorize(t.Context(), p, core.Access{Action: method, Resource: core.Resource{Path: "/reports/7"}})
	if err != nil {
		t.Fatal(err)
	}
	return d.Allowed
}
