package policy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// linksOf returns the graph, the findings and the texts of a policy, after a number of p
// lines for others.
func linksOf(t *testing.T, ready, links string, others int) (*Graph, []string, *Texts) {
	t.Helper()
	var b strings.Builder
	tenant := ""
	if ready == "rbac_tenants.conf" {
		tenant = " acme,"
	}
	for i := range others {
		fmt.Fprintf(&b, "p, other%d,%s /other/%d, GET\n", i, tenant, i)
	}
	fmt.Fprintf(&b, "p, r0,%s /a, GET\n", tenant)
	c := &model.Settings{Casbin: casbinv2.Casbin}
	s := model.ReadSchema("model.conf", model.Preset(ready), c)
	r := NewReader(s, c)
	r.Read("policy.csv", []byte(b.String()))
	r.Read("roles.csv", []byte(links))
	graphs := NewGraphs(s, r.Rules, c)
	r.CheckRoles(graphs)
	var told []string
	for _, f := range r.Findings {
		told = append(told, f.String())
	}
	return graphs["g"], told, TextsOf(r.Rules)
}

// TestFewLinks: role links have the same closures and findings whether few or many texts of
// the policy are names with links.
func TestFewLinks(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	said := 0
	for _, ready := range []string{"rbac.conf", "rbac_tenants.conf"} {
		for range 200 {
			// Long chains, cycles, and names that have links or none.
			names := 2 + rnd.IntN(20)
			var links []string
			for range 1 + rnd.IntN(25) {
				line := fmt.Sprintf("g, r%d, r%d", rnd.IntN(names), rnd.IntN(names))
				if ready == "rbac_tenants.conf" {
					line += fmt.Sprintf(", t%d", rnd.IntN(2))
				}
				if !slices.Contains(links, line) {
					links = append(links, line)
				}
			}
			text := strings.Join(links, "\n")
			many, told, texts := linksOf(t, ready, text, 0)
			few, toldFew, textsFew := linksOf(t, ready, text, fewLinksRatio*len(links))
			if many.nodes.areNames() == many.Tenants || few.nodes.areNames() || (few.nodes.few == nil) != few.Tenants {
				t.Fatal("nodes are not numbered as the case wants it")
			}
			said += len(told)
			if !slices.Equal(told, toldFew) {
				t.Fatalf("%s\nfound %q, and where few names have links %q", text, told, toldFew)
			}
			for i := range names {
				for _, tenant := range []string{"", "t0", "t1"} {
					name := fmt.Sprintf("r%d", i)
					if a, b := described(many.From(tenant, name)), described(few.From(tenant, name)); a != b {
						t.Fatalf("%s\n%s in %q leads to %s, and where few names have links to %s", text, name, tenant, a, b)
					}
				}
			}
			if a, b := eachOf(many, texts), eachOf(few, textsFew); !maps.Equal(a, b) {
				t.Fatalf("%s\nlinks lead from %v, and where few names have links from %v", text, a, b)
			}
		}
	}
	if said < 20 {
		t.Errorf("%d findings in all: the cases prove little", said)
	}
}

// described returns what a closure contains, in words.
func described(c *Closure) string {
	if c == nil {
		return "nothing"
	}
	var all []string
	for _, l := range c.Links {
		all = append(all, fmt.Sprint(l.name, l.Count))
	}
	return fmt.Sprint(all, c.Names, c.Tails, c.tooFar)
}

func eachOf(g *Graph, texts *Texts) map[string]string {
	all := map[string]string{}
	last := int32(0)
	for p, c := range g.Each() {
		if !g.Tenants && p.Name <= last {
			return map[string]string{"names are in another order than their numbers": ""}
		}
		last = p.Name
		all[texts.Text(p.Tenant)+" "+texts.Text(p.Name)] = described(c)
	}
	return all
}

// TestNamesThatFollow: names whose roles have changed are found between graphs of both
// kinds.
func TestNamesThatFollow(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 0))
	c := &model.Settings{Casbin: casbinv2.Casbin}
	s := model.ReadSchema("model.conf", model.Preset("rbac.conf"), c)
	kinds := map[[2]bool]int{}
	for range 400 {
		var lines []string
		for i := range 40 {
			lines = append(lines, fmt.Sprintf("p, r%d, /o%d, GET", i, i))
		}
		links := func(count int) (links []string) {
			for range count {
				if line := fmt.Sprintf("g, r%d, r%d", rnd.IntN(20), 20+rnd.IntN(5)); !slices.Contains(links, line) {
					links = append(links, line)
				}
			}
			return links
		}
		// Both have the same texts, and so the same numbers.
		read := func(links []string) ([]*Rule, *Graph) {
			r := NewReader(s, c)
			r.Read("policy.csv", []byte(strings.Join(append(slices.Clip(lines), links...), "\n")))
			return r.Rules, NewGraphs(s, r.Rules, c)["g"]
		}
		_, old := read(links(rnd.IntN(12)))
		rules, now := read(links(rnd.IntN(12)))
		if old.texts == nil || now.texts == nil {
			continue
		}
		kinds[[2]bool{old.nodes.areNames(), now.nodes.areNames()}]++
		texts := TextsOf(rules)
		marked, want := make([]bool, texts.Numbers()+1), map[string]bool{}
		changed := make([]bool, len(marked))
		special := texts.Known("r21")
		changed[special] = true
		now.MarkDependents(old, changed, marked, nil)
		for i := range 25 {
			name := fmt.Sprintf("r%d", i)
			was, is := old.From("", name), now.From("", name)
			want[name] = described(was) != described(is) || is != nil && slices.Contains(is.AllNames(), "r21")
			if got := marked[texts.Known(name)]; got != want[name] {
				t.Fatalf("%s led to %s and leads to %s: marked %t", name, described(was), described(is), got)
			}
		}
	}
	if len(kinds) < 4 {
		t.Errorf("of each kind there are %v: the cases prove little", kinds)
	}
}
