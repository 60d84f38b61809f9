package effect

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// Regressions: subjects and tenants distinguished by more than their own roles.
func TestWideningIsSeen(t *testing.T) {
	const rest = " && r.obj == p.obj && r.act == p.act"
	casbin := []casbinrules.Option{casbinrules.WithCasbinSemantics()}
	tenants := family{request: ", dom", policy: ", dom", roles: "g = _, _, _", values: []string{"t1", "t2", "x"}}
	in := func(matcher string) family {
		f := tenants
		f.matcher = matcher + rest
		return f
	}
	for _, c := range []struct {
		name       string
		family     family
		old, after []string
		opts       []casbinrules.Option
	}{
		{"a user named like a role, in another tenant", in("g(r.sub, p.sub, p.dom) && r.dom != p.dom"),
			[]string{"p, r2, /a, GET, t1"}, []string{"p, r2, /a, pub, t2"}, casbin},
		{"a user named like a role, in any tenant", in("g(r.sub, p.sub, p.dom)"),
			[]string{"p, r2, /a, GET, t1"}, []string{"p, r2, /a, pub, t2"}, casbin},
		{"a role in the tenant of a rule", in("g(r.sub, p.sub, p.dom)"),
			[]string{"p, r2, /a, GET, t1"}, []string{"p, r2, /a, pub, t2"}, nil},
		{"a role in a tenant of the matcher", in("g(r.sub, p.sub, 't2')"),
			[]string{"p, r2, /a, GET, t1"}, []string{"p, r2, /a, pub, t1"}, nil},
		{"a role named like a user, in another tenant", in("(g(r.sub, p.sub, r.dom) || g(r.sub, p.sub, 't1'))"),
			[]string{"p, r2, /a, pub, t2", "p, r1, /a, PUT, t2", "g, u1, r1, t1"}, []string{"p, u1, /a, PUT, t2", "p, r1, /a, PUT, t2", "g, u1, r1, t1"}, nil},
		{"a user named like a role", family{matcher: "(g(r.sub, p.sub) && r.act == 'GET' || r.sub == p.sub)" + rest},
			[]string{"p, r2, /a, GET", "p, r1, /a, pub"}, []string{"p, r2, /a, GET", "p, u1, /a, pub"}, nil},
		{"a role named like a user", family{matcher: "g(r.sub, p.sub) && r.sub != p.sub" + rest},
			[]string{"p, r2, /a, GET", "g, u1, r1"}, []string{"p, r2, /a, GET", "g, u1, r1", "p, u1, /a, PUT"}, nil},
		{"a user of the matcher", family{matcher: "(g(r.sub, p.sub) && r.act == 'GET' || r.sub == 'r1')" + rest},
			[]string{"p, r1, /a, GET", "g, u1, r1"}, []string{"p, r1, /a, GET", "g, u1, r1", "p, r2, /a, pub"}, casbin},
		{"a name that is no role any more", family{matcher: "g(r.sub, p.sub)" + rest},
			[]string{"p, u1, /a, GET", "g, r3, u1"}, []string{"p, u1, /a, GET"}, nil},
		{"a user with a role of g2", family{roles: "g = _, _\ng2 = _, _", matcher: "g2(r.sub, p.sub)" + rest},
			[]string{"p, r1, /a, PUT", "g, u2, r2", "g2, u1, r2"}, []string{"p, r1, /a, PUT", "g, u2, r2", "g2, u1, r2", "p, r2, /a, pub"}, nil},
	} {
		old, now, ok := c.family.openBoth(c.old, c.after, c.opts)
		if !ok {
			t.Errorf("%s: the policies do not open", c.name)
			continue
		}
		r, err := Compare(t.Context(), old, now, Settings{Limit: 10_000})
		if err != nil || !r.Widens() {
			t.Errorf("%s: %s is not seen: %+v, %v", c.name, c.family.firstWidened(t.Context(), old, now, c.opts == nil), r, err)
		}
	}
}

// Every widening is reported, as in TestNoWideningIsOverlooked, for randomly composed
// matchers.
func TestNoWideningIsOverlookedByAnyMatcher(t *testing.T) {
	models := 10
	if os.Getenv("SALLYPORT_LONG") != "" {
		models = 200
	} else if testing.Short() {
		models = 3
	}
	r := rand.New(rand.NewPCG(8, 30))
	widened := 0
	for range models {
		f := randomFamily(r)
		for range 4 {
			lines := f.random(r)
			after := f.edited(lines, r)
			for _, opts := range [][]casbinrules.Option{{casbinrules.WithCasbinSemantics()}, nil} {
				old, now, ok := f.openBoth(lines, after, opts)
				if !ok {
					continue
				}
				report, err := Compare(t.Context(), old, now, Settings{Limit: 1_000_000, Who: ask.Who{NoTokenRoles: f.noTokenRoles}})
				if err != nil {
					t.Fatalf("%s: %q %q: %v", f.matcher, lines, after, err)
				}
				request := f.firstWidened(t.Context(), old, now, opts == nil)
				if request != "" {
					widened++
				}
				if request != "" && !report.Widens() && report.Complete() {
					t.Errorf("%s\n%s\nold %q\nnew %q\nallows %s, and the report is %+v", f.model().Text(), f.policy, lines, after, request, report)
				}
			}
		}
	}
	t.Logf("%d widened", widened)
	if widened < models {
		t.Errorf("only %d edits widen anything", widened)
	}
}

// randomFamily returns a model of randomly composed clauses.
func randomFamily(r *rand.Rand) family {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	f := family{objects: []string{"/a", "/b"}, effect: pick("", "", deny, deny, priority, "!some(where (p.eft == deny))", "subjectPriority(p.eft) || deny")}
	dom := r.IntN(2) == 0
	link := "g(r.sub, p.sub)"
	var clauses []string
	add := func(clause string) { clauses = append(clauses, clause) }
	f.roles = "g = _, _\ng2 = _, _"
	f.links = []string{"g, u1, r1", "g, u2, r2", "g, r1, r2", "g, u2, r3", "g, r3, u1", "g2, /a, docs", "g2, /a/b, docs", "g2, GET, read", "g2, u1, r2", "g2, r3, r1"}
	if dom {
		f.request, f.policy, f.values = ", dom", ", dom", []string{"t1", "t2", "x"}
		f.regions = []string{"t1", "t2", "*", "t*"}
		if r.IntN(4) > 0 {
			f.roles = "g = _, _, _\ng2 = _, _"
			f.links = []string{"g, u1, r1, t1", "g, u1, r2, t2", "g, u2, r2, t1", "g, r1, r2, t1", "g, u2, r3, t2", "g, u2, r1, *", "g, r2, u1, t2", "g2, /a, docs", "g2, /a/b, docs", "g2, u1, r2", "g2, t1, t2"}
			third := pick("r.dom", "r.dom", "r.dom", "p.dom", "'t1'", "'*'")
			link = "g(r.sub, p.sub, " + third + ")"
			if r.IntN(5) == 0 {
				link = "(" + link + " || g(r.sub, p.sub, " + pick("r.dom", "p.dom", "'t1'", "'*'") + "))"
			}
			if r.IntN(6) == 0 {
				f.opts = append(f.opts, casbinrules.WithTenantPatterns("g"))
			}
		}
		add(pick("r.dom == p.dom", "r.dom == p.dom", "r.dom != p.dom", "(r.dom == p.dom || p.dom == '*')", "keyMatch(r.dom, p.dom)", "r.dom in ('t1', 'x')", "true", "g2(r.dom, p.dom)"))
	} else if r.IntN(2) == 0 {
		f.request, f.policy = ", region", ", region"
		f.values, f.regions = []string{"eu", "us", "x", "e", "u1"}, []string{"eu", "us", "*", "e*", "u1"}
		add(pick("r.region == p.region", "(r.region == p.region || p.region == '*')", "r.region != p.region", "keyMatch(r.region, p.region)", "regexMatch(r.region, '^e')", "r.region in ('eu', 'x')", "r.region == r.sub", "globMatch(r.region, p.region)"))
	}
	switch r.IntN(10) {
	case 0:
		add("r.sub == p.sub")
	case 1:
		add("(" + link + " || r.sub == p.sub)")
	case 2:
		add("(" + link + " && r.sub != p.sub)")
	case 3:
		add("(" + link + " || r.sub in ('u1', 'r3'))")
	case 4:
		add("(" + link + " && r.sub != 'r2')")
	case 5:
		add("g2(r.sub, p.sub)")
	case 6:
		add("(" + link + " || r.act == 'PUT' && r.sub == 'u3')")
	case 7:
		add("keyMatch(r.sub, p.sub)")
	default:
		add(link)
	}
	switch r.IntN(6) {
	case 0:
		add("keyMatch2(r.obj, p.obj)")
		f.objects = []string{"/a", "/:x", "/a/:x", "/*"}
	case 1:
		add("g2(r.obj, p.obj)")
		f.objects = []string{"/a", "docs", "/a/b"}
	case 2:
		add("(r.obj == p.obj || g2(r.obj, p.obj))")
		f.objects = []string{"/a", "docs", "/a/b"}
	case 3:
		add("regexMatch(r.obj, p.obj)")
		f.objects = []string{"^/a", "/b$", "^/[ab]$"}
	case 4:
		add("r.obj != p.obj")
	default:
		add("r.obj == p.obj")
	}
	add(pick("r.act == p.act", "r.act == p.act", "(r.act == p.act || p.act == '*')", "regexMatch(r.act, p.act)", "r.act in ('GET', 'pub')", "r.act != p.act", "g2(r.act, p.act)"))
	r.Shuffle(len(clauses), func(i, j int) { clauses[i], clauses[j] = clauses[j], clauses[i] })
	f.matcher = clauses[0]
	for _, c := range clauses[1:] {
		f.matcher += pick(" && ", " && ", " && ", " && ", " && ", " && ", " || ") + c
	}
	if r.IntN(8) == 0 {
		f.matcher = "r.sub == 'u3' || " + f.matcher
	}
	if r.IntN(12) == 0 || strings.HasPrefix(f.effect, "subject") {
		f.noTokenRoles = true
		f.opts = append(f.opts, casbinrules.WithoutTokenRoles())
	}
	return f
}
