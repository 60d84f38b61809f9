package pattern_test

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern/patterntest"
)

// TestSetFindsWhatMatches: a set finds each pattern that matches a text; a pattern without
// special characters matches only itself.
func TestSetFindsWhatMatches(t *testing.T) {
	patterns := slices.Concat(patterntest.Patterns, []string{"team-*", "*", "a|b", "team-a", "ab?c", "{a}{a}", "é*x", "é?x", "u:id", "a.b", "^a", "a+", "[ab]c", "(a", "", "a:"})
	texts := slices.Concat(patterntest.Objects, patterns, []string{"team-", "team-b", "ac", "abc", "aa", "éx", "x", "u1", "axb", "bc", "xa|b"})
	for _, function := range pattern.NameFunctions {
		set := pattern.NewSet(function)
		for i, text := range patterns {
			set.Add(int32(i), text)
		}
		found := 0
		for _, text := range texts {
			matching := slices.Collect(set.Matching(text))
			for i, p := range patterns {
				want := pattern.Match(function, text, p)
				if !pattern.IsPattern(function, p) && want != (text == p) {
					t.Errorf("%s: %q is said to match itself alone, and %q is %v", function, p, text, want)
				}
				if want && set.Has(int32(i)) {
					found++
				}
				if got := slices.Contains(matching, int32(i)); got != (want && pattern.IsPattern(function, p)) {
					t.Errorf("%s: %q by %q: found %v, matches %v", function, text, p, got, want)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: nothing is found", function)
		}
	}
}
