package casbinrules

import (
	"slices"
	"strings"
	"testing"
)

// TestPatternsThatStandForThemselves: == and role links compare text, not patterns.
func TestPatternsThatStandForThemselves(t *testing.T) {
	tenants := func(old, with string) Model {
		return ModelText("m.conf", strings.Replace(RBACWithTenants().Text(), old, with, 1))
	}
	resources := ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", someAllow, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"))
	either := ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", someAllow, "g(r.sub, p.sub) && (g2(r.obj, p.obj) || keyMatch2(r.obj, p.obj)) && r.act == p.act"))
	region := ModelText("m.conf", modelText("sub, obj, act, region", "sub, obj, act, region", "g = _, _", someAllow, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.region == p.region"))
	const inAcme = "p, admin, acme, /a, GET\ng, ann, admin, acme\n"
	for _, c := range []struct {
		name, policy string
		model        Model
		opts         []LintOption
		want         []string
	}{
		{"star as tenant of a rule", inAcme + "p, admin, *, /b, GET\n", RBACWithTenants(), nil, []string{"3 literal_star error"}},
		{"star as tenant of a link", inAcme + "g, bob, admin, *\n", RBACWithTenants(), nil, []string{"3 literal_star error"}},
		{"star inside a tenant", inAcme + "p, admin, acme-*, /b, GET\n", RBACWithTenants(), nil, []string{"3 literal_star error"}},
		{"parameters as tenants", inAcme + "p, admin, :org, /b, GET\np, admin, {org}, /b, GET\ng, bob, admin, <org>\np, admin, orgs/{id}, /b, GET\n", RBACWithTenants(), nil,
			[]string{"3 parameter_spelling warning", "4 parameter_spelling warning", "5 parameter_spelling warning", "6 parameter_spelling warning"}},
		{"with WithCasbinSemantics", inAcme + "p, admin, *, /b, GET\n", RBACWithTenants(), []LintOption{WithCasbinSemantics()}, []string{"3 literal_star warning"}},
		{"a tenant called otherwise", inAcme + "p, admin, *, /b, GET\n", ModelText("m.conf", strings.NewReplacer("r.dom", "r.tenant", "sub, dom", "sub, tenant", "p.dom", "p.tenant").Replace(RBACWithTenants().Text())), nil, []string{"3 literal_star error"}},
		{"the matcher knows the star", inAcme + "p, admin, *, /b, GET\n", tenants("r.dom == p.dom", `(p.dom == "*" || r.dom == p.dom)`), nil, nil},
		{"links of the tenant of the rule", inAcme + "p, admin, *, /b, GET\ng, bob, admin, *\n",
			tenants("g(r.sub, p.sub, r.dom) && r.dom == p.dom", `g(r.sub, p.sub, p.dom) && (p.dom == "*" || r.dom == p.dom)`), nil, nil},
		{"the matcher asks for the star", inAcme + "g, bob, admin, *\n", tenants("g(r.sub, p.sub, r.dom)", `(g(r.sub, p.sub, r.dom) || g(r.sub, p.sub, "*"))`), nil, nil},

		{"star as user", "p, viewer, /a, GET\ng, *, viewer\n", RBAC(), nil, []string{"2 literal_star error"}},
		{"star as role", "p, viewer, /a, GET\ng, ann, viewer\ng, viewer, *\n", RBAC(), nil, []string{"3 literal_star error"}},
		{"a role that is called so", "p, *, /a, GET\ng, ann, *\n", RBAC(), nil, nil},
		{"regular expressions", "p, ^viewer$, /a, GET\ng, ^a.n$, ^viewer$\ng, a.n$, ^viewer$\n", RBAC(), nil, []string{"2 parameter_spelling warning"}},
		{"parameter as user", "p, viewer, /a, GET\ng, {user}, viewer\n", RBAC(), nil, []string{"2 parameter_spelling warning"}},
		{"paths in g2", "p, ann, books, GET\ng2, /books/:id, books\ng2, /book/*, books\ng2, /shelf/1, books\n", resources, nil, []string{"2 parameter_spelling warning", "3 literal_star error"}},
		{"routes in g2", "p, ann, books, GET\ng2, /books/:id, books\ng2, /book/*, books\n", resources, []LintOption{WithRouteAsObject()}, nil},
		{"an object that only g2 leads to", "p, ann, /books/*, GET\np, ann, books, GET\ng2, /books/1, books\n", resources, nil, []string{"1 literal_star error"}},
		{"a group that is called so", "p, ann, /books/*, GET\ng2, /books/1, /books/*\n", resources, nil, nil},
		{"an object that a function takes, too", "p, ann, /books/:id, GET\np, ann, books, GET\ng2, /shelf/1, books\n", either, nil, nil},
		{"attributes", "p, ann, /a, GET, eu\np, ann, /b, GET, *\n", region, []LintOption{WithClaimAttribute("region", "region")}, []string{"2 literal_star warning"}},
		{"actions by g2", strings.Replace(groupedBy, "PUT", "P*", 1), byActions, nil, []string{"3 literal_star error"}},
		{"actions by g", strings.Replace(grouped, "read", "*", 1), onActions, nil, []string{"3 literal_star error"}},

		{"names with colons", "p, role:editor, /a, GET\ng, urn:user:7, role:editor\ng, 10:30, role:editor\n", RBAC(), nil, nil},
		{"names with brackets", "p, staff (emea), /a, GET\ng, ann<b, staff (emea)\n", RBAC(), nil, nil},
		{"tenants with slashes", "p, admin, acme/eu, /a, GET\ng, ann, admin, acme/eu\n", RBACWithTenants(), nil, nil},
	} {
		if got := severitiesOf(t, c.model, c.policy, c.opts...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
