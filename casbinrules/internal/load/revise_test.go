package load

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// TestOneRunOfLinesHoldsAllChanges compares random texts of often equal lines, with and
// without a final line feed.
func TestOneRunOfLinesHoldsAllChanges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	long := strings.Repeat("x", block)
	text := func() string {
		var b strings.Builder
		for range rnd.IntN(6) {
			b.WriteString([]string{"", "a", "b", "ab", "ba", long, long + "a", "a" + long}[rnd.IntN(8)] + "\n")
		}
		return strings.TrimSuffix(b.String(), []string{"", "\n"}[rnd.IntN(2)])
	}
	lines := func(text string) []string { return slices.Collect(strings.Lines(text)) }
	for range 20_000 {
		before, now := text(), text()
		k := &kept{policies: []watch.File{{Content: []byte(before)}}}
		f := k.compare(&source.Contents{Policies: []watch.File{{Name: "p.csv", Content: []byte(now)}}}, nil)[0]
		was, is := lines(before), lines(now)
		rest := len(was) - f.Same - f.Old
		if rest != len(is)-f.Same-f.New || f.Same < 0 || f.Old < 0 || f.New < 0 || rest < 0 ||
			f.At != len(strings.Join(is[:f.Same], "")) ||
			!slices.Equal(was[:f.Same], is[:f.Same]) || !slices.Equal(was[len(was)-rest:], is[len(is)-rest:]) {
			t.Fatalf("%.40q\n%.40q\n%+v", before, now, struct{ Same, At, Old, New int }{f.Same, f.At, f.Old, f.New})
		}
		if was, is := was[f.Same:f.Same+f.Old], is[f.Same:f.Same+f.New]; len(was) > 0 && len(is) > 0 &&
			(was[0] == is[0] || was[len(was)-1] == is[len(is)-1]) && strings.HasSuffix(before, "\n") && strings.HasSuffix(now, "\n") {
			t.Fatalf("%.40q\n%.40q\n%+v: a line at the edge is the same", before, now, struct{ Same, At, Old, New int }{f.Same, f.At, f.Old, f.New})
		}
	}
}
