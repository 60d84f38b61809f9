package casbinrules

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// onDuty is a condition of role links that tests switch.
type onDuty struct {
	sync.Mutex
	teams map[string]bool
	err   error
	asked []string
}

func (d *onDuty) holds(_ context.Context, fields ...string) (bool, error) {
	d.Lock()
	defer d.Unlock()
	d.asked = append(d.asked, strings.Join(fields, "/"))
	return d.teams[fields[0]], d.err
}

func (d *onDuty) set(err error, teams ...string) {
	d.Lock()
	defer d.Unlock()
	d.teams, d.err, d.asked = map[string]bool{}, err, nil
	for _, team := range teams {
		d.teams[team] = true
	}
}

func conditionModel(m Model) Model {
	text := strings.Replace(strings.Replace(m.Text(), "g = _, _, _\n", "g = _, _, _, (_)\n", 1), "g = _, _\n", "g = _, _, (_)\n", 1)
	return ModelText("m.conf", text)
}

const duties = "p, admin, /a, GET\np, reader, /b, GET\ng, ann, admin, ops\ng, admin, reader, night\ng, ben, reader, _\n"

// TestRoleLinksCountWhileTheirConditionHolds asks everything that uses roles, with the
// index and with Casbin.
func TestRoleLinksCountWhileTheirConditionHolds(t *testing.T) {
	for _, m := range []Model{conditionModel(RBAC()), ModelText("m.conf", strings.Replace(conditionModel(RBAC()).Text(), "m = ", "m = r.act + \"\" == r.act && ", 1))} {
		duty := &onDuty{}
		a := openLines(t, m, duties, WithLinkCondition("g", duty.holds))
		engine := a.Status().Engine
		for _, at := range []struct {
			teams    []string
			get, see bool // of ann: GET /a, GET /b
			token    bool // a role admin of the credentials: GET /b
		}{
			{nil, false, false, false},
			{[]string{"ops"}, true, false, false},
			{[]string{"night"}, false, false, true},
			{[]string{"ops", "night"}, true, true, true},
			{nil, false, false, false},
		} {
			duty.set(nil, at.teams...)
			if may(t, a, "ann", "", "/a") != at.get || may(t, a, "ann", "", "/b") != at.see || may(t, a, "eve", "", "/b", "admin") != at.token || !may(t, a, "ben", "", "/b") {
				t.Errorf("%s: wrong on duty %q", engine, at.teams)
			}
			roles, err := a.RolesOf(t.Context(), principal(t, "ann"))
			if err != nil || slices.Contains(roles, "admin") != at.get || slices.Contains(roles, "reader") != at.see {
				t.Errorf("on duty %q ann has the roles %q, %v", at.teams, roles, err)
			}
			e, err := a.ExplainQuery(t.Context(), Query{Subject: "ann", Object: "/b", Action: "GET"})
			if err != nil || e.Allowed != at.see || len(e.Chain) != map[bool]int{true: 2}[at.see] ||
				strings.Contains(e.String(), "the role link from admin to reader at policy.csv:4 does not count, by its condition: night") != !slices.Contains(at.teams, "night") {
				t.Errorf("on duty %q: %v, %v", at.teams, e, err)
			}
			objects, err := a.Filter(t.Context(), principal(t, "ann"), Action{Name: "GET"}, []string{"/a", "/b"})
			if err != nil || slices.Contains(objects, "/a") != at.get || slices.Contains(objects, "/b") != at.see {
				t.Errorf("on duty %q ann may get %q, %v", at.teams, objects, err)
			}
			if engine != EngineIndex {
				continue
			}
			subjects, err := a.Subjects(t.Context(), "", "/b", Action{Name: "GET"})
			if err != nil || slices.Contains(subjects.Users, "ann") != at.see || slices.Contains(subjects.Roles, "admin") != at.token {
				t.Errorf("on duty %q %+v may get /b, %v", at.teams, subjects, err)
			}
		}
	}
}

// TestASetIsThatOfItsMoment: a set keeps the results of conditions from when it was made,
// and asks each once.
func TestASetIsThatOfItsMoment(t *testing.T) {
	duty := &onDuty{}
	a := openLines(t, conditionModel(RBAC()), duties, WithLinkCondition("g", duty.holds))
	duty.set(nil, "ops")
	set, err := a.Objects(t.Context(), principal(t, "ann"), Action{Name: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	condition, args, err := set.SQL("path", Dollar)
	if err != nil || !slices.Contains(args, any("/a")) {
		t.Errorf("%s %q, %v", condition, args, err)
	}
	duty.Lock()
	duty.teams = nil
	duty.Unlock()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if ok, err := set.Contains("/a"); !ok || err != nil {
				t.Errorf("/a is no longer in the set, %v", err)
			}
		})
	}
	wait.Wait()
	if want := []string{"ops", "night"}; !slices.Equal(duty.asked, want) {
		t.Errorf("asked %q, want %q", duty.asked, want)
	}
}

var errRota = errors.New("the rota is down")

// TestAFailedConditionRefuses: nothing is decided, listed or explained if a condition
// fails, not even for a user whom another rule allows.
func TestAFailedConditionRefuses(t *testing.T) {
	for _, m := range []Model{conditionModel(RBAC()), ModelText("m.conf", strings.Replace(conditionModel(RBAC()).Text(), "m = ", "m = r.act + \"\" == r.act && ", 1))} {
		duty := &onDuty{}
		a := openLines(t, m, duties+"p, ann, /a, GET\n", WithLinkCondition("g", duty.holds))
		duty.set(errRota)
		ctx, ann := t.Context(), principal(t, "ann")
		fails := map[string]func() error{
			"Authorize": func() error { d, err := a.Authorize(ctx, ann, to("GET", "/a")); return unlessAllowed(d, err) },
			"HEAD":      func() error { d, err := a.Authorize(ctx, ann, to("HEAD", "/a")); return unlessAllowed(d, err) },
			"Enforce":   func() error { _, err := a.Enforce(ctx, "ann", "/a", "GET"); return err },
			"RolesOf":   func() error { _, err := a.RolesOf(ctx, ann); return err },
			"Explain":   func() error { _, err := a.Explain(ctx, ann, to("GET", "/a")); return err },
			"Filter":    func() error { _, err := a.Filter(ctx, ann, Action{Name: "GET"}, []string{"/a"}); return err },
		}
		if a.Status().Engine == EngineIndex {
			fails["Objects"] = func() error { _, err := a.Objects(ctx, ann, Action{Name: "GET"}); return err }
			fails["Subjects"] = func() error { _, err := a.Subjects(ctx, "", "/b", Action{Name: "GET"}); return err }
		}
		for name, f := range fails {
			if err := f(); !errors.Is(err, errRota) {
				t.Errorf("%s, by %s: got %v", name, a.Status().Engine, err)
			}
		}
		if !may(t, a, "ben", "", "/b") {
			t.Error("somebody without a condition on the way is refused")
		}
	}
}

// unlessAllowed is err, if its decision allows nothing.
func unlessAllowed(d core.Decision, err error) error {
	if d.Allowed {
		return errors.New("allowed")
	}
	return err
}

// TestConditionsMayWriteToTheirFields: other requests do not see what a function does to
// its arguments.
func TestConditionsMayWriteToTheirFields(t *testing.T) {
	a := openLines(t, conditionModel(RBAC()), duties, WithLinkCondition("g", func(_ context.Context, fields ...string) (bool, error) {
		was := fields[0]
		fields[0] = "day"
		return was == "day", nil
	}))
	for range 2 {
		if may(t, a, "ann", "", "/a") {
			t.Error("a link counts that says ops")
		}
	}
}

// TestConditionsOfOddFieldsStayApart: with Casbin's semantics, fields may contain any
// character, and lines may have more of them than the model defines.
func TestConditionsOfOddFieldsStayApart(t *testing.T) {
	m := ModelText("m.conf", strings.Replace(RBAC().Text(), "g = _, _\n", "g = _, _, (_, _)\n", 1))
	a := openLines(t, m, "p, staff, /a, GET\ng, ben, staff, x\x00y, z\ng, ann, staff, x, y\x00z\ng, eve, staff, _, _, more\n", WithCasbinSemantics(),
		WithLinkCondition("g", func(_ context.Context, fields ...string) (bool, error) {
			return fields[0] == "x\x00y" && len(fields) == 2, nil
		}))
	if may(t, a, "ann", "", "/a") || !may(t, a, "ben", "", "/a") || !may(t, a, "eve", "", "/a") {
		t.Error("the condition of one link is asked for the other")
	}
}

// TestStatusesOfConditions: a condition that does not hold is 403, one that fails
// 503, and one that panics 500.
func TestStatusesOfConditions(t *testing.T) {
	duty := &onDuty{}
	a := openLines(t, conditionModel(RBAC()), duties, WithLinkCondition("g", func(ctx context.Context, fields ...string) (bool, error) {
		if ok, err := duty.holds(ctx, fields...); ok || err != nil {
			return ok, err
		}
		if fields[0] == "ops" && ctx.Value(panics) != nil {
			panic("rota")
		}
		return false, nil
	}))
	scheme, err := basic.New("test", basic.VerifierFunc(func(_ context.Context, user, _ string) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(a), core.WithLogger(slog.New(slog.DiscardHandler)), core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		t.Fatal(err)
	}
	h := httpauth.Authorize(guard)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, tc := range []struct {
		err   error
		teams []string
		ctx   context.Context
		want  int
	}{
		{nil, []string{"ops"}, t.Context(), http.StatusOK},
		{nil, nil, t.Context(), http.StatusForbidden},
		{errRota, []string{"ops"}, t.Context(), http.StatusServiceUnavailable},
		{nil, nil, context.WithValue(t.Context(), panics, true), http.StatusInternalServerError},
	} {
		duty.set(tc.err, tc.teams...)
		r := httptest.NewRequestWithContext(tc.ctx, "GET", "/a", nil)
		r.SetBasicAuth("ann", "x")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tc.want {
			t.Errorf("error %v, on duty %q: %d, want %d", tc.err, tc.teams, w.Code, tc.want)
		}
	}
}

type contextKey int

const panics contextKey = 0

func TestConditionsThatCannotBeHonouredAreRefused(t *testing.T) {
	yes := func(context.Context, ...string) (bool, error) { return true, nil }
	conditional := WithLinkCondition("g", yes)
	for name, tc := range map[string]struct {
		model Model
		lines string
		opts  []Option
		want  string
	}{
		"no option":          {conditionModel(RBAC()), duties, nil, "model_roles"},
		"no fields":          {RBAC(), "p, u, /a, GET\n", []Option{conditional}, "model_roles"},
		"no such links":      {conditionModel(RBAC()), duties, []Option{conditional, WithLinkCondition("g2", yes)}, "model_roles"},
		"no times":           {timedModel(RBAC()), "p, u, /a, GET\ng, ann, u, ops, _\n", nil, "bad_time"},
		"patterns":           {conditionModel(RBAC()), duties, []Option{conditional, WithRolePatterns("g", "keyMatch")}, "model_roles"},
		"a field too few":    {conditionModel(RBAC()), "p, u, /a, GET\ng, ann, u\n", []Option{conditional}, "field_count"},
		"two conditions":     {conditionModel(RBAC()), "p, u, /a, GET\ng, ann, u, a\ng, ann, u, b\n", []Option{conditional}, "link_with_two_times"},
		"a later link":       {conditionModel(RBACWithTenants()), "p, u, t, /a, GET\ng, ann, x, t, _\ng, x, u, t, a\n", []Option{conditional}, "link_time_ignored"},
		"nil":                {conditionModel(RBAC()), duties, []Option{WithLinkCondition("g", nil)}, "nil"},
		"given twice":        {conditionModel(RBAC()), duties, []Option{conditional, conditional}, "twice"},
		"subject priority":   {ModelText("m.conf", modelText("sub, obj, act", "sub, obj, act, eft", "g = _, _, (_)", subjectFirst, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act")), "p, u, /a, GET, allow\ng, ann, u, a\n", []Option{conditional, WithoutTokenRoles()}, "model_roles"},
		"eval, as in Casbin": {ModelText("m.conf", modelText("sub, obj, act", "rule, obj, act", "g = _, _, (_)", someAllow, "eval(p.rule) && r.obj == p.obj && r.act == p.act")), "p, true, /a, GET\ng, ann, u, a\n", []Option{conditional, WithoutTokenRoles(), WithCasbinSemantics()}, "model_roles"},
	} {
		_, err := OpenFS(files("policy.csv", tc.lines), tc.model, []string{"policy.csv"}, append(tc.opts, quiet)...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	findings, err := LintFS(files("policy.csv", "p, u, /a, GET\ng, ann, u, a\ng, ann, x, _\ng, x, u, _\n"), conditionModel(RBAC()), []string{"policy.csv"}, conditional)
	if err != nil || !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == "link_outlived" && f.Line == 2 && f.Column == 12 }) {
		t.Errorf("a condition beside a way without one: %v, %v", findings, err)
	}
}
