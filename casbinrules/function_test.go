package casbinrules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/util"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// A model that calls a function by another name equals the model with Casbin's name.
func TestFunctionAliasIsCasbinsFunction(t *testing.T) {
	by := func(name string) Model {
		return ModelText("m.conf", modelText("sub, obj, act", "sub, obj, act", "g = _, _", someAllow, "g(r.sub, p.sub) && "+name+"(r.obj, p.obj) && r.act == p.act"))
	}
	policies := map[string]string{
		"keyMatch": "/a/*", "keyMatch2": "/a/:id", "keyMatch3": "/a/{id}", "keyMatch4": "/a/{id}", "keyMatch5": "/a/{id}", "regexMatch": "^/a/.*$", "globMatch": "/a/*",
	}
	for builtin, pattern := range policies {
		policy := "p, staff, " + pattern + ", GET\ng, erin, staff\n"
		own, aliased := open(t, by(builtin), policy), open(t, by("within"), policy, WithFunctionAlias("within", builtin))
		if (own.current.Load().Index == nil) != (aliased.current.Load().Index == nil) {
			t.Errorf("%s: the alias is decided another way", builtin)
		}
		if got, want := aliased.Rules(), own.Rules(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", builtin, got, want)
		}
		if got, want := aliased.Warnings(), own.Warnings(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", builtin, got, want)
		}
		for _, path := range []string{"/a", "/a/7", "/a/7/8", "/b"} {
			got, want := decide(t, aliased, who(t, "erin"), to("GET", path)), decide(t, own, who(t, "erin"), to("GET", path))
			got.Revision, want.Revision = "", "" // of models that are spelt differently
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s %s: got %v, want %v", builtin, path, got, want)
			}
		}
	}
	_, err := OpenFS(files("policy.csv", "p, staff, [, GET\n"), by("within"), []string{"policy.csv"}, WithFunctionAlias("within", "regexMatch"), quiet)
	if err == nil || !strings.Contains(err.Error(), model.CodePattern) {
		t.Errorf("a bad pattern: got %v", err)
	}
}

// Casbin iterates over the rules if the matcher contains "p_", as the name of a function
// may, and otherwise decides once. A model with an alias does what Casbin does with a
// function of that name.
func TestAliasThatHasCasbinLookAtRules(t *testing.T) {
	for _, name := range []string{"ip_match", "map_within", "within", "p_within"} {
		for _, matcher := range []string{"%s(r.obj, '/a/*')", "%s(r.obj, '/a/*') || eval(r.act)"} {
			for _, effect := range []string{someAllow, allowAndDeny, firstMatch, "!some(where (p.eft == deny))"} {
				for _, eft := range []string{"allow", "deny"} {
					text := modelText("sub, obj, act", "sub, obj, act, eft", "g = _, _", effect, fmt.Sprintf(matcher, name))
					lines := []string{"p, ann, /b, GET, " + eft}
					m, err := casbinmodel.NewModelFromString(text)
					if err != nil {
						t.Fatal(err)
					}
					e, err := casbin.NewEnforcer(m, lineAdapter{lines: lines})
					if err != nil {
						t.Fatal(err)
					}
					e.AddFunction(name, util.KeyMatchFunc)
					a, err := OpenFS(files("p.csv", lines[0]), ModelText("m.conf", text), []string{"p.csv"},
						WithCasbinSemantics(), WithoutTokenRoles(), WithFunctionAlias(name, "keyMatch"), quiet)
					if err != nil {
						if name != "p_within" { // which no option takes
							t.Errorf("%s: %v", text, err)
						}
						continue
					}
					for _, object := range []string{"/a/1", "/b"} {
						values := []string{"ann", object, "false"}
						want, failure := enforceTexts(e, values)
						d, err := a.Enforce(t.Context(), values...)
						if d.Allowed != want || (err == nil) != (failure == nil) {
							t.Errorf("%s of %s: got %v, %v; casbin says %v, %v\n%s%s", object, eft, d.Allowed, err, want, failure, text, lines[0])
						}
					}
				}
			}
		}
	}
}

func TestFunctionAliasesThatMeanNothingAreRefused(t *testing.T) {
	yes := func(...string) (bool, error) { return true, nil }
	for name, opts := range map[string][]Option{
		"unknown builtin":   {WithFunctionAlias("f", "keyMatch9")},
		"no pattern":        {WithFunctionAlias("f", "keyGet2")},
		"no name":           {WithFunctionAlias("", "keyMatch")},
		"name of Casbin's":  {WithFunctionAlias("keyMatch2", "keyMatch")},
		"role definition":   {WithFunctionAlias("g", "keyMatch")},
		"twice":             {WithFunctionAlias("f", "keyMatch"), WithFunctionAlias("f", "keyMatch")},
		"a function, too":   {WithFunction("f", yes), WithFunctionAlias("f", "keyMatch")},
		"an alias, already": {WithFunctionAlias("f", "keyMatch"), WithFunction("f", yes)},
	} {
		if _, err := OpenFS(files("policy.csv", reports), RBACWithDeny(), []string{"policy.csv"}, append(opts, quiet)...); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestMatcherTellsWhatRequestsAreComparedWith(t *testing.T) {
	eq := func(field string, column int) Comparison {
		return Comparison{Field: field, Function: "==", Column: column, Text: ""}
	}
	is := func(field, text string) Comparison {
		return Comparison{Field: field, Function: "==", Column: -1, Text: text}
	}
	for _, c := range []struct {
		matcher     string
		comparisons []Comparison
		opaque      []string
	}{
		{"g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && (r.act == p.act || p.act == '*')",
			[]Comparison{{Field: "sub", Function: "g", Column: 0, Text: ""}, {Field: "obj", Function: "keyMatch2", Column: 1, Text: ""}, eq("act", 2)}, nil},
		{"r.sub == 'root' || p.sub == r.sub && r.obj != p.obj && !(r.act == 'GET')",
			[]Comparison{is("sub", "root"), eq("sub", 0), eq("obj", 1), is("act", "GET")}, nil},
		{"r.sub == p.sub && r.obj =~ p.obj && r.act in ('GET', \"HEAD\")",
			[]Comparison{eq("sub", 0), {Field: "obj", Function: "regexMatch", Column: 1, Text: ""}, is("act", "GET"), is("act", "HEAD")}, nil},
		{"r.sub == p.sub && r.obj == p.obj && g(p.act, r.act)", []Comparison{eq("sub", 0), eq("obj", 1), {Field: "act", Function: "g", Column: 2, Text: ""}}, nil},
		{"regexMatch(r.act, '^G') && r.sub == p.sub && r.obj == p.obj", []Comparison{{Field: "act", Function: "regexMatch", Column: -1, Text: "^G"}, eq("sub", 0), eq("obj", 1)}, nil},
		{"g(r.sub, p.sub) && r.obj == r.sub && r.act == p.act", []Comparison{{Field: "sub", Function: "g", Column: 0, Text: ""}, eq("act", 2)}, []string{"r.obj == r.sub"}},
		{"keyGet2(r.obj, p.obj, 'id') == r.sub && r.act == p.act", []Comparison{eq("act", 2)}, []string{"keyGet2(r.obj, p.obj, 'id') == r.sub"}},
		{"within(r.obj, p.obj) && r.sub == p.sub && r.act == p.act", []Comparison{eq("sub", 0), eq("act", 2)}, []string{"within(r.obj, p.obj)"}},
		{"g(r.sub, p.sub) && !g(r.sub, p.obj) && r.act == p.act", []Comparison{{Field: "sub", Function: "g", Column: 0, Text: ""}, {Field: "sub", Function: "g", Column: 1, Text: ""}, eq("act", 2)}, []string{"!g(r.sub, p.obj)"}},
		{"g(r.sub, p.sub) && !(g(r.sub, 'x') || g(r.sub, p.obj)) && r.act == p.act", []Comparison{{Field: "sub", Function: "g", Column: 0, Text: ""}, {Field: "sub", Function: "g", Column: -1, Text: "x"}, {Field: "sub", Function: "g", Column: 1, Text: ""}, eq("act", 2)},
			[]string{"g(r.sub, p.obj)"}},
		{"r.sub == p.sub && eval(p.obj) && r.act == p.act", []Comparison{eq("sub", 0), eq("act", 2)}, []string{"eval(p.obj)"}},
		{"r.sub + 'x' == p.sub && r.obj == p.obj && r.act == p.act", []Comparison{eq("obj", 1), eq("act", 2)}, []string{"r.sub + 'x' == p.sub"}},
	} {
		opts := []Option{quiet, WithFunction("within", func(...string) (bool, error) { return true, nil })}
		if strings.Contains(c.matcher, "eval(") {
			opts = append(opts, WithCasbinSemantics(), WithoutTokenRoles())
		}
		a, err := OpenFS(files("policy.csv", "p, a, /b, GET\n"), ModelText("m.conf", modelText("sub, obj, act", "sub, obj, act", "g = _, _", someAllow, c.matcher)),
			[]string{"policy.csv"}, opts...)
		if err != nil {
			t.Errorf("%s: %v", c.matcher, err)
			continue
		}
		if m := a.Matcher(); !reflect.DeepEqual(m.Comparisons, c.comparisons) || !reflect.DeepEqual(m.Opaque, c.opaque) {
			t.Errorf("%s: got %+v %q", c.matcher, m.Comparisons, m.Opaque)
		}
	}
}

// The tenant of role links must be one that the tenant of the request is compared with.
func TestMatcherTellsTenantsOfRoleLinks(t *testing.T) {
	dom := func(c Comparison) []Comparison { c.Field, c.Function = "dom", "=="; return []Comparison{c} }
	for _, c := range []struct {
		third       string
		comparisons []Comparison
		opaque      []string
	}{
		{"r.dom", nil, nil},
		{"p.dom", dom(Comparison{Column: 1}), nil},
		{"'t1'", dom(Comparison{Column: -1, Text: "t1"}), nil},
		{"r.obj", nil, []string{"g(r.sub, p.sub, r.obj)"}},
		{"p.dom + 'x'", nil, []string{"g(r.sub, p.sub, p.dom + 'x')"}},
	} {
		a, err := OpenFS(files("policy.csv", "p, a, t, /b, GET\n"), ModelText("m.conf", modelText("sub, dom, obj, act", "sub, dom, obj, act", "g = _, _, _", someAllow, "g(r.sub, p.sub, "+c.third+") && r.obj == p.obj && r.act == p.act")),
			[]string{"policy.csv"}, quiet, WithCasbinSemantics(), WithoutTokenRoles())
		if err != nil {
			t.Errorf("%s: %v", c.third, err)
			continue
		}
		m := a.Matcher()
		about := slices.DeleteFunc(m.Comparisons, func(c Comparison) bool { return c.Field != "dom" })
		if !slices.Equal(about, c.comparisons) || !slices.Equal(m.Opaque, c.opaque) {
			t.Errorf("%s: got %+v %q", c.third, about, m.Opaque)
		}
	}
}

// Roles tell what g decides only if each call of g is about the subject, in its tenant.
func TestMatcherTellsWhetherOwnRolesDecide(t *testing.T) {
	for _, c := range []struct {
		request, roles, matcher string
		own                     bool
	}{
		{"sub, obj, act", "g = _, _", "g(r.sub, p.sub)", true},
		{"sub, obj, act", "g = _, _", "g (r.sub, p.sub) && !g(r.sub,\t'g(p.sub, r.sub)')", true},
		{"sub, obj, act", "g = _, _\ng2 = _, _", "g(r.sub, p.sub) && g2(r.obj, p.obj)", true},
		{"sub, obj, act", "g = _, _", "r.sub == p.sub", true},
		{"sub, obj, act", "g = _, _", "g(p.sub, r.sub)", false},
		{"sub, obj, act", "g = _, _", "g(r.sub, p.sub) && g (r.obj, p.obj)", false},
		{"sub, obj, act", "g = _, _", "g(r.sub, p.sub) || g('root', p.sub)", false},
		{"sub, obj, act", "g = _, _", "g(r.sub + 'x', p.sub)", false},
		{"sub, obj, act", "g = _, _", "g(r.sub, p.sub) && eval(p.obj)", false},
		{"sub, obj, act, dom", "g = _, _", "g(r.sub, p.sub) && r.dom == 'x'", true},
		{"sub, obj, act, dom", "g = _, _", "g(r.sub, p.sub, r.dom)", false},
		{"sub, obj, act, dom", "g = _, _, _", "g(r.sub, p.sub, r.dom)", true},
		{"sub, obj, act, tenant", "g = _, _, _", "g(r.sub, p.sub, r.tenant)", true},
		{"sub, obj, act, dom", "g = _, _, _", "g(r.sub, p.sub)", false},
		{"sub, obj, act, dom", "g = _, _, _", "g(r.sub, p.sub, p.obj) && r.dom == 'x'", false},
		{"sub, obj, act, dom", "g = _, _, _", "g(r.sub, p.sub, r.dom) || g(r.sub, p.sub, '*')", false},
		{"sub, obj, act, dom, tenant", "g = _, _, _", "g(r.sub, p.sub, r.tenant) && r.dom == 'x'", false},
	} {
		a, err := OpenFS(files("policy.csv", "p, a, /b, GET\n"), ModelText("m.conf", modelText(c.request, "sub, obj, act", c.roles, someAllow, c.matcher+" && r.obj == p.obj && r.act == p.act")),
			[]string{"policy.csv"}, quiet, WithCasbinSemantics(), WithoutTokenRoles(), WithClaimsAsAttributes())
		if err != nil {
			t.Errorf("%s: %v", c.matcher, err)
		} else if own := a.Matcher().OwnRoles; own != c.own {
			t.Errorf("%s, %s, %s: got %v", c.request, c.roles, c.matcher, own)
		}
	}
}
