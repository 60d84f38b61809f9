package casbinrules

import (
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/load"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// FuzzDecide asks the engine of a model and policy, and Casbin's own Enforce with the roles
// of the credentials as g lines: verdict and rule must be the same (invariant 12). Models
// and policies that are refused are skipped.
func FuzzDecide(f *testing.F) {
	policy := "p, u1, /a/:id, GET, allow\np, r1, /a/*, *, allow\np, r2, /a/b, GET, deny\np, *, /é, GET, allow\ng, u1, r1\ng, r1, r2\n"
	tenants := "p, u1, t1, /a/:id, GET, allow\np, r1, t1, /a/*, *, allow\np, r2, t2, /a/b, GET, deny\ng, u1, r1, t1\ng, r1, r2, t2\n"
	for i, matcher := range []string{
		"g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && " + anyAct, "r.sub == p.sub && r.obj == p.obj && r.act == p.act",
		`(g(r.sub, p.sub) || p.sub == "*") && keyMatch(r.obj, p.obj) && r.act != "PUT"`, "g(r.sub, p.sub) && globMatch(r.obj, p.obj)",
		`g(r.sub, p.sub) && (keyMatch3(r.obj, p.obj) || keyMatch5(r.obj, p.obj)) || r.sub == "root"`, "g(r.sub, p.sub) && regexMatch(r.obj, p.obj)",
		`!(g(r.sub, "r2")) && keyMatch4(r.obj, p.obj) && r.act in ("GET", p.act)`,
	} {
		for j, object := range []string{"/a/b", "/a/b/c", "/é", "/a/é/c?d"} {
			f.Add(matcher, uint8(i+j), false, policy, "u1", "t1", object, "GET", "r2 x")
			f.Add(matcher, uint8(i+j), false, policy, "u1", "t1", object, "PUT", "")
			f.Add(matcher, uint8(i+j), false, policy, "u2", "t1", object, "GET", "r1")
		}
	}
	f.Add("g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && "+anyAct, uint8(1), true, tenants, "u1", "t1", "/a/b", "GET", "r2")
	f.Add("g(r.sub, p.sub, p.dom) && (r.dom == p.dom || p.dom == \"t2\") && keyMatch(r.obj, p.obj)", uint8(2), true, tenants, "u1", "t2", "/a/b", "PUT", "")
	f.Fuzz(func(t *testing.T, matcher string, effect uint8, tenants bool, policy, subject, tenant, object, action, roles string) {
		q := engine.Request{Subject: subject, Tenant: tenant, Object: object, Action: action, Roles: strings.Fields(roles)}
		if !askable(&q) || len(matcher)+len(policy) > 4096 || strings.ContainsAny(matcher, "\r\n\\#") {
			return
		}
		d := fuzzModel(matcher, effect, tenants, policy)
		if d == nil {
			return
		}
		e, _, err := engine.New(d.Schema, d.Rules, d.Graphs, &model.Settings{Casbin: casbinv2.Casbin})
		if err != nil {
			t.Fatalf("no engine: %v", err)
		}
		got, err := e.Decide(&q)
		allowed, rule, wantErr := d.enforce(t, &q)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%+v: error %v, casbin says %v", q, err, wantErr)
		}
		if err != nil {
			return
		}
		var named []string
		if got.Rules != nil {
			named = got.Rule().Fields()
		}
		if got.Allowed != allowed || !slices.Equal(named, rule) {
			t.Fatalf("%+v: got %v by %q, casbin says %v by %q\n%s\n%s", q, got.Allowed, named, allowed, rule, d.Schema.File.Name, policy)
		}
	})
}

// askable excludes requests that no guard lets through, and names that Casbin's own stores
// confuse with others.
func askable(q *engine.Request) bool {
	for _, name := range append([]string{q.Subject, q.Tenant}, q.Roles...) {
		if name == "" || strings.ContainsAny(name, "\x00,") {
			return false
		}
	}
	return q.Object != "" && q.Action != "" && len(q.Roles) < 5
}

// fuzzed is a valid model and policy.
type fuzzed struct {
	*load.Reading
	text string
}

func fuzzModel(matcher string, effect uint8, tenants bool, policy string) *fuzzed {
	request, fields, g := plainRequest, "sub, obj, act, eft", "g = _, _"
	if tenants {
		request, fields, g = tenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _"
	}
	effects := []string{someAllow, allowAndDeny, firstMatch}
	text := modelText(request, fields, g, effects[int(effect)%len(effects)], matcher)
	r, err := load.Read(&source.Contents{Model: ModelText("model.conf", text).of, Policies: []watch.File{{Name: "policy.csv", Content: []byte(policy)}}}, &model.Settings{Casbin: casbinv2.Casbin})
	if err != nil || model.Refused(r.Schema.File.Findings) || model.Refused(r.Findings) || r.Rules.Len() > 50 {
		return nil
	}
	return &fuzzed{r, text}
}

// ruleAdapter gives rules to Casbin in their order.
type ruleAdapter struct {
	persist.Adapter
	rules policy.Rules
}

func (a ruleAdapter) LoadPolicy(m casbinmodel.Model) error {
	for _, r := range a.rules.All() {
		if err := persist.LoadPolicyArray(r.Values(), m); err != nil {
			return err
		}
	}
	return nil
}

// enforce asks an enforcer that has nothing from this package.
func (d *fuzzed) enforce(t *testing.T, q *engine.Request) (allowed bool, rule []string, err error) {
	t.Helper()
	m, err := casbinmodel.NewModelFromString(d.text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, ruleAdapter{rules: d.Rules})
	if err != nil {
		t.Fatal(err)
	}
	e.EnableAutoSave(false)
	for _, role := range q.Roles {
		link := []any{q.Subject, role, q.Tenant}[:d.Schema.Roles["g"]]
		if _, err := e.AddGroupingPolicy(link...); err != nil {
			t.Fatal(err)
		}
	}
	return e.EnforceEx(q.Values(d.Schema)...)
}
