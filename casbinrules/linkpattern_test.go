package casbinrules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// openLines opens a policy, or fails the test.
func openLines(t *testing.T, m Model, lines string, opts ...Option) *Authorizer {
	t.Helper()
	a, err := OpenFS(files("policy.csv", lines), m, []string{"policy.csv"}, append([]Option{quiet}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// may asks for a principal with roles of its credentials.
func may(t *testing.T, a *Authorizer, id, tenant, object string, roles ...string) bool {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Tenant: tenant, Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Authorize(t.Context(), p, to("GET", object))
	if err != nil {
		t.Fatal(err)
	}
	return d.Allowed
}

// TestTextsOfRequestsAreNoPatterns: a user, role or tenant called like a pattern gets only
// what is granted to that name.
func TestTextsOfRequestsAreNoPatterns(t *testing.T) {
	keyed := ModelText("m.conf", modelText(tenantsRequest, "sub, dom, obj, act", "g = _, _, _", someAllow, "g(r.sub, p.sub, r.dom) && keyMatch(r.dom, p.dom) && keyMatch2(r.obj, p.obj) && r.act == p.act"))
	a := openLines(t, keyed, "p, admin, acme, /a, GET\np, team-a, acme, /b, GET\ng, sue, admin, acme\ng, svc-*, admin, acme\ng, max, team-*, acme\n", WithRolePatterns("g", "keyMatch"))
	for _, c := range []struct {
		id, tenant, object string
		roles              []string
		want               bool
	}{
		{"sue", "acme", "/a", nil, true},
		{"svc-7", "acme", "/a", nil, true},
		{"max", "acme", "/b", nil, true},
		{"eve", "acme", "/a", []string{"svc-9"}, true},
		{"eve", "acme", "/a", []string{"admin"}, true},
		{"*", "acme", "/a", nil, false},
		{"su*", "acme", "/a", nil, false},
		{"eve", "acme", "/a", []string{"*"}, false},
		{"eve", "acme", "/a", []string{"adm*"}, false},
		{"eve", "acme", "/b", []string{"team-*"}, false},
		{"sue", "*", "/a", nil, false},
		{"sue", "acm*", "/a", nil, false},
	} {
		if got := may(t, a, c.id, c.tenant, c.object, c.roles...); got != c.want {
			t.Errorf("%s with %q in %s for %s: %v", c.id, c.roles, c.tenant, c.object, got)
		}
	}
}

// TestTenantPatternsReachUnknownTenants: a line for all tenants, for a role as for a rule,
// applies in a tenant that no line names.
func TestTenantPatternsReachUnknownTenants(t *testing.T) {
	a := openLines(t, RBACWithTenantPatterns(), "p, viewer, *, /a, GET\np, editor, eu-*, /b, GET\ng, editor, viewer, *\ng, sue, editor, *\ng, erin, editor, eu-acme\n")
	for asked, want := range map[[3]string]bool{
		{"sue", "globex", "/a"}: true, {"sue", "eu-new", "/b"}: true, {"sue", "globex", "/b"}: false,
		{"erin", "eu-acme", "/a"}: true, {"erin", "eu-acme", "/b"}: true, {"erin", "globex", "/a"}: false, {"eve", "globex", "/a"}: false,
	} {
		if got := may(t, a, asked[0], asked[1], asked[2]); got != want {
			t.Errorf("%v: %v", asked, got)
		}
	}
	if a.Status().Engine != EngineIndex {
		t.Errorf("decided by %s: %s", a.Status().Engine, a.Status().Unindexed)
	}
	set, err := a.Subjects(t.Context(), "globex", "/a", Action{Name: "GET"})
	if err != nil || !slices.Equal(set.Users, []string{"erin", "sue"}) && !slices.Equal(set.Users, []string{"sue"}) {
		t.Errorf("subjects: %+v, %v", set, err)
	}
	p, _ := core.NewPrincipal(core.PrincipalInfo{ID: "sue", Tenant: "globex"})
	if roles, err := a.RolesOf(t.Context(), p); err != nil || !slices.Equal(roles, []string{"editor", "viewer"}) {
		t.Errorf("roles of sue: %q, %v", roles, err)
	}
}

// TestExplainFollowsPatterns: chains include names that match a pattern.
func TestExplainFollowsPatterns(t *testing.T) {
	a := openLines(t, RBAC(), "p, reader, /a, GET\np, team-a, /b, GET\ng, svc-*, bot\ng, bot, reader\ng, max, team-*\n", WithRolePatterns("g", "keyMatch"))
	for object, want := range map[string]string{"/a": "svc-7>bot bot>reader", "/b": "max>team-a"} {
		id, _, _ := strings.Cut(want, ">")
		p, _ := core.NewPrincipal(core.PrincipalInfo{ID: id})
		e, err := a.Explain(t.Context(), p, to("GET", object))
		var chain []string
		for _, link := range e.Chain {
			chain = append(chain, link.From+">"+link.To)
		}
		if err != nil || !e.Allowed || strings.Join(chain, " ") != want {
			t.Errorf("%s: %v, %v", object, chain, err)
		}
	}
	var unlistable *UnlistableError
	if _, err := a.Subjects(t.Context(), "", "/a", Action{Name: "GET"}); !errors.As(err, &unlistable) {
		t.Errorf("subjects of patterns: %v", err)
	}
}

// TestPatternsAreLinted: texts that match more than they seem to as patterns are found,
// whether patterns are on or off.
func TestPatternsAreLinted(t *testing.T) {
	tenants := RBACWithTenants()
	for name, c := range map[string]struct {
		model Model
		lines string
		opts  []LintOption
		want  string
	}{
		"star without the option":      {RBAC(), "p, u, /a, GET\ng, svc-*, u\n", nil, "policy.csv:2:4:literal_star"},
		"tenant without the option":    {tenants, "p, u, t, /a, GET\ng, sue, u, *\n", nil, "policy.csv:2:12:literal_star"},
		"star with the option":         {RBAC(), "p, u, /a, GET\ng, svc-*, u\n", []LintOption{WithRolePatterns("g", "keyMatch")}, ""},
		"tenant with the option":       {tenants, "p, u, t, /a, GET\ng, sue, u, *\n", []LintOption{WithTenantPatterns("g")}, ""},
		"role pattern and its rule":    {RBAC(), "p, team-a, /a, GET\ng, sue, team-*\n", []LintOption{WithRolePatterns("g", "keyMatch")}, ""},
		"text behind the star":         {RBAC(), "p, u, /a, GET\ng, *-svc, u\n", []LintOption{WithRolePatterns("g", "keyMatch")}, "policy.csv:2:4:misplaced_star"},
		"tenant behind the star":       {RBACWithTenantPatterns(), "p, u, *-eu, /a, GET\ng, sue, u, t\n", nil, "policy.csv:1:7:misplaced_star"},
		"dot of an address":            {RBAC(), "p, u, /a, GET\ng, ann@example.org, u\n", []LintOption{WithRolePatterns("g", "keyMatch2")}, "policy.csv:2:4:regexp_character"},
		"part of a name":               {RBAC(), "p, ^u$, /a, GET\ng, ann, ^u$\n", []LintOption{WithRolePatterns("g", "regexMatch")}, "policy.csv:2:4:unanchored_regexp"},
		"part of a name by one side":   {RBAC(), "p, ^u$, /a, GET\ng, ^a|b$, ^u$\n", []LintOption{WithRolePatterns("g", "regexMatch")}, "policy.csv:2:4:unanchored_regexp"},
		"whole names":                  {RBAC(), "p, ^u$, /a, GET\ng, (^a$|^b$), ^(?:u)$\n", []LintOption{WithRolePatterns("g", "regexMatch")}, ""},
		"no pattern":                   {RBAC(), "p, u, /a, GET\ng, (a, u\n", []LintOption{WithRolePatterns("g", "keyMatch2")}, "policy.csv:2:4:bad_pattern"},
		"pattern that covers nobody":   {RBAC(), "p, u, /a, GET\ng, *, u\n", []LintOption{WithRolePatterns("g", "keyMatch"), WithAnonymous()}, "policy.csv:2:4:anonymous_not_allowed"},
		"links that are not there":     {RBAC(), "p, u, /a, GET\n", []LintOption{WithRolePatterns("g2", "keyMatch")}, "rbac.conf:22:1:model_roles"},
		"tenants that are not there":   {RBAC(), "p, u, /a, GET\n", []LintOption{WithTenantPatterns("g")}, "rbac.conf:16:1:model_roles"},
		"keyMatch that Casbin misses":  {ModelText("m.conf", strings.Replace(RBACWithTenantPatterns().Text(), "(r.dom, p.dom)", "(r.dom,p.dom)", 1)), "p, u, t, /a, GET\n", nil, "m.conf:24:1:model_matcher"},
		"role asked of a policy field": {ModelText("m.conf", strings.Replace(RBAC().Text(), "g(r.sub, p.sub)", "g(p.sub, r.sub)", 1)), "p, u, /a, GET\n", []LintOption{WithRolePatterns("g", "keyMatch")}, "m.conf:22:1:model_roles"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := LintFS(files("policy.csv", c.lines), c.model, []string{"policy.csv"}, c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, fmt.Sprintf("%s:%d:%d:%s", f.File, f.Line, f.Column, f.Code))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q\n%v", got, c.want, found)
			}
		})
	}
	for _, opt := range []Option{WithRolePatterns("g", "ipMatch"), WithRolePatterns("g", "keyMatch5"), WithRolePatterns("g", "match")} {
		if _, err := Open(RBAC(), nil, opt); err == nil || !strings.Contains(err.Error(), "role patterns") {
			t.Errorf("a function that is none for names: %v", err)
		}
	}
}

// TestRolesAcrossTenantPatterns: a role given in all tenants may have other roles, and
// rules, in one of them.
func TestRolesAcrossTenantPatterns(t *testing.T) {
	const policy = "p, editor, acme, /a, GET\ng, ann, staff, *\ng, staff, editor, acme\n"
	if !may(t, openLines(t, RBACWithTenantPatterns(), policy), "ann", "acme", "/a") {
		t.Error("ann may not GET /a")
	}
	found, err := LintFS(files("policy.csv", policy), RBACWithTenantPatterns(), []string{"policy.csv"})
	if err != nil || len(found) > 0 {
		t.Errorf("found %v, %v", found, err)
	}
}

// TestRolePatternsMayAnswer: what a pattern gives a subject is not missing.
func TestRolePatternsMayAnswer(t *testing.T) {
	const policy = "p, svc-1, /a/*, GET\np, all, /a, GET\ng, svc-*, all\n"
	if !may(t, openLines(t, RBAC(), policy, WithRolePatterns("g", "keyMatch")), "svc-1", "", "/a") {
		t.Error("svc-1 may not GET /a")
	}
	found, err := LintFS(files("policy.csv", policy), RBAC(), []string{"policy.csv"}, WithRolePatterns("g", "keyMatch"))
	if err != nil || len(found) > 0 {
		t.Errorf("found %v, %v", found, err)
	}
}
