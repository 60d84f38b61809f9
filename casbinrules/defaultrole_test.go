package casbinrules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

const readers = "p, reader, /a, GET\np, everyone, /c, GET\np, ben, /b, GET\np, editor, /d, GET\ng, reader, everyone\ng, ann, editor\n"

// TestDefaultRoleIsOfEverybodyWithCredentials tries every way to ask.
func TestDefaultRoleIsOfEverybodyWithCredentials(t *testing.T) {
	a := openLines(t, RBAC(), readers, WithDefaultRole("reader"), WithAnonymous(), WithoutTokenRoles())
	get := Action{Name: "GET"}
	for _, id := range []string{"ghost", "ann", "reader", "anonymous"} {
		p := principal(t, id)
		if !may(t, a, id, "", "/a") || !may(t, a, id, "", "/c") || may(t, a, id, "", "/b") {
			t.Errorf("%s: a wrong decision", id)
		}
		objects, err := a.Filter(t.Context(), p, get, []string{"/a", "/b", "/c"})
		if err != nil || !slices.Equal(objects, []string{"/a", "/c"}) {
			t.Errorf("%s may get %q, %v", id, objects, err)
		}
		set, err := a.Objects(t.Context(), p, get)
		if err != nil || !set.Condition().Holds("/a", nil) || set.Condition().Holds("/b", nil) {
			t.Errorf("%s: a wrong list, %v", id, err)
		}
		roles, err := a.RolesOf(t.Context(), p)
		if err != nil || !slices.Contains(roles, "reader") || !slices.Contains(roles, "everyone") || slices.Contains(roles, "editor") != (id == "ann") {
			t.Errorf("%s has the roles %q, %v", id, roles, err)
		}
	}
	if d, err := a.AuthorizeAnonymous(t.Context(), to("GET", "/a")); err != nil || d.Allowed {
		t.Errorf("a request without credentials: %+v, %v", d, err)
	}
	if objects, err := a.Filter(t.Context(), nil, get, []string{"/a"}); err != nil || len(objects) > 0 {
		t.Errorf("a request without credentials may get %q, %v", objects, err)
	}
	s, err := a.Subjects(t.Context(), "", "/a", get)
	if err != nil || !s.Others || s.Anonymous || !slices.Contains(s.Users, "ann") || !slices.Contains(s.Users, "ben") {
		t.Errorf("%+v may get /a, %v", s, err)
	}
	s, err = a.Subjects(t.Context(), "", "/b", get)
	if err != nil || s.Others || !slices.Equal(s.Users, []string{"ben"}) {
		t.Errorf("%+v may get /b, %v", s, err)
	}
	e, err := a.ExplainQuery(t.Context(), Query{Subject: "ghost", Object: "/c", Action: "GET"})
	if err != nil || !e.Allowed || len(e.Roles) > 0 || !strings.Contains(e.String(), "ghost → reader (the default role) → everyone (policy.csv:5)") {
		t.Errorf("%v, %v", e, err)
	}
	e, err = a.ExplainQuery(t.Context(), Query{Object: "/a", Action: "GET"})
	if err != nil || e.Allowed {
		t.Errorf("%v, %v", e, err)
	}
}

// TestDefaultRoleMakesNobodyAMember: a user with a role in a tenant is a member of it, but
// a default role must not make one.
func TestDefaultRoleMakesNobodyAMember(t *testing.T) {
	a := openLines(t, RBACWithTenants(), "p, reader, acme, /a, GET\np, editor, acme, /b, GET\ng, ann, editor, acme\ng, reader, editor, acme\n", WithDefaultRole("reader"))
	for id, want := range map[string][]string{"eve": nil, "ann": {"editor", "reader"}} {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.RolesOf(t.Context(), p); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s has the roles %q, %v, want %q", id, got, err, want)
		}
		if !may(t, a, id, "acme", "/a") {
			t.Errorf("%s may not get /a", id)
		}
		if may(t, a, id, "", "/a") {
			t.Errorf("%s may get /a without a tenant", id)
		}
	}
}

func TestDefaultRoleIsSpelledAsByCredentials(t *testing.T) {
	a := openLines(t, RBAC(), "p, role:reader, /a, GET\np, reader, /b, GET\ng, role:reader, role:visitor\n", WithDefaultRole("reader"), WithRolePrefix("role:"))
	if got := rolesOf(t, a, principal(t, "ann")); !slices.Equal(got, []string{"reader", "visitor"}) {
		t.Errorf("roles %q", got)
	}
	if !may(t, a, "ann", "", "/a") || may(t, a, "ann", "", "/b") {
		t.Error("the prefix is left out")
	}
	lines := "p, r9, /a, GET\np, r10, /b, GET\n"
	for i := range policy.MaxLinks {
		lines += fmt.Sprintf("g, r%d, r%d\n", i, i+1)
	}
	deep := openLines(t, RBAC(), lines, WithDefaultRole("r0"))
	if got := rolesOf(t, deep, principal(t, "ann")); slices.Contains(got, "r10") || !slices.Contains(got, "r9") || !may(t, deep, "ann", "", "/a") || may(t, deep, "ann", "", "/b") {
		t.Errorf("ten links from a name follow, and that to the default role is one: roles %q", got)
	}
}

func TestDefaultRoleIsRefusedWhereItWouldNotCount(t *testing.T) {
	for name, c := range map[string]struct {
		model string
		opts  []Option
		want  string
	}{
		"no roles":         {modelText(plainRequest, "sub, obj, act", "", someAllow, "r.sub == p.sub && r.obj == p.obj && r.act == p.act"), []Option{WithDefaultRole("a")}, "model_token_roles"},
		"subject priority": {modelText(plainRequest, "sub, obj, act, eft", "g = _, _", subjectFirst, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"), []Option{WithDefaultRole("a"), WithoutTokenRoles()}, "model_token_roles"},
		"twice":            {RBAC().Text(), []Option{WithDefaultRole("a"), WithDefaultRole("b")}, "given twice"},
		"empty":            {RBAC().Text(), []Option{WithDefaultRole("")}, "must not be empty"},
	} {
		_, err := OpenFS(files("policy.csv", "p, a, b, GET, allow\n"), ModelText("m.conf", c.model), []string{"policy.csv"}, append(c.opts, quiet)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefaultRoleDoesNotAllocate(t *testing.T) {
	a := openLines(t, RBAC(), readers, WithDefaultRole("reader"))
	p, access := principal(t, "ghost"), to("GET", "/c")
	if n := testing.AllocsPerRun(100, func() {
		if d, err := a.Authorize(t.Context(), p, access); err != nil || !d.Allowed {
			t.Fatal(d, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestDefaultRoleAnswersForEverybody: a method or a path that lines for the default role
// decide is not missing for others, also after an edit of a line.
func TestDefaultRoleAnswersForEverybody(t *testing.T) {
	linter, err := NewLinter(RBAC(), []string{"policy.csv"}, WithDefaultRole("reader"))
	if err != nil {
		t.Fatal(err)
	}
	const others = "p, ann, /c/*, HEAD\np, ben, /d/*, HEAD\np, cleo, /e/*, HEAD\np, dora, /f/*, HEAD\ng, reader, everyone\np, reader, /g, GET\np, reader, /g, HEAD\n"
	for _, c := range []struct{ policy, want string }{
		{"p, editor, /a/b, GET\np, everyone, /*, HEAD\n" + others, ""},
		{"p, editor, /a/c, GET\np, everyone, /*, HEAD\n" + others, ""},
		{"p, editor, /a/c, GET\np, everyone, /b, HEAD\n" + others, "get_without_head"},
		{"p, editor, /a/c, GET\np, everyone, /*, HEAD\n" + others, ""},
	} {
		found, err := linter.Lint(files("policy.csv", c.policy))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found {
			if f.Line < 3 {
				got += f.Code
			}
		}
		if got != c.want {
			t.Errorf("%s: found %q, want %q", c.policy, got, c.want)
		}
	}
}

// TestDefaultRoleDeniesWhereDenyWins: with priorities a line before the deny may allow.
func TestDefaultRoleDeniesWhereDenyWins(t *testing.T) {
	const policy = "p, editor, /a, GET, allow\np, reader, /*, GET, deny\ng, ann, editor\n"
	for effect, want := range map[string]bool{allowAndDeny: true, firstMatch: false} {
		m := ModelText("model.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", effect, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && "+anyAct))
		found, err := LintFS(files("policy.csv", policy), m, []string{"policy.csv"}, WithDefaultRole("reader"))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(found, func(f Finding) bool { return f.Code == model.CodeDefaultDenies }); got != want {
			t.Errorf("%s: %v", effect, found)
		}
		if a := open(t, m, policy, WithDefaultRole("reader"), WithoutTokenRoles()); decide(t, a, who(t, "ann"), to("GET", "/a")).Allowed == want {
			t.Errorf("%s: ann may GET /a: %v", effect, !want)
		}
	}
}
