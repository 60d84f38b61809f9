package effect

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// family is a kind of model with possible values for the fields of its lines.
type family struct {
	name, request, policy, effect, matcher string
	objects, actions, regions              []string
	types                                  map[string]casbinrules.AttributeType
	// values are those of the attributes in requests.
	values []string
	// subjects are those of p lines; roles are the role definitions and links their
	// lines, if not the usual ones.
	subjects, links []string
	roles           string
	opts            []casbinrules.Option
	// noTokenRoles is set if opts make the roles of tokens meaningless.
	noTokenRoles bool
	// clock is that of both policies if role links have times.
	clock *ask.Clock
}

const (
	allow    = "some(where (p.eft == allow))"
	deny     = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
	priority = "priority(p.eft) || deny"
)

var families = []family{
	{name: "keyMatch2", matcher: "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && (r.act == p.act || p.act == '*')",
		objects: []string{"/a", "/a/:x", "/a/*", "/*", "/:x/b", "/a/b"}},
	{name: "keyMatch", matcher: "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && regexMatch(r.act, p.act)",
		objects: []string{"/a", "/a*", "/a/*", "*", "/b"}, actions: []string{"GET", "^(GET|PUT)$", "GET|pub", ".*", "T$"}},
	{name: "glob", matcher: "g(r.sub, p.sub) && globMatch(r.obj, p.obj) && r.act == p.act",
		objects: []string{"*", "a*", "/a/*", "/a/**", "[ab]", "/{a,b}", "/a/?", "b"}},
	{name: "regex", matcher: "g(r.sub, p.sub) && regexMatch(r.obj, p.obj) && r.act == p.act",
		objects: []string{"^/a$", "/a", "^/(a|b)/", "b$", "^/[^/]+$", "."}},
	{name: "keyMatch3 and deny", effect: deny, matcher: "g(r.sub, p.sub) && keyMatch3(r.obj, p.obj) && (r.act == p.act || p.act == '*')",
		objects: []string{"/a", "/a/{x}", "/a/*", "/{x}/b", "/*"}},
	{name: "keyMatch4", effect: deny, matcher: "g(r.sub, p.sub) && keyMatch4(r.obj, p.obj) && r.act == p.act",
		objects: []string{"/{x}/{x}", "/a/{x}", "/{x}/b", "/{x}/{y}"}},
	{name: "keyMatch5 and superuser", matcher: "r.sub == 'u3' && r.act in ('GET', 'pub') || r.sub == p.sub && keyMatch5(r.obj, p.obj) && r.act == p.act",
		objects: []string{"/a", "/a/{x}", "/a/*", "/b"}},
	{name: "priority", effect: priority, matcher: "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act",
		objects: []string{"/a", "/:x", "/a/:x", "/*"}},
	{name: "owner", matcher: "(g(r.sub, p.sub) || keyGet2(r.obj, p.obj, 'x') == r.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act",
		objects: []string{"/a/:x", "/:x", "/a"}},
	{name: "subject pattern", matcher: "keyMatch(r.sub, p.sub) && r.obj != p.obj && r.act == p.act", objects: []string{"/a", "/b"}},
	{name: "text attribute", request: ", region", policy: ", region", values: []string{"eu", "us", "", "x"}, regions: []string{"eu", "us", "*"},
		matcher: "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act && (r.region == p.region || p.region == '*')", objects: []string{"/a", "/:x"}},
	{name: "glob attribute", request: ", region", policy: ", region", values: []string{"eu", "e", "a/b", "x", "euro"}, regions: []string{"eu*", "*", "?", "a/*"},
		matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && globMatch(r.region, p.region)", objects: []string{"/a", "/b"}},
	{name: "address", request: ", ip", policy: ", net", values: []string{"10.0.0.1", "10.0.1.1", "10.1.0.1", "10.0.0.9", "192.0.2.9", "::1"},
		regions: []string{"10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "10.0.0.0/30", "::/0"},
		matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && ipMatch(r.ip, p.net)", objects: []string{"/a"}},
	{name: "typed address", request: ", ip", policy: ", net", values: []string{"10.0.0.1", "10.0.1.1", "10.1.0.1", "10.0.0.9", "192.0.2.9", "::1", "::ffff:10.0.0.1"},
		regions: []string{"10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "10.0.0.0/30", "::/0", "any"}, types: typed("ip", casbinrules.IPAddress),
		matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && (p.net == 'any' || ipMatch(r.ip, p.net)) && r.ip != '10.0.0.9'", objects: []string{"/a"}},
	{name: "number", request: ", age", policy: ", min", values: []string{"-1", "0", "0.3", "1", "1.3", "1.5", "17", "17.5", "18", "99", "99.9", "100", "1000"},
		regions: []string{"18", "1.3", "17.5", "99", "0", "-3", "any"}, types: typed("age", casbinrules.Number),
		matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && (p.min == 'any' || r.age >= p.min) && r.age < 100", objects: []string{"/a"}},
	{name: "number below", request: ", age", policy: ", max", values: []string{"-9", "0", "1", "1.3", "2", "8.1", "8.2", "9"}, regions: []string{"1.3", "8.2", "8.10000000000003", "8.10000000000001"},
		types: typed("age", casbinrules.Number), matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.age < p.max", objects: []string{"/a", "/b"}},
	{name: "numbers between", request: ", age", policy: ", lo, hi", values: []string{"-9", "0.12345678901235", "0.5", "2", "8.1"},
		regions: []string{"0.1234567890123, 0.1234567890124", "0, 1", "1, 3", "-10, 9"},
		types:   typed("age", casbinrules.Number), matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.age > p.lo && r.age < p.hi", objects: []string{"/a"}},
	{name: "time of day", request: ", now", policy: ", from, to", values: []string{"00:00", "07:59:59", "08:00", "12:00", "17:29:59", "17:30:00", "23:59:59", "24:00"},
		regions: []string{"08:00, 17:30", "08:00:00, 12:00", "00:00, 24:00", "22:00, 24:00", "00:00, 06:00"}, types: typed("now", casbinrules.TimeOfDay),
		matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.now >= p.from && r.now < p.to", objects: []string{"/a"}},
	{name: "date", request: ", day", policy: ", until", values: []string{"2025-12-31", "2026-01-01", "2026-02-28", "2026-03-01", "2027-01-01"},
		regions: []string{"2026-01-01", "2026-02-28", "2026-12-31"}, types: typed("day", casbinrules.Date),
		matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act && r.day <= p.until && r.day != '2026-01-01'", objects: []string{"/a"}},
	{name: "tenant pattern", request: ", dom", policy: ", dom", values: []string{"acme", "acme-eu", "acme-us", "x", "axb"}, regions: []string{"^acme$", "^acme-(eu|us)$", "^acme-", "x", "."},
		matcher: "g(r.sub, p.sub) && regexMatch(r.dom, p.dom) && r.obj == p.obj && r.act == p.act", objects: []string{"/a"}},
	{name: "two roles", policy: ", also", regions: []string{"r1", "r2", "r3", "-"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub) && (p.also == '-' || g(r.sub, p.also)) && r.obj == p.obj && r.act == p.act"},
	{name: "two roles and deny", effect: deny, policy: ", also", regions: []string{"r1", "r2", "r3"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub) && g(r.sub, p.also) && r.obj == p.obj && r.act == p.act"},
	{name: "role of the matcher", matcher: "g(r.sub, 'r3') && r.act == 'GET' || g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act", objects: []string{"/a", "/:x"}},
	{name: "role that must not be", matcher: "g(r.sub, p.sub) && !g(r.sub, 'r3') && r.obj == p.obj && r.act == p.act", objects: []string{"/a", "/b"}},
	{name: "role that rules exclude", policy: ", but", regions: []string{"r1", "r2", "r3", "-"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub) && !g(r.sub, p.but) && r.obj == p.obj && r.act == p.act"},
}

// grouped is a matcher with groups of objects.
const grouped = "g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act"

// linkFamilies are those in which role links concern other fields, have tenants, or
// contain patterns.
var linkFamilies = []family{
	{name: "groups of objects", effect: deny, matcher: grouped, roles: "g = _, _\ng2 = _, _", objects: []string{"/a", "docs", "secret"},
		links: []string{"g2, /a, docs", "g2, /a/b, docs", "g2, /a/b, secret", "g2, secret, docs", "g, u1, r1", "g, u2, r2"}},
	{name: "groups of objects by keyMatch2", effect: deny, matcher: grouped, roles: "g = _, _\ng2 = _, _", objects: []string{"/a", "docs", "secret", "/x/:n"},
		links: []string{"g2, /a/:n, docs", "g2, /:n/b, secret", "g2, /x/b, secret", "g2, /:n, docs", "g2, /a, secret", "g, u1, r1", "g, u2, r2"},
		opts:  []casbinrules.Option{casbinrules.WithRolePatterns("g2", "keyMatch2")}},
	{name: "groups of objects by regexMatch", effect: deny, matcher: grouped, roles: "g = _, _\ng2 = _, _", objects: []string{"docs", "secret"},
		links: []string{"g2, ^/a/, docs", "g2, /b$, secret", "g2, ^/x/b$, secret", "g2, ^/[ax]$, docs", "g, u1, r1", "g, u2, r2"},
		opts:  []casbinrules.Option{casbinrules.WithRolePatterns("g2", "regexMatch")}},
	{name: "subjects by keyMatch", effect: deny, matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", objects: []string{"/a"}, subjects: []string{"r1", "r2", "r*", "u*"},
		links: []string{"g, u*, r1", "g, *, r2", "g, ux, r2", "g, u1, r*", "g, u1*, r2"}, opts: []casbinrules.Option{casbinrules.WithRolePatterns("g", "keyMatch")}},
	{name: "subjects by regexMatch", effect: deny, matcher: "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", objects: []string{"/a"}, subjects: []string{"^r1$", "^r2$"},
		links: []string{"g, ^u, ^r1$", "g, x$, ^r2$", "g, ^.x$, ^r2$", "g, ^u[12]$, ^r2$", "g, ^x, ^r2$"},
		opts:  []casbinrules.Option{casbinrules.WithRolePatterns("g", "regexMatch"), casbinrules.WithoutTokenRoles()}},
	{name: "groups of actions", effect: deny, matcher: "r.sub == p.sub && r.obj == p.obj && g(r.act, p.act)", objects: []string{"/a", "/b"}, subjects: []string{"u1", "u2"},
		actions: []string{"GET", "read", "write"}, links: []string{"g, GET, read", "g, read, write", "g, PUT, write", "g, pub, write"}},
	{name: "tenants", effect: deny, request: ", dom", policy: ", dom", roles: "g = _, _, _", values: []string{"t1", "t2", "x"}, regions: []string{"t1", "t2"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act", links: []string{"g, u1, r1, t1", "g, u1, r2, t2", "g, u2, r2, t1", "g, r1, r2, t1", "g, u2, r3, t2"}},
	{name: "tenants of links by patterns", effect: deny, request: ", dom", policy: ", dom", roles: "g = _, _, _", values: []string{"t1", "t12", "x"}, regions: []string{"t1", "t12", "x"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act", links: []string{"g, u1, r1, t*", "g, u1, r2, *", "g, u2, r2, t1", "g, r1, r2, t1*", "g, u2, r3, *"},
		opts: []casbinrules.Option{casbinrules.WithTenantPatterns("g")}},
	{name: "tenants by patterns", effect: deny, request: ", dom", policy: ", dom", roles: "g = _, _, _", values: []string{"t1", "t12", "x"}, regions: []string{"t1*", "t*", "*"}, objects: []string{"/a"},
		matcher: "g(r.sub, p.sub, r.dom) && keyMatch(r.dom, p.dom) && r.obj == p.obj && r.act == p.act", links: []string{"g, u1, r1, t*", "g, u1, r2, *", "g, u2, r2, t1", "g, r1, r2, t1*", "g, u2, r3, *"}},
}

func allFamilies() []family { return slices.Concat(families, linkFamilies) }

// approximate are the families in which some edits cannot be compared.
var approximate = []string{"keyMatch4", "owner", "two roles and deny", "role that rules exclude"}

func typed(field string, kind casbinrules.AttributeType) map[string]casbinrules.AttributeType {
	return map[string]casbinrules.AttributeType{field: kind}
}

func (f family) model() casbinrules.Model {
	effect := f.effect
	eft := ""
	if effect == "" {
		effect = allow
	} else {
		eft = ", eft"
	}
	return casbinrules.ModelText("m.conf", fmt.Sprintf("[request_definition]\nr = sub, obj, act%s\n[policy_definition]\np = sub, obj, act%s%s\n"+
		"[role_definition]\n%s\n[policy_effect]\ne = %s\n[matchers]\nm = %s\n", f.request, f.policy, eft, cmp.Or(f.roles, "g = _, _"), effect, f.matcher))
}

// random returns a policy of a few lines.
func (f family) random(r *rand.Rand) []string {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	actions := f.actions
	if actions == nil {
		actions = []string{"GET", "PUT", "pub"}
	}
	var lines []string
	add := func(line string) {
		for _, l := range lines {
			if l == line {
				return
			}
		}
		lines = append(lines, line)
	}
	subjects := []string{"r1", "r2", "r3", "u1"}
	if strings.Contains(f.matcher, "keyMatch(r.sub") {
		subjects = append(subjects, "u*", "*")
	}
	if f.subjects != nil {
		subjects = f.subjects
	}
	for range 1 + r.IntN(4) {
		line := "p, " + pick(subjects) + ", \"" + pick(f.objects) + "\", " + pick(actions)
		if f.policy != "" {
			line += ", " + pick(f.regions)
		}
		if f.effect != "" {
			line += ", " + pick([]string{"allow", "allow", "deny"})
		}
		add(line)
	}
	links := f.links
	if links == nil {
		links = []string{"g, u1, r1", "g, u2, r2", "g, r1, r2", "g, u2, r3"}
	}
	for range r.IntN(len(links) - 1) {
		add(pick(links))
	}
	return lines
}

func (f family) open(lines []string, opts ...casbinrules.Option) (*ask.Policy, error) {
	for field, kind := range f.types {
		opts = append(opts, casbinrules.WithAttributeType(field, kind))
	}
	opts = append(opts, f.opts...)
	opts = append(opts, casbinrules.WithClaimsAsAttributes(), casbinrules.WithEmptyPolicy(), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	a, err := casbinrules.OpenFS(fstest.MapFS{"p.csv": {Data: []byte(strings.Join(lines, "\n") + "\n")}}, f.model(), []string{"p.csv"}, opts...)
	return &ask.Policy{Authorizer: a}, err
}

// openBoth opens two policies of the family; it returns false if one is refused, as some
// random ones are.
func (f family) openBoth(before, after []string, opts []casbinrules.Option) (old, now *ask.Policy, ok bool) {
	old, err := f.open(before, opts...)
	if err != nil {
		return nil, nil, false
	}
	now, err = f.open(after, opts...)
	return old, now, err == nil
}

// edited returns the lines after one edit or more.
func (f family) edited(lines []string, r *rand.Rand) []string {
	if r.IntN(3) == 0 {
		return f.random(r)
	}
	after := append([]string(nil), lines...)
	at := r.IntN(len(after))
	switch r.IntN(3) {
	case 0:
		return append(after[:at], after[at+1:]...)
	case 1:
		more := f.random(r)
		after = append(after, more[0])
	default:
		after[at] = f.random(r)[0]
	}
	return after
}

// everybody lists the roles that everyone has, and none.
var everybody = [...]string{"", "", "r1", "r2"}

// Every widening that a request of a small universe shows is reported, or the report says
// that it could not compare, for Casbin's decisions and for those of a gate.
func TestNoWideningIsOverlooked(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for _, f := range allFamilies() {
		t.Run(f.name, func(t *testing.T) {
			r, who := rand.New(rand.NewPCG(8, 25)), rand.New(rand.NewPCG(4, 29))
			widened, open := 0, 0
			for n := 0; n < rounds || widened == 0 && n < 100; n++ {
				lines := f.random(r)
				after := f.edited(lines, r)
				for _, opts := range [][]casbinrules.Option{{casbinrules.WithCasbinSemantics()}, nil} {
					old, now, ok := f.openBoth(lines, after, opts)
					if !ok {
						continue
					}
					if opts == nil { // Casbin itself has no role for everyone
						old.Alone, now.Alone = everybody[who.IntN(4)], everybody[who.IntN(4)]
					}
					report, err := Compare(t.Context(), old, now, Settings{Types: f.types, Limit: 1_000_000})
					if err != nil {
						t.Fatalf("%q %q: %v", lines, after, err)
					}
					if !report.Complete() {
						open++
					}
					request := f.firstWidened(t.Context(), old, now, opts == nil)
					if request == "" {
						continue
					}
					widened++
					if !report.Widens() && report.Complete() {
						t.Fatalf("old %q %q\nnew %q %q\nallows %s, and the report is %+v", lines, old.Alone, after, now.Alone, request, report)
					}
				}
			}
			t.Logf("%d widened, %d not compared", widened, open)
			if widened == 0 {
				t.Error("no edit widens anything")
			}
			if !slices.Contains(approximate, f.name) && open > 0 {
				t.Errorf("%d edits were not compared", open)
			}
		})
	}
}

// A policy that says the same in other words changes nothing.
func TestTheSamePolicyChangesNothing(t *testing.T) {
	for _, f := range allFamilies() {
		r := rand.New(rand.NewPCG(9, 26))
		lines := f.random(r)
		old, err := f.open(lines)
		if err != nil {
			t.Errorf("%s: %q: %v", f.name, lines, err)
			continue
		}
		if f.effect != priority {
			r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		}
		now, err := f.open(append([]string{"# again"}, lines...))
		if err != nil {
			t.Errorf("%s: %q: %v", f.name, lines, err)
			continue
		}
		report, err := Compare(t.Context(), old, now, Settings{Types: f.types, Limit: 1_000_000})
		if err != nil || len(report.Changes) > 0 || !report.Complete() {
			t.Errorf("%s: %q: got %+v, %v", f.name, lines, report, err)
		}
	}
}

// firstWidened returns a request that only the new policy allows, or "".
func (f family) firstWidened(ctx context.Context, old, now *ask.Policy, gate bool) string {
	objects := []string{"/", "/a", "/b", "/a/b", "/a/a", "/a/x", "/x/b", "/x/x", "/x", "/a/b/c", "/x/y/z", "/u1", "/a/u1", "/u2", "/a/u2", "a", "b", "x", "ab", "/ab"}
	values := f.values
	if values == nil {
		values = []string{""}
	}
	for _, q := range questions(gate && !f.noTokenRoles) {
		for _, object := range objects {
			for _, action := range []string{"GET", "PUT", "HEAD", "DELETE", "pub", "TRACE", "x"} {
				for _, value := range values {
					q.Object, q.Action = object, action
					asked := []string{q.Subject, object, action}
					if f.request != "" {
						asked = append(asked, value)
						field := strings.TrimPrefix(f.request, ", ")
						if q.Tenant = ""; ask.IsTenant(field) {
							q.Tenant = value
						} else {
							q.Attributes = map[string]any{field: value}
						}
					}
					if allowed(ctx, now, q, asked, gate) && !allowed(ctx, old, q, asked, gate) {
						return fmt.Sprintf("%q with roles %q", asked, q.Roles)
					}
				}
			}
		}
	}
	return ""
}

// questions are asked by everyone, and of a gate with one role or several.
func questions(gate bool) []ask.Question {
	var all []ask.Question
	for _, subject := range []string{"u1", "u2", "u3", "x", "ux"} {
		all = append(all, ask.Question{Subject: subject})
		for _, roles := range [][]string{{"r1"}, {"r2"}, {"r3"}, {"r1", "r2"}, {"r2", "r3"}, {"r1", "r2", "r3"}, {"u1"}} {
			if gate {
				all = append(all, ask.Question{Subject: subject, Roles: roles})
			}
		}
	}
	if !gate {
		for _, role := range []string{"r1", "r2", "r3"} {
			all = append(all, ask.Question{Subject: role})
		}
	}
	return all
}

func allowed(ctx context.Context, a *ask.Policy, q ask.Question, values []string, gate bool) bool {
	if gate {
		d, err := ask.Decide(ctx, a, q)
		return err == nil && d.Allowed
	}
	d, err := a.Enforce(ctx, values...)
	return err == nil && d.Allowed
}

// An object that only two patterns of role links together reach is compared.
func TestPatternsOfRoleLinksMeet(t *testing.T) {
	f := family{effect: deny, matcher: grouped, roles: "g = _, _\ng2 = _, _", opts: []casbinrules.Option{casbinrules.WithRolePatterns("g2", "keyMatch2")}}
	lines := []string{"p, r1, docs, GET, allow", "p, r1, secret, GET, deny", "g2, /docs/:id, docs"}
	old, err := f.open(append(slices.Clone(lines), "g2, /:any/plan, secret"))
	if err != nil {
		t.Fatal(err)
	}
	now, err := f.open(append(slices.Clone(lines), "g2, /x/plan, secret"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Compare(t.Context(), old, now, Settings{Limit: 1_000})
	if err != nil || len(report.Changes) != 1 || !report.Changes[0].Gains || report.Changes[0].Sample != "/docs/plan" {
		t.Errorf("got %+v, %v", report, err)
	}
}

// If a condition asks whom the subject has, a named subject has users as roles: not every
// possible user is generated.
func TestReversedRolesAreNotCompared(t *testing.T) {
	f := family{matcher: "(g(r.sub, p.sub) || g(p.sub, r.sub)) && r.obj == p.obj && r.act == p.act"}
	old, err := f.open([]string{"p, r1, /a, GET"}, casbinrules.WithCasbinSemantics())
	if err != nil {
		t.Fatal(err)
	}
	now, err := f.open([]string{"p, r1, /a, GET", "g, r1, r2"}, casbinrules.WithCasbinSemantics())
	if err != nil {
		t.Fatal(err)
	}
	report, err := Compare(t.Context(), old, now, Settings{Limit: 1_000})
	if err != nil || len(report.NotCompared) != 1 || report.NotCompared[0].Text != "g, r1, r2" {
		t.Errorf("got %+v, %v", report, err)
	}
}
