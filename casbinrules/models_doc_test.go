package casbinrules

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
)

// kind is a kind of model in docs/models.md: its matcher, and how the rest of it differs
// from roles with exact objects.
type kind struct {
	name, matcher       string
	request, fields     string
	roles, effect, line string
	opts                []Option
}

// kinds are Casbin's family of models, in the order of the document.
func kinds() []kind {
	const (
		rbac   = "g(r.sub, p.sub) && "
		exact  = "r.obj == p.obj && r.act == p.act"
		act    = "r.act == p.act"
		eft    = "sub, obj, act, eft"
		region = "sub, obj, act, region"
		denied = "p, ann, /a, GET, deny"
	)
	pattern := func(function, object string) kind {
		return kind{name: "`" + function + "`", matcher: rbac + function + "(r.obj, p.obj) && " + act, line: "p, ann, " + object + ", GET"}
	}
	claim := WithClaimAttribute("region", "region")
	onCall := WithLinkCondition("g", func(context.Context, ...string) (bool, error) { return true, nil })
	return []kind{
		{name: "ACL", matcher: "r.sub == p.sub && " + exact, roles: "-"},
		{name: "ACL with a superuser", matcher: "r.sub == p.sub && " + exact + ` || r.sub == "root"`, roles: "-"},
		{name: "ACL without users", matcher: exact, fields: "obj, act", line: "p, /a, GET", roles: "-"},
		{name: "ACL without resources", matcher: "r.sub == p.sub && " + act, fields: "sub, act", line: "p, ann, GET", roles: "-"},
		{name: "RBAC", matcher: rbac + exact},
		{name: "RBAC with a star", matcher: rbac + `keyMatch2(r.obj, p.obj) && (p.act == "*" || r.act == p.act)`},
		{name: "RBAC with tenants", matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && " + exact,
			request: tenantsRequest, fields: "sub, dom, obj, act", roles: "g = _, _, _", line: "p, ann, acme, /a, GET"},
		{name: "RBAC with resource roles", matcher: rbac + "g2(r.obj, p.obj) && " + act, roles: "g = _, _\ng2 = _, _"},
		{name: "RBAC with patterns in role links", matcher: rbac + exact, line: "p, ann, /a, GET\ng, team-*, ann", opts: []Option{WithRolePatterns("g", "keyMatch")}},
		{name: "RBAC with tenants, and patterns in role links", matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && " + exact,
			request: tenantsRequest, fields: "sub, dom, obj, act", roles: "g = _, _, _", line: "p, ann, acme, /a, GET\ng, team-*, ann, *", opts: []Option{WithTenantPatterns("g"), WithRolePatterns("g", "globMatch")}},
		{name: "RBAC with tenant patterns", matcher: "g(r.sub, p.sub, r.dom) && keyMatch(r.dom, p.dom) && " + exact,
			request: tenantsRequest, fields: "sub, dom, obj, act", roles: "g = _, _, _", line: "p, ann, eu-*, /a, GET"},
		{name: "RBAC with resource roles, and patterns in them", matcher: rbac + "g2(r.obj, p.obj) && " + act, roles: "g = _, _\ng2 = _, _", opts: []Option{WithRolePatterns("g2", "keyMatch2")}},
		{name: "RBAC with roles that end", matcher: rbac + exact, roles: "g = _, _, (_, _)", line: "p, ann, /a, GET\ng, bob, ann, _, 2999-12-31 00:00:00"},
		{name: "RBAC with tenants, and roles that end", matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && " + exact,
			request: tenantsRequest, fields: "sub, dom, obj, act", roles: "g = _, _, _, (_, _)", line: "p, ann, acme, /a, GET\ng, bob, ann, acme, _, 2999-12-31 00:00:00"},
		{name: "RBAC with roles that count under a condition", matcher: rbac + exact, roles: "g = _, _, (_)", line: "p, ann, /a, GET\ng, bob, ann, on-call", opts: []Option{onCall}},
		{name: "deny override", matcher: rbac + exact, effect: allowAndDeny, fields: eft, line: denied},
		{name: "allow unless denied", matcher: rbac + exact, effect: "!some(where (p.eft == deny))", fields: eft, line: denied},
		{name: "priority", matcher: rbac + exact, effect: firstMatch, fields: "priority, " + eft, line: "p, 1, ann, /a, GET, deny"},
		{name: "priority by order", matcher: rbac + exact, effect: firstMatch, fields: eft, line: denied},
		{name: "subject priority", matcher: rbac + exact, effect: subjectFirst, fields: eft, line: denied, opts: []Option{WithoutTokenRoles()}},
		{name: "ABAC, equal attributes", matcher: rbac + exact + " && r.region == p.region", request: region, fields: region, line: "p, ann, /a, GET, eu", opts: []Option{claim}},
		{name: "ABAC, owner of the object", matcher: `p.sub != "owner" && ` + rbac + exact + ` || p.sub == "owner" && r.sub == r.owner && ` + exact, request: "sub, obj, act, owner", opts: []Option{WithObjectAttribute("owner")}},
		{name: "ABAC, numbers in order", matcher: rbac + exact + " && r.age >= p.age", request: "sub, obj, act, age", fields: "sub, obj, act, age", line: "p, ann, /a, GET, 18", opts: []Option{WithClaimAttribute("age", "age"), WithAttributeType("age", Number)}},
		{name: "ABAC, lists", matcher: rbac + exact + ` && r.region in ("eu", "us")`, request: region, opts: []Option{claim}},
		{name: "ABAC, rules that are expressions", matcher: "eval(p.rule) && " + exact, fields: "rule, obj, act", line: "p, sub_rule, /a, GET", roles: "-"},
		pattern("keyMatch", "/a/*"),
		pattern("keyMatch2", "/a/:id"),
		pattern("keyMatch3", "/a/{id}"),
		pattern("keyMatch4", "/a/{id}"),
		pattern("keyMatch5", "/a/{id}"),
		pattern("globMatch", "/a/**"),
		{name: "`globMatch` with alternatives", matcher: rbac + "globMatch(r.obj, p.obj) && " + act, line: `p, ann, "/a/{b,c}", GET`},
		pattern("regexMatch", "^/a/[0-9]+$"),
		{name: "`ipMatch`", matcher: rbac + exact + " && ipMatch(r.region, p.region)", request: region, fields: region, line: "p, ann, /a, GET, 10.0.0.0/8", opts: []Option{claim}},
		{name: "`ipMatch` of an attribute declared as `IPAddress`", matcher: rbac + exact + " && ipMatch(r.region, p.region)", request: region, fields: region, line: "p, ann, /a, GET, 10.0.0.0/8", opts: []Option{claim, WithAttributeType("region", IPAddress)}},
		{name: "`keyGet2` and its like", matcher: rbac + `keyGet2(r.obj, p.obj, "id") != "" && ` + act},
		{name: "a function of the application", matcher: rbac + "within(r.obj, p.obj) && " + act, opts: []Option{WithFunction("within", policygen.Within)}},
		{name: "any, with `WithCasbinSemantics`", matcher: rbac + exact, opts: []Option{WithCasbinSemantics()}},
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// open opens a model of the kind with a rule for /a or below.
func (k kind) open() (*Authorizer, error) {
	text := modelText(or(k.request, plainRequest), or(k.fields, "sub, obj, act"), strings.TrimPrefix(or(k.roles, "g = _, _"), "-"), or(k.effect, someAllow), k.matcher)
	opts := append([]Option{quiet}, k.opts...)
	return OpenFS(files("policy.csv", or(k.line, "p, ann, /a, GET")+"\n"), ModelText("model.conf", text), []string{"policy.csv"}, opts...)
}

// row returns the kind's row in the document.
func (k kind) row() string {
	decided := "the index"
	switch a, err := k.open(); {
	case err != nil:
		decided = "refused when it is opened"
	case a.Status().Engine == EngineCasbin:
		decided = "Casbin: " + a.Status().Unindexed
	}
	return "| " + k.name + " | `" + strings.ReplaceAll(k.matcher, "|", `\|`) + "` | " + decided + " |"
}

// TestModelsAreDecidedAsDocumented compares each row of the table in docs/models.md with
// what decides in a policy of the kind.
func TestModelsAreDecidedAsDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, k := range kinds() {
		want = append(want, k.row())
	}
	if table := strings.Join(want, "\n"); !strings.Contains(string(data), "\n|---|---|---|\n"+table+"\n\n") {
		t.Errorf("docs/models.md should have this table:\n%s", table)
	}
}

// TestExplainNamesTheEngine: an explanation says which engine decided.
func TestExplainNamesTheEngine(t *testing.T) {
	byName := map[string]kind{}
	for _, k := range kinds() {
		byName[k.name] = k
	}
	for _, tc := range []struct {
		kind, object string
		tenant       string
		engine       Engine
		why          string // in Unindexed
	}{
		{"RBAC", "/a", "", EngineIndex, ""},
		{"RBAC with a star", "/a", "", EngineIndex, ""},
		{"RBAC with a star", "/a\n", "", EngineCasbin, "treats specially"},
		{"subject priority", "/a", "", EngineCasbin, "depth of roles"},
		{"a function of the application", "/a", "", EngineCasbin, "the function within"},
		{"RBAC with tenants", "/a", "acme", EngineIndex, ""},
		{"RBAC with tenants", "/a", "", "", ""}, // neither is asked without a tenant
	} {
		t.Run(tc.kind+tc.object, func(t *testing.T) {
			a, err := byName[tc.kind].open()
			if err != nil {
				t.Fatal(err)
			}
			p, err := core.NewPrincipal(core.PrincipalInfo{ID: "ann", Tenant: tc.tenant})
			if err != nil {
				t.Fatal(err)
			}
			e, err := a.Explain(t.Context(), p, to("GET", tc.object))
			if err != nil || e.Engine != tc.engine || (e.Unindexed == "") != (tc.why == "") || !strings.Contains(e.Unindexed, tc.why) {
				t.Errorf("engine %q, %q, error %v", e.Engine, e.Unindexed, err)
			}
		})
	}
}
