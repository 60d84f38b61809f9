package casbinrules

import (
	"context"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func explained(t testing.TB, a *Authorizer, p *core.Principal, access core.Access, opts ...ExplainOption) Explanation {
	t.Helper()
	e, err := a.Explain(context.Background(), p, access, opts...)
	if err != nil {
		t.Fatalf("Explain: %v", err)
	}
	return e
}

// explanation is a request and the expected explanation of its answer.
type explanation struct {
	name   string
	a      *Authorizer
	who    *core.Principal
	access core.Access
	want   string
}

func TestExplanationsAreReadable(t *testing.T) {
	for _, c := range slices.Concat(explanations(t), oddExplanations(t)) {
		t.Run(c.name, func(t *testing.T) {
			if got := explained(t, c.a, c.who, c.access).String(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func explanations(t *testing.T) []explanation {
	withDeny := open(t, RBACWithDeny(), reports+"g, author, editor\ng, dora, author\n")
	tenants := open(t, RBACWithTenants(), "p, editor, t1, /x, GET\np, editor, t2, /x, GET\np, editor, t2, /y, PUT\ng, erin, editor, t2\n")
	return []explanation{
		{"allowed", withDeny, who(t, "erin"), to("POST", "/reports"),
			`erin may POST /reports: policy.csv:4 allows it
  rule: policy.csv:4: p, editor, /reports, POST, allow
  roles: erin → editor (policy.csv:16)`},
		{"two links", withDeny, who(t, "dora"), to("POST", "/reports"),
			`dora may POST /reports: policy.csv:4 allows it
  rule: policy.csv:4: p, editor, /reports, POST, allow
  roles: dora → author (policy.csv:19) → editor (policy.csv:18)`},
		{"role of the credentials", withDeny, who(t, "t-1", "author"), to("POST", "/reports"),
			`t-1 (author) may POST /reports: policy.csv:4 allows it
  rule: policy.csv:4: p, editor, /reports, POST, allow
  roles: t-1 → author (from the credentials) → editor (policy.csv:18)`},
		{"denied by rule", withDeny, who(t, "erin"), to("GET", "/files/secret/a"),
			`erin may not GET /files/secret/a: policy.csv:11 denies it
  rule: policy.csv:11: p, editor, /files/secret/*, *, deny
  roles: erin → editor (policy.csv:16)
  overrides: policy.csv:6: p, editor, /files/*, GET, allow`},
		{"other action", withDeny, who(t, "erin"), to("PATCH", "/reports/7"),
			`erin may not PATCH /reports/7: no rule allows it
  near: erin has PUT on /reports/:id at policy.csv:5, not PATCH
  near: the role admin has * on /* at policy.csv:2, which erin does not have`},
		{"other object", withDeny, who(t, "victor"), to("GET", "/reports/7"),
			`victor may not GET /reports/7: no rule allows it
  near: victor has GET on /reports at policy.csv:7, not on /reports/7
  near: the role admin has * on /* at policy.csv:2, which victor does not have`},
		{"stranger", withDeny, who(t, "mallory"), to("GET", "/reports"),
			`mallory may not GET /reports: no rule allows it
  near: the role editor has GET on /reports at policy.csv:3, which mallory does not have
  near: the role viewer has GET on /reports at policy.csv:7, which mallory does not have
  near: the role admin has * on /* at policy.csv:2, which mallory does not have`},
		{"name of a role", withDeny, who(t, "editor"), to("GET", "/reports"),
			`editor may not GET /reports: no rule allows it; "editor" is the name of a role, and a user with that ID does not have the permissions of the role
  near: the role editor has GET on /reports at policy.csv:3, not a user by that name
  near: the role viewer has GET on /reports at policy.csv:7, which editor does not have
  near: the role admin has * on /* at policy.csv:2, which editor does not have`},
		{"HEAD", withDeny, who(t, "victor"), to("HEAD", "/reports"),
			`victor may GET /reports: policy.csv:7 allows it
  rule: policy.csv:7: p, viewer, /reports, GET, allow
  roles: victor → viewer (policy.csv:17)
  note: HEAD is treated as GET, since no rule names HEAD`},
		{"other tenant", tenants, tenantOf(t, "t1", "erin"), to("GET", "/x"),
			`erin in tenant t1 may not GET /x: no rule allows it
  near: the role editor has GET on /x at policy.csv:1, which erin does not have
  near: erin has GET on /x in tenant t2 at policy.csv:2, not in t1`},
		{"no tenant", tenants, who(t, "erin"), to("GET", "/x"),
			`erin may not GET /x: the model has tenants, and the credentials name none
  near: erin has GET on /x in tenant t2 at policy.csv:2, and the credentials name no tenant`},
		{"tenant", tenants, tenantOf(t, "t2", "erin"), to("PUT", "/y"),
			`erin in tenant t2 may PUT /y: policy.csv:3 allows it
  rule: policy.csv:3: p, editor, t2, /y, PUT
  roles: erin → editor (policy.csv:4)`},
		{"anonymous", withDeny, nil, to("GET", "/reports"),
			`anonymous may not GET /reports: there are no credentials, and the policy is not asked about such requests (see WithAnonymous, --allow-anonymous, anonymous: true)`},
	}
}

// oddExplanations are about unusual models and requests.
func oddExplanations(t *testing.T) []explanation {
	unusual := open(t, RBAC(), "p, admin, /*, *\np, bot, /dav/*, PROPFIND\ng, alice, admin\n")
	objects := open(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", someAllow, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act")),
		"p, editor, docs, GET\ng, erin, editor\ng2, /a, papers\ng2, papers, docs\ng2, erin, papers\n")
	root := open(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, `r.sub == "root" || g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act`)),
		"p, editor, /a, GET\n")
	either := open(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, `r.sub == p.sub && r.obj == p.obj && r.act == p.act || g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == "GET"`)),
		"p, editor, /a, GET\n")
	twoWays := open(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow,
		`p.sub != "any" && g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act || r.obj == p.obj && p.sub == "any" && r.act == p.act && r.sub != "bot"`)),
		"p, any, /a, GET\np, editor, /b, GET\n")
	anyAction := open(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow,
		`g(r.sub, p.sub) && r.obj == p.obj && (r.act == p.act || p.act == "*") || r.obj == p.obj && p.sub == "any" && r.act == p.act`)),
		"p, editor, /a, *\ng, erin, editor\n")
	conditions := open(t, ModelText("m.conf", modelText("sub, tenant, obj, act", "sub, team, obj, act", "g = _, _, _", someAllow,
		`g(r.sub, p.sub, r.tenant) && r.tenant == p.team && keyMatch(r.obj, p.obj) && r.act == p.act && g(r.sub, "staff", r.tenant) && r.obj != "/x/secret"`)),
		"p, editor, t1, /x/*, GET\ng, erin, editor, t1\ng, erin, staff, t1\ng, temp, editor, t1\n")
	everybody := open(t, RBAC(), "p, anonymous, /x, GET\n", WithAnonymous())
	byRule := open(t, ModelText("m.conf", modelText(tenantsRequest, "sub, dom, obj, act", "g = _, _, _", someAllow, "g(r.sub, p.sub, p.dom) && r.obj == p.obj && r.act == p.act")),
		"p, editor, t2, /a, GET\ng, erin, author, t2\ng, author, editor, t2\n")
	regions := open(t, ModelText("m.conf", modelText("sub, region, obj, act", "sub, region, obj, act", "g = _, _, _", someAllow, "g(r.sub, p.sub, r.region) && r.region == p.region && r.obj == p.obj && r.act == p.act")),
		"p, editor, eu, /a, GET\ng, erin, editor, us\ng, erin, editor, eu\n", WithAttribute("region", func(*core.Principal, core.Access) (string, error) { return "eu", nil }))
	denied := open(t, RBACWithDeny(), "p, editor, /a, *, allow\np, banned, /a, *, deny\ng, ann, editor\n")
	asCasbin := open(t, RBACWithDeny(), "p, ann, /*, *, allow\np, ann, /dav/*, *, deny\n", WithCasbinSemantics())
	twice := open(t, RBACWithTenants(), "p, editor, t2, /x, GET\np, viewer, t1, /x, GET\np, viewer, t1, /*, GET\ng, erin, editor, t1\n")
	standard := open(t, RBAC(), "p, everybody, /a, GET\np, editor, /b, GET\ng, staff, everybody\n", WithDefaultRole("staff"))
	whatever := open(t, ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, `r.sub == "root" || g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act`)), "g, erin, editor\n", WithEmptyPolicy())
	tenantFirst := open(t, ModelText("m.conf", modelText("dom, sub, obj, act", "sub, dom, obj, act", "g = _, _, _", someAllow, "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act")),
		"p, editor, t1, /x, GET\ng, ann, editor, t1\n")
	return []explanation{
		{"the default role", standard, who(t, "ann", "guest"), to("GET", "/a"),
			`ann (guest) may GET /a: policy.csv:1 allows it
  rule: policy.csv:1: p, everybody, /a, GET
  roles: ann → staff (the default role) → everybody (policy.csv:3)`},
		{"the default role, in the credentials", standard, who(t, "ann", "staff"), to("GET", "/a"),
			`ann (staff) may GET /a: policy.csv:1 allows it
  rule: policy.csv:1: p, everybody, /a, GET
  roles: ann → staff (from the credentials) → everybody (policy.csv:3)`},
		{"no default role without credentials", standard, nil, to("GET", "/a"),
			`anonymous may not GET /a: there are no credentials, and the policy is not asked about such requests (see WithAnonymous, --allow-anonymous, anonymous: true)`},
		{"whatever the rules say", whatever, who(t, "root"), to("GET", "/a"),
			`root may GET /a: the matcher allows it whatever the rules say`},
		{"blanks around a name", standard, who(t, "ann "), to("GET", "/c"),
			`"ann " may not GET /c: no rule allows it
  near: "ann " has GET on /a at policy.csv:1, not on /c`},
		{"the tenant in front", tenantFirst, tenantOf(t, "t1", "erin"), to("GET", "/x"),
			`erin in tenant t1 may not GET /x: no rule allows it
  near: the role editor has GET on /x at policy.csv:1, which erin does not have`},
		{"an unusual method with Casbin's semantics", asCasbin, who(t, "ann"), to("PROPFIND", "/dav/x"),
			`ann may not PROPFIND /dav/x: policy.csv:2 denies it
  rule: policy.csv:2: p, ann, /dav/*, *, deny
  overrides: policy.csv:1: p, ann, /*, *, allow`},
		{"a role only in another tenant, and two rules of one role", twice, tenantOf(t, "t1", "erin"), to("GET", "/x"),
			`erin in tenant t1 may not GET /x: no rule allows it
  near: viewer has GET on /x at policy.csv:2, not erin`},
		{"tenant of the rule", byRule, tenantOf(t, "t1", "erin", "editor"), to("GET", "/a"),
			`erin (editor) in tenant t1 may GET /a: policy.csv:1 allows it
  rule: policy.csv:1: p, editor, t2, /a, GET
  roles: erin → author (policy.csv:2) → editor (policy.csv:3)`},
		{"tenant of an attribute", regions, who(t, "erin"), to("GET", "/a"),
			`erin may GET /a: policy.csv:1 allows it
  rule: policy.csv:1: p, editor, eu, /a, GET
  roles: erin → editor (policy.csv:3)`},
		{"object called like the subject", objects, who(t, "erin", "docs"), to("GET", "erin"),
			`erin (docs) may GET erin: policy.csv:1 allows it
  rule: policy.csv:1: p, editor, docs, GET
  roles: erin → editor (policy.csv:2)
  object: erin → papers (policy.csv:5) → docs (policy.csv:4)`},
		{"name of a role with roles", denied, who(t, "editor", "banned"), to("GET", "/a"),
			`editor (banned) may not GET /a: policy.csv:2 denies it
  rule: policy.csv:2: p, banned, /a, *, deny
  roles: editor → banned (from the credentials)`},
		{"unknown method", unusual, who(t, "alice"), to("TRACE", "/x"),
			`alice may not TRACE /x: no rule names the method TRACE, and "*" stands only for GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS
  near: alice has * on /* at policy.csv:1, which does not cover TRACE`},
		{"method of others", unusual, who(t, "alice"), to("PROPFIND", "/dav/x"),
			`alice may not PROPFIND /dav/x: no rule allows it
  near: alice has * on /* at policy.csv:1, which does not cover PROPFIND
  near: bot has PROPFIND on /dav/* at policy.csv:2, not alice`},
		{"object roles", objects, who(t, "erin"), to("GET", "/a"),
			`erin may GET /a: policy.csv:1 allows it
  rule: policy.csv:1: p, editor, docs, GET
  roles: erin → editor (policy.csv:2)
  object: /a → papers (policy.csv:3) → docs (policy.csv:4)`},
		{"a superuser", root, who(t, "erin"), to("GET", "/a"),
			`erin may not GET /a: no rule allows it
  near: editor has GET on /a at policy.csv:1, not erin`},
		{"alternatives that share the object", twoWays, who(t, "bot"), to("GET", "/a"),
			`bot may not GET /a: no rule allows it
  near: any has GET on /a at policy.csv:1, not bot`},
		{"an alternative within one", anyAction, who(t, "ann"), to("GET", "/a"),
			`ann may not GET /a: no rule allows it
  near: policy.csv:1 matches but for the condition g(r.sub, p.sub) && (r.act == p.act || p.act == "*") || p.sub == "any" && r.act == p.act`},
		{"an object beside alternatives", anyAction, who(t, "erin"), to("GET", "/b"),
			`erin may not GET /b: no rule allows it
  near: policy.csv:1 matches but for the condition r.obj == p.obj`},
		{"no condition that all share", either, who(t, "erin"), to("GET", "/a"),
			`erin may not GET /a: no rule allows it
  note: near misses are not available: the alternatives of the matcher share no condition`},
		{"roles by literal", conditions, tenantOf(t, "t1", "erin"), to("GET", "/x/a"),
			`erin in tenant t1 may GET /x/a: policy.csv:1 allows it
  rule: policy.csv:1: p, editor, t1, /x/*, GET
  roles: erin → editor (policy.csv:2)`},
		{"another condition", conditions, tenantOf(t, "t1", "temp"), to("GET", "/x/a"),
			`temp in tenant t1 may not GET /x/a: no rule allows it
  near: policy.csv:1 matches but for the condition g(r.sub, "staff", r.tenant)`},
		{"a condition without the policy", conditions, tenantOf(t, "t1", "erin"), to("GET", "/x/secret"),
			`erin in tenant t1 may not GET /x/secret: no rule allows it
  near: policy.csv:1 matches but for the condition r.obj != "/x/secret"`},
		{"anonymous rule", everybody, nil, to("GET", "/x"),
			`anonymous may GET /x: policy.csv:1 allows it
  rule: policy.csv:1: p, anonymous, /x, GET`},
		{"called anonymous", everybody, who(t, "anonymous"), to("GET", "/x"),
			`anonymous may not GET /x: no rule allows it; "anonymous" stands for requests without credentials, and grants nothing to a user with that ID
  near: requests without credentials have GET on /x at policy.csv:1, not a user called anonymous`},
		{"no object", everybody, who(t, "u"), to("GET", ""),
			`u may not GET (no object): there is nothing to compare with the policy: the request has no object, or matched no route`},
		{"letter case", everybody, nil, to("GET", "/X"),
			`anonymous may not GET /X: no rule allows it
  near: anonymous has GET on /x at policy.csv:1, not on /X`},
	}
}
