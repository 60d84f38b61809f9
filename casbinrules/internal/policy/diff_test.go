package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestCompareFindsEveryDifference compares policies that differ in few places, and checks
// the result against a comparison of all rules.
func TestCompareFindsEveryDifference(t *testing.T) {
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 5))
	reordered := 0
	for range 500 {
		before := make([]string, rnd.IntN(12)*(1+rnd.IntN(4)))
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
		d := Compare(rulesOf(t, before), rulesOf(t, after), nil)
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

// TestMovesCompareAsAllRulesDo adds, removes and moves lines in a few places, and checks
// the result against a comparison of all rules.
func TestMovesCompareAsAllRulesDo(t *testing.T) {
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 6))
	var seen [3]int // differences: none, reordered, others
	for range 2000 {
		before := make([]string, rnd.IntN(12))
		for i := range before {
			before[i] = fmt.Sprintf("p, u%d, /x, GET", i)
		}
		var m Moves
		var gone []string // and to come again somewhere, perhaps
		for at := rnd.IntN(4); at < len(before); at += 1 + rnd.IntN(5) {
			end := min(at+rnd.IntN(3), len(before))
			m = append(m, Replaced{From: at, End: end})
			gone = append(gone, before[at:end]...)
			at = end
		}
		rnd.Shuffle(len(gone), func(i, j int) { gone[i], gone[j] = gone[j], gone[i] })
		lost := rnd.IntN(3)
		var after []string
		from := 0
		for i := range m {
			after = append(after, before[from:m[i].From]...)
			from, m[i].To = m[i].End, len(after)
			come := rnd.IntN(len(gone) + 1)
			if i == len(m)-1 && lost > 0 {
				come = len(gone)
			}
			after, gone = append(after, gone[:come]...), gone[come:]
			if rnd.IntN(4) == 0 {
				after = append(after, fmt.Sprintf("p, new%d, /x, GET", i))
			}
			m[i].Count = len(after) - m[i].To
		}
		after = append(after, before[from:]...)
		was, is := rulesOf(t, before), rulesOf(t, after)
		want, got := Compare(was, is, nil), m.Compare(was, is, nil)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q to %q by %v: %+v, want %+v", before, after, m, got, want)
		}
		switch {
		case want.Reordered:
			seen[1]++
		case want.AddedCount+want.RemovedCount > 0:
			seen[2]++
		default:
			seen[0]++
		}
	}
	if slices.Min(seen[:]) < 20 {
		t.Errorf("none, reordered, others: %v: the cases prove little", seen)
	}
}

// rulesOf reads rules that need no model.
func rulesOf(t *testing.T, lines []string) Rules {
	c := &model.Settings{Casbin: casbinv2.Casbin}
	p := NewReader(model.ReadSchema("rbac.conf", model.Preset("rbac.conf"), c), c)
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
		for _, r := range PolicyLines(rulesOf(t, lines), nil).All() {
			got += fmt.Sprint(r.Line)
		}
		if got != want {
			t.Errorf("%q: lines %q, want %q", kinds, got, want)
		}
	}
}
