package casbinrules

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/core"
)

// table is an adapter with rows in memory.
type table struct {
	persist.Adapter
	mu    sync.Mutex
	rows  [][]string
	err   error
	loads int
}

func (a *table) set(err error, lines ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err, a.rows = err, nil
	for _, line := range lines {
		a.rows = append(a.rows, strings.Split(line, ", "))
	}
}

func (a *table) LoadPolicy(m casbinmodel.Model) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loads++
	for _, row := range a.rows {
		if err := persist.LoadPolicyArray(row, m); err != nil {
			return err
		}
	}
	return a.err
}

func newTable(lines ...string) *table {
	a := &table{}
	a.set(nil, lines...)
	return a
}

// pager is a watcher that the test calls.
type pager struct {
	persist.Watcher
	mu     sync.Mutex
	call   func(string)
	closed int
	err    error
}

func (w *pager) SetUpdateCallback(call func(string)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.call = call
	return w.err
}

func (w *pager) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed++
}

func TestAdapterRowsDecideAsLinesDo(t *testing.T) {
	lines := []string{
		"p, 2, staff, /a/:id, GET, deny", "g, erin, staff", "p, 1, staff, /a/:id, GET, allow", "p, 1, erin, /b, PUT, allow",
	}
	m := ModelText("m.conf", modelText(plainRequest, "priority, sub, obj, act, eft", "g = _, _", firstMatch, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"))
	a, err := FromAdapter(m, newTable(lines...), quiet)
	if err != nil {
		t.Fatal(err)
	}
	// Rows are numbered in their own order, whatever their priority.
	for _, c := range []struct{ method, path, rule string }{{"GET", "/a/1", "adapter:2"}, {"PUT", "/b", "adapter:3"}} {
		if d := decide(t, a, who(t, "erin"), to(c.method, c.path)); !d.Allowed || d.Rule != c.rule {
			t.Errorf("%s %s: %+v", c.method, c.path, d)
		}
	}
	if v := a.Version(); v.Rules != 3 || v.RoleLinks != 1 || !slices.Equal(v.Files, []string{"m.conf", "adapter"}) {
		t.Errorf("version %+v", v)
	}
	if a.current.Load().Index == nil {
		t.Error("the policy has no index")
	}
}

func TestAdapterRowsAreChecked(t *testing.T) {
	for _, c := range []struct {
		name string
		rows []string
		want string
	}{
		{"effect", []string{"p, a, /x, GET, allow", "p, a, /y, GET, Deny"}, `adapter:2:16: error: bad_effect`},
		{"shown row", []string{"p, a, /y, GET, Deny"}, `in the row p, a, /y, GET, Deny`},
		{"blank", []string{"p, a , /y, GET, allow"}, "surrounding_space"},
		{"H13 line feed", []string{"p, a, /y\n, GET, allow"}, "control_character"},
		{"pattern", []string{"p, a, /y[, GET, allow"}, "bad_pattern"},
		{"not UTF-8", []string{"p, a, /x, GET, allow", "p, a\xff, /y, GET, allow"}, "adapter:2:4: error: encoding"},
		{"behind quotes", []string{"p, a,b, /y, GET, Deny"}, "adapter:1:20: error: bad_effect"},
		{"role circle", []string{"p, a, /y, GET, allow", "g, a, b", "g, b, a"}, "adapter:3:1: error: role_cycle"},
		{"number of fields", []string{"p, a, /y"}, "read policy: adapter: invalid policy rule size"},
		{"unknown kind", []string{"q, a, /y"}, "read policy: adapter: "},
		{"no kind", []string{""}, "read policy: adapter: panic"},
		{"nothing", nil, "empty_policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := FromAdapter(RBACWithDeny(), newTable(c.rows...), quiet)
			if err == nil || a != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want %q", a, err, c.want)
			}
		})
	}
	latin, err := FromAdapter(RBACWithDeny(), newTable("p, a\xff, /x, GET, allow", "p, a, /x, GET, allow"), quiet, WithCasbinSemantics(), WithoutTokenRoles())
	if err != nil {
		t.Fatal(err)
	}
	if n, w := latin.Version().Rules, latin.Warnings(); n != 2 || len(w) != 1 || w[0].Line != 1 {
		t.Errorf("texts that are not UTF-8, with Casbin semantics: %d rules, %v", n, w)
	}
	var refused *FindingsError
	if _, err := FromAdapter(RBACWithDeny(), newTable("p, a, /\xff, GET, allow"), quiet); !errors.As(err, &refused) || len(refused.Findings) != 1 {
		t.Errorf("a value that is not UTF-8 is looked at further: %v", err)
	}
	if _, err := FromAdapter(RBACWithDeny(), newTable("p, a, /x#1, GET, allow"), quiet); err != nil {
		t.Errorf("a # that nothing could take for a comment is refused: %v", err)
	}
	if _, err := FromAdapter(ModelText("m.conf", "nonsense"), newTable(), quiet); err == nil || !strings.Contains(err.Error(), "m.conf:1:1") {
		t.Errorf("a bad model: %v", err)
	}
}

func TestAdapterAssembly(t *testing.T) {
	good := newTable("p, a, /x, GET")
	for _, c := range []struct {
		name string
		open func() (*Authorizer, error)
	}{
		{"no adapter", func() (*Authorizer, error) { return FromAdapter(RBAC(), nil) }},
		{"nil adapter", func() (*Authorizer, error) { return FromAdapter(RBAC(), (*table)(nil)) }},
		{"no model", func() (*Authorizer, error) { return FromAdapter(Model{}, good) }},
		{"missing model", func() (*Authorizer, error) { return FromAdapter(ModelFile("none.conf"), good) }},
		{"nil watcher", func() (*Authorizer, error) { return FromAdapter(RBAC(), good, WithWatcher(nil)) }},
		{"two watchers", func() (*Authorizer, error) {
			return FromAdapter(RBAC(), good, WithWatcher(&pager{}), WithWatcher(&pager{}))
		}},
		{"watcher that fails", func() (*Authorizer, error) {
			return FromAdapter(RBAC(), good, WithWatcher(&pager{err: errors.New("no connection")}))
		}},
		{"watched files", func() (*Authorizer, error) { return FromAdapter(RBAC(), good, WithFileWatch()) }},
		{"watcher of files", func() (*Authorizer, error) {
			return OpenFS(files("p.csv", "p, a, /x, GET\n"), RBAC(), []string{"p.csv"}, WithWatcher(&pager{}))
		}},
	} {
		if a, err := c.open(); err == nil || a != nil || !strings.HasPrefix(err.Error(), "casbinrules: ") {
			t.Errorf("%s: got %v, %v", c.name, a, err)
		}
	}
}

func TestAdapterReloadsWholeOrNotAtAll(t *testing.T) {
	rows, w := newTable("p, erin, /a, GET"), &pager{}
	events := make(chan ReloadEvent, 1)
	a, err := FromAdapter(RBAC(), rows, WithWatcher(w), quiet, WithReloadObserver(func(_ context.Context, e ReloadEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	allowed := func(path string) bool { return decide(t, a, who(t, "erin"), to("GET", path)).Allowed }
	gone := errors.New("the database is gone")
	for _, c := range []struct {
		name  string
		err   error
		lines []string
		want  ReloadOutcome
		b     bool // whether /b is allowed afterwards
	}{
		{"another row", nil, []string{"p, erin, /a, GET", "p, erin, /b, GET"}, ReloadLoaded, true},
		{"a row that means nothing", nil, []string{"p, erin, /a, GET", "p, erin , /c, GET"}, ReloadRejected, true},
		{"gone", gone, []string{"p, erin, /a, GET"}, ReloadFailed, true},
		{"emptied", nil, nil, ReloadRejected, true},
		{"the same again", nil, []string{"p, erin, /a, GET", "p, erin, /b, GET"}, ReloadUnchanged, true},
		{"a row less", nil, []string{"p, erin, /a, GET"}, ReloadLoaded, false},
	} {
		rows.set(c.err, c.lines...)
		w.call("")
		e := <-events
		if e.Outcome != c.want || !allowed("/a") || allowed("/b") != c.b || allowed("/c") {
			t.Errorf("%s: %s, %v; /a %v /b %v", c.name, e.Outcome, e.Err, allowed("/a"), allowed("/b"))
		}
		st := a.Status()
		if good := c.want == ReloadLoaded || c.want == ReloadUnchanged; (st.Err == nil) != good {
			t.Errorf("%s: status %+v", c.name, st)
		}
		if c.err != nil && !errors.Is(st.Err, gone) {
			t.Errorf("%s: status %v", c.name, st.Err)
		}
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if w.closed != 1 {
		t.Errorf("the watcher is closed %d times", w.closed)
	}
	loads := rows.loads
	w.call("")
	if err := a.Reload(context.Background()); err == nil || rows.loads != loads {
		t.Errorf("the policy is loaded after Close: %v", err)
	}
}

func TestCallsDuringTheFirstLoadAreNotLost(t *testing.T) {
	w := &pager{}
	rows := newTable("p, erin, /a, GET")
	events := make(chan ReloadEvent, 1)
	first := sync.OnceFunc(func() { w.call("") })
	a, err := FromAdapter(RBAC(), loading{rows, first}, WithWatcher(w), quiet, WithReloadObserver(func(_ context.Context, e ReloadEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.Outcome != ReloadUnchanged {
		t.Errorf("got %+v", e)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// loading calls a function during each load.
type loading struct {
	*table
	do func()
}

func (l loading) LoadPolicy(m casbinmodel.Model) error {
	l.do()
	return l.table.LoadPolicy(m)
}

// TestRowsThatPanic: a reload by a watcher fails, and the program goes on.
func TestRowsThatPanic(t *testing.T) {
	w, gone := &pager{}, false
	events := make(chan ReloadEvent, 1)
	a, err := FromRows(RBAC(), func(string) ([][]string, error) {
		if gone {
			panic("no connection")
		}
		return [][]string{{"p", "erin", "/a", "GET"}}, nil
	}, WithWatcher(w), quiet, WithReloadObserver(func(_ context.Context, e ReloadEvent) { events <- e }))
	if err != nil {
		t.Fatal(err)
	}
	gone = true
	w.call("")
	var panicked *core.PanicError
	if e := <-events; e.Outcome != ReloadFailed || !errors.As(e.Err, &panicked) {
		t.Errorf("%s, %v", e.Outcome, e.Err)
	}
	if !decide(t, a, who(t, "erin"), to("GET", "/a")).Allowed {
		t.Error("the policy in force is gone")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
