package casbinrules

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"

	"github.com/sallyport-go/sallyport/core"
)

// family is a kind of model with what random policies for it are made of.
type family struct {
	name string
	text string
	// p are the fields of a p line: "sub", "dom", "obj", "act", "eft",
	// "priority".
	p []string
	// g is the number of fields of a g line, 0 for none; g2 says that there
	// are resource roles.
	g          int
	g2         bool
	objects    []string
	actions    []string
	tokenRoles bool
	// region says that requests end in an attribute of that name.
	region bool
	// typed are further attributes, and fields of the policy, that have a type;
	// oracle is the model with which Casbin compares the same, and options are
	// those of the authorizer.
	typed   []typedField
	casbins string
	options []Option
	// names are those of users and roles, tenants those of tenants, where they
	// are not the usual ones.
	names, tenants []string
}

const (
	someAllow      = "some(where (p.eft == allow))"
	allowAndDeny   = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
	firstMatch     = "priority(p.eft) || deny"
	subjectFirst   = "subjectPriority(p.eft) || deny"
	anyAct         = `(p.act == "*" || r.act == p.act)`
	plainRequest   = "sub, obj, act"
	tenantsRequest = "sub, dom, obj, act"
)

func modelText(r, p, g, e, m string) string {
	text := "[request_definition]\nr = " + r + "\n[policy_definition]\np = " + p + "\n"
	if g != "" {
		text += "[role_definition]\n" + g + "\n"
	}
	return text + "[policy_effect]\ne = " + e + "\n[matchers]\nm = " + m + "\n"
}

var (
	plainObjects = []string{"/a", "/b", "/a/1", "/b/2/c"}
	paths2       = []string{"/*", "/a", "/a/:id", "/b/*", "/:x/2/c", "/a.1"}
	paths3       = []string{"/*", "/a", "/a/{id}", "/b/*", "/{x}/2/c"}
	paths4       = []string{"/*", "/a/{x}", "/{x}/{x}", "/{x}/{y}"}
	globs        = []string{"/**", "/a", "/a/*", "/b/*/c", "/[ab]", "/a/**", "/**/c", "/b/**/c", "/*/[!2-9]", "/?", "/b/2/*", "*", "**", "/a*/1", "/b/", "/b*/**"}
	regexps      = []string{"^/a", "/[ab]$", ".", `^/a/\d+$`}
	plainActs    = []string{"GET", "POST", "DELETE"}
	starActs     = []string{"GET", "POST", "*"}
	regexpActs   = []string{"^(GET|POST)$", "GET", ".*", "POST|DELETE"}
)

func families() []family {
	rbac := func(object string) string { return "g(r.sub, p.sub) && " + object + " && " + anyAct }
	soa := []string{"sub", "obj", "act"}
	soae := append(slices.Clone(soa), "eft")
	all := []family{
		{name: "ACL", text: modelText(plainRequest, "sub, obj, act", "", someAllow, "r.sub == p.sub && r.obj == p.obj && r.act == p.act"),
			p: soa, objects: plainObjects, actions: plainActs},
		{name: "ACL with root", text: modelText(plainRequest, "sub, obj, act", "", someAllow, `r.sub == p.sub && r.obj == p.obj && r.act == p.act || r.sub == "root"`),
			p: soa, objects: plainObjects, actions: plainActs},
		{name: "RBAC", text: RBAC().Text(), p: soa, g: 2, objects: paths2, actions: starActs},
		{name: "RBAC with root", text: modelText(plainRequest, "sub, obj, act", "g = _, _", allowAndDeny, rbac("keyMatch(r.obj, p.obj)")+` || r.sub == 'root'`),
			p: soa, g: 2, objects: paths2, actions: starActs},
		{name: "RBAC with direct and denied role", text: modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny, `(r.sub == p.sub || g(r.sub, p.sub)) && !g (r.sub, "r3") && r.obj == p.obj && r.act == p.act`),
			p: soae, g: 2, objects: plainObjects, actions: plainActs},
		{name: "deny", text: RBACWithDeny().Text(), p: soae, g: 2, objects: paths2, actions: starActs},
		{name: "tenants", text: RBACWithTenants().Text(), p: []string{"sub", "dom", "obj", "act"}, g: 3, objects: paths2, actions: starActs},
		{name: "tenants of the rule", text: modelText(tenantsRequest, "sub, dom, obj, act, eft", "g = _, _, _", allowAndDeny, `g(r.sub, p.sub, p.dom) && (r.dom == p.dom || p.dom == "t2") && r.obj == p.obj && r.act == p.act`),
			p: []string{"sub", "dom", "obj", "act", "eft"}, g: 3, objects: plainObjects, actions: plainActs},
		{name: "priority by order", text: modelText(plainRequest, "sub, obj, act, eft", "g = _, _", firstMatch, rbac("keyMatch2(r.obj, p.obj)")),
			p: soae, g: 2, objects: paths2, actions: starActs},
		{name: "priority by field", text: modelText("act, obj, sub", "priority, sub, obj, act, eft", "g = _, _", firstMatch, rbac("keyMatch2(r.obj, p.obj)")),
			p: append([]string{"priority"}, soae...), g: 2, objects: paths2, actions: starActs},
		{name: "resource roles", text: modelText(plainRequest, "sub, obj, act", "g = _, _\ng2 = _, _", someAllow, "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"),
			p: soa, g: 2, g2: true, objects: []string{"/a", "/b", "group1", "group2"}, actions: plainActs},
		{name: "regexp actions", text: modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && regexMatch(r.act, p.act)"),
			p: soa, g: 2, objects: regexps, actions: regexpActs},
	}
	for i, objects := range [][]string{paths2, paths2, paths3, paths4, paths3, globs} {
		fn := []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch"}[i]
		all = append(all, family{name: fn, text: modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny, rbac(fn+"(r.obj, p.obj)")),
			p: soae, g: 2, objects: objects, actions: starActs})
	}
	for i := range all {
		all[i].tokenRoles = true
	}
	return append(all, family{name: "subject priority", text: modelText(plainRequest, "sub, obj, act, eft", "g = _, _", subjectFirst, rbac("keyMatch2(r.obj, p.obj)")),
		p: soae, g: 2, objects: paths2, actions: starActs})
}

// wideFamilies are those with attributes and functions of the application, and
// what else a matcher can say.
func wideFamilies() []family {
	soa := []string{"sub", "obj", "act"}
	soar, soaer := append(slices.Clone(soa), "region"), append(slices.Clone(soa), "eft", "region")
	const request = "sub, obj, act, region"
	return []family{
		{name: "attribute", text: modelText(request, "sub, obj, act, region", "g = _, _", someAllow, "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && "+anyAct+" && r.region == p.region"),
			p: soar, g: 2, objects: paths2, actions: starActs, tokenRoles: true, region: true},
		{name: "attribute in a condition", text: modelText(request, "sub, obj, act, eft, region", "g = _, _", allowAndDeny, `g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && `+anyAct+` && (r.region == p.region || p.region == "us" && r.region != "" && !g(r.sub, "r3"))`),
			p: soaer, g: 2, objects: paths2, actions: starActs, tokenRoles: true, region: true},
		{name: "attribute in a list", text: modelText(request, "sub, obj, act, eft, region", "g = _, _", firstMatch, `g(r.sub, p.sub) && r.obj == p.obj && `+anyAct+` && r.region in (p.region, "us") && r.region != "x"`),
			p: soaer, g: 2, objects: plainObjects, actions: starActs, tokenRoles: true, region: true},
		{name: "attribute as a pattern", text: modelText(request, "sub, obj, act, region", "", someAllow, `r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act && regexMatch(r.region, p.region)`),
			p: soar, objects: paths2, actions: plainActs, tokenRoles: true, region: true},
		{name: "function", text: modelText(plainRequest, "sub, obj, act", "g = _, _", someAllow, "g(r.sub, p.sub) && within(r.obj, p.obj) && "+anyAct),
			p: soa, g: 2, objects: plainObjects, actions: starActs, tokenRoles: true},
		{name: "function with deny", text: modelText(plainRequest, "sub, obj, act, eft", "g = _, _", allowAndDeny, "g(r.sub, p.sub) && (within(r.obj, p.obj) || !within(p.obj, r.obj)) && "+anyAct),
			p: append(slices.Clone(soa), "eft"), g: 2, objects: plainObjects, actions: starActs, tokenRoles: true},
	}
}

func pick(rnd *rand.Rand, from []string) string { return from[rnd.IntN(len(from))] }

// policy is random lines for the family. Role links only go from lower to
// higher numbers, so that there is no circle.
func (f family) policy(rnd *rand.Rand) []string {
	names := append([]string{"u0", "u1", "u2", "r0", "r1", "r2", "r3", "r4", "root"}, f.names...)
	var lines []string
	for range 1 + rnd.IntN(12) {
		line := "p"
		for _, field := range f.p {
			if rules := f.rulesOf(field); rules != nil {
				line += ", " + pick(rnd, rules)
				continue
			}
			line += ", " + map[string]string{
				"sub": pick(rnd, names), "dom": pick(rnd, append([]string{"t1", "t2"}, f.tenants...)),
				"obj": pick(rnd, f.objects), "act": pick(rnd, f.actions),
				"eft": pick(rnd, []string{"allow", "allow", "deny"}), "priority": strconv.Itoa(rnd.IntN(4)),
				"region": pick(rnd, []string{"eu", "us"}),
			}[field]
		}
		lines = append(lines, line)
	}
	if f.g > 0 {
		lines = append(lines, f.links(rnd)...)
	}
	if f.g2 {
		lines = append(lines, "g2, /a, group1", "g2, /b/2/c, group2", "g2, group1, group2")
	}
	rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return lines
}

func (f family) links(rnd *rand.Rand) []string {
	var lines []string
	link := func(from, to string) {
		line := "g, " + from + ", " + to
		if f.g == 3 {
			line += ", " + pick(rnd, append([]string{"t1", "t2"}, f.tenants...))
		}
		lines = append(lines, line)
	}
	for i := range f.names {
		// From earlier to later names alone, so that there is no circle.
		link(pick(rnd, append([]string{"u0", "u1"}, f.names[:i]...)), f.names[i])
	}
	// A subject-priority model sorts by the depth of roles, which Casbin finds
	// in map order: only a tree has one answer.
	tree := f.name == "subject priority"
	for i := range 5 {
		if tree {
			link("r"+strconv.Itoa(i), "r"+strconv.Itoa(i+1))
			continue
		}
		for range rnd.IntN(3) {
			link("r"+strconv.Itoa(i), "r"+strconv.Itoa(i+1+rnd.IntN(4)))
		}
	}
	for _, user := range []string{"u0", "u1"} {
		link(user, "r"+strconv.Itoa(rnd.IntN(5)))
	}
	if f.g == 2 && !tree && rnd.IntN(4) == 0 {
		// A chain of exactly ten links up to r4, of which a token role reaches
		// the ninth and not the tenth.
		for i := range 9 {
			link("c"+strconv.Itoa(i), "c"+strconv.Itoa(i+1))
		}
		link("c9", "r9")
		lines = append(lines, "p, "+strings.Join(f.chained(), ", "))
	}
	return lines
}

// chained are the fields of a p line for the end of the long chain.
func (f family) chained() []string {
	var fields []string
	for _, field := range f.p {
		if rules := f.rulesOf(field); rules != nil {
			fields = append(fields, rules[0])
			continue
		}
		fields = append(fields, map[string]string{"sub": "r9", "obj": f.objects[0], "act": f.actions[0], "eft": "allow", "priority": "0", "region": "eu"}[field])
	}
	return fields
}

// values are the request as the family's model has it.
func (f family) values(p *core.Principal, access core.Access) []any {
	values := []any{p.ID(), access.Resource.Path, access.Action}
	switch {
	case f.g == 3:
		values = slices.Insert(values, 1, any(p.Tenant()))
	case f.name == "priority by field":
		slices.Reverse(values)
	}
	if f.region {
		region, _ := p.Claim("region")
		values = append(values, region)
	}
	for _, field := range f.typed {
		if field.values != nil {
			text, _ := p.Claim(field.name)
			values = append(values, field.asked(text.(string)))
		}
	}
	return values
}

// decisionsFlag is how many decisions the differential test compares.
var decisionsFlag = flag.Int("decisions", 104_000, "decisions compared with those of Casbin's Enforce")

// TestDecisionsEqualCasbins holds every decision against Casbin's own Enforce,
// where the roles of the credentials are g lines of the subject (invariant 12).
func TestDecisionsEqualCasbins(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	all := slices.Concat(families(), wideFamilies(), typedFamilies())
	const perPolicy = principals * requests
	policies := (cases(*decisionsFlag) + len(all)*perPolicy - 1) / (len(all) * perPolicy)
	for n, f := range all {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, uint64(n)))
			allowed, asked := 0, 0
			for round := 0; round < policies || round < enough && (allowed == 0 || allowed == asked); round++ {
				allowed += f.compare(t, rnd)
				asked += perPolicy
			}
			if allowed == 0 || allowed == asked {
				t.Errorf("%d of %d requests are allowed: the cases prove nothing", allowed, asked)
			}
		})
	}
}

// Of one policy are asked this many principals, of each this many requests. Few
// policies may happen to allow all or nothing, enough of them do not.
const principals, requests, enough = 20, 10, 200

func (f family) compare(t *testing.T, rnd *rand.Rand) (allowed int) {
	t.Helper()
	lines := f.policy(rnd)
	opts := []Option{WithFunction("within", within)}
	if strings.Contains(f.text, "act, region\n[") {
		opts = append(opts, WithClaimAttribute("region", "region"))
	}
	if !f.tokenRoles {
		opts = append(opts, WithoutTokenRoles())
	}
	opts = append(opts, f.options...)
	for _, field := range f.typed {
		if field.values == nil { // a field of the policy alone
			continue
		}
		opts = append(opts, WithClaimAttribute(field.name, field.name), WithAttributeType(field.name, field.kind))
	}
	a := open(t, ModelText("model.conf", f.text), strings.Join(lines, "\n"), opts...)
	var shared *casbin.Enforcer // by all without roles of their own
	for range principals {
		var roles []string
		for range rnd.IntN(4) - 1 {
			if f.tokenRoles {
				roles = append(roles, pick(rnd, append([]string{"r0", "r1", "r2", "r4", "c0", "c1", "x", "u1", "root"}, f.names...)))
			}
		}
		claims := map[string]any{"region": pick(rnd, []string{"eu", "us", ""})}
		for _, field := range f.typed {
			if field.values != nil {
				claims[field.name] = pick(rnd, field.values)
			}
		}
		p, err := core.NewPrincipal(core.PrincipalInfo{
			ID: pick(rnd, []string{"u0", "u1", "u2", "root", "ghost", "c0"}), Roles: roles,
			Tenant: pick(rnd, append([]string{"t1", "t2", "t3"}, f.tenants...)), Claims: claims,
		})
		if err != nil {
			t.Fatal(err)
		}
		e := shared
		if e == nil || len(roles) > 0 {
			e = f.enforcer(t, lines, p)
		}
		if len(roles) == 0 {
			shared = e
		}
		for range requests {
			if f.compareOne(t, rnd, a, e, lines, p) {
				allowed++
			}
		}
	}
	return allowed
}

func (f family) compareOne(t *testing.T, rnd *rand.Rand, a *Authorizer, e *casbin.Enforcer, lines []string, p *core.Principal) bool {
	t.Helper()
	access := to(pick(rnd, plainActs), pick(rnd, askedObjects))
	d := decide(t, a, p, access)
	want, explain, err := e.EnforceEx(f.values(p, access)...)
	if err != nil {
		t.Fatalf("casbin: %v", err)
	}
	if d.Allowed != want {
		t.Fatalf("%s with roles %q in %s: %+v: got %v, casbin says %v\n%s", p.ID(), slices.Collect(p.CredentialRoles()), p.Tenant(), access, d.Allowed, want, strings.Join(lines, "\n"))
	}
	if got := ruleFields(t, lines, d.Rule); !slices.Equal(got, explain) {
		t.Fatalf("%s with roles %q: %+v: rule %s is %q, casbin names %q\n%s", p.ID(), slices.Collect(p.CredentialRoles()), access, d.Rule, got, explain, strings.Join(lines, "\n"))
	}
	return want
}

// askedObjects are the paths of requests.
var askedObjects = append([]string{"/a\n", "/a?x", "/b/b"}, plainObjects...)

// ruleFields are the fields of the line that a decision names.
func ruleFields(t *testing.T, lines []string, rule string) []string {
	t.Helper()
	if rule == "" {
		return []string{}
	}
	var n int
	if _, err := fmt.Sscanf(rule, "policy.csv:%d", &n); err != nil {
		t.Fatalf("rule %q: %v", rule, err)
	}
	return strings.Split(lines[n-1], ", ")[1:]
}
