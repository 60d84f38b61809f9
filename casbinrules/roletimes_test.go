package casbinrules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/util"

	"github.com/sallyport-go/sallyport/core"
)

// timedModel is a model whose role links have a start and an end.
func timedModel(m Model) Model {
	text := strings.Replace(strings.Replace(m.Text(), "g = _, _, _\n", "g = _, _, _, (_, _)\n", 1), "g = _, _\n", "g = _, _, (_, _)\n", 1)
	return ModelText("timed.conf", text)
}

// handClock is a clock that the test sets.
type handClock struct{ now atomic.Pointer[time.Time] }

func newClock(t *testing.T, text string) *handClock {
	c := &handClock{}
	c.set(t, text)
	return c
}

func (c *handClock) set(t *testing.T, text string) {
	t.Helper()
	now, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	c.now.Store(&now)
}

func (c *handClock) Now() time.Time { return *c.now.Load() }

const summer = "p, editor, /a, GET\np, viewer, /b, GET\n" +
	"g, ann, editor, 2026-06-01 00:00:00, 2026-09-01 00:00:00\n" +
	"g, editor, viewer, _, 2026-08-01 00:00:00\n" +
	"g, ben, viewer, _, _\n"

// TestRoleLinksCountFromStartToEnd asks an authorizer that may have cached earlier answers
// before, at and after each instant.
func TestRoleLinksCountFromStartToEnd(t *testing.T) {
	clock := newClock(t, "2026-05-31 23:59:59")
	for _, engine := range []struct {
		name  Engine
		model string
	}{
		{EngineIndex, timedModel(RBAC()).Text()},
		{EngineCasbin, strings.Replace(timedModel(RBAC()).Text(), "m = ", "m = r.act + \"\" == r.act && ", 1)},
	} {
		a := openLines(t, ModelText("m.conf", engine.model), summer, WithClock(clock.Now))
		if got := a.Status().Engine; got != engine.name {
			t.Fatalf("decided by %s, want %s", got, engine.name)
		}
		for _, at := range []struct {
			now          string
			editor, view bool // of ann: GET /a, GET /b
			token        bool // a role editor of the credentials: GET /b
		}{
			{"2026-05-31 23:59:59", false, false, true},
			{"2026-06-01 00:00:00", false, false, true}, // the start itself is before
			{"2026-06-01 00:00:01", true, true, true},
			{"2026-07-31 23:59:59", true, true, true},
			{"2026-08-01 00:00:00", true, false, false},
			{"2026-08-31 23:59:59", true, false, false},
			{"2026-09-01 00:00:00", false, false, false},
			{"2026-07-01 00:00:00", true, true, true}, // clocks are set back
			{"1600-01-01 00:00:00", false, false, true},
			{"2300-01-01 00:00:00", false, false, false},
		} {
			clock.set(t, at.now)
			for range 2 {
				if may(t, a, "ann", "", "/a") != at.editor || may(t, a, "ann", "", "/b") != at.view || may(t, a, "eve", "", "/b", "editor") != at.token || !may(t, a, "ben", "", "/b") {
					t.Errorf("%s: wrong at %s", engine.name, at.now)
				}
			}
			p := principal(t, "ann")
			roles, err := a.RolesOf(t.Context(), p)
			if err != nil || slices.Contains(roles, "editor") != at.editor || slices.Contains(roles, "viewer") != at.view {
				t.Errorf("at %s ann has the roles %q, %v", at.now, roles, err)
			}
			if engine.name != EngineIndex {
				continue
			}
			objects, err := a.Filter(t.Context(), p, Action{Name: "GET"}, []string{"/a", "/b"})
			if err != nil || slices.Contains(objects, "/a") != at.editor || slices.Contains(objects, "/b") != at.view {
				t.Errorf("at %s ann may get %q, %v", at.now, objects, err)
			}
			subjects, err := a.Subjects(t.Context(), "", "/b", Action{Name: "GET"})
			if err != nil || slices.Contains(subjects.Users, "ann") != at.view || slices.Contains(subjects.Roles, "editor") != at.token {
				t.Errorf("at %s %+v may get /b, %v", at.now, subjects, err)
			}
		}
	}
}

func principal(t *testing.T, id string) *core.Principal {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestManyEndsAreFollowed compares decisions at random instants with a linear search for
// the links in effect, while other requests are decided.
func TestManyEndsAreFollowed(t *testing.T) {
	var lines strings.Builder
	lines.WriteString("p, r9, /a, GET\n")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type link struct{ from, to, first, last int }
	var links []link
	for from := range 9 {
		for to := from + 1; to < 10; to += 1 + from%3 {
			l := link{from, to, 7 * from % 50, 7*from%50 + 5 + 11*to%40}
			links = append(links, l)
			fmt.Fprintf(&lines, "g, r%d, r%d, %s, %s\n", from, to, start.AddDate(0, 0, l.first).Format(time.DateTime), start.AddDate(0, 0, l.last).Format(time.DateTime))
		}
	}
	clock := &handClock{}
	now := start
	clock.now.Store(&now)
	a := openLines(t, timedModel(RBAC()), "p, r0x, /c, GET\ng, ann, r0, _, _\n"+lines.String(), WithClock(clock.Now))
	allowed := 0
	for day := range 120 {
		now := start.AddDate(0, 0, day).Add(time.Hour)
		clock.now.Store(&now)
		reached := map[int]bool{0: true}
		for _, l := range links { // in order, from lower to higher
			if reached[l.from] && l.first <= day && day < l.last {
				reached[l.to] = true
			}
		}
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				if got := may(t, a, "ann", "", "/a"); got != reached[9] {
					t.Errorf("day %d: got %v", day, got)
				}
			})
		}
		wait.Wait()
		if reached[9] {
			allowed++
		}
	}
	if allowed == 0 || allowed == 120 {
		t.Errorf("allowed on %d of 120 days: the cases prove nothing", allowed)
	}
}

// TestTimedDecisionsDoNotAllocate: the end of a link is looked up like any role.
func TestTimedDecisionsDoNotAllocate(t *testing.T) {
	a := openLines(t, timedModel(RBAC()), "p, editor, /a, GET\ng, ann, editor, 2026-01-01 00:00:00, 2999-01-01 00:00:00\n", WithClock(newClock(t, "2026-06-01 00:00:00").Now))
	p, ctx := principal(t, "ann"), context.Background()
	access := to("GET", "/a")
	if n := testing.AllocsPerRun(100, func() {
		if d, err := a.Authorize(ctx, p, access); err != nil || !d.Allowed {
			t.Fatal(d, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestExplainTellsOfEnds: explanations name links that are over or not yet in effect, with
// their times.
func TestExplainTellsOfEnds(t *testing.T) {
	clock := newClock(t, "2026-12-01 00:00:00")
	a := openLines(t, timedModel(RBAC()), summer, WithClock(clock.Now))
	for now, want := range map[string]string{
		"2026-12-01 00:00:00": "note: the role link from ann to editor at policy.csv:3 ended at 2026-09-01 00:00:00 (UTC)",
		"2026-05-01 00:00:00": "note: the role link from ann to editor at policy.csv:3 begins at 2026-06-01 00:00:00 (UTC)",
	} {
		clock.set(t, now)
		e, err := a.ExplainQuery(t.Context(), Query{Subject: "ann", Object: "/a", Action: "GET"})
		if err != nil || e.Allowed || !strings.Contains(e.String(), want) {
			t.Errorf("%v, %v", e, err)
		}
	}
	clock.set(t, "2026-07-01 00:00:00")
	e, err := a.ExplainQuery(t.Context(), Query{Subject: "ann", Object: "/b", Action: "GET"})
	if err != nil || !e.Allowed || len(e.Chain) != 2 || len(e.Notes) > 0 {
		t.Errorf("%v, %v", e, err)
	}
}

// TestExplainTellsOfTheLineThatCounts: of two lines for one link the last one counts, as in
// Casbin.
func TestExplainTellsOfTheLineThatCounts(t *testing.T) {
	clock := newClock(t, "2026-07-01 00:00:00")
	times := []struct {
		text  string
		holds bool
	}{{"_, _", true}, {"2026-01-01 00:00:00, _", true}, {"_, 2026-02-01 00:00:00", false}, {"2027-01-01 00:00:00, _", false}}
	for _, m := range []Model{RBAC(), RBACWithTenants()} {
		tenant := ""
		if strings.Contains(m.Text(), "dom") {
			tenant = ", acme"
		}
		for _, first := range times {
			for _, last := range times {
				if first == last {
					continue // which Casbin does not take twice
				}
				a := openLines(t, timedModel(m), "p, editor"+tenant+", /a, GET\ng, ann, editor"+tenant+", "+first.text+"\ng, ann, editor"+tenant+", "+last.text+"\n",
					WithCasbinSemantics(), WithClock(clock.Now))
				e, err := a.ExplainQuery(t.Context(), Query{Subject: "ann", Tenant: strings.TrimPrefix(tenant, ", "), Object: "/a", Action: "GET"})
				if err != nil || e.Allowed != last.holds {
					t.Fatalf("%s, then %s: %v, %v", first.text, last.text, e, err)
				}
				if last.holds && (len(e.Chain) != 1 || e.Chain[0].Rule == nil || e.Chain[0].Rule.Line != 3 || len(e.Notes) > 0) {
					t.Errorf("%s, then %s: the chain is %+v, and the notes %q", first.text, last.text, e.Chain, e.Notes)
				}
				if notes := strings.Join(e.Notes, "\n"); !last.holds && (strings.Count(notes, "policy.csv:") != 1 || !strings.Contains(notes, "policy.csv:3")) {
					t.Errorf("%s, then %s: the notes are %q", first.text, last.text, notes)
				}
			}
		}
	}
}

// TestCasbinLooksAtTheFirstLinkOfATenantAlone shows why link_time_ignored is an error, and
// that the answer with Casbin's semantics is Casbin's.
func TestCasbinLooksAtTheFirstLinkOfATenantAlone(t *testing.T) {
	m := timedModel(RBACWithTenants())
	const text = "p, viewer, acme, /a, GET\ng, ann, editor, acme, _, _\ng, editor, viewer, acme, _, 2020-01-01 00:00:00\n"
	cm, err := casbinmodel.NewModelFromString(m.Text())
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(cm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AddPolicy("viewer", "acme", "/a", "GET"); err != nil {
		t.Fatal(err)
	}
	for _, l := range [][]string{{"ann", "editor", "acme", "_", "_"}, {"editor", "viewer", "acme", "_", "2020-01-01 00:00:00"}} {
		// AddGroupingPolicy adds no link that has a condition.
		if _, err := e.AddGroupingPolicies([][]string{l}); err != nil {
			t.Fatal(err)
		}
		e.AddNamedDomainLinkConditionFunc("g", l[0], l[1], l[2], util.TimeMatchFunc)
	}
	want, err := e.Enforce("ann", "acme", "/a", "GET")
	if err != nil || !want {
		t.Errorf("casbin: %v, %v", want, err)
	}
	a := openLines(t, m, text, WithCasbinSemantics())
	if got := may(t, a, "ann", "acme", "/a"); got != want {
		t.Errorf("got %v", got)
	}
	if got := may(t, a, "editor", "acme", "/a"); got {
		t.Error("the end of a first link is not looked at")
	}
	if _, err := OpenFS(files("policy.csv", text), m, []string{"policy.csv"}, quiet); err == nil || !strings.Contains(err.Error(), "link_time_ignored") {
		t.Errorf("got %v", err)
	}
}

// TestTimesStandAlone: times that would be ignored are refused.
func TestTimesStandAlone(t *testing.T) {
	tenants := timedModel(RBACWithTenants()).Text()
	for name, c := range map[string]struct {
		model string
		opts  []Option
	}{
		"role patterns":    {timedModel(RBAC()).Text(), []Option{WithRolePatterns("g", "keyMatch")}},
		"tenant patterns":  {tenants, []Option{WithTenantPatterns("g")}},
		"keyMatch":         {strings.Replace(tenants, "r.dom == p.dom", "keyMatch(r.dom, p.dom)", 1), nil},
		"subject priority": {modelText(plainRequest, "sub, obj, act, eft", "g = _, _, (_, _)", subjectFirst, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"), []Option{WithoutTokenRoles()}},
		"eval":             {modelText(plainRequest, "sub, obj, act", "g = _, _, (_, _)", someAllow, "g(r.sub, p.sub) && eval(p.obj) && r.act == p.act"), []Option{WithoutTokenRoles(), WithCasbinSemantics()}},
	} {
		_, err := OpenFS(files("policy.csv", "p, a, b, GET\n"), ModelText("m.conf", c.model), []string{"policy.csv"}, append(c.opts, quiet)...)
		if err == nil || !strings.Contains(err.Error(), "model_roles") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenFS(files("policy.csv", ""), RBAC(), []string{"policy.csv"}, WithClock(nil)); err == nil || !strings.Contains(err.Error(), "clock is nil") {
		t.Errorf("got %v", err)
	}
}

// TestEnforcersWithTimesKnowTheirRoles: the start and the end are not taken for tenants.
func TestEnforcersWithTimesKnowTheirRoles(t *testing.T) {
	m, err := casbinmodel.NewModelFromString(timedModel(RBAC()).Text())
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		t.Fatal(err)
	}
	for role, end := range map[string]string{"editor": "2999-01-01 00:00:00", "viewer": "2001-01-01 00:00:00"} {
		if _, err := e.AddGroupingPolicies([][]string{{"ann", role, "_", end}}); err != nil {
			t.Fatal(err)
		}
		e.AddNamedLinkConditionFunc("g", "ann", role, util.TimeMatchFunc)
	}
	a, err := FromEnforcer(e, WithoutTokenRoles())
	if err != nil {
		t.Fatal(err)
	}
	if roles, err := a.RolesOf(t.Context(), principal(t, "ann")); err != nil || !slices.Equal(roles, []string{"editor"}) {
		t.Errorf("got %q, %v", roles, err)
	}
	for name, opt := range map[string]Option{
		"WithClock": WithClock(time.Now), "WithLinkCondition": WithLinkCondition("g", func(context.Context, ...string) (bool, error) { return true, nil }),
		"WithDefaultRole": WithDefaultRole("a"), "WithObjectAttribute": WithObjectAttribute("owner"),
	} {
		if _, err := FromEnforcer(e, WithoutTokenRoles(), opt); err == nil || !strings.Contains(err.Error(), "remove "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLinksOfTokenRolesCountAtAnyTimeInTenants: a role of the credentials is the first
// link, and Casbin ignores the times of all others.
func TestLinksOfTokenRolesCountAtAnyTimeInTenants(t *testing.T) {
	m := ModelText("m.conf", modelText("sub, dom, obj, act", "sub, dom, obj, act, eft", "g = _, _, _, (_, _)", allowAndDeny,
		"g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act"))
	const text = "p, boss, acme, /a, GET, allow\np, banned, acme, /a, GET, deny\np, late, acme, /b, GET, allow\n" +
		"g, boss, banned, acme, 2999-01-01 00:00:00, _\ng, boss, late, acme, _, 2020-01-01 00:00:00\n"
	a := openLines(t, m, text)
	for _, ask := range []struct {
		id, object string
		roles      []string
		want       bool
	}{
		{"eve", "/a", []string{"boss"}, false},
		{"eve", "/b", []string{"boss"}, true},
		{"boss", "/a", nil, true},
		{"boss", "/b", nil, false},
		{"boss", "/a", []string{"boss"}, false},
	} {
		if got := may(t, a, ask.id, "acme", ask.object, ask.roles...); got != ask.want {
			t.Errorf("%s with the roles %q on %s: got %v", ask.id, ask.roles, ask.object, got)
		}
		e, err := a.ExplainQuery(t.Context(), Query{Subject: ask.id, Roles: ask.roles, Tenant: "acme", Object: ask.object, Action: "GET"})
		if err != nil || e.Allowed != ask.want || e.Rule == nil && ask.want || e.Rule != nil && len(e.Chain) == 0 && e.Rule.Line > 1 {
			t.Errorf("%v, %v", e, err)
		}
	}
	for id, roles := range map[string][]string{"eve": {"boss"}, "boss": nil} {
		got, err := a.RolesOf(t.Context(), tenantOf(t, "acme", id, roles...))
		if want := map[string][]string{"eve": {"banned", "late"}}[id]; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s has the roles %q, %v", id, got, err)
		}
	}
	a = openLines(t, m, "g, ann, x, acme, _, _\n"+text, WithDefaultRole("boss"), WithCasbinSemantics())
	if roles, err := a.RolesOf(t.Context(), tenantOf(t, "acme", "ann")); err != nil || !slices.Equal(roles, []string{"x", "boss", "banned", "late"}) || may(t, a, "ann", "acme", "/a") {
		t.Errorf("ann has the roles %q, %v", roles, err)
	}
}

// TestTimesOfRolesAreFindingsInTenants: a name that is certainly a role has no first link.
func TestTimesOfRolesAreFindingsInTenants(t *testing.T) {
	m := timedModel(RBACWithTenants())
	named := ModelText("named.conf", strings.Replace(m.Text(), "m = ", `m = !g(r.sub, "boss", r.dom) && `, 1))
	const text = "p, %[1]sstaff, acme, /a, GET\ng, %[1]sboss, %[1]sstaff, acme, _, 2999-12-31 18:00:00\ng, ann, %[1]sstaff, acme, _, 2999-12-31 18:00:00\n"
	for name, c := range map[string]struct {
		model  Model
		prefix string
		opts   []LintOption
		want   bool
	}{
		"default role": {m, "", []LintOption{WithDefaultRole("boss")}, true},
		"prefix":       {m, "role:", []LintOption{WithRolePrefix("role:")}, true},
		"matcher":      {named, "", nil, true},
		"who knows":    {m, "", nil, false},
	} {
		got := lintOf(t, c.model, fmt.Sprintf(text, c.prefix), c.opts...)
		var ignored []string
		for _, f := range got {
			if strings.HasSuffix(f, "link_time_ignored") {
				ignored = append(ignored, f[:2])
			}
		}
		if c.want != (len(ignored) == 1 && ignored[0] == "2:") || !c.want && len(ignored) > 0 {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// BenchmarkLoadTimedLinks loads as many links of one name as of many: the time depends only
// on their number.
func BenchmarkLoadTimedLinks(b *testing.B) {
	const links = 24_000
	for name, each := range map[string]int{"names=one": links, "names=many": 1} {
		var text strings.Builder
		text.WriteString("p, r0, /a, GET\n")
		for i := range links {
			fmt.Fprintf(&text, "g, u%d, r%d, _, 2999-12-31 18:00:00\ng, u%d, s%d, _, _\n", i/each, i, i/each, i)
		}
		fsys := files("policy.csv", text.String())
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := OpenFS(fsys, timedModel(RBAC()), []string{"policy.csv"}, quiet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestExplainTellsOfEndsThatCount: in a tenant only the ends of first links count, and no
// others may be given as the reason of a refusal.
func TestExplainTellsOfEndsThatCount(t *testing.T) {
	const text = "p, viewer, acme, /a, GET\np, editor, acme, /b, GET\ng, ann, editor, acme, _, _\ng, editor, viewer, acme, _, 2020-01-01 00:00:00\n" +
		"g, ben, editor, acme, _, 2021-01-01 00:00:00\n"
	a := openLines(t, timedModel(RBACWithTenants()), text, WithCasbinSemantics())
	for _, ask := range []struct {
		query Query
		want  string
	}{
		{Query{Subject: "ann"}, ""},
		{Query{Subject: "eve", Roles: []string{"editor"}}, ""},
		{Query{Subject: "ben"}, "the role link from ben to editor at policy.csv:5 ended at 2021-01-01 00:00:00 (UTC)"},
		{Query{Subject: "editor"}, "the role link from editor to viewer at policy.csv:4 ended at 2020-01-01 00:00:00 (UTC)"},
	} {
		ask.query.Tenant, ask.query.Object, ask.query.Action = "acme", "/c", "GET"
		e, err := a.ExplainQuery(t.Context(), ask.query)
		if err != nil || e.Allowed || strings.Join(e.Notes, "\n") != ask.want {
			t.Errorf("%+v: %v, %v", ask.query, e, err)
		}
	}
}

// TestExplainTellsOfSomeEnds: of many links that have ended some are named, also of those
// that lead on from roles of the credentials.
func TestExplainTellsOfSomeEnds(t *testing.T) {
	var b strings.Builder
	b.WriteString("p, editor, /a, GET\n")
	for i := range 6 {
		fmt.Fprintf(&b, "g, ann, role%d, _, 2020-01-0%d 00:00:00\n", i, i+1)
	}
	b.WriteString("g, writer, editor, _, 2021-01-01 00:00:00\ng, ben, editor, _, 2021-01-01 00:00:00\n")
	a := openLines(t, timedModel(RBAC()), b.String())
	for _, ask := range []struct {
		query Query
		want  []string // what the notes end with
	}{
		{Query{Subject: "ann"}, []string{"2020-01-01 00:00:00 (UTC)", "2020-01-02 00:00:00 (UTC)", "2020-01-03 00:00:00 (UTC)", "2020-01-04 00:00:00 (UTC)", "2020-01-05 00:00:00 (UTC)", "more role links do not count now"}},
		{Query{Subject: "eve", Roles: []string{"writer"}}, []string{"the role link from writer to editor at policy.csv:8 ended at 2021-01-01 00:00:00 (UTC)"}},
		{Query{Subject: "eve"}, nil},
	} {
		ask.query.Object, ask.query.Action = "/a", "GET"
		e, err := a.ExplainQuery(t.Context(), ask.query)
		if err != nil || e.Allowed || !slices.EqualFunc(e.Notes, ask.want, strings.HasSuffix) {
			t.Errorf("%+v: %v, %v", ask.query, e, err)
		}
	}
}

// TestSetsAreOfOneMoment: a set does not change when a link begins or ends.
func TestSetsAreOfOneMoment(t *testing.T) {
	clock := newClock(t, "2026-07-01 00:00:00")
	a := openLines(t, timedModel(RBAC()), summer, WithClock(clock.Now))
	set, err := a.Objects(t.Context(), principal(t, "ann"), Action{Name: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	clock.set(t, "2026-12-01 00:00:00")
	var granted []string
	for g := range set.Grants("") {
		granted = append(granted, g.Object)
	}
	for _, object := range []string{"/a", "/b"} {
		ok, err := set.Contains(object)
		if err != nil || !ok || !set.Condition().Holds(object, nil) || !slices.Contains(granted, object) {
			t.Errorf("%s: %v, %v; granted are %q", object, ok, err, granted)
		}
	}
	if may(t, a, "ann", "", "/a") {
		t.Error("a decision is not of its own moment")
	}
}
