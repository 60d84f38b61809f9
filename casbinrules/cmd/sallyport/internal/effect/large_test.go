package effect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// largePolicy returns some 5,000 lines with 120 roles, most of which inherit others, and
// 600 users; some of the lines deny if effects is set.
func largePolicy(effects bool) []string {
	r := rand.New(rand.NewPCG(12, 1))
	paths := []string{"/api/v1/%s", "/api/v1/%s/:id", "/api/v1/%s/:id/items", "/api/v1/%s/:id/items/:item", "/api/v1/%s/*"}
	methods := []string{"GET", "POST", "PUT", "DELETE", "*"}
	var lines []string
	for n := range 4000 {
		resource := fmt.Sprintf("%c%c%d", 'a'+r.IntN(26), 'a'+r.IntN(26), n%2000)
		line := fmt.Sprintf("p, role%d, %s, %s", n%120, fmt.Sprintf(paths[r.IntN(5)], resource), methods[r.IntN(5)])
		switch {
		case effects && n%100 == 7:
			line += ", deny"
		case effects:
			line += ", allow"
		}
		lines = append(lines, line)
	}
	for role := 10; role < 120; role++ {
		lines = append(lines, fmt.Sprintf("g, role%d, role%d", role, r.IntN(role/2)))
	}
	for user := range 600 {
		first := r.IntN(120)
		lines = append(lines, fmt.Sprintf("g, user%d, role%d", user, first))
		if user%2 == 0 {
			lines = append(lines, fmt.Sprintf("g, user%d, role%d", user, (first+1+r.IntN(119))%120))
		}
	}
	return lines
}

var largeFamilies = map[string]family{
	"allow": {matcher: "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && (r.act == p.act || p.act == '*')"},
	"deny":  {matcher: "g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && (r.act == p.act || p.act == '*')", effect: deny},
}

var largeEdits = map[string]func(lines []string) []string{
	"1 line": func(lines []string) []string {
		lines[1500] = strings.Replace(lines[1500], "/api/", "/other/", 1)
		return lines
	},
	"20 lines": func(lines []string) []string {
		for i := 100; i < 4000; i += 200 {
			lines[i] = strings.Replace(lines[i], "/api/", "/other/", 1)
		}
		return lines
	},
	"1 role link": func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "g, role20, ") })
	},
}

func openLarge(t testing.TB, f family, edit string) (old, now *ask.Policy) {
	lines := largePolicy(f.effect == deny)
	old, now, ok := f.openBoth(lines, largeEdits[edit](slices.Clone(lines)), nil)
	if !ok {
		t.Fatal("the policies do not open")
	}
	return old, now
}

// Policies of 5,000 lines are compared within the default limit, and nothing is missed.
func TestLargePoliciesAreCompared(t *testing.T) {
	edits := map[string]int{"1 line": 2, "20 lines": 40, "1 role link": 1}
	if testing.Short() {
		edits = map[string]int{"1 role link": 1}
	}
	for edit, least := range edits {
		old, now := openLarge(t, largeFamilies["allow"], edit)
		r, err := Compare(t.Context(), old, now, Settings{Limit: 10_000_000})
		if err != nil || !r.Complete() || len(r.Changes) < least || len(r.Gaps) > 0 {
			t.Errorf("%s: %v, %+v", edit, err, r)
		}
	}
}

func BenchmarkCompareLarge(b *testing.B) {
	for name, f := range largeFamilies {
		for edit := range largeEdits {
			b.Run(name+"/"+edit, func(b *testing.B) {
				old, now := openLarge(b, f, edit)
				for b.Loop() {
					r, err := Compare(b.Context(), old, now, Settings{Limit: 10_000_000})
					if err != nil || !r.Complete() || len(r.Changes) == 0 {
						b.Fatalf("%v, %+v", err, r)
					}
					b.ReportMetric(float64(r.questions), "asked")
					b.ReportMetric(float64(r.Asked), "compared")
				}
			})
		}
	}
}
