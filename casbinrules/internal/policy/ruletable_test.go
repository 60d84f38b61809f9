package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestRepeatedRulesAreFound reads policies with few words, many of whose rules are equal,
// some because of commas in their fields, and compares them as Casbin does.
func TestRepeatedRulesAreFound(t *testing.T) {
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 6))
	c := &model.Settings{Casbin: casbinv2.Casbin, AsCasbin: true}
	s := model.ReadSchema("rbac.conf", model.Preset("rbac.conf"), c)
	collisions := 0
	for range 100 {
		words := []string{"a", "b", "c", "a,b", "b,c", "a,b,c"}[:3+rnd.IntN(4)]
		for i := range rnd.IntN(20) {
			words = append(words, fmt.Sprint("w", i))
		}
		var b strings.Builder
		first, want := map[string]string{}, map[int]string{}
		for line := 1; line <= 200; line++ {
			fields := []string{"p", policygen.Pick(rnd, words), policygen.Pick(rnd, words), policygen.Pick(rnd, words)}
			fmt.Fprintf(&b, "%q,%q,%q,%q\n", fields[0], fields[1], fields[2], fields[3])
			switch joined, told := strings.Join(fields, ","), fmt.Sprintf("%q", fields); {
			case first[joined] == "":
				first[joined] = told
			case first[joined] == told:
				want[line] = model.CodeDuplicate
			default:
				want[line] = model.CodeCollision
				collisions++
			}
		}
		p := NewReader(s, c)
		p.Read("policy.csv", []byte(b.String()))
		for _, f := range p.Findings {
			if want[f.Line] != f.Code {
				t.Errorf("line %d: %s, want %q", f.Line, f.Code, want[f.Line])
			}
			delete(want, f.Line)
		}
		if len(want) > 0 || p.Rules.Len() != len(first) {
			t.Errorf("%d rules, want %d; not found: %v", p.Rules.Len(), len(first), want)
		}
	}
	if collisions == 0 {
		t.Error("no rules collide: the cases prove nothing")
	}
}
