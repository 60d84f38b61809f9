package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLinesOfTexts finds each line of texts.
func TestLinesOfTexts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		lines := make([]string, 1+rnd.IntN(300))
		for i := range lines {
			lines[i] = strings.Repeat("x", []int{0, 1, 30, 5000}[rnd.IntN(4)]+rnd.IntN(2))
		}
		lines[len(lines)-1] = "last"
		s := source{text: []byte(strings.Join(lines, "\n"))}
		for i, want := range lines {
			if got := s.line(i + 1); got != want {
				t.Fatalf("line %d of %d is %d bytes long, want %d", i+1, len(lines), len(got), len(want))
			}
		}
	}
}

// TestRevisionsOfOneText: spare capacity of the fields belongs to one revision only.
func TestRevisionsOfOneText(t *testing.T) {
	before := newTexts(0)
	before.fields = append(make([]int32, 0, 100), 1, 2, 3)
	first, second := before.revised(2), before.revised(2)
	first.fields = append(first.fields, 4, 5)
	second.fields = append(second.fields, 6, 7)
	if got := first.fields[3:]; got[0] != 4 || got[1] != 5 {
		t.Errorf("the fields of the first are %d once there is a second", got)
	}
	if &first.fields[0] != &before.fields[0] {
		t.Error("the first has copied what it could share")
	}
}
