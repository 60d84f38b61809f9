package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// TestCompareFindsEveryDifference compares policies that differ in few places
// with what looking at all of their rules says.
func TestCompareFindsEveryDifference(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 5))
	reordered := 0
	for range 500 {
		before := make([]string, rnd.IntN(12)*(1+rnd.IntN(4))) // some longer than what is looked ahead
		for i := range before {
			before[i] = fmt.Sprintf("p, u%d, /x, GET", i)
		}
		after := slices.Clone(before)
		for range rnd.IntN(4) {
			switch at := rnd.IntN(len(after) + 1); {
			case rnd.IntN(3) == 0 && at < len(after):
				after = slices.Delete(after, at, at+1)
			case rnd.IntN(2) == 0 && at < len(after):
				after[0], after[at] = after[at], after[0]
			default:
				after = slices.Insert(after, at, fmt.Sprintf("p, new%d, /x, GET", rnd.IntN(1000)))
			}
		}
		d := Compare(rulesOf(t, before), rulesOf(t, after))
		checkListed(t, "removed", d.Removed, d.RemovedCount, before, after)
		checkListed(t, "added", d.Added, d.AddedCount, after, before)
		moved := d.AddedCount == 0 && d.RemovedCount == 0 && !slices.Equal(before, after)
		if d.Reordered != moved {
			t.Errorf("%q to %q: reordered %v", before, after, d.Reordered)
		}
		if moved {
			reordered++
		}
	}
	if reordered == 0 {
		t.Error("nothing was reordered: the cases prove nothing")
	}
}

// rulesOf reads rules that need no model.
func rulesOf(t *testing.T, lines []string) []*Rule {
	c := &model.Settings{Casbin: casbinv2.Casbin}
	p := NewReader(model.ReadSchema("rbac.conf", model.Ready("rbac.conf"), c), c)
	p.Read("policy.csv", []byte(strings.Join(lines, "\n")))
	return p.Rules
}

func checkListed(t *testing.T, what string, got []RuleText, count int, from, in []string) {
	t.Helper()
	var want, listed []string
	for _, line := range from {
		if !slices.Contains(in, line) && !slices.Contains(want, line) {
			want = append(want, line)
		}
	}
	for _, r := range got {
		listed = append(listed, r.Text)
	}
	if !slices.Equal(listed, want) || count != len(want) {
		t.Errorf("%s: %d, %q, want %q", what, count, listed, want)
	}
}

func TestPolicyLinesOfAnyOrder(t *testing.T) {
	for kinds, want := range map[string]string{"": "", "p": "1", "g": "", "ppg": "12", "gpp": "23", "pgp": "13", "gpgpg": "24"} {
		var lines []string
		for i, kind := range kinds {
			line := fmt.Sprintf("g, u%d, r", i)
			if kind == 'p' {
				line = fmt.Sprintf("p, u%d, /x, GET", i)
			}
			lines = append(lines, line)
		}
		got := ""
		for _, r := range PolicyLines(rulesOf(t, lines)) {
			got += fmt.Sprint(r.Line)
		}
		if got != want {
			t.Errorf("%q: lines %q, want %q", kinds, got, want)
		}
	}
}
