package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

func enforcerOf(t *testing.T, m Model, lines ...string) *casbin.Enforcer {
	t.Helper()
	read, err := casbinmodel.NewModelFromString(m.Text())
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(read, lineAdapter{lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	e.EnableAutoSave(false)
	return e
}

func fromEnforcer(t *testing.T, e casbin.IEnforcer, opts ...Option) *EnforcerAuthorizer {
	t.Helper()
	a, err := FromEnforcer(e, append(opts, WithoutTokenRoles())...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestEnforcerDecidesWithTheAdditions(t *testing.T) {
	e := enforcerOf(t, RBACWithDeny(),
		"p, staff, /reports, GET, allow", "p, staff, /*, *, allow", "p, staff, /secret, *, deny",
		"p, erin, /dav, PROPFIND, allow", "p, anonymous, /open, GET, allow", "g, erin, staff", "g, staff, all")
	a := fromEnforcer(t, e, WithAnonymous())
	for _, c := range []struct {
		name, id, method, path string
		want                   core.Reason
		rule                   string
	}{
		{"by a role", "erin", "GET", "/reports", core.ReasonAllowed, "p, staff, /reports, GET, allow"},
		{"denied", "erin", "GET", "/secret", ReasonDeniedByRule, "p, staff, /secret, *, deny"},
		{"nobody's", "ann", "GET", "/reports", ReasonNoRule, ""},
		{"the name of a role", "staff", "GET", "/reports", ReasonSubjectIsRoleName, ""},
		{"anonymous by name", "anonymous", "GET", "/open", ReasonSubjectIsRoleName, ""},
		{"HEAD as GET", "erin", "HEAD", "/reports", core.ReasonAllowed, "p, staff, /reports, GET, allow"},
		{"unusual method under *", "erin", "TRACE", "/reports", core.ReasonUnknownMethod, ""},
		{"unusual method denied", "erin", "TRACE", "/secret", ReasonDeniedByRule, "p, staff, /secret, *, deny"},
		{"method named like a path", "erin", "reports", "/reports", core.ReasonUnknownMethod, ""},
		{"no object", "erin", "GET", "", ReasonNoObject, ""},
	} {
		d, err := a.Authorize(context.Background(), who(t, c.id, "staff"), to(c.method, c.path))
		if err != nil || d.Reason != c.want || d.Allowed != (c.want == core.ReasonAllowed) || d.Rule != c.rule {
			t.Errorf("%s: %+v, %v", c.name, d, err)
		}
	}
	if d, err := a.AuthorizeAnonymous(context.Background(), to("GET", "/open")); err != nil || !d.Allowed {
		t.Errorf("anonymous: %+v, %v", d, err)
	}
	if !a.JudgesMethod("PROPFIND") || a.JudgesMethod("TRACE") || a.JudgesMethod("GET") || a.JudgesMethod("reports") {
		t.Error("JudgesMethod is wrong")
	}
	roles, err := a.RolesOf(context.Background(), who(t, "erin"))
	if err != nil || !slices.Equal(roles, []string{"all", "staff"}) {
		t.Errorf("roles %q, %v", roles, err)
	}
	if roles, err := a.RolesOf(context.Background(), who(t, "staff")); err != nil || roles != nil {
		t.Errorf("roles of a role's name %q, %v", roles, err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if d, err := a.Authorize(done, who(t, "erin"), to("GET", "/reports")); !errors.Is(err, context.Canceled) || d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
	star := to("approve", "/reports")
	star.Request = request{method: "POST"}
	if d, err := a.Authorize(context.Background(), who(t, "erin"), star); err != nil || !d.Allowed {
		t.Errorf("a named action under *: %+v, %v", d, err)
	}
	root := fromEnforcer(t, enforcerOf(t, ModelText("m.conf", strings.TrimSpace(RBAC().Text())+` || r.sub == "root"`)))
	for method, want := range map[string]core.Reason{"GET": core.ReasonAllowed, "TRACE": core.ReasonUnknownMethod} {
		if d, err := root.Authorize(context.Background(), who(t, "root"), to(method, "/x")); err != nil || d.Reason != want {
			t.Errorf("%s allowed by no rule: %+v, %v", method, d, err)
		}
	}
	plain := fromEnforcer(t, e, WithCasbinSemantics())
	apart := fromEnforcer(t, enforcerOf(t, RBAC(), "p, role:a, /a, GET", "p, role:x, /x, GET", "g, erin, role:a"), WithRolePrefix("role:"))
	if d, err := apart.Authorize(context.Background(), who(t, "role:x"), to("GET", "/x")); err != nil || d.Reason != ReasonSubjectIsRoleName {
		t.Errorf("an ID with the prefix: %+v, %v", d, err)
	}
	if roles, err := apart.RolesOf(context.Background(), who(t, "erin")); err != nil || !slices.Equal(roles, []string{"a"}) {
		t.Errorf("roles without the prefix %q, %v", roles, err)
	}
	get := enforcerOf(t, RBAC(), "p, ann, /a, GET")
	for asCasbin, asked := range map[bool]*EnforcerAuthorizer{false: fromEnforcer(t, get), true: fromEnforcer(t, get, WithCasbinSemantics())} {
		if d, err := asked.Authorize(context.Background(), who(t, "ann"), to("HEAD", "/a")); err != nil || d.Allowed == asCasbin {
			t.Errorf("HEAD, as Casbin %t: %+v, %v", asCasbin, d, err)
		}
	}
	if d, err := plain.Authorize(context.Background(), who(t, "staff"), to("TRACE", "/x")); err != nil || !d.Allowed {
		t.Errorf("as Casbin: %+v, %v", d, err)
	}
	if d, err := plain.AuthorizeAnonymous(context.Background(), to("GET", "/open")); err != nil || d.Allowed {
		t.Errorf("anonymous without the option: %+v, %v", d, err)
	}
}

func TestEnforcerDeniesMoreThanItAllows(t *testing.T) {
	m := ModelText("m.conf", strings.Replace(RBACWithDeny().Text(), "g(r.sub, p.sub)", `(p.sub == "*" || g(r.sub, p.sub))`, 1))
	a := fromEnforcer(t, enforcerOf(t, m, "p, *, /*, *, allow", "p, staff, /x, GET, deny", "p, erin, /y, HEAD, allow", "g, erin, staff"))
	for _, c := range []struct {
		id, method, path string
		want             core.Reason
	}{
		{"ann", "GET", "/x", core.ReasonAllowed}, {"staff", "GET", "/x", ReasonDeniedByRule}, {"staff", "GET", "/z", core.ReasonAllowed},
		{"erin", "HEAD", "/x", ReasonDeniedByRule}, {"erin", "HEAD", "/y", core.ReasonAllowed}, {"staff", "HEAD", "/x", ReasonDeniedByRule},
	} {
		if d, err := a.Authorize(context.Background(), who(t, c.id), to(c.method, c.path)); err != nil || d.Reason != c.want {
			t.Errorf("%+v: %+v, %v", c, d, err)
		}
	}
}

func TestEnforcerKeepsWhatIsItsOwn(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, dom, obj, act, age", "sub, dom, obj, act", "g = _, _, _", someAllow,
		`g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act && isAdult(r.age)`))
	e := enforcerOf(t, m, "p, staff, t1, /a, GET", "g, erin, staff, t1", "g, ann, staff, t2")
	e.AddFunction("isAdult", func(args ...any) (any, error) {
		if args[0] == "?" {
			return nil, errors.New("no age")
		}
		return args[0] != "7", nil
	})
	a := fromEnforcer(t, e, WithClaimAttribute("age", "age"))
	for _, c := range []struct {
		id, tenant string
		age        any
		want       core.Reason
	}{
		{"erin", "t1", float64(30), core.ReasonAllowed}, {"erin", "t1", "7", ReasonNoRule}, {"erin", "t1", nil, ReasonNoAttribute},
		{"erin", "", "30", ReasonNoTenant}, {"ann", "t1", "30", ReasonNoRule},
	} {
		info := core.PrincipalInfo{ID: c.id, Tenant: c.tenant}
		if c.age != nil {
			info.Claims = map[string]any{"age": c.age}
		}
		p, err := core.NewPrincipal(info)
		if err != nil {
			t.Fatal(err)
		}
		d, err := a.Authorize(context.Background(), p, to("GET", "/a"))
		if err != nil || d.Reason != c.want {
			t.Errorf("%+v: %+v, %v", c, d, err)
		}
	}
	if roles, err := a.RolesOf(context.Background(), who(t, "erin")); err != nil || roles != nil {
		t.Errorf("roles without a tenant %q, %v", roles, err)
	}
	p, _ := core.NewPrincipal(core.PrincipalInfo{ID: "erin", Tenant: "t1", Claims: map[string]any{"age": "?"}})
	var internal *core.InternalError
	if d, err := a.Authorize(context.Background(), p, to("GET", "/a")); !errors.As(err, &internal) || d.Allowed {
		t.Errorf("a function that fails: %+v, %v", d, err)
	}
	if roles, err := a.RolesOf(context.Background(), p); err != nil || !slices.Equal(roles, []string{"staff"}) {
		t.Errorf("roles %q, %v", roles, err)
	}
}

func TestEnforcerAssembly(t *testing.T) {
	rbac := func() *casbin.Enforcer { return enforcerOf(t, RBAC(), "p, erin, /a, GET") }
	off := rbac()
	off.EnableEnforce(false)
	empty, err := casbin.NewEnforcer()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		e          casbin.IEnforcer
		opts       []Option
	}{
		{"nil", "is nil", nil, nil},
		{"nil pointer", "is nil", (*casbin.Enforcer)(nil), nil},
		{"no model", "no model", empty, nil},
		{"token roles", "use WithoutTokenRoles", rbac(), nil},
		{"disabled", "is it disabled", off, []Option{WithoutTokenRoles()}},
		{"nil option", "option 1 is nil", rbac(), []Option{nil}},
		{"bad option", "role prefix", rbac(), []Option{WithRolePrefix("")}},
		{"watched", "remove the options", rbac(), []Option{WithoutTokenRoles(), WithFileWatch()}},
		{"told of changes", "remove the options", rbac(), []Option{WithoutTokenRoles(), WithWatcher(&pager{})}},
		{"told of loads", "remove the options", rbac(), []Option{WithoutTokenRoles(), WithReloadObserver(func(context.Context, ReloadEvent) {})}},
		{"empty policy", "remove the options", rbac(), []Option{WithoutTokenRoles(), WithEmptyPolicy()}},
		{"order of a field", "byte by byte", enforcerOf(t, ModelText("m.conf", modelText("sub, obj, act, age", "sub, obj, act, min", "", someAllow, "r.sub == p.sub && r.age >= p.min"))), []Option{WithClaimAttribute("age", "age"), WithAttributeType("age", Number)}},
		{"order of a text", "byte by byte", enforcerOf(t, ModelText("m.conf", modelText("sub, obj, act, age", "sub, obj, act", "", someAllow, "r.sub == p.sub && r.age < '18'"))), []Option{WithClaimAttribute("age", "age"), WithAttributeType("age", Number)}},
		{"alias", "AddFunction", rbac(), []Option{WithoutTokenRoles(), WithFunctionAlias("f", "keyMatch")}},
		{"function", "AddFunction", rbac(), []Option{WithoutTokenRoles(), WithFunction("f", func(...string) (bool, error) { return true, nil })}},
		{"field nobody fills", "cannot be filled", enforcerOf(t, ModelText("m.conf", modelText("sub, obj, act, age", "sub, obj, act", "", someAllow, "r.sub == p.sub"))), nil},
		{"deny only", "allows what none", enforcerOf(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "", "!some(where (p.eft == deny))", "r.sub == p.sub"))), nil},
	} {
		if a, err := FromEnforcer(c.e, c.opts...); err == nil || a != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v", c.name, a, err)
		}
	}
	if err := fromEnforcer(t, rbac()).Update(nil); err == nil {
		t.Error("a nil change is taken")
	}
	if err := fromEnforcer(t, rbac()).Update(func() error { return errRota }); !errors.Is(err, errRota) {
		t.Errorf("a change that fails: %v", err)
	}
}

// TestEnforcerIsChangedWhileItDecides is for the race detector, and checks that every
// decision is made by one policy: erin may GET /a by a rule of her own or by a role, never
// by neither.
func TestEnforcerIsChangedWhileItDecides(t *testing.T) {
	lines := []string{"p, staff, /b, GET", "g, erin, staff", "p, erin, /a, GET"}
	plain := enforcerOf(t, RBAC(), lines...)
	m, err := casbinmodel.NewModelFromString(RBAC().Text())
	if err != nil {
		t.Fatal(err)
	}
	synced, err := casbin.NewSyncedEnforcer(m, lineAdapter{lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	synced.EnableAutoSave(false)
	for name, e := range map[string]casbin.IEnforcer{"plain": plain, "synced": synced} {
		t.Run(name, func(t *testing.T) {
			a := fromEnforcer(t, e)
			erin := who(t, "erin")
			stop := make(chan struct{})
			var group sync.WaitGroup
			for range 2 {
				group.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						if d, err := a.Authorize(context.Background(), erin, to("GET", "/a")); err != nil || !d.Allowed {
							t.Errorf("got %+v, %v", d, err)
							return
						}
						if _, err := a.RolesOf(context.Background(), erin); err != nil {
							t.Error(err)
						}
						a.JudgesMethod("TRACE")
					}
				})
			}
			for range 100 {
				err := a.Update(func() error {
					if _, err := e.AddPolicy("ann", "/a", "GET"); err != nil {
						return err
					}
					return e.LoadPolicy()
				})
				if err != nil {
					t.Error(err)
				}
			}
			close(stop)
			group.Wait()
			if d, err := a.Authorize(context.Background(), who(t, "ann"), to("GET", "/a")); err != nil || d.Allowed {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
}

// TestAttributeThatAsksTheEnforcer: a change that waits for decisions does not make them
// wait for it.
func TestAttributeThatAsksTheEnforcer(t *testing.T) {
	m := ModelText("m.conf", `[request_definition]
r = sub, obj, act, level
[policy_definition]
p = sub, obj, act, level
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.level == p.level
`)
	entered := make(chan struct{})
	var a *EnforcerAuthorizer
	a = fromEnforcer(t, enforcerOf(t, m, "p, staff, /a, GET, staff", "g, erin, staff"),
		WithAttribute("level", func(p *core.Principal, _ core.Access) (string, error) {
			entered <- struct{}{}
			<-entered
			roles, err := a.RolesOf(t.Context(), p)
			return strings.Join(roles, " "), err
		}))
	decided := make(chan error, 1)
	go func() {
		d, err := a.Authorize(t.Context(), who(t, "erin"), to("GET", "/a"))
		if err == nil && !d.Allowed {
			err = fmt.Errorf("refused: %+v", d)
		}
		decided <- err
	}()
	<-entered
	changed := make(chan error, 1)
	go func() { changed <- a.Update(func() error { return nil }) }()
	time.Sleep(50 * time.Millisecond) // until it waits, if it has to
	entered <- struct{}{}
	for range 2 {
		select {
		case err := <-decided:
			if err != nil {
				t.Error(err)
			}
		case err := <-changed:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(authtest.TimeLimit(10 * time.Second)):
			t.Fatal("they wait for each other")
		}
	}
}
