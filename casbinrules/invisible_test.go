package casbinrules

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// H12: what an editor shows as a rule, or as a definition, is not part of a comment. A
// comment may contain the characters of any language, and end in a carriage return.
func TestCommentsThatHideALine(t *testing.T) {
	files := func(policy, model string) fstest.MapFS {
		return fstest.MapFS{"policy.csv": {Data: []byte(policy)}, "model.conf": {Data: []byte(model)}}
	}
	const rule, deny = "p, bob, /x, GET\n", "p, bob, /x, GET, deny"
	for comment, hides := range map[string]bool{
		"# until May":    false,
		"# until\tMay\r": false,
		"# 👩\u200d💻 \u200fעברית می\u200cخواهم": false,
		"# until May\r" + deny:            true,
		"# until May\v" + deny:            true,
		"# until May\f" + deny:            true,
		"# until May\u0085" + deny:        true,
		"# until May\u2028" + deny:        true,
		"# until May\u2029" + deny:        true,
		" # \u202e yned ,TEG ,x/ ,bob ,p": true,
		"# \u2067 yned ,TEG ,x/ ,bob ,p":  true,
		"# until May\r\r\n# June":         false,
	} {
		for name, fsys := range map[string]fstest.MapFS{
			"policy": files(comment+"\n"+rule, RBAC().Text()),
			"model":  files(rule, RBAC().Text()+comment+"\n"),
		} {
			findings, err := LintFS(fsys, ModelText("model.conf", string(fsys["model.conf"].Data)), []string{"policy.csv"})
			if err != nil {
				t.Fatal(err)
			}
			told := slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == model.CodeControl && f.Severity == SeverityError })
			if told != hides {
				t.Errorf("%s, %+q: findings %q", name, comment, findings)
			}
		}
		if _, err := FormatPolicy("policy.csv", []byte(comment+"\n"+rule)); (err != nil) != hides {
			t.Errorf("format, %+q: %v", comment, err)
		}
	}
}

// H12, H14: text that looks like a rule and equals no value is found.
func TestTextThatLooksLikeAnother(t *testing.T) {
	for line, code := range map[string]string{
		"p, bob\u200b, /x, GET":     model.CodeControl,
		"p, bob\u00ad, /x, GET":     model.CodeControl,
		"p, bob\ufeff, /x, GET":     model.CodeControl,
		"p, bob, /x\u200b, GET":     model.CodeControl,
		"p, bob, /x, GET\u2060":     model.CodeControl,
		"p, bob\ufe0f, /x, GET":     model.CodeControl,
		"p, bo\u034fb, /x, GET":     model.CodeControl,
		"p, bo\u2028b, /x, GET":     model.CodeControl,
		"p, bo\u3164b, /x, GET":     model.CodeControl,
		"p, bob, /x, G\u0415T":      model.CodeUnknownMethod,
		"p, 'bob', /x, GET":         model.CodeOtherQuotes,
		"p, bob, ‘/x’, GET":         model.CodeOtherQuotes,
		"g, bob, “r”":               model.CodeOtherQuotes,
		"p, '', /x, GET":            model.CodeOtherQuotes,
		"p, bob, /'x', GET":         "",
		"p, ', /x, GET":             "",
		"p, 'bob, /x, GET":          "",
		"p, bob, /x, (GET)":         model.CodeUnknownMethod,
		"p, bob, /x, GET|POST":      model.CodeUnknownMethod,
		"p, bob, /x, GET // by Eve": model.CodeUnknownMethod,
		"p, bob, /x, GET -- by Eve": model.CodeUnknownMethod,
		"p, bob, /x, GET ; by Eve":  model.CodeUnknownMethod,
		"p, bob, /x, GET /* Eve */": model.CodeUnknownMethod,
		"p, bob, /x, GET reports":   "",
		"p, bob, /x/../y, GET":      model.CodeRegexpCharacter,
		`p, bob, /x/\.\./y, GET`:    model.CodeUnmatchable,
		`p, bob, /x/\./y, GET`:      model.CodeUnmatchable,
		`p, bob, /x/\.\.a/y, GET`:   "",
		`p, bob, /x/\.well/y, GET`:  "",
		"p, bob, /x, reports:x":     "",
		"p, b\u00f6b, /\u00e9, GET": "",
		"p, bo\u0308b, /x, GET":     model.CodeDecomposed,
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
