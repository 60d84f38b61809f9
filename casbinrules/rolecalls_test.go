package casbinrules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// withoutRoles has g and never calls it, onActions uses g to group actions.
var (
	withoutRoles = ModelText("model.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "r.sub == p.sub && keyMatch2(r.obj, p.obj) && r.act == p.act"))
	onActions    = ModelText("model.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "r.sub == p.sub && r.obj == p.obj && g(p.act, r.act)"))
	byActions    = ModelText("model.conf", modelText(plainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", someAllow, "g(r.sub, p.sub) && r.obj == p.obj && g2(r.act, p.act)"))
)

const (
	grouped   = "p, ann, doc1, owner\np, bob, doc1, guest\ng, owner, read\ng, owner, write\ng, guest, read\n"
	groupedBy = "p, editor, /a, change\ng, ann, editor\ng2, PUT, change\ng2, PATCH, change\n"
)

func TestRoleDefinitionsThatNothingCalls(t *testing.T) {
	const rules = "p, ann, /a, GET\n"
	unusedToo := ModelText("model.conf", strings.Replace(RBAC().Text(), "g = _, _", "g = _, _\ng2 = _, _", 1))
	for _, c := range []struct {
		name, policy string
		model        Model
		opts         []LintOption
		want, text   string
	}{
		{"one line", rules + "g, bob, ann\n", withoutRoles, nil, "model_unused_roles warning", "the g line and the roles of credentials have no effect"},
		{"two lines", rules + "g, bob, ann\ng, cy, ann\n", withoutRoles, []LintOption{WithoutTokenRoles()}, "model_unused_roles warning", "the 2 g lines have no effect"},
		{"none", rules, withoutRoles, nil, "model_unused_roles note", "g lines and the roles of credentials have no effect"},
		{"g2", rules + "g2, /a, group\n", unusedToo, nil, "model_unused_roles warning", "never calls g2, so the g2 line has no effect"},
		{"g2 without lines", rules, unusedToo, nil, "model_unused_roles note", "g2 lines have no effect"},
		{"called", rules + "g, bob, ann\n", RBAC(), nil, "", ""},
		{"called for actions", grouped, onActions, nil, "", ""},
		{"g2 called for actions", groupedBy, byActions, nil, "", ""},
		{"called in a part", rules, ModelText("model.conf", strings.Replace(withoutRoles.Text(), "r.sub == p.sub", `(r.sub == p.sub || g(r.sub, "admin"))`, 1)), nil, "", ""},
		{"not defined", rules, ModelText("model.conf", strings.Replace(withoutRoles.Text(), "[role_definition]\ng = _, _\n", "", 1)), nil, "", ""},
		{"for the order of subjects", "p, ann, /a, GET, allow\np, staff, /a, GET, deny\ng, ann, staff\n",
			ModelText("model.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", subjectFirst, "r.obj == p.obj && r.act == p.act && p.sub != r.act")), []LintOption{WithoutTokenRoles()}, "", ""},
	} {
		found, err := LintFS(files("p.csv", c.policy), c.model, []string{"p.csv"}, c.opts...)
		if err != nil {
			t.Fatal(err)
		}
		got, text := "", ""
		for _, f := range found {
			got, text = got+f.Code+" "+f.Severity.String(), text+f.Message
			if f.File != "model.conf" || f.Line < 2 {
				t.Errorf("%s: at %s:%d", c.name, f.File, f.Line)
			}
		}
		if got != c.want || !strings.Contains(text, c.text) {
			t.Errorf("%s: got %q, %q", c.name, got, text)
		}
	}
}

func TestExplainSaysThatRolesDecideNothing(t *testing.T) {
	const why = "the matcher never calls g, so roles have no effect"
	a := open(t, withoutRoles, "p, admin, /users, GET\ng, ann, admin\n")
	acl := open(t, ModelText("model.conf", strings.Replace(withoutRoles.Text(), "[role_definition]\ng = _, _\n", "", 1)), "p, ann, /users, GET\n")
	actions := open(t, onActions, grouped)
	for _, c := range []struct {
		name  string
		a     *Authorizer
		query Query
		note  string
		near  string
	}{
		{"a link", a, Query{Subject: "ann", Object: "/users", Action: "GET"}, why, "admin has GET on /users at policy.csv:1, not ann"},
		{"a role of a token", a, Query{Subject: "bob", Roles: []string{"admin"}, Object: "/users", Action: "GET"}, why, "admin has GET on /users at policy.csv:1, not bob"},
		{"no role", a, Query{Subject: "bob", Object: "/users", Action: "GET"}, "", "admin has GET on /users at policy.csv:1, not bob"},
		{"no definition", acl, Query{Subject: "bob", Roles: []string{"ann"}, Object: "/users", Action: "GET"}, "the model has no role definition g, so roles have no effect", "ann has GET on /users at policy.csv:1, not bob"},
		{"roles of actions", actions, Query{Subject: "cy", Roles: []string{"x"}, Object: "doc1", Action: "read", Named: true},
			"the matcher does not call g with r.sub, so the roles of users have no effect", "ann has owner on doc1 at policy.csv:1, not cy"},
	} {
		e, err := c.a.ExplainQuery(t.Context(), c.query)
		if err != nil || e.Allowed || len(e.NearMisses) == 0 || e.NearMisses[0].Text != c.near {
			t.Errorf("%s: got %s, %v", c.name, e, err)
		}
		if got := strings.Join(e.Notes, "; "); got != c.note {
			t.Errorf("%s: note %q, want %q", c.name, got, c.note)
		}
	}
}

func TestLinksOfActionsAreNoRolesOfUsers(t *testing.T) {
	a := open(t, onActions, grouped+"p, read, doc2, read\n")
	e, err := a.ExplainQuery(t.Context(), Query{Subject: "ann", Object: "doc1", Action: "write", Named: true})
	if err != nil || !strings.HasSuffix(e.String(), "\n  action: owner → write (policy.csv:4)") {
		t.Errorf("got %s, %v", e, err)
	}
	// A user called like an action is nobody's role, and has none.
	e, err = a.ExplainQuery(t.Context(), Query{Subject: "read", Object: "doc2", Action: "read", Named: true})
	if err != nil || !e.Allowed {
		t.Errorf("a user called read: got %s, %v", e, err)
	}
	if roles, err := a.RolesOf(t.Context(), who(t, "owner")); err != nil || len(roles) > 0 {
		t.Errorf("a user called owner has the roles %q, %v", roles, err)
	}
	if known := a.KnownRoles(); slices.Contains(known, "write") {
		t.Errorf("known roles %q", known)
	}
	open(t, onActions, grouped, WithRolePrefix("role:"))
	by := open(t, byActions, groupedBy)
	e, err = by.ExplainQuery(t.Context(), Query{Subject: "ann", Object: "/a", Action: "PATCH"})
	if err != nil || !strings.HasSuffix(e.String(), "\n  action: PATCH → change (policy.csv:4)") {
		t.Errorf("got %s, %v", e, err)
	}
	for _, c := range []struct {
		a           *Authorizer
		links, acts string
	}{{a, "act", "[{owner g} {read g} {write g}]"}, {by, "sub", "[{change g2} {PATCH g2} {PUT g2}]"}} {
		rules := c.a.Rules()
		link := rules[slices.IndexFunc(rules, func(r Rule) bool { return r.Kind == "g" })]
		if acts := fmt.Sprint(rules[0].Actions); acts != c.acts || link.Links != c.links || rules[0].Links != "" {
			t.Errorf("got %s and links of %q", acts, link.Links)
		}
	}
}

// A role that only the matcher names is still a role: tests and reports may name it, and a
// user called like it does not have it.
func TestRolesThatTheMatcherNames(t *testing.T) {
	const matcher = `g(r.sub, "admin") || g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act`
	m := ModelText("model.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, matcher))
	a := open(t, m, "p, editor, /a, GET\ng, root, admin2\n")
	byCasbin := open(t, m, "p, editor, /a, GET\n", WithCasbinSemantics())
	e := fromEnforcer(t, enforcerOf(t, m, "p, editor, /a, GET"))
	for _, c := range []struct {
		name  string
		of    core.Authorizer
		who   *core.Principal
		allow bool
		want  core.Reason
	}{
		{"a role of credentials", a, who(t, "ann", "admin"), true, core.ReasonAllowed},
		{"an ID", a, who(t, "admin"), false, ReasonSubjectIsRoleName},
		{"an ID, with the role", a, who(t, "admin", "admin"), true, core.ReasonAllowed},
		{"an ID, as Casbin", byCasbin, who(t, "admin"), true, core.ReasonAllowed},
		{"an ID, by an enforcer", e, who(t, "admin"), false, ReasonSubjectIsRoleName},
	} {
		d, err := c.of.Authorize(t.Context(), c.who, to("PUT", "/b"))
		if err != nil || d.Allowed != c.allow || d.Reason != c.want {
			t.Errorf("%s: %+v, %v", c.name, d, err)
		}
	}
	if known := a.KnownRoles(); !slices.Equal(known, []string{"admin", "admin2", "editor", "root"}) {
		t.Errorf("known roles %q", known)
	}
	prefixed := open(t, ModelText("model.conf", strings.Replace(m.Text(), `"admin"`, `"role:admin"`, 1)), "p, role:editor, /a, GET\n", WithRolePrefix("role:"))
	if known := prefixed.KnownRoles(); !slices.Equal(known, []string{"admin", "editor"}) {
		t.Errorf("known roles with a prefix %q", known)
	}
}

// TestNamesOfRolesPassNoExclusion: an ID that is the name of a role gains nothing by not
// being that role: what the matcher or a line withholds from the name is refused.
func TestNamesOfRolesPassNoExclusion(t *testing.T) {
	const usual = "r.obj == p.obj && r.act == p.act && "
	for _, c := range []struct{ matcher, policy, id, action string }{
		{`(g(r.sub, p.sub) || p.sub == "all") && !g(r.sub, "banned")`, "p, all, /a, GET, allow\n", "banned", "GET"},
		{`p.sub == "all" && r.sub != "banned"`, "p, all, /a, GET, allow\ng, eve, banned\n", "banned", "GET"},
		{`globMatch(r.sub, p.sub)`, "p, ?, /a, GET, allow\ng, eve, staff\n", "staff", "GET"},
		{`(g(r.sub, p.sub) || p.sub == "all")`, "p, all, /a, HEAD, allow\np, staff, /a, HEAD, deny\ng, eve, staff\n", "staff", "HEAD"},
		{`(g(r.sub, p.sub) || p.sub == "all")`, "p, all, /a, HEAD, allow\np, staff, /a, GET, deny\ng, eve, staff\n", "staff", "HEAD"},
	} {
		m := ModelText("model.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny, usual+c.matcher))
		a, ask, staff := open(t, m, c.policy), to(c.action, "/a"), who(t, c.id)
		e := fromEnforcer(t, enforcerOf(t, m, strings.Split(strings.TrimSpace(c.policy), "\n")...))
		for name, of := range map[string]core.Authorizer{"own": a, "an enforcer's": e} {
			if d, err := of.Authorize(t.Context(), staff, ask); err != nil || d.Allowed {
				t.Errorf("%s, %s: %+v, %v", c.matcher, name, d, err)
			}
		}
		set, err := a.Objects(t.Context(), staff, Action{Name: c.action})
		var unlistable *UnlistableError
		if errors.As(err, &unlistable) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if set.Condition().Holds("/a", nil) {
			t.Errorf("%s: the list is %+v", c.matcher, set.Condition())
		}
	}
}
