package casbinrules

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// TestSuperusersUnderDenies: a clause that ignores the subject of a line makes denies
// apply, too.
func TestSuperusersUnderDenies(t *testing.T) {
	const (
		usual  = "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"
		allows = "p, ann, /a, GET, allow\n"
		denies = "p, mallory, /b, GET, deny\n"
		all    = "every line counts for every request, so "
		first  = all + "p.csv:1, the first one, "
	)
	for _, c := range []struct{ name, effect, matcher, policy, want string }{
		{"in front", allowAndDeny, `r.sub == "root" || ` + usual, allows + denies, `where r.sub == "root" is true, ` + all + "one deny, such as p.csv:2, refuses everything"},
		{"behind", allowAndDeny, usual + ` || r.sub == "root"`, allows + denies, all + "one deny, such as p.csv:2, refuses everything"},
		{"by a role", allowAndDeny, usual + ` || g(r.sub, "admin")`, allows + denies, `where g(r.sub, "admin") is true, ` + all},
		{"for an object", allowAndDeny, usual + ` || r.obj == "/login"`, allows + denies, `where r.obj == "/login" is true, ` + all},
		{"in parentheses", allowAndDeny, `((` + usual + `) || (r.sub == "root"))`, allows + denies, all},
		{"priority, allow first", firstMatch, `r.sub == "root" || ` + usual, allows + denies, first + "allows everything, and no deny refuses anything"},
		{"priority, deny first", firstMatch, `r.sub == "root" || ` + usual, denies + allows, first + "refuses everything"},
		{"for the subject only", allowAndDeny, strings.Replace(usual, "g(r.sub, p.sub)", `(g(r.sub, p.sub) || r.sub == "root")`, 1), allows + denies,
			`where r.sub == "root" is true, lines count whatever their sub may be, so denies for others, such as p.csv:2, refuse there, too`},
		{"for the subject, with the object", allowAndDeny, usual + ` || r.sub == "root" && r.obj == p.obj`, allows + denies, "lines count whatever their sub and act may be, so denies for others, "},

		{"no deny", allowAndDeny, `r.sub == "root" || ` + usual, allows, ""},
		{"denies that the effect ignores", someAllow, `r.sub == "root" || ` + usual, allows + denies, ""},
		{"lines that allow", allowAndDeny, `r.sub == "root" && p.eft == "allow" || ` + usual, allows + denies, ""},
		{"no clause", allowAndDeny, usual, allows + denies, ""},
		{"a star for subjects", allowAndDeny, strings.Replace(usual, "g(r.sub, p.sub)", `(g(r.sub, p.sub) || p.sub == "*")`, 1), allows + denies, ""},
		{"a star for actions", allowAndDeny, strings.Replace(usual, "r.act == p.act", `(p.act == "*" || r.act == p.act)`, 1), allows + denies, ""},
		{"two patterns", allowAndDeny, strings.Replace(usual, "keyMatch2(r.obj, p.obj)", `(keyMatch2(r.obj, p.obj) || keyMatch(r.obj, p.obj))`, 1), allows + denies, ""},
		{"a condition for all", allowAndDeny, usual + ` && r.sub != "root"`, allows + denies, ""},
	} {
		m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", c.effect, c.matcher))
		found, err := LintFS(files("p.csv", c.policy), m, []string{"p.csv"})
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(f Finding) bool { return f.Code == model.CodeDenyIgnored })
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("%s: got %v", c.name, found)
		case c.want != "" && (len(found) != 1 || found[0].Code != model.CodeFreeClause || !strings.Contains(found[0].Message, c.want) || found[0].Line != 10):
			t.Errorf("%s: got %v, want %q", c.name, found, c.want)
		}
	}
}

// TestClausesUnderNoEffect: nothing is reported about denies if the effect is unknown.
func TestClausesUnderNoEffect(t *testing.T) {
	m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny+" || false", `r.sub == "root" || g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act`))
	if got := severitiesOf(t, m, "p, ann, /a, GET, allow\np, ann, /b, GET, deny\n"); !slices.Equal(got, []string{"8 model_effect error"}) {
		t.Errorf("got %q", got)
	}
}

func TestExplainNamesTheClauseOfASuperuser(t *testing.T) {
	m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny,
		`g(r.sub, "admin") || (g(r.sub, p.sub) || r.sub == "root") && keyMatch2(r.obj, p.obj) && r.act == p.act`))
	a := open(t, m, "p, ann, /a, GET, allow\np, mallory, /b, GET, deny\ng, eve, admin\n")
	for _, c := range []struct {
		subject, object string
		allowed         bool
		note            string
	}{
		{"eve", "/c", false, `g(r.sub, "admin") is true, so every line counts for every request`},
		{"root", "/a", true, `r.sub == "root" is true, so lines count whatever their sub may be`},
		{"root", "/b", false, `r.sub == "root" is true, so lines count whatever their sub may be`},
		{"ann", "/a", true, ""},
		{"mallory", "/b", false, ""},
	} {
		e, err := a.ExplainQuery(t.Context(), Query{Subject: c.subject, Object: c.object, Action: "GET"})
		if err != nil || e.Allowed != c.allowed || strings.Join(e.Notes, "; ") != c.note {
			t.Errorf("%s %s: got %s, %v", c.subject, c.object, e, err)
		}
	}
}

// TestSubjectsWithTwoMeanings: a subject by which the matcher selects a kind of line is not
// a name elsewhere.
func TestSubjectsWithTwoMeanings(t *testing.T) {
	const (
		usual  = `keyMatch2(r.obj, p.obj) && r.act == p.act`
		owner  = `p.sub == "owner" && r.sub == r.owner`
		linked = ` by g(r.sub, p.sub) for whoever has the ID or the role "owner"`
	)
	for _, c := range []struct{ matcher, want string }{
		{"g(r.sub, p.sub) && " + usual + " || " + owner + " && " + usual, linked},
		{owner + " && " + usual + " || g(r.sub, p.sub) && " + usual, linked},
		{"(g(r.sub, p.sub) || (" + owner + ")) && " + usual, linked},
		{"(g(r.sub, p.sub) || " + owner + ") && " + usual, `lines for "owner" count where r.sub == r.owner is true, and`},
		{`(r.sub == p.sub || "owner" == p.sub && r.sub == r.owner) && ` + usual, ` by r.sub == p.sub for whoever has the ID "owner", where it is not`},
		{"(globMatch(r.sub, p.sub) || " + owner + ") && " + usual, ` by globMatch(r.sub, p.sub) for whoever has the ID "owner"`},
		{`(p.sub != "user" && g(r.sub, p.sub) || ` + owner + ") && " + usual, linked},
		{`(!(p.sub == "user") && g(r.sub, p.sub) || ` + owner + ") && " + usual, linked},

		{`(p.sub != "owner" && g(r.sub, p.sub) || ` + owner + ") && " + usual, ""},
		{`(g(r.sub, p.sub) && "owner" != p.sub || ` + owner + ") && " + usual, ""},
		{`(!(p.sub == "owner") && g(r.sub, p.sub) || ` + owner + ") && " + usual, ""},
		{`(p.sub == "staff" && g(r.sub, p.sub) || p.sub == "owner" && g(r.sub, p.sub) && r.sub == r.owner) && ` + usual, ""},
		{`(g(r.sub, p.sub) || p.sub == "*") && r.sub != r.owner && ` + usual, ""}, // which is for everybody
		{`(g(r.sub, p.sub) || p.sub == "*") && keyMatch2(r.obj, p.obj) && (p.act == "*" || r.act == p.act)`, ""},
		{"(g(r.sub, p.sub) || r.sub == r.owner) && " + usual, ""},
		{"g(r.sub, p.sub) && r.owner in (\"x\", \"y\") && " + usual + strings.Repeat(` && (p.obj == "a" || p.obj == "b")`, 100), ""},
	} {
		m := ModelText("m.conf", modelText("sub, obj, act, owner", "sub, obj, act", "g = _, _", someAllow, c.matcher))
		found, err := LintFS(files("p.csv", "p, ann, /a, PATCH\n"), m, []string{"p.csv"}, WithObjectAttribute("owner"))
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(f Finding) bool { return f.Code != model.CodeTwoMeanings })
		switch {
		case c.want == "" && len(found) > 0:
			t.Errorf("%s: got %v", c.matcher, found)
		case c.want != "" && (len(found) != 1 || found[0].Severity != SeverityWarning || !strings.Contains(found[0].Message, c.want)):
			t.Errorf("%s: got %v, want %q", c.matcher, found, c.want)
		}
	}
}

// TestClausesForEverybody: an alternative that depends on the line, but not on who asks for
// which object, lets everyone in.
func TestClausesForEverybody(t *testing.T) {
	const usual = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
	for matcher, want := range map[string]string{
		usual + ` || p.act == "*"`:                                              `p.act == "*"`,
		usual + ` || (p.sub == "*")`:                                            `(p.sub == "*")`,
		usual + " || regexMatch(r.act, p.act)":                                  "regexMatch(r.act, p.act)",
		usual + ` || r.act == p.act && p.obj == "*"`:                            `r.act == p.act && p.obj == "*"`,
		`p.sub == "*" || (p.obj == "*" || ` + usual + `)`:                       `p.sub == "*"`,
		usual + ` && r.act == "PUT" || r.act == "PATCH"`:                        `r.act == "PATCH"`,
		usual + ` && r.act in ("GET", "HEAD") || (r.act in ("PUT", "PATCH"))`:   `(r.act in ("PUT", "PATCH"))`,
		usual + ` && r.obj == "/a" || r.obj == "/b" || r.obj == "/c"`:           `r.obj == "/b"`,
		usual + ` && r.sub != "bot" || r.sub == "root"`:                         "",
		usual + ` && r.act == "PUT" || r.sub == "root"`:                         "",
		`r.sub == "root" || ` + usual:                                           "",
		`g(r.sub, p.sub) && r.act == p.act || r.obj == "/b"`:                    "",
		usual + ` || r.obj == p.obj && p.act == "*"`:                            "",
		usual + ` || r.sub == "root"`:                                           "",
		usual + ` || r.act == "OPTIONS"`:                                        "",
		`g(r.sub, p.sub) && r.obj == p.obj && (p.act == "*" || r.act == p.act)`: "",
		"r.act == p.act || p.act == '*'":                                        "",
	} {
		m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, matcher))
		found, err := LintFS(files("p.csv", "p, ann, /a, GET\n"), m, []string{"p.csv"})
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(f Finding) bool { return f.Code != model.CodeOpenClause })
		if (len(found) > 0) != (want != "") || want != "" && !strings.Contains(found[len(found)-1].Message, " for which "+want+" is true ") {
			t.Errorf("%s: got %v, want %q", matcher, found, want)
		}
	}
}

// TestColumnsThatSortNothing: Casbin looks for what it sorts lines by in certain fields,
// and for certain effects.
func TestColumnsThatSortNothing(t *testing.T) {
	const usual = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
	const tenants = "g(r.sub, p.sub, r.dom) && r.obj == p.obj && r.act == p.act && r.dom == p."
	for _, c := range []struct {
		request, fields, g, effect, matcher, line string
		want                                      []string
	}{
		{plainRequest, "priority, sub, obj, act, eft", "g = _, _", allowAndDeny, usual, "p, 1, ann, /a, GET, allow", []string{"4 model_unused_column warning"}},
		{plainRequest, "priority, sub, obj, act, eft", "g = _, _", firstMatch, usual, "p, 1, ann, /a, GET, allow", nil},
		{plainRequest, "priority, sub, obj, act", "g = _, _", someAllow, usual, "p, 1, ann, /a, GET", []string{"4 model_unused_column note"}},
		{plainRequest, "sub, obj, act, eft, priority", "g = _, _", subjectFirst, usual, "p, ann, /a, GET, allow, 1", nil},
		{plainRequest, "priority, sub, obj, act, eft", "g = _, _", subjectFirst, usual, "p, 1, ann, /a, GET, allow", []string{"4 model_effect error"}},
		{plainRequest, "obj, sub, act, eft", "g = _, _", subjectFirst, usual, "p, /a, ann, GET, allow", []string{"4 model_effect error"}},
		{tenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _", subjectFirst, tenants + "dom", "p, ann, t, /a, GET, allow", nil},
		{tenantsRequest, "sub, tenant, obj, act, eft", "g = _, _, _", subjectFirst, tenants + "tenant", "p, ann, t, /a, GET, allow", []string{"4 model_effect error"}},
	} {
		m := ModelText("m.conf", modelText(c.request, c.fields, c.g, c.effect, c.matcher))
		if got := severitiesOf(t, m, c.line+"\n", WithoutTokenRoles()); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: got %q, want %q", c.fields, c.effect, got, c.want)
		}
		if _, err := OpenFS(files("p.csv", c.line), m, []string{"p.csv"}, WithoutTokenRoles(), WithCasbinSemantics(), quiet); err != nil {
			t.Errorf("%s, %s, as Casbin: %v", c.fields, c.effect, err)
		}
	}
}

// TestRoleCallsTheOtherWayRound: with the arguments of g exchanged, nobody has the roles of
// a link.
func TestRoleCallsTheOtherWayRound(t *testing.T) {
	const policy = "p, admin, /a, GET\ng, ann, admin\n"
	for matcher, want := range map[string][]string{
		"g(p.sub, r.sub) && r.obj == p.obj && r.act == p.act":                      {"6 model_unused_roles warning"},
		"(g(p.sub, r.sub) || g(r.sub, p.sub)) && r.obj == p.obj && r.act == p.act": nil,
	} {
		m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, matcher))
		if got := severitiesOf(t, m, policy); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", matcher, got, want)
		}
	}
}
