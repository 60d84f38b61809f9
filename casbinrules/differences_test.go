package casbinrules_test

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestDifferencesMissNoDecision compares decisions of random policies before and after an
// edit: where they differ, Differences lists the request.
func TestDifferencesMissNoDecision(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rounds := 2 * *setsFlag
	if testing.Short() {
		rounds = min(rounds, 6)
	}
	c := differencesTest{t: t}
	for n, f := range policygen.AllFamilies() {
		c.family, c.rnd = f, rand.New(rand.NewPCG(seed, uint64(n)))
		for range rounds {
			c.compare()
		}
	}
	t.Logf("%d policies compared, %d not; %d requests differ, %d need not be asked", c.compared, c.refused, c.differing, c.pruned)
	if c.compared < c.refused || c.differing < c.compared || c.pruned < 10*c.differing {
		t.Error("the policies are too similar, or too different")
	}
}

type differencesTest struct {
	t      *testing.T
	family policygen.Family
	rnd    *rand.Rand

	compared, refused, differing, pruned int
}

var differencesActions = []casbinrules.Action{{Name: "GET"}, {Name: "HEAD"}, {Name: "POST"}, {Name: "PURGE"}, {Name: "TRACE"}, {Name: "read", Named: true}, {Name: "GET", Named: true}}

func (c *differencesTest) compare() {
	t, r := c.t, c.rnd
	lines := c.family.Policy(r)
	common := bridgetest.Options(c.family)
	for _, o := range []casbinrules.Option{casbinrules.WithAnonymous(), casbinrules.WithRolePrefix("r")} {
		if r.IntN(4) == 0 {
			common = append(common, o)
		}
	}
	before, ok := c.open(lines, common)
	after, ok2 := c.open(c.edited(lines), c.more(common))
	if !ok || !ok2 {
		return
	}
	var principals []*core.Principal
	for i := range 7 {
		p, err := c.family.Principal(r)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case i == 0:
			p = nil
		case i < 3: // whose ID may be the name of a role
			p, err = core.NewPrincipal(core.PrincipalInfo{ID: policygen.Pick(r, []string{"r0", "r1", "r2"}), Tenant: p.Tenant(), Roles: slices.Collect(p.CredentialRoles()), Claims: map[string]any{"region": "eu"}})
			if err != nil {
				t.Fatal(err)
			}
		}
		principals = append(principals, p)
	}
	c.check(before, after, principals)
}

// check fails if one of the principals is decided differently by a request that is not
// among the differences.
func (c *differencesTest) check(before, after *casbinrules.Authorizer, principals []*core.Principal) {
	t := c.t
	t.Helper()
	d, err := before.Differences(t.Context(), after, asked, differencesActions)
	if err != nil {
		c.refused++
		return
	}
	c.compared++
	for _, p := range principals {
		found := d.Of(p)
		for k := range len(asked) * len(differencesActions) {
			object, action := asked[k/len(differencesActions)], differencesActions[k%len(differencesActions)]
			_, listed := slices.BinarySearch(found, int32(k))
			was, is := c.decide(before, p, object, action), c.decide(after, p, object, action)
			switch {
			case was != is && !listed:
				t.Fatalf("%s: %+v of %q by %+v changes from %v to %v and is not listed\n%s\nbefore %v\nafter %v", c.family.Name, action, object, p, was, is, c.family.Text, before.Rules(), after.Rules())
			case was != is:
				c.differing++
			case !listed:
				c.pruned++
			}
		}
	}
}

func (c *differencesTest) open(lines []string, opts []casbinrules.Option) (*casbinrules.Authorizer, bool) {
	files := fstest.MapFS{"policy.csv": {Data: []byte(strings.Join(lines, "\n"))}}
	a, err := casbinrules.OpenFS(files, casbinrules.ModelText("model.conf", c.family.Text), []string{"policy.csv"}, append(opts, casbinrules.WithLogger(slog.New(slog.DiscardHandler)))...)
	return a, err == nil // one option too many for some policies
}

// edited returns other lines, in most cases with few changes.
func (c *differencesTest) edited(lines []string) []string {
	if c.rnd.IntN(10) == 0 {
		return c.family.Policy(c.rnd)
	}
	lines = slices.Clone(lines)
	for range 1 + c.rnd.IntN(2) {
		other, at := c.family.Policy(c.rnd), c.rnd.IntN(len(lines))
		switch c.rnd.IntN(4) {
		case 0:
			lines = slices.Delete(lines, at, at+1)
			if len(lines) == 0 {
				return other
			}
		case 1:
			lines = slices.Insert(lines, at, other[c.rnd.IntN(len(other))])
		case 2:
			lines[at] = other[c.rnd.IntN(len(other))]
		default: // another role link, if there are any
			lines = append(lines, other[len(other)-1])
		}
	}
	return lines
}

// more returns options with which a few of the policies after the edit differ.
func (c *differencesTest) more(opts []casbinrules.Option) []casbinrules.Option {
	all := []casbinrules.Option{casbinrules.WithDefaultRole("r1"), casbinrules.WithoutTokenRoles(), casbinrules.WithAnonymous(), casbinrules.WithRolePrefix("r")}
	if n := c.rnd.IntN(24); n < len(all) && (c.family.DefaultRole == "" || n > 0) {
		return append(slices.Clone(opts), all[n])
	}
	return opts
}

// decide reports whether a policy allows a request; an error counts as a refusal.
func (c *differencesTest) decide(a *casbinrules.Authorizer, p *core.Principal, object string, action casbinrules.Action) bool {
	allowed, err := a.Actions(c.t.Context(), p, object, []casbinrules.Action{action})
	return err == nil && len(allowed) == 1
}

// Rules that a request does not match decide about it too where every rule matches, where
// they name a method, and by their order.
func TestDifferencesOfRulesForOthers(t *testing.T) {
	const own, root = "r.sub == p.sub && r.obj == p.obj && r.act == p.act", "r.sub == 'root' || "
	var principals []*core.Principal
	for _, id := range []string{"u0", "u1", "u2", "root"} {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		principals = append(principals, p)
	}
	for name, tt := range map[string]struct{ effect, matcher, before, after string }{
		"a method that is named":    {"some(where (p.eft == allow))", root + own, "p, u0, /a, GET, allow", "p, u0, /a, GET, allow\np, u1, /b, PURGE, allow"},
		"HEAD":                      {"some(where (p.eft == allow))", own, "p, u0, /a, GET, allow", "p, u0, /a, GET, allow\np, u1, /b, HEAD, allow"},
		"the first of all":          {"priority(p.eft) || deny", root + own, "p, u0, /a, GET, allow", "p, u1, /b, GET, deny\np, u0, /a, GET, allow"},
		"another order":             {"priority(p.eft) || deny", own, "p, u0, /a, GET, allow\np, u0, /a, GET, deny", "p, u0, /a, GET, deny\np, u0, /a, GET, allow"},
		"the first with an effect":  {"some(where (p.eft == allow)) && !some(where (p.eft == deny))", root + own, "p, u0, /a, GET, allow", "p, u0, /a, GET, allow\np, u1, /b, GET, deny"},
		"a rule in between":         {"priority(p.eft) || deny", own, "p, u0, /a, GET, allow\np, u0, /b, GET, deny", "p, u0, /a, GET, deny\np, u0, /a, GET, allow\np, u0, /b, GET, deny"},
		"a rule for everybody else": {"some(where (p.eft == allow))", "r.sub != p.sub && r.obj == p.obj && r.act == p.act", "p, u0, /a, GET, allow", "p, u1, /a, GET, allow"},
	} {
		c := differencesTest{t: t, family: policygen.Family{Name: name, Text: policygen.ModelText("sub, obj, act", "sub, obj, act, eft", "", tt.effect, tt.matcher)}}
		before, ok := c.open(strings.Split(tt.before, "\n"), nil)
		after, ok2 := c.open(strings.Split(tt.after, "\n"), nil)
		if !ok || !ok2 {
			t.Fatalf("%s: the policies do not open", name)
		}
		c.check(before, after, principals)
	}
}
