package casbinrules

import (
	"context"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func rolesOf(t testing.TB, a *Authorizer, p *core.Principal) []string {
	t.Helper()
	roles, err := a.RolesOf(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return roles
}

const linked = `p, viewer, /x, GET
g, editor, viewer
g, admin, editor
g, alice, admin
g, erin, editor
g, bot, auditor
`

func TestRolesOfFollowsLinks(t *testing.T) {
	a := open(t, RBAC(), linked)
	for _, c := range []struct {
		name string
		who  *core.Principal
		want []string
	}{
		{"nobody", who(t, "x"), nil},
		{"by ID", who(t, "alice"), []string{"admin", "editor", "viewer"}},
		{"by token role", who(t, "x", "editor"), []string{"viewer"}},
		{"role without links", who(t, "x", "viewer"), nil},
		{"unknown role", who(t, "x", "pilot"), nil},
		{"without those of the token", who(t, "erin", "viewer"), []string{"editor"}},
		{"by ID and token role", who(t, "bot", "editor"), []string{"auditor", "viewer"}},
		{"by two token roles", who(t, "x", "editor", "admin"), []string{"viewer"}},
		{"all of them held already", who(t, "erin", "viewer", "editor"), nil},
		{"ID that is a role name", who(t, "admin"), nil},
		{"ID that is a role name with a token role", who(t, "admin", "editor"), []string{"viewer"}},
	} {
		if got := rolesOf(t, a, c.who); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRolesOfAllocatesNothingWithoutNews(t *testing.T) {
	a := open(t, RBAC(), linked)
	for name, p := range map[string]*core.Principal{
		"nobody": who(t, "x"), "user": who(t, "alice"), "token role": who(t, "x", "editor"), "stranger": who(t, "x", "pilot"),
	} {
		if n := testing.AllocsPerRun(100, func() { _, _ = a.RolesOf(context.Background(), p) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestTokenRolesCanBeIgnored(t *testing.T) {
	a := open(t, RBAC(), linked, WithoutTokenRoles())
	p := who(t, "erin", "admin")
	if got := rolesOf(t, a, p); !slices.Equal(got, []string{"editor", "viewer"}) {
		t.Errorf("roles %q", got)
	}
	if d := decide(t, a, who(t, "x", "viewer"), to("GET", "/x")); d.Allowed {
		t.Errorf("got %+v", d)
	}
	if got := rolesOf(t, open(t, ModelText("acl", modelText(plainRequest, "sub, obj, act", "", someAllow, "r.sub == p.sub && r.obj == p.obj && r.act == p.act")), "p, u, /x, GET\n"), p); got != nil {
		t.Errorf("a model without roles gives %q", got)
	}
}

func TestRolePrefixKeepsNamesApart(t *testing.T) {
	a := open(t, RBAC(), "p, role:admin, /*, *\np, admin, /home, GET\np, role:viewer, /x, GET\ng, alice, role:admin\ng, role:admin, role:viewer\n", WithRolePrefix("role:"))
	for _, c := range []struct {
		name   string
		who    *core.Principal
		path   string
		want   core.Reason
		wanted []string
	}{
		{"token role", who(t, "x", "admin"), "/a", core.ReasonAllowed, []string{"viewer"}},
		{"user called like a role", who(t, "admin"), "/a", ReasonNoRule, nil},
		{"user's own rule", who(t, "admin"), "/home", core.ReasonAllowed, nil},
		{"H14 user with the prefix", who(t, "role:admin"), "/a", ReasonSubjectIsRoleName, nil},
		{"H14 user with the prefix of no role", who(t, "role:x", "viewer"), "/x", core.ReasonAllowed, nil},
		{"by link", who(t, "alice"), "/a", core.ReasonAllowed, []string{"admin", "viewer"}},
		{"token role spelt with the prefix", who(t, "x", "role:admin"), "/a", ReasonNoRule, nil},
	} {
		if d := decide(t, a, c.who, to("GET", c.path)); d.Reason != c.want {
			t.Errorf("%s: got %+v, want %s", c.name, d, c.want)
		}
		if got := rolesOf(t, a, c.who); !slices.Equal(got, c.wanted) {
			t.Errorf("%s: roles %q, want %q", c.name, got, c.wanted)
		}
	}
	e, err := a.Explain(t.Context(), who(t, "x", "admin"), to("GET", "/a"))
	if err != nil || !e.Allowed || !slices.Equal(e.Roles, []string{"role:admin"}) {
		t.Errorf("explained as %+v, %v", e, err)
	}
	if got, want := a.KnownRoles(), []string{"admin", "viewer"}; !slices.Equal(got, want) {
		t.Errorf("KnownRoles %q, want %q", got, want)
	}
	got := findings(t, RBAC(), files("p.csv", "p, role:a, /x, GET\ng, alice, a\n"), []string{"p.csv"}, WithRolePrefix("role:"))
	if !slices.Equal(got, []string{"p.csv:2:11:role_without_prefix"}) {
		t.Errorf("got %q", got)
	}
}

func TestKnownRolesShowsMisspeltOnesOnly(t *testing.T) {
	a := open(t, RBAC(), linked+"p, anonymous, /x, GET\np, reviewer, /y, GET\n")
	got := a.KnownRoles()
	if want := []string{"admin", "auditor", "editor", "viewer", "alice", "bot", "erin", "reviewer"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got[0] = "changed"
	if a.KnownRoles()[0] != "admin" {
		t.Error("the list is shared")
	}
}

func TestEmptyPolicyWithTheOptionRefusesAll(t *testing.T) {
	a := open(t, RBAC(), "# nothing yet\n", WithEmptyPolicy())
	if d := decide(t, a, who(t, "u", "admin"), to("GET", "/x")); d.Allowed || d.Reason != ReasonNoRule {
		t.Errorf("H01: got %+v", d)
	}
}
