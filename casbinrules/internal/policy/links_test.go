package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

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

// TestNamesThatFollow: names whose roles have changed are found between two graphs.
func TestNamesThatFollow(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 0))
	c := &model.Settings{Casbin: casbinv2.Casbin}
	s := model.ReadSchema("model.conf", model.Preset("rbac.conf"), c)
	compared := 0
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
		read := func(links []string) (Rules, *Graph) {
			r := NewReader(s, c)
			r.Read("policy.csv", []byte(strings.Join(append(slices.Clip(lines), links...), "\n")))
			return r.Rules, NewGraphs(s, r.Rules, c)["g"]
		}
		_, old := read(links(rnd.IntN(12)))
		rules, now := read(links(rnd.IntN(12)))
		if old.texts == nil || now.texts == nil {
			continue
		}
		compared++
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
	if compared < 100 {
		t.Errorf("%d graphs compared: the cases prove little", compared)
	}
}
