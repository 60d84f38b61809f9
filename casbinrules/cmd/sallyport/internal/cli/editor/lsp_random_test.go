package editor

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/core/authtest"
)

var (
	lspEdits = flag.Int("lsp.edits", 3000, "how many random edits the language server is tried with")
)

// lspFiles maps file names to texts.
type lspFiles map[string]string

func (f lspFiles) FS() fs.FS {
	m := fstest.MapFS{}
	for name, text := range f {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

// pieces are the texts that random edits insert.
var pieces = []string{
	"p, ", "g, ", "ann", "editor", ", ", ",", "/a/:id", "/a/*", "/é", "\U0001f6aa", "GET", "put", "*", "\"", "\n", "\r\n", "\r", "#", " ", "\t",
	"\u200b", "\ufeff", ";", "(", "p, ann, /a, GET\n", "g, ann, editor\n", "p, editor, /b, PUT\n", "[matchers]\n", "= ", "r.sub", "allow ", "[", "]", " in ",
}

// TestLSPRandomEdits edits a policy, a model and tests at random, and compares the
// server's findings with those of lint. Meanwhile all requests are made at random
// positions, and none may fail.
func TestLSPRandomEdits(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 1))
	start := map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": policy, "policy.tests": "allow erin /reports GET\n"}
	dir := write(t, start)
	e := startEditor(t, dir, nil, nil)
	texts, versions := map[string]string{}, map[string]int{}
	for name, text := range start {
		texts[name], versions[name] = text, 1
		e.open(filepath.Join(dir, name))
	}
	names := []string{"policy.csv", "policy.csv", "policy.csv", "policy.tests", "model.conf"}
	for i := 1; i <= *lspEdits; i++ {
		name := names[rnd.IntN(len(names))]
		versions[name]++
		var changes []map[string]any
		for range 1 + rnd.IntN(3) {
			text, change := randomEdit(rnd, texts[name])
			texts[name] = text
			changes = append(changes, change)
		}
		if rnd.IntN(60) == 0 {
			texts[name] = start[name]
			changes = append(changes, map[string]any{"text": texts[name]})
		}
		e.edit(filepath.Join(dir, name), versions[name], changes...)
		if i%10 == 0 {
			askEverything(t, e, rnd, filepath.Join(dir, name), texts[name])
		}
		if i%25 == 0 {
			compareWithLint(t, e, dir, texts, versions)
			if t.Failed() {
				return
			}
		}
	}
	if len(e.messages) > 0 {
		t.Errorf("the server reported %v", e.messages)
	}
}

// randomEdit replaces a part of a text, between possible cursor positions.
func randomEdit(rnd *rand.Rand, text string) (string, map[string]any) {
	boundary := func(near int) int {
		at := min(max(near, 0), len(text))
		for at > 0 && at < len(text) && (!utf8.RuneStart(text[at]) || text[at] == '\n' && text[at-1] == '\r') {
			at--
		}
		return at
	}
	from := boundary(rnd.IntN(len(text) + 1))
	to := from
	if rnd.IntN(3) > 0 {
		to = max(from, boundary(from+rnd.IntN(12)))
	}
	insert := ""
	for range rnd.IntN(3) {
		insert += pieces[rnd.IntN(len(pieces))]
	}
	change := map[string]any{"range": lspRange{utf16Position(text, from), utf16Position(text, to)}, "text": insert}
	return text[:from] + insert + text[to:], change
}

// askEverything makes each request at a random position. Formatting must not change the
// policy's meaning.
func askEverything(t *testing.T, e *editor, rnd *rand.Rand, file, text string) {
	t.Helper()
	at := utf16Position(text, 0)
	at.Line, at.Character = rnd.IntN(strings.Count(text, "\n")+2), rnd.IntN(40)
	params := about(file, at.Line, at.Character)
	params["range"], params["context"] = lspRange{lspPosition{0, 0}, at}, map[string]any{"diagnostics": []any{}}
	for _, method := range []string{"hover", "completion", "definition", "references", "codeAction", "foldingRange", "semanticTokens/full"} {
		e.call("textDocument/"+method, params, nil)
	}
	var edits []lspTextEdit
	e.call("textDocument/formatting", params, &edits)
	if before, err := rulesOf(text); err == nil && filepath.Base(file) == policyfile.PolicyName {
		if after, err := rulesOf(applied(text, edits)); err != nil || after != before {
			t.Errorf("formatting changes\n%q\nto\n%q: %v", text, applied(text, edits), err)
		}
	}
}

// TestLSPOddModels makes requests at each position of models with missing names.
func TestLSPOddModels(t *testing.T) {
	t.Parallel()
	for _, model := range []string{
		"[request_definition]\n= sub, obj\n= p.sub\n[policy_definition]\n = \n[matchers]\nm = r.sub == p. && \"\" == r.\n",
		"[policy_definition]\np = \"\", ''\n[role_definition]\ng =\n= _, _\n[matchers]\n=\n",
		"[]\n=\n[matchers]\n\\\n= \"",
	} {
		dir := write(t, map[string]string{"model.conf": model, "policy.csv": ", ann\np\n\"\", ,\n"})
		e := startEditor(t, dir, nil, nil)
		for name, text := range map[string]string{"model.conf": model, "policy.csv": ", ann\np\n\"\", ,\n"} {
			file := filepath.Join(dir, name)
			e.open(file)
			for offset := range len(text) + 1 {
				at := utf16Position(text, offset)
				for _, method := range []string{"hover", "completion", "definition", "references"} {
					e.call("textDocument/"+method, about(file, at.Line, at.Character), nil)
				}
			}
		}
	}
}

// TestLSPRequestsWithoutNames: an empty field of a request definition has no name, and
// those after it keep theirs.
func TestLSPRequestsWithoutNames(t *testing.T) {
	t.Parallel()
	for _, fields := range []string{",,sub", "sub,,", ",", ", ,sub, obj, act"} {
		texts := map[string]string{
			"model.conf": strings.Replace(presets["rbac"]().Text(), "r = sub, obj, act", "r = "+fields, 1),
			"policy.csv": "p, ann, /a, GET\n",
		}
		dir := write(t, texts)
		e := startEditor(t, dir, nil, nil)
		versions := map[string]int{"model.conf": 1, "policy.csv": 1}
		for name := range texts {
			e.open(filepath.Join(dir, name))
		}
		compareWithLint(t, e, dir, texts, versions)
		at := strings.Index(texts["model.conf"], "g(r.sub") + len("g(r.")
		from := utf16Position(texts["model.conf"], at)
		var found []struct{ Range lspRange }
		e.call("textDocument/definition", about(filepath.Join(dir, "model.conf"), from.Line, from.Character), &found)
		want := strings.Index(texts["model.conf"], "r = "+fields) + len("r = ") + strings.Index(fields, "sub")
		if named := strings.Contains(fields, "sub"); named != (len(found) == 1) || named && found[0].Range.Start != utf16Position(texts["model.conf"], want) {
			t.Errorf("%s: r.sub is defined at %v", fields, found)
		}
	}
}

// TestLSPRulesWithoutNames: an empty field of a rule has no name, and those after it keep
// their place.
func TestLSPRulesWithoutNames(t *testing.T) {
	t.Parallel()
	for fields, line := range map[string]string{"sub, , obj, act": "p, ann, , /a, GET", ", sub, obj, act": "p, , ann, /a, GET", "sub, obj, , act,": "p, ann, /a, , GET,"} {
		model := strings.Replace(presets["rbac"]().Text(), "p = sub, obj, act", "p = "+fields, 1)
		dir := write(t, map[string]string{"model.conf": model, "policy.csv": line + "\n"})
		e := startEditor(t, dir, nil, nil)
		file := filepath.Join(dir, "policy.csv")
		e.open(file)
		var got struct{ Contents struct{ Value string } }
		e.call("textDocument/hover", about(file, 0, strings.Index(line, "ann")), &got)
		if want := "**Allows** `ann` `GET` on `/a`."; !strings.Contains(got.Contents.Value, want) {
			t.Errorf("%q is about %q, want %q", fields, got.Contents.Value, want)
		}
	}
}

// compareWithLint waits until the server has processed the last edit.
func compareWithLint(t *testing.T, e *editor, dir string, texts map[string]string, versions map[string]int) {
	t.Helper()
	want := map[string][]string{}
	found, err := casbinrules.LintFS(lspFiles(texts).FS(), casbinrules.ModelFile("model.conf"), []string{"policy.csv"}, casbinrules.WithClaimsAsAttributes())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		text := texts[f.File]
		lines := strings.SplitAfter(text, "\n")
		offset := len(strings.Join(lines[:f.Line-1], ""))
		column := f.Column - 1
		if f.Line == 1 && strings.HasPrefix(text, "\ufeff") && column > 0 {
			column += len("\ufeff")
		}
		offset += min(column, len(strings.TrimRight(lines[f.Line-1], "\r\n")))
		want[f.File] = append(want[f.File], fmt.Sprintf("%v %s", utf16Position(text, offset), f.Code))
	}
	for _, name := range []string{"policy.csv", "model.conf"} {
		slices.Sort(want[name])
		var got []string
		told := e.comes(func() bool {
			p := e.published[fileURI(filepath.Join(dir, name))]
			got = nil
			for _, d := range p.Diagnostics {
				if d.Code == "no_model" {
					continue // which lint does not say
				}
				got = append(got, fmt.Sprintf("%v %s", d.Range.Start, d.Code))
			}
			slices.Sort(got)
			return p.Version == versions[name] && slices.Equal(got, want[name])
		})
		if !told {
			t.Fatalf("%s of\n%q\nand\n%q:\ngot  %v\nwant %v", name, texts["model.conf"], texts["policy.csv"], got, want[name])
		}
	}
}
