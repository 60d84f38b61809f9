package doccheck

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// attackGroups are the groups of numbered attacks and how many each has.
var attackGroups = []struct {
	letter string
	count  int
}{{"B", 23}, {"C", 11}, {"D", 19}, {"E", 29}, {"F", 13}}

var (
	attackRow = regexp.MustCompile(`^\| ([A-Z]\d\d) \|`)
	verdict   = regexp.MustCompile("\\b[45]\\d\\d ((?:`[a-z_]+`(?:, | and )?)+)")
	testSpan  = regexp.MustCompile("`(Test|Fuzz|Benchmark)[^`]+`")
)

// TestEveryAttackHasARow: each number once and in order, with an answer whose
// codes exist and a test.
func TestEveryAttackHasARow(t *testing.T) {
	src := source(t)
	codes := append(constants(src, "Reason"), constants(src, "Code")...)
	var want, got []string
	for _, g := range attackGroups {
		for n := range g.count {
			want = append(want, fmt.Sprintf("%s%02d", g.letter, n+1))
		}
	}
	for _, line := range pageNamed(t, "docs/security.md").Section("Attacks") {
		cells := strings.Split(line, " | ")
		if len(cells) < 3 || strings.HasPrefix(line, "| no. |") || strings.HasPrefix(line, "| attack |") {
			continue
		}
		if m := attackRow.FindStringSubmatch(line); m != nil {
			got = append(got, m[1])
		}
		if !testSpan.MatchString(line) {
			t.Errorf("no test proves %s", line)
		}
		for _, m := range verdict.FindAllStringSubmatch(line, -1) {
			for _, code := range codeSpan.FindAllStringSubmatch(m[1], -1) {
				if !slices.Contains(codes, code[1]) {
					t.Errorf("%q is neither a reason nor a public code, in %s", code[1], line)
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}
