package casbinrules

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// H12, H14: text that looks like a rule and equals no value is found.
func TestTextThatLooksLikeAnother(t *testing.T) {
	for line, code := range map[string]string{
		"p, bob\u200b, /x, GET":      model.CodeControl,
		"p, bob\u00ad, /x, GET":      model.CodeControl,
		"p, bob\ufeff, /x, GET":      model.CodeControl,
		"p, bob, /x\u200b, GET":      model.CodeControl,
		"p, bob, /x, GET\u2060":      model.CodeControl,
		"p, bob\ufe0f, /x, GET":      model.CodeControl,
		"p, bob, /x, G\u0415T":       model.CodeUnknownMethod,
		"p, bob, /x, (GET)":          model.CodeUnknownMethod,
		"p, bob, /x, GET|POST":       model.CodeUnknownMethod,
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
