package lsp

import (
	"regexp"
	"strings"
	"testing"
)

// TestCodeIsCode: a name from a policy is code in Markdown whatever it contains, and
// nothing else, such as an image to load.
func TestCodeIsCode(t *testing.T) {
	t.Parallel()
	fences := regexp.MustCompile("`+")
	for _, text := range []string{
		"editor", "a`b", "`", "``", "a`` ![x](https://example.com) ``", "``` `` `", "a\r\r![x](https://example.com)", "a\u2028b\v\x00", strings.Repeat("`", 100_000),
	} {
		made := code(text)
		runs := fences.FindAllString(made, -1)
		for i, run := range runs {
			if end := i == 0 || i == len(runs)-1; end != (run == runs[0]) {
				t.Errorf("%.40q: %.60q ends at another place", text, made)
			}
		}
		if runs[0] != runs[len(runs)-1] || strings.ContainsAny(made, "\r\n\v\x00\u2028") {
			t.Errorf("%.40q: %.60q is not one span of code", text, made)
		}
	}
}
