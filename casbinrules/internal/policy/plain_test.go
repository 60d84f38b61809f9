package policy

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/plainline"
)

// FuzzSplitPlain splits any line the short way. What that takes must be what
// the long way makes of it, with nothing to say about any field.
func FuzzSplitPlain(f *testing.F) {
	for _, seed := range []string{
		"p, ann, /x, GET", "p,ann,/x,GET", "p", ",", "p,", "p,,a", "p, ", " p, a", "p, a ", "p , a", "p,   a", "p,\ta", `p, "a"`, "p, a#",
		"p, a\x7f", "p, é", "# p, a", "", "p, a b", "p,a\r", "g, u, r",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		plain, ok := plainline.Split(nil, line)
		if !ok {
			return
		}
		text, offset := trimmed(line)
		fields, problem := SplitLine(nil, text, offset)
		if problem != nil || text != line || len(fields) != len(plain) {
			t.Fatalf("%q: %q, the long way %v, %v", line, plain, fields, problem)
		}
		for i, field := range fields {
			if field.Text != plain[i] || field.quoted {
				t.Errorf("%q: field %d: %q, the long way %+v", line, i, plain[i], field)
			}
		}
		if at, c := controlCharacter(fields); at > 0 {
			t.Errorf("%q: control character %q", line, c)
		}
		if _, found := inlineComment(fields); found {
			t.Errorf("%q: a comment", line)
		}
		checkFields(fields, func(_ int, code, _, _ string, _ ...any) { t.Errorf("%q: %s", line, code) })
	})
}

// TestMostLinesArePlain: the long way would do for all lines, only slowly.
func TestMostLinesArePlain(t *testing.T) {
	for line := range strings.Lines("p, ann, /reports/:id/*, GET\ng,bob,editor\np, a b, {x}(.*)?, *\n") {
		if _, ok := plainline.Split(nil, strings.TrimSuffix(line, "\n")); !ok {
			t.Errorf("%q is not plain", line)
		}
	}
}
