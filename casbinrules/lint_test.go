package casbinrules

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// lintOf returns the findings of Lint for a policy, as "line:column:code".
func lintOf(t *testing.T, m Model, policy string, opts ...LintOption) []string {
	t.Helper()
	found, err := LintFS(files("p.csv", policy), m, []string{"p.csv"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%d:%d:%s", f.Line, f.Column, f.Code))
	}
	return got
}

// byFunction is a model whose objects are compared by a function.
func byFunction(function string) Model {
	return ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "g(r.sub, p.sub) && "+function+"(r.obj, p.obj) && "+anyAct))
}

func TestPatternsAreReadByTheirFunction(t *testing.T) {
	for _, c := range []struct{ function, object, want string }{
		{"keyMatch", "/a/*/b", model.CodeMisplacedStar}, {"keyMatch", "/a*", model.CodePrefixStar}, {"keyMatch", "/*", ""}, {"keyMatch", "*", ""},
		{"keyMatch", "/a/:id", model.CodeParameter}, {"keyMatch", "/a/", model.CodeUnmatchable}, {"keyMatch", "/a/../b", model.CodeUnmatchable},
		{"keyMatch", `/a\b`, model.CodeUnmatchable}, {"keyMatch", "ledger*", ""}, {"keyMatch", "billing", ""},
		{"keyMatch2", "/a//b", model.CodeUnmatchable}, {"keyMatch2", "/a%2fb", model.CodeUnmatchable}, {"keyMatch2", "*", ""},
		{"keyMatch2", "/a/(x|y)", ""}, {"keyMatch2", `/a\.b`, ""}, {"keyMatch2", "/a/.*", ""}, {"keyMatch2", "/c+", model.CodeRegexpCharacter},
		{"keyMatch2", "/a/:x-:y", model.CodeParameterSuffix}, {"keyMatch2", "/a/:user-id", ""}, {"keyMatch2", "/{id}", model.CodeParameter},
		{"keyMatch2", "/", ""}, {"keyMatch2", "/a*b", model.CodeMisplacedStar},
		{"keyMatch2", "/a/*path", model.CodeParameter}, {"keyMatch2", "/a/*.html", model.CodeMiddleStar}, {"keyMatch2", "/a/{path...}", model.CodeParameter},
		{"keyMatch3", "/a/*path", model.CodeParameter}, {"keyMatch4", "/a/{path...}", model.CodeParameter},
		{"keyMatch2", "/reports/[:id", model.CodeRegexpCharacter}, {"keyMatch2", "/r/[a-z]", model.CodeRegexpCharacter}, {"keyMatch2", "/r/[a-z]*", model.CodeRegexpCharacter},
		{"keyMatch2", `/r/\[a-z]`, ""}, {"keyMatch2", "/r/(x|[0-9]+)", ""}, {"keyMatch", "/r/[a-z]", ""}, {"globMatch", "/r/[a-z]", ""},
		{"keyMatch3", "/r/[{id}", model.CodeRegexpCharacter}, {"keyMatch4", "/r/[a-z]/{id}", model.CodeRegexpCharacter}, {"keyMatch5", "/r/[a-z]", model.CodeRegexpCharacter},
		{"keyMatch3", "/a/{id}", ""}, {"keyMatch3", "/a/:id", model.CodeParameter}, {"keyMatch4", "/{x}-{y}", model.CodeParameterSuffix},
		{"keyMatch5", "/a/{id}", ""}, {"globMatch", "/a*", model.CodePrefixStar}, {"globMatch", "/a/**", ""}, {"globMatch", "/{a,b}", ""},
		{"globMatch", "/{id}", model.CodeParameter}, {"globMatch", "/a/*/b", ""},
		{"regexMatch", "^/a$", ""}, {"regexMatch", "^/a", model.CodeUnanchored}, {"regexMatch", "^/a/.*", ""}, {"regexMatch", "^(/a|/b$)", model.CodeUnanchored},
		{"regexMatch", ".*", ""}, {"regexMatch", `\A/a\z`, ""}, {"regexMatch", "^(?:/a|/b)$", ""},
		{"regexMatch", "^/a/:id$", model.CodeParameter}, {"regexMatch", "^/a/{id}/b$", model.CodeParameter}, {"regexMatch", "^/<id>$", model.CodeParameter},
		{"regexMatch", "^/a/*$", model.CodeRegexpCharacter}, {"regexMatch", "^/a/$", model.CodeUnmatchable}, {"regexMatch", "^/a/$|^/b/x$", ""},
		{"regexMatch", "^/a{2}/[^/]+$", ""}, {"regexMatch", "^/a/.*$", ""}, {"regexMatch", "^/$", ""}, {"regexMatch", "^ledger:*$", ""},
		{"keyMatch", "^/a", model.CodeUnmatchable}, {"globMatch", "^/a", model.CodeUnmatchable},
	} {
		var want []string
		if c.want != "" {
			want = []string{"1:8:" + c.want}
		}
		if got := lintOf(t, byFunction(c.function), "p, ann, \""+c.object+"\", GET\n"); !slices.Equal(trimColumn(got), trimColumn(want)) {
			t.Errorf("%s %s: got %q, want %q", c.function, c.object, got, want)
		}
	}
}

// trimColumn removes all but the codes.
func trimColumn(found []string) []string {
	var codes []string
	for _, f := range found {
		codes = append(codes, f[strings.LastIndexByte(f, ':')+1:])
	}
	return codes
}

func TestSoundPoliciesCauseNoWarning(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		model        Model
		opts         []LintOption
	}{
		{"users with rules of their own", "p, ann, /a, GET\np, bob, /b, GET\np, staff, /c, GET\ng, ann, staff\n", RBAC(), nil},
		{"roles that only tokens bring", "p, admin, /a, GET\np, editor, /b, GET\np, viewer, /c, GET\ng, root, admin\n", RBAC(), nil},
		{"names of actions and objects", "p, ann, ledger, read\np, ann, accounts/daily, approve\np, bob, /x, publish\n", RBAC(), nil},
		{"star for the parent", "p, ann, /a/:id/*, *\np, ann, /a/:x, *\n", RBAC(), nil},
		{"the parent by a role", "p, viewer, /a, GET\np, editor, /a/*, GET\ng, editor, viewer\ng, ann, editor\n", RBAC(), nil},
		{"PATCH denied on purpose", "p, ann, /a, PUT, allow\np, ann, /a, PATCH, deny\n", RBACWithDeny(), nil},
		{"no route for PATCH", "p, ann, /a/:id, PUT\n", RBAC(), []LintOption{WithRoutes([]core.RouteInfo{{Method: "PUT", Pattern: "/a/:id"}})}},
		{"no route for the parent", "p, ann, /a/*, GET\n", RBAC(), []LintOption{WithRoutes([]core.RouteInfo{{Method: "GET", Pattern: "/a/:x"}})}},
		{"a deny narrower than an allow", "p, ann, /*, *, allow\np, ann, /a, PUT, deny\np, ann, /a, PATCH, deny\n", RBACWithDeny(), nil},
		{"unusual methods", "p, ann, /*, *\np, ann, /dav, PROPFIND\n", RBAC(), nil},
		{"the same in two tenants", "p, ann, t1, /a, GET\np, ann, t2, /a, GET\n", RBACWithTenants(), nil},
		{"routes as objects", "p, ann, /a/:id/*, GET\np, ann, /files/*, GET\n", byFunction("keyMatch"), []LintOption{WithRouteAsObject()}},
		{"a role of the blocked", "p, viewer, /a, GET, allow\np, blocked, /:x, *, deny\ng, ann, viewer\ng, bob, viewer\ng, bob, blocked\n", everybody(), nil},
		{"a role of the blocked, by another role", "p, viewer, /a, GET, allow\np, blocked, /:x, *, deny\ng, bob, viewer\ng, bob, banned\ng, banned, blocked\n", everybody(), nil},
		{"a role of the blocked, others from tokens", "p, viewer, /a, GET, allow\np, editor, /b, GET, allow\np, blocked, /:x, *, deny\ng, bob, blocked\n", everybody(), nil},
		{"a role of the blocked, others for all", "p, *, /a, GET, allow\np, blocked, /:x, *, deny\ng, bob, blocked\n", everybody(), nil},
		{"anonymous with the option", "p, anonymous, /a, GET\n", RBAC(), []LintOption{WithAnonymous()}},
	} {
		if got := lintOf(t, c.model, c.policy, c.opts...); len(got) > 0 {
			t.Errorf("%s: got %q", c.name, got)
		}
	}
}

// everybody is RBACWithDeny in which the subject "*" is everyone.
func everybody() Model {
	return ModelText("m.conf", strings.Replace(RBACWithDeny().Text(), "g(r.sub, p.sub)", `(g(r.sub, p.sub) || p.sub == "*")`, 1))
}

func TestRolesThatAreGivenNothingAreFound(t *testing.T) {
	const allow = "p, viewer, /a, GET, allow\ng, ann, viewer\ng, victor, veiwer\n"
	for _, c := range []struct {
		name, policy string
		model        Model
		opts         []LintOption
		want         []string
	}{
		{"misspelt", allow, everybody(), nil, []string{"3:12:role_without_rules"}},
		{"beside a deny for all", allow + "p, *, /b, *, deny\n", everybody(), nil, []string{"3:12:role_without_rules"}},
		{"beside an allow for all", allow + "p, *, /b, GET, allow\n", everybody(), nil, []string{"3:12:role_without_rules"}},
		{"that only denies those who may nothing", allow + "p, veiwer, /b, *, deny\n", everybody(), nil, []string{"3:12:role_without_rules"}},
		{"that only denies, by another role", allow + "g, veiwer, closed\np, closed, /b, *, deny\n", RBACWithDeny(), nil, []string{"3:12:role_without_rules", "4:12:role_without_rules"}},
		{"that only denies, without tokens", "p, viewer, /a, GET, allow\np, editor, /b, GET, allow\np, blocked, /:x, *, deny\ng, bob, blocked\n", everybody(), []LintOption{WithoutTokenRoles()},
			[]string{"4:9:role_without_rules"}},
		{"in one tenant of two", "p, staff, t1, /a, GET\ng, ann, staff, t1\ng, ann, clerk, t2\n", RBACWithTenants(), nil, []string{"3:9:role_without_rules"}},
	} {
		if got := lintOf(t, c.model, c.policy, c.opts...); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	// A model that allows by default has only denies as rules.
	byDefault := ModelText("m.conf", strings.Replace(everybody().Text(), "some(where (p.eft == allow)) && ", "", 1))
	got := lintOf(t, byDefault, "p, blocked, /a, *, deny\ng, bob, blocked\n", WithCasbinSemantics(), WithoutTokenRoles())
	if slices.ContainsFunc(got, func(f string) bool { return strings.HasSuffix(f, model.CodeRoleWithoutRule) }) {
		t.Errorf("allowing by default: got %q", got)
	}
}

func TestAlternativesInTheMatcherHideNoFinding(t *testing.T) {
	policy := "p, ann, /a/*, PUT\np, ann, /b/../c, GET\np, ann, /nowhere, GET\np, ann, /nowhere, *\n"
	routes := WithRoutes([]core.RouteInfo{{Method: "GET", Pattern: "/a"}, {Method: "PUT", Pattern: "/a/:id"}, {Method: "PATCH", Pattern: "/a/:id"}})
	request := "keyMatch2(r.obj, p.obj) && " + anyAct
	plain := "g(r.sub, p.sub) && " + request
	findings := func(matcher string) []string {
		return lintOf(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, matcher)), policy, routes)
	}
	want := findings(plain)
	if len(want) < 6 {
		t.Fatalf("got %q", want)
	}
	for _, matcher := range []string{
		plain + ` || r.sub == "root"`,
		`r.sub == "root" || (r.sub == "su" || (` + plain + `))`,
		`(g(r.sub, "root") || ` + plain + `)`,
		`p.sub != "any" && ` + plain + ` || ` + request + ` && p.sub == "any" && r.sub != "bot" || r.sub == "root"`,
		plain + ` || ` + plain + ` && r.sub == "root"`,
	} {
		if got := findings(matcher); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", matcher, got, want)
		}
	}
}

func TestForgottenAnswersAreMissed(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		want         []string
	}{
		{"a deny of PUT alone", "p, ann, /*, *, allow\np, ann, /a, PUT, deny\n", []string{"2:13:put_without_patch"}},
		{"a deny below alone", "p, ann, /*, *, allow\np, ann, /a/*, *, deny\n", []string{"2:9:star_misses_parent"}},
		{"contradiction in the other order", "p, ann, /a, GET, deny\np, ann, /a, GET, allow\n", []string{"2:1:contradicting_rules"}},
		{"an allow below a deny", "p, ann, /a, GET, allow\np, ann, /:x, *, deny\n", []string{"1:1:contradicting_rules"}},
		{"lists of methods", "p, ann, /a, GET|POST, allow\n", []string{"1:13:unknown_method"}},
		{"ALL", "p, ann, /a, ALL, allow\n", []string{"1:13:unknown_method"}},
		{"a star for a subject", "p, *, /a, GET, allow\n", []string{"1:4:literal_star"}},
	} {
		if got := lintOf(t, RBACWithDeny(), c.policy); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRoutesOfEveryFrameworkAreCompared(t *testing.T) {
	routes := []core.RouteInfo{
		{Method: "GET", Pattern: "/gin/:id"}, {Method: "GET", Pattern: "/gin/files/*path"}, {Method: "GET", Pattern: "/fiber/:id?"},
		{Method: "POST", Pattern: "/mux/{id}/{rest...}"}, {Method: "", Pattern: "/tree/"}, {Method: "DELETE", Pattern: "/one/{$}"},
	}
	var policy strings.Builder
	good := []string{"/gin/7, GET", "/gin/:x, HEAD", "/gin/files, GET", "/gin/files/a/b, GET", "/fiber, GET", "/fiber/1, GET", "/mux/*, POST", "/tree/a/b, PUT", "/one, DELETE", "/gin/a\\.b, GET", "/mux/(a|b)/c, POST", "/*, *"}
	for _, line := range good {
		policy.WriteString("p, ann, " + line + "\n")
	}
	keep := func(found []string) []string {
		return slices.DeleteFunc(found, func(f string) bool { return !strings.Contains(f, "route") })
	}
	if got := keep(lintOf(t, RBAC(), policy.String(), WithRoutes(routes))); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	got := keep(lintOf(t, RBAC(), "p, ann, /gin, GET\np, ann, /gin/1, POST\np, ann, /one/2, DELETE\np, ann, /gin/:x, GET\n", WithRoutes(routes)))
	want := []string{"1:1:route_without_rule", "1:1:route_without_rule", "1:1:route_without_rule", "1:9:rule_matches_no_route", "2:16:rule_matches_no_route", "3:9:rule_matches_no_route"}
	if slices.Sort(got); !slices.Equal(trimColumn(got), trimColumn(want)) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = keep(lintOf(t, RBACWithDeny(), "p, ann, /gin/:id, GET, deny\n", WithRoutes(routes[:1])))
	if !slices.Equal(got, []string{"1:1:route_without_rule"}) {
		t.Errorf("a deny alone: got %q", got)
	}
	got = keep(lintOf(t, byFunction("keyMatch"), "p, ann, /gin/*, GET\np, ann, /nine*, GET\n", WithRoutes(routes[:2])))
	if !slices.Equal(got, []string{"2:9:rule_matches_no_route"}) {
		t.Errorf("keyMatch: got %q", got)
	}
	got = keep(lintOf(t, byFunction("keyMatch"), "p, ann, /gin/:id, GET\np, ann, /gin/7, GET\n", WithRoutes(routes[:1]), WithRouteAsObject()))
	if !slices.Equal(got, []string{"2:9:rule_matches_no_route"}) {
		t.Errorf("WithRouteAsObject: got %q", got)
	}
}

func TestNamesThatAreUsersAndRoles(t *testing.T) {
	got := lintOf(t, RBACWithTenants(), "p, staff, t1, /a, GET\ng, ann, staff, t1\ng, bob, ann, t2\n")
	if want := []string{"2:4:user_and_role", "3:9:role_without_rules"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = lintOf(t, RBAC(), "p, admin, /a, GET\ng, admin, admin\n")
	if want := []string{"2:1:role_cycle", "2:4:user_and_role"}; !slices.Equal(got[:1], want[:1]) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = lintOf(t, RBAC(), "p, role:a, /a, GET\np, ann, /b, GET\ng, bob, role:b\np, role:b, /c, GET\n", WithRolePrefix("role:"), WithoutTokenRoles())
	if want := []string{"1:4:role_never_assigned"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFewRolesThatNobodyHasAreFound: if most subjects are not roles, all of them may be
// users.
func TestFewRolesThatNobodyHasAreFound(t *testing.T) {
	for missing := range 4 {
		for given := range 3 {
			for _, everybody := range []bool{false, true} {
				var b strings.Builder
				for i := range missing {
					fmt.Fprintf(&b, "p, m%d, /m%d, GET\n", i, i)
				}
				for i := range given {
					fmt.Fprintf(&b, "p, r%d, /r%d, GET\ng, u%d, r%d\n", i, i, i, i)
				}
				assigned := given
				var opts []LintOption
				if everybody {
					b.WriteString("p, everybody, /e, GET\n")
					opts = append(opts, WithDefaultRole("everybody"))
					assigned++
				}
				b.WriteString("g, ann, nothing\n")
				want := 0
				if missing <= assigned {
					want = missing
				}
				got := 0
				for _, f := range lintOf(t, RBAC(), b.String(), opts...) {
					if strings.HasSuffix(f, ":role_never_assigned") {
						got++
					}
				}
				if got != want {
					t.Errorf("%d found, want %d, in\n%s", got, want, b.String())
				}
			}
		}
	}
}

func TestShrunkenPoliciesAreFound(t *testing.T) {
	read := func(parts ...string) policy.Rules {
		p := policy.NewReader(model.ReadSchema(RBAC().Name(), RBAC().Text(), &model.Settings{Casbin: casbinv2.Casbin}), &model.Settings{Casbin: casbinv2.Casbin})
		for i := 0; i < len(parts); i += 2 {
			p.Read(parts[i], []byte(parts[i+1]))
		}
		return p.Rules
	}
	lines := func(from, to int) (text string) {
		for i := from; i < to; i++ {
			text += fmt.Sprintf("p, ann, /%d, GET\n", i)
		}
		return text
	}
	for _, c := range []struct {
		name          string
		before, after policy.Rules
		want          []string
	}{
		{"unchanged", read("a", lines(0, 20)), read("a", lines(0, 20)), nil},
		{"half of it", read("a", lines(0, 20)), read("a", lines(0, 10)), nil},
		{"less than half", read("a", lines(0, 20)), read("a", lines(0, 9)), []string{"a file_shrunk"}},
		{"few rules", read("a", lines(0, 9)), read("a", lines(0, 1)), nil},
		{"emptied", read("a", lines(0, 1)), read("a", "# none\n"), []string{"a file_emptied"}},
		{"gone beside another", read("b", lines(0, 3), "a", lines(3, 30)), read("b", lines(0, 3)), []string{"a file_emptied"}},
		{"moved", read("a", lines(0, 20)), read("b", lines(0, 20)), nil},
		{"all other rules", read("a", lines(0, 20)), read("a", lines(50, 70)), nil},
		{"new", policy.Rules{}, read("a", lines(0, 20)), nil},
	} {
		var got []string
		for _, f := range policy.CheckShrink(c.before, c.after) {
			got = append(got, f.File+" "+f.Code)
			if !strings.Contains(f.Hint, "write it whole") || !strings.Contains(f.Hint, "restart") {
				t.Errorf("%s: the hint names no way out: %s", c.name, f.Hint)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("H06 %s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWarningsAreListedAndLogged(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	a, err := OpenFS(files("p.csv", strings.Repeat("p, ann, /a, GET\n", 30)), RBAC(), []string{"p.csv"}, WithLogger(logger))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Warnings(); len(got) != 29 || got[0].Code != model.CodeDuplicate || got[0].Severity != SeverityWarning {
		t.Errorf("got %v", got)
	}
	a.Warnings()[0].Code = "changed"
	if a.Warnings()[0].Code != model.CodeDuplicate {
		t.Error("the list is shared")
	}
	if got := strings.Count(log.String(), "duplicate_rule: "); got != logged || !strings.Contains(log.String(), "count=9") {
		t.Errorf("%d warnings are logged:\n%s", got, log.String())
	}
}

func TestLintRefusesWhatCannotBeRead(t *testing.T) {
	var none Option
	for name, c := range map[string]struct {
		policies []string
		opts     []LintOption
	}{
		"missing file": {[]string{"none.csv"}, nil}, "nil option": {[]string{"p.csv"}, []LintOption{nil}},
		"nil function": {[]string{"p.csv"}, []LintOption{none}}, "nil logger": {[]string{"p.csv"}, []LintOption{WithLogger(nil)}},
	} {
		if _, err := LintFS(files("p.csv", good), RBAC(), c.policies, c.opts...); err == nil || !strings.HasPrefix(err.Error(), "casbinrules: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := LintFS(nil, RBAC(), []string{"p.csv"}); err == nil {
		t.Error("a nil file system is taken")
	}
	if _, err := Lint(RBAC(), []string{t.TempDir() + "/none.csv"}); err == nil {
		t.Error("a missing file is read")
	}
}

func TestLintShowsErrorsAndWarningsTogether(t *testing.T) {
	denyOnly := strings.Replace(RBACWithDeny().Text(), "some(where (p.eft == allow)) && ", "", 1)
	got := lintOf(t, ModelText("m.conf", denyOnly), "p, ann, /a/, GET, deny\np, bob\np, ann, /a/, GET, deny\n")
	if want := []string{"20:1:model_allows_by_default", "1:9:unmatchable_pattern", "2:4:field_count", "3:1:duplicate_rule"}; !slices.Equal(trimColumn(got), trimColumn(want)) || !slices.Equal(got[1:], want[1:]) {
		t.Errorf("got %q, want %q", got, want)
	}
}
