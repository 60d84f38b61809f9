package casbinrules

import (
	"fmt"
	"slices"
	"testing"
)

func TestRulesSayWhatTheyCompare(t *testing.T) {
	a := open(t, RBACWithTenants(), "p, editor, acme, /reports/:id, GET\ng, erin, editor, acme\n")
	if got := a.RequestFields(); !slices.Equal(got, []string{"sub", "dom", "obj", "act"}) {
		t.Errorf("request fields %q", got)
	}
	rules := a.Rules()
	if len(rules) != 2 || rules[1].Kind != "g" || rules[1].Objects != nil || rules[1].Effect != "" {
		t.Fatalf("got %+v", rules)
	}
	r := rules[0]
	got := fmt.Sprintln(r.Line, r.Kind, r.Fields, r.Subjects, r.Tenants, r.Objects, r.Actions, r.Effect)
	want := "1 p [editor acme /reports/:id GET] [{editor g}] [{acme ==}] [{/reports/:id keyMatch2}] [{GET ==}] allow\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRulesOfResourceRolesAndEffects(t *testing.T) {
	m := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _\ng2 = _, _", allowAndDeny,
		`g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act =~ p.act`))
	a := open(t, m, "p, u, group, ^GET$, deny\np, v, group, ^GET$, allow\ng2, /a, group\n")
	r := a.Rules()[0]
	got := fmt.Sprintln(r.Subjects, r.Tenants, r.Objects, r.Actions, r.Effect)
	if want := "[{u g}] [] [{group g2}] [{^GET$ regexMatch}] deny\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPatternMatches(t *testing.T) {
	for _, c := range []struct {
		function, text, value string
		want                  bool
	}{
		{"==", "/a", "/a", true},
		{"==", "/:a", "/a", false},
		{"g", "editor", "editor", true},
		{"g2", "group", "/a", false},
		{"keyMatch2", "/a/:id", "/a/7", true},
		{"keyMatch2", "/a/:id", "/a/7/b", false},
		{"regexMatch", "^GET$", "GET", true},
		{"regexMatch", "(", "(", false},
	} {
		if got := (Pattern{c.text, c.function}).Matches(c.value); got != c.want {
			t.Errorf("%s(%q, %q) is %v", c.function, c.value, c.text, got)
		}
	}
}
