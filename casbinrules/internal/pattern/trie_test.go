package pattern

import (
	"slices"
	"strings"
	"testing"
)

// TestTriesFindPatterns puts patterns of keyMatch2 into a trie and looks for
// those that cover, or overlap with, another one.
func TestTriesFindPatterns(t *testing.T) {
	var trie Trie[[]string]
	for _, pattern := range []string{"/a/b", "/a/:x", "/a/*", "/:x/b", "/*", "/a", "/a/b/c", "/"} {
		at := trie.At(Split("keyMatch2", pattern))
		*at = append(*at, pattern)
	}
	for pattern, want := range map[string][2]string{
		"/a/b":  {"/* /:x/b /a/* /a/:x /a/b", "/* /:x/b /a/* /a/:x /a/b"},
		"/a/:y": {"/* /a/* /a/:x", "/* /:x/b /a/* /a/:x /a/b"},
		"/a/*":  {"/* /a/*", "/* /:x/b /a /a/* /a/:x /a/b /a/b/c"},
		"/z":    {"/*", "/*"},
		"/":     {"/ /*", "/ /*"},
	} {
		segments := Split("keyMatch2", pattern)
		var covering, overlapping []string
		trie.Covering(segments, 1000, func(found *[]string) bool {
			covering = append(covering, *found...)
			return true
		})
		trie.Overlapping(segments, func(found *[]string) { overlapping = append(overlapping, *found...) })
		for i, got := range [][]string{covering, overlapping} {
			slices.Sort(got)
			if text := strings.Join(slices.Compact(got), " "); text != want[i] {
				t.Errorf("%s: %s is %q, want %q", pattern, []string{"covering", "overlapping"}[i], text, want[i])
			}
		}
	}
	cut := false
	trie.Covering(Split("keyMatch2", "/a/b"), 2, func(found *[]string) bool {
		cut = cut || found == nil
		return true
	})
	if !cut {
		t.Error("a search that is cut short does not say so")
	}
}
