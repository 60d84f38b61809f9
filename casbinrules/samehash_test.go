package casbinrules

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	stringadapter "github.com/casbin/casbin/v2/persist/string-adapter"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// sameHash generates policies in which much is shared: names have the hash of another name,
// objects match many patterns, dozens of rules decide.
type sameHash struct {
	t       *testing.T
	rnd     *rand.Rand
	tenants bool
	model   string
	names   []string
	effects []string
	rules   []string

	allowed, asked int
}

var (
	manyPatterns = strings.Fields("/a/b/c /:x/b/c /a/:x/c /a/b/:x /:x/:y/c /:x/b/:y /a/:x/:y /:x/:y/:z /* /a/* /a/b/* /b/* /:x/b/* /a /b /:x")
	manyObjects  = strings.Fields("/a/b/c /a/b/d /b/b/c /a/a/a /c/c/c /a /b /c /a/ /a/b/ / /a/b/c/d //b/c")
	manyTenants  = []string{"t1", "t2"}
)

// TestDecisionsOfOneHashEqualCasbins compares the decisions of such policies with Casbin's,
// after loading and after each of a few edits.
func TestDecisionsOfOneHashEqualCasbins(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	for i, effect := range []string{policygen.SomeAllow, policygen.AllowAndDeny, policygen.FirstMatch} {
		for j, tenants := range []bool{false, true} {
			for _, opts := range [][]Option{nil, {WithCasbinSemantics()}} {
				t.Run(fmt.Sprintf("%s, tenants %v, options %d", effect, tenants, len(opts)), func(t *testing.T) {
					s := &sameHash{t: t, rnd: rand.New(rand.NewPCG(seed, uint64(4*i+2*j+len(opts)))), tenants: tenants}
					request, g, matcher := policygen.PlainRequest, "g = _, _", "g(r.sub, p.sub)"
					if tenants {
						request, g, matcher = policygen.TenantsRequest, "g = _, _, _", "g(r.sub, p.sub, r.dom) && r.dom == p.dom"
					}
					s.model = policygen.ModelText(request, request+", eft", g, effect, matcher+" && keyMatch2(r.obj, p.obj) && r.act == p.act")
					s.effects = []string{"allow", "allow", "deny"}
					if effect == policygen.SomeAllow { // which ignores deny rules
						s.effects = s.effects[:1]
					}
					s.run(opts)
				})
			}
		}
	}
}

func (s *sameHash) run(opts []Option) {
	s.names = strings.Fields("u0 u1 u2 u3 r0 r1")
	for range 40 {
		s.insert(len(s.rules), s.rule(s.names))
	}
	for _, link := range []string{"u0, r0", "u1, r1", "r0, r1"} {
		s.rules = append(s.rules, "g, "+link+s.tenant())
	}
	fsys := files("policy.csv", strings.Join(s.rules, "\n"))
	a, err := OpenFS(fsys, ModelText("model.conf", s.model), []string{"policy.csv"}, append(opts, WithLogger(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		s.t.Fatal(err)
	}
	table := a.current.Load().Names
	seen := map[uint32]string{}
	var known []string // half of the names with the hash of another
	for n := 0; len(known) < 3; n++ {
		name := fmt.Sprintf("user%d", n)
		hash, _ := table.Probe(0, name)
		if other, ok := seen[hash]; ok {
			known = append(known, name)
			s.names = append(s.names, name, other)
		}
		seen[hash] = name
	}
	for edit := range 4 {
		s.compare(a)
		if s.t.Failed() {
			return
		}
		at := s.rnd.IntN(30)
		s.rules = slices.Delete(s.rules, at, at+s.rnd.IntN(3))
		for _, name := range known {
			at := s.rnd.IntN(len(s.rules))
			line := s.rule([]string{name})
			if s.rnd.IntN(3) == 0 {
				line = "g, " + name + ", r" + fmt.Sprint(s.rnd.IntN(2)) + s.tenant()
			}
			s.insert(at, line)
		}
		fsys["policy.csv"].Data = []byte(strings.Join(s.rules, "\n"))
		if err := a.Reload(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		if n := LinesEdited(a); n == 0 && !a.config.AsCasbin { // which always reads all
			s.t.Fatalf("edit %d has read all lines: the names may have other hashes", edit)
		}
	}
	s.compare(a)
	if s.allowed == 0 || s.allowed == s.asked {
		s.t.Errorf("%d of %d are allowed: the cases prove nothing", s.allowed, s.asked)
	}
}

// insert adds a line, unless an existing one differs at most in its effect: findings about
// several lines cause all lines to be read anew.
func (s *sameHash) insert(at int, line string) {
	what := line[:strings.LastIndexByte(line, ',')]
	if !slices.ContainsFunc(s.rules, func(other string) bool { return strings.HasPrefix(other, what) }) {
		s.rules = slices.Insert(s.rules, at, line)
	}
}

func (s *sameHash) tenant() string {
	if !s.tenants {
		return ""
	}
	return ", " + pick(s.rnd, manyTenants)
}

func (s *sameHash) rule(names []string) string {
	return "p, " + pick(s.rnd, names) + s.tenant() + ", " + pick(s.rnd, manyPatterns) + ", " +
		pick(s.rnd, policygen.PlainActions[:2]) + ", " + pick(s.rnd, s.effects)
}

func (s *sameHash) compare(a *Authorizer) {
	m, err := casbinmodel.NewModelFromString(s.model)
	if err != nil {
		s.t.Fatal(err)
	}
	oracle, err := casbin.NewEnforcer(m, stringadapter.NewAdapter(strings.Join(s.rules, "\n")))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range s.names {
		tenant := ""
		if s.tenants {
			tenant = pick(s.rnd, append(manyTenants, "t3"))
		}
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: name, Tenant: tenant})
		if err != nil {
			s.t.Fatal(err)
		}
		role := name[0] == 'r' && !a.config.AsCasbin // whose name grants a user nothing
		for _, object := range manyObjects {
			method := pick(s.rnd, policygen.PlainActions[:2])
			values := []any{name, object, method}
			if s.tenants {
				values = slices.Insert(values, 1, any(tenant))
			}
			want, rule, err := oracle.EnforceEx(values...)
			if err != nil {
				s.t.Fatal(err)
			}
			d, err := a.Authorize(s.t.Context(), p, to(method, object))
			if err != nil {
				s.t.Fatal(err)
			}
			s.asked++
			if d.Allowed {
				s.allowed++
			}
			if d.Allowed != (want && !role) || !role && s.at(d.Rule) != strings.Join(rule, ", ") {
				s.t.Errorf("%q: %v by %s, Casbin says %v by %q\n%s", values, d.Allowed, d.Rule, want, rule, strings.Join(s.rules, "\n"))
				return
			}
		}
	}
}

// at returns the fields of the rule at a place.
func (s *sameHash) at(place string) string {
	line := 0
	if _, err := fmt.Sscanf(place, "policy.csv:%d", &line); err != nil {
		return ""
	}
	return strings.TrimPrefix(s.rules[line-1], "p, ")
}
