package casbinrules

import (
	"slices"
	"testing"
	"testing/fstest"
)

// H12, H14: text that looks like a rule and equals nothing is found.
func TestTextThatLooksLikeAnother(t *testing.T) {
	for line, code := range map[string]string{
		"p, bob\u200b, /x, GET":      codeControl,
		"p, bob\u00ad, /x, GET":      codeControl,
		"p, bob\ufeff, /x, GET":      codeControl,
		"p, bob, /x\u200b, GET":      codeControl,
		"p, bob, /x, GET\u2060":      codeControl,
		"p, bob\ufe0f, /x, GET":      codeControl,
		"p, bob, /x, G\u0415T":       codeUnknownMethod,
		"p, bob, /x, (GET)":          codeUnknownMethod,
		"p, bob, /x, GET|POST":       codeUnknownMethod,
		"p, bob, /x, reports:x":      "",
		"p, bo\u0308b, /\u00e9, GET": "",
	} {
		findings, err := LintFS(fstest.MapFS{"policy.csv": {Data: []byte(line + "\n")}}, RBAC(), []string{"policy.csv"})
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, f := range findings {
			codes = append(codes, f.Code)
		}
		if code == "" && len(codes) > 0 || code != "" && !slices.Contains(codes, code) {
			t.Errorf("%+q: findings %q, want %q", line, codes, code)
		}
	}
}
