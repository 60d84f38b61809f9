package pattern_test

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern/patterntest"
)

// TestMatchSegmentsIsCompile: a pattern that is matched segment by segment gives the result
// of the regular expression.
func TestMatchSegmentsIsCompile(t *testing.T) {
	patterns := slices.Concat(patterntest.Patterns, []string{
		"/a/{x}/{x}", "/a/(", "", ".*", "/*", "//*", "/:", "/{}", "/:x/", "/a\n", "/a?", "/a\ufffd/:x", "/a\xff", `/a\.b/:x`, "/a/:id?x=1", "/\n/*",
	})
	objects := slices.Concat(patterntest.Objects, patterns, []string{
		"/a\n/1", "/\n", "/a/\n/1", "/a/\n", "/a/1?/2", "/a?/1", "?", "/a\xff/1", "/a\ufffd/1", "/a/1?x=1/2", "/a.b/1", "",
	})
	for _, function := range []string{"keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5"} {
		sure, matched := 0, 0
		for _, p := range patterns {
			compiled, err := pattern.Compile(function, p)
			for _, object := range objects {
				got, ok := pattern.MatchSegments(function, object, p)
				if !ok {
					continue
				}
				sure++
				if want := err == nil && compiled(object); got != want {
					t.Errorf("%s(%q, %q) is %v segment by segment, and else %v", function, object, p, got, want)
				}
				if got {
					matched++
				}
			}
		}
		if sure < 500 || matched < 50 {
			t.Errorf("%s: %d cases, of which %d match, prove little", function, sure, matched)
		}
	}
}
