package bridgetest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern/patterntest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
)

// testFunctions checks that casbinrules matches patterns like the functions of
// Casbin.
func (m Major) testFunctions(t *testing.T) {
	functions := m.Casbin.Functions()
	known := slices.Sorted(maps.Keys(functions))
	if want := slices.Sorted(slices.Values(pattern.Builtin)); !slices.Equal(known, want) {
		t.Errorf("the functions are %q, and casbinrules knows %q", known, want)
	}
	patterns := slices.Concat(patterntest.Patterns, []string{
		"10.0.0.0/8", "10.0.0.1", "::1", "2001:db8::/32", "/a/{x}/{x}", "/{x}/(b)", "/a/(", "/a/[", "{a,b}", "/{a/b}", "*/a", "/a*b", "", ".*", "(?i)/A",
	})
	objects := slices.Concat(patterntest.Objects, []string{"10.0.0.1", "::ffff:10.0.0.1", "fe80::1%lo", "2001:db8::7", "/a/1/1", "/a/1/2", "/1/b", "a", ""})
	matched := map[string]int{}
	for _, name := range pattern.Aliasable {
		for _, text := range patterns {
			for _, object := range objects {
				want, sure := ask(functions[name], object, text)
				if got := pattern.Match(name, object, text); got != want && (sure || got) {
					t.Errorf("%s(%q, %q) is %v, and Casbin says %v", name, object, text, got, want)
				}
				if want {
					matched[name]++
				}
			}
		}
		if matched[name] == 0 {
			t.Errorf("nothing matches by %s: the cases prove nothing", name)
		}
	}
	functions["keyMatch"] = nil
	if m.Casbin.Functions()["keyMatch"] == nil {
		t.Error("the map of functions is shared")
	}
}

// ask calls a function of Casbin; sure is false if it fails.
func ask(f govaluate.ExpressionFunction, object, text string) (ok, sure bool) {
	defer func() {
		if recover() != nil {
			ok, sure = false, false
		}
	}()
	got, err := f(object, text)
	ok, _ = got.(bool)
	return ok && err == nil, err == nil
}

// testEffects checks that the effects are spelled as Casbin does after reading a
// model.
func (m Major) testEffects(t *testing.T) {
	for text, want := range map[string]string{
		policygen.SomeAllow: model.AllowOverrideEffect, policygen.AllowAndDeny: model.AllowAndDenyEffect,
		policygen.FirstMatch: model.PriorityEffect, policygen.SubjectFirst: model.SubjectPriorityEffect,
		"!some(where (p.eft == deny))": model.DenyOverrideEffect,
	} {
		read, err := m.Casbin.ReadModel(policygen.ModelText(policygen.PlainRequest, "sub, obj, act, eft", "g = _, _", text, "g(r.sub, p.sub)"))
		if err != nil {
			t.Fatal(err)
		}
		if def, ok := read.Definition("e"); !ok || def.Value != want {
			t.Errorf("%s is %q, want %q", text, def.Value, want)
		}
	}
}

func (m Major) testModels(t *testing.T) {
	read, err := m.Casbin.ReadModel(policygen.ModelText(policygen.TenantsRequest, "sub, dom, obj, act", "g = _, _, _\ng2 = _, _", policygen.SomeAllow, "g(r.sub, p.sub, r.dom) && r.obj == p.obj"))
	if err != nil {
		t.Fatal(err)
	}
	if got := read.Keys("g"); !slices.Equal(got, []string{"g", "g2"}) {
		t.Errorf("the keys of g are %q", got)
	}
	if def, _ := read.Definition("r"); !slices.Equal(def.Tokens, []string{"r_sub", "r_dom", "r_obj", "r_act"}) || def.Rules != nil {
		t.Errorf("r is %+v", def)
	}
	if def, _ := read.Definition("m"); def.Value != "g(r_sub, p_sub, r_dom) && r_obj == p_obj" {
		t.Errorf("m is %+v", def)
	}
	for _, key := range []string{"", "x", "g3", "r2"} {
		if def, ok := read.Definition(key); ok {
			t.Errorf("definition %q is %+v", key, def)
		}
	}
	if request, policy := m.Casbin.TenantPatterns(read); request != "r_dom" || policy != "p_dom" {
		t.Errorf("tenants are patterns by %q, %q", request, policy)
	}
	if _, err := m.Casbin.ReadModel("[request_definition]\nr = sub"); err == nil {
		t.Error("half a model is read")
	}
}

func (m Major) testDeciders(t *testing.T) {
	text := policygen.ModelText(policygen.PlainRequest, "sub, obj, act", "g = _, _", policygen.SomeAllow, "g(r.sub, p.sub) && r.obj == p.obj")
	rules := [][]string{{"p", "staff", "/a", "GET"}, {"p", "staff", "/a", "PUT"}, {"g", "erin", "staff"}}
	load := func(add func(rule []string) error) error {
		for _, rule := range rules {
			if err := add(rule); err != nil {
				return err
			}
		}
		return nil
	}
	own, err := m.Casbin.NewDecider(bridge.Policy{Model: text, Matcher: "g(r_sub, p_sub) && r_obj == p_obj && r_act == p_act", Load: load})
	if err != nil {
		t.Fatal(err)
	}
	allowed, rule, err := own.EnforceEx("erin", "/a", "PUT")
	if err != nil || !allowed || len(rule) != 3 || &rule[0] != &rules[1][1] {
		t.Errorf("got %v by %q, %v; want the rule that was loaded, and not a copy", allowed, rule, err)
	}
	var links any
	linked, err := m.Casbin.NewDecider(bridge.Policy{
		Model: text, Matcher: "g(r_links, r_sub, p_sub) && r_obj == p_obj", Links: "r_links", Load: load,
		Functions: map[string]govaluate.ExpressionFunction{"g": func(args ...any) (any, error) {
			links = args[0]
			return args[1] == "ann", nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]bool{"ann": true, "erin": false} {
		if allowed, _, err := linked.EnforceEx(subject, "/a", "GET", t); err != nil || allowed != want || links != any(t) {
			t.Errorf("%s by a function in place of links: %v, %v", subject, allowed, err)
		}
	}
	bad := errors.New("not today")
	failed := bridge.Policy{Model: text, Matcher: "r_sub == p_sub", Load: func(func([]string) error) error { return bad }}
	if _, err := m.Casbin.NewDecider(failed); !errors.Is(err, bad) {
		t.Errorf("a load that fails: %v", err)
	}
	rules = append(rules, []string{"p", "too", "few"})
	if _, err := m.Casbin.NewDecider(bridge.Policy{Model: text, Matcher: "r_sub == p_sub", Load: load}); err == nil || !strings.Contains(err.Error(), "few") {
		t.Errorf("a rule that is too short: %v", err)
	}
}
