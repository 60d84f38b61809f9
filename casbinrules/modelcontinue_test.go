package casbinrules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// modelFindings are those of a good model with one definition replaced.
func modelFindings(t *testing.T, old, text string, opts ...LintOption) []Finding {
	t.Helper()
	model := strings.Replace(baseModel, old, text, 1)
	if model == baseModel {
		t.Fatalf("the model has no %q", old)
	}
	found, err := LintFS(files("p.csv", "p, ann, /a, GET\n"), ModelText("model.conf", model), []string{"p.csv"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLostContinuationLinesAreNamed(t *testing.T) {
	const (
		matcher = "m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"
		lacks   = "lacks a backslash"
	)
	for _, c := range []struct{ name, old, text, want string }{
		{"superuser", matcher, matcher + "\n    || r.sub == \"root\"", lacks},
		{"operator behind", matcher, "m = g(r.sub, p.sub) &&\n  keyMatch2(r.obj, p.obj) && r.act == p.act", lacks},
		{"operator in front", matcher, "m = g(r.sub, p.sub)\n&& r.act == p.act", lacks},
		{"no equals sign", matcher, "m = g(r.sub, p.sub) &&\n  keyMatch2(r.obj, p.obj)", lacks},
		{"a comparison of fields", matcher, "m = g(r.sub, p.sub) &&\n r.act == p.act", lacks},
		{"an argument", matcher, "m = keyMatch2(r.obj,\n p.obj) && r.act == p.act", lacks},
		{"nothing behind the key", matcher, "m =\n  r.sub == p.sub", lacks},
		{"fields", "r = sub, obj, act", "r = sub, obj,\n    act", lacks},
		{"effect", "e = some(where (p.eft == allow))", "e = some(where (p.eft == allow))\n  && !some(where (p.eft == deny))", lacks},
		{"comment between", matcher, "m = g(r.sub, p.sub) && \\\n# paths\n keyMatch2(r.obj, p.obj) && r.act == p.act", "ends that one"},
		{"blank line between", matcher, "m = g(r.sub, p.sub) && \\\n\n keyMatch2(r.obj, p.obj) && r.act == p.act", "ends that one"},
		{"comment behind", matcher, "m = g(r.sub, p.sub) && \\ # roles\n r.act == p.act", "is not its last character"},
	} {
		at := strings.Count(baseModel[:strings.Index(baseModel, c.old)], "\n") + 1
		for _, opts := range [][]LintOption{nil, {WithCasbinSemantics()}} {
			found := modelFindings(t, c.old, c.text, opts...)
			if !slices.ContainsFunc(found, func(f Finding) bool {
				return f.Line == at+strings.Count(c.text, "\n") && f.Hint != "" &&
					strings.Contains(f.Message, c.want) && strings.Contains(f.Message, fmt.Sprintf("line %d", at))
			}) {
				t.Errorf("%s: got %v", c.name, found)
			}
		}
	}
	for name, text := range map[string]string{
		"continued":          "m = g(r.sub, p.sub) && \\\n  keyMatch2(r.obj, p.obj) \\\n  && r.act == p.act",
		"blanks behind":      "m = g(r.sub, p.sub) && \\  \n  keyMatch2(r.obj, p.obj) && r.act == p.act",
		"comment at the end": matcher + " # all \\ of it",
		"comment below":      matcher + "\n\n# || r.sub == \"root\"\n; and so on",
	} {
		if found := modelFindings(t, matcher, text); len(found) > 0 {
			t.Errorf("%s: got %v", name, found)
		}
	}
	// Another definition does not continue the line before.
	found := modelFindings(t, matcher, matcher+"\nm2 = r.sub == p.sub")
	if len(found) != 1 || found[0].Code != model.CodeModelUnused || found[0].Hint != "name it m, or remove it" {
		t.Errorf("a second definition: got %v", found)
	}
}

func TestHintsNameWhatIsMeant(t *testing.T) {
	const (
		matcher = "m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"
		effect  = "e = some(where (p.eft == allow))"
	)
	for _, c := range []struct{ old, text, code, want string }{
		{"keyMatch2", "keymatch2", model.CodeModelMatcher, "did you mean keyMatch2? "},
		{"keyMatch2", "keyMacth2", model.CodeModelMatcher, "did you mean keyMatch2? "},
		{"keyMatch2", "regexpMatch", model.CodeModelMatcher, "did you mean regexMatch? "},
		{"keyMatch2", "regex", model.CodeModelMatcher, "did you mean regexMatch? "},
		{"keyMatch2", "GlobMatch", model.CodeModelMatcher, "did you mean globMatch? "},
		{"keyMatch2", "within", model.CodeModelMatcher, "the functions are globMatch, ipMatch, keyGet"},
		{"p.obj", "p.object", model.CodeModelMatcher, "did you mean p.obj? "},
		{"r.act == p.act", "r.act = p.act", model.CodeModelMatcher, "write == to compare"},
		{"r.act", "r.atc", model.CodeModelMatcher, "did you mean r.act? "},
		{"r = sub, obj, act", "r = subject, obj, act", model.CodeModelRequest, "did you mean sub? "},
		{"[matchers]", "[matcher]", model.CodeModelUnused, "did you mean matchers? "},
		{effect, "e = some(where (p.eft==allow))", model.CodeModelEffect, "did you mean some(where (p.eft == allow))? "},
		{effect, "e = some(where(p.eft == allow)) && !some(where(p.eft == deny))", model.CodeModelEffect, "did you mean some(where (p.eft == allow)) && !some(where (p.eft == deny))? "},
		{effect, "e = some(where (p.eft == allow)) || !some(where (p.eft == deny))", model.CodeModelEffect, "; priority(p.eft) || deny; "},
		{effect, "e = priority(p_effect) || deny", model.CodeModelEffect, "did you mean priority(p.eft) || deny? "},
		{effect, "e = any", model.CodeModelEffect, "with: some(where (p.eft == allow)); some("},
	} {
		text := strings.Replace(baseModel, c.old, c.text, 1)
		found, err := LintFS(files("p.csv", "p, ann, /a, GET\n"), ModelText("model.conf", text), []string{"p.csv"})
		if err != nil || len(found) == 0 || found[0].Code != c.code || !strings.Contains(found[0].Hint, c.want) {
			t.Errorf("%s: got %v, %v", c.text, found, err)
		}
	}
	for effect, want := range map[string]string{"Deny": "did you mean deny? ", "alow": "did you mean allow? ", "denied": "write allow or deny", "true": "write allow or deny"} {
		found, err := LintFS(files("p.csv", "p, ann, /a, GET, "+effect+"\n"), RBACWithDeny(), []string{"p.csv"})
		if err != nil || len(found) != 1 || found[0].Code != model.CodeEffect || !strings.HasPrefix(found[0].Hint, want) {
			t.Errorf("%s: got %v, %v", effect, found, err)
		}
	}
}

// TestMatchersThatCasbinCannotParse: the finding shows the character that is in the file,
// and no fault of Casbin's parser.
func TestMatchersThatCasbinCannotParse(t *testing.T) {
	for condition, want := range map[string]string{
		`r.act in ()`:            "the matcher is not an expression: casbin panics on it, as it does on empty parentheses and on a backslash at the end",
		"r.act ==\u00a0p.act":    `'\u00a0' is not allowed outside a string`,
		"r.act == \u201c*\u201d": "'\u201c' is not allowed outside a string",
	} {
		found := modelFindings(t, "r.act == p.act", condition)
		if len(found) == 0 || found[0].Message != want {
			t.Errorf("%s: %q", condition, found)
		}
	}
	if found := modelFindings(t, "r.act == p.act", `r.act == "#1"`); len(found) == 0 || !strings.Contains(found[0].Hint, "# and what follows it") {
		t.Errorf("a # in a text: %q", found)
	}
}
