package editor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

type lspTextEdit struct {
	Range   lspRange `json:"range"`
	NewText string   `json:"newText"`
}

type lspAction struct {
	Title string `json:"title"`
	Edit  struct {
		Changes map[string][]lspTextEdit `json:"changes"`
	} `json:"edit"`
}

// applied returns a text after edits, whose positions all refer to the original text.
func applied(text string, edits []lspTextEdit) string {
	slices.SortFunc(edits, func(a, b lspTextEdit) int {
		return utf16Offset(text, b.Range.Start) - utf16Offset(text, a.Range.Start)
	})
	for _, e := range edits {
		text = text[:utf16Offset(text, e.Range.Start)] + e.NewText + text[utf16Offset(text, e.Range.End):]
	}
	return text
}

// lineEnds are the protocol's line ends.
var lineEnds = regexp.MustCompile("\r\n|\r|\n")

// utf16Offset is the offset of a position in UTF-16.
func utf16Offset(text string, p lspPosition) int {
	start := 0
	for i, end := range lineEnds.FindAllStringIndex(text, -1) {
		if i == p.Line {
			break
		}
		start = end[1]
	}
	units := p.Character
	for i, c := range text[start:] {
		if units <= 0 {
			return start + i
		}
		units--
		if c > 0xffff {
			units--
		}
	}
	return len(text)
}

// utf16Position is the inverse of utf16Offset.
func utf16Position(text string, offset int) lspPosition {
	var p lspPosition
	start := 0
	for _, end := range lineEnds.FindAllStringIndex(text, -1) {
		if end[1] > offset {
			break
		}
		p.Line++
		start = end[1]
	}
	for _, c := range text[start:offset] {
		p.Character++
		if c > 0xffff {
			p.Character++
		}
	}
	return p
}

// TestLSPFixes checks that a fix removes its finding and adds none, also for lines that
// end in a carriage return, and at the end of the file.
func TestLSPFixes(t *testing.T) {
	t.Parallel()
	rbac := presets["rbac"]().Text()
	regexpModel := strings.ReplaceAll(rbac, `(p.act == "*" || r.act == p.act)`, "regexMatch(r.act, p.act)")
	for i, c := range []struct{ model, code, policy, want string }{
		{"rbac", "duplicate_rule", "p, ann, /a, GET\np, ann, /a, GET", "p, ann, /a, GET"},
		{"rbac", "shadowed_rule", "p, ann, /a/*, GET\np, ann, /a/b, GET\n", "p, ann, /a/*, GET\n"},
		{"rbac", "unused_ptype", "p, ann, /a, GET\ne, x\n", "p, ann, /a, GET\n"},
		{"rbac", "method_case", "p, ann, /a, GET\np, bob, /é, post\n", "p, ann, /a, GET\np, bob, /é, POST\n"},
		{regexpModel, "method_case", "p, ann, /a, ^GET$\np, bob, /a, ^(get|post)$\n", "p, ann, /a, ^GET$\np, bob, /a, ^(GET|POST)$\n"},
		{"rbac", "unknown_method", "p, ann, /a, GET|POST\n", "p, ann, /a, GET\np, ann, /a, POST\n"},
		{"rbac", "unknown_method", "p, ann, /a, \"GET,POST\"\np, ann, /a, POST", "p, ann, /a, GET\np, ann, /a, POST"},
		{"rbac", "unknown_method", "p, ann, /a, GTE\n", ""},
		{"rbac", "put_without_patch", "p, ann, /a, PUT", "p, ann, /a, PUT\np, ann, /a, PATCH"},
		{regexpModel, "put_without_patch", "p, ann, /a, ^PUT$\n", "p, ann, /a, ^PUT$\np, ann, /a, ^PATCH$\n"},
		{"rbac", "patch_without_put", "p, ann, /a, PATCH\n", "p, ann, /a, PATCH\np, ann, /a, PUT\n"},
		{"rbac", "get_without_head", "p, ann, /a, GET\np, bob, /b, HEAD\n", "p, ann, /a, GET\np, ann, /a, HEAD\np, bob, /b, HEAD\n"},
		{"rbac", "surrounding_space", "p, ann , /a, GET\n", "p, ann, /a, GET\n"},
		{"rbac", "surrounding_space", "p, \"ann \", /a, GET\n", "p, ann, /a, GET\n"},
		{"rbac", "inline_comment", "p, ann, /a, GET # all\n", "# all\np, ann, /a, GET\n"},
		{"rbac", "inline_comment", "p, ann#1, /a, GET\n", "p, \"ann#1\", /a, GET\n"},
		{"rbac", "semicolon_separator", "p; ann; /a; GET\n", "p, ann, /a, GET\n"},
		{"rbac", "quoting", "p, an\"n, /a, GET\n", "p, \"an\"\"n\", /a, GET\n"},
		{"rbac", "quoting", "p, \"ann, /a, GET\n", ""},
		{"rbac", "control_character", "p, an\u200bn, /a, GET\n", "p, ann, /a, GET\n"},
		{"rbac", "byte_order_mark", "\ufeffp, ann, /a, GET\n", "p, ann, /a, GET\n"},
		{regexpModel, "unanchored_regexp", "p, ann, /a, G.T\n", "p, ann, /a, ^(?:G.T)$\n"},
		{"rbac-deny", "bad_effect", "p, ann, /a, GET, Allow\n", "p, ann, /a, GET, allow\n"},
		{"rbac-deny", "bad_effect", "p, ann, /a, GET, nope\n", ""},
		{"rbac", "no_leading_slash", "p, ann, /a, GET\np, ann, b/:id, GET\n", "p, ann, /a, GET\np, ann, /b/:id, GET\n"},
		{"rbac", "query_in_pattern", "p, ann, /a?x=1, GET\n", "p, ann, /a, GET\n"},
		{"rbac", "parameter_spelling", "p, ann, /a/{id}, GET\n", "p, ann, /a/:id, GET\n"},
		{strings.ReplaceAll(rbac, "keyMatch2", "keyMatch3"), "parameter_spelling", "p, ann, /a/:id, GET\n", "p, ann, /a/{id}, GET\n"},
		{"rbac", "regexp_character", "p, ann, /a.html, GET\n", "p, ann, /a\\.html, GET\n"},
		{"rbac", "extra_field", "p, r, /a, GET\ng, ann, r, x, y\n", "p, r, /a, GET\ng, ann, r\n"},
		{"rbac", "unmatchable_pattern", "p, ann, /a/, GET\n", "p, ann, /a, GET\n"},
		{strings.ReplaceAll(rbac, "keyMatch2", "keyMatch"), "star_misses_parent", "p, ann, /a/*, GET\n", "p, ann, /a/*, GET\np, ann, /a, GET\n"},
	} {
		dir := write(t, map[string]string{"model.conf": c.model, "policy.csv": ""})
		e := startEditor(t, dir, nil, nil)
		file := filepath.Join(dir, "policy.csv")
		for n, end := range []string{"\n", "\r\n"} {
			text, want := strings.ReplaceAll(c.policy, "\n", end), strings.ReplaceAll(c.want, "\n", end)
			if !strings.Contains(text, "\n") {
				want = c.want // the line end is unknown
			}
			if n == 0 {
				e.open(file, text)
			} else {
				e.change(file, 2*n+1, text)
			}
			before := e.diagnostics(file, 2*n+1)
			at := slices.IndexFunc(before, func(d lspDiagnostic) bool { return d.Code == c.code })
			if at < 0 {
				t.Errorf("%d: %q has no %s but %v", i, text, c.code, before)
				break
			}
			var actions []lspAction
			e.call("textDocument/codeAction", map[string]any{
				"textDocument": map[string]any{"uri": fileURI(file)}, "range": before[at].Range, "context": map[string]any{"diagnostics": before[at : at+1]},
			}, &actions)
			if c.want == "" {
				if len(actions) > 0 {
					t.Errorf("%d: %s: an unsafe fix is proposed: %v", i, c.code, actions)
				}
				continue
			}
			if len(actions) != 1 {
				t.Errorf("%d: %s: got the actions %v", i, c.code, actions)
				continue
			}
			got := applied(text, actions[0].Edit.Changes[fileURI(file)])
			if got != want {
				t.Errorf("%d: %s, %s: got %q, want %q", i, c.code, actions[0].Title, got, want)
			}
			e.change(file, 2*n+2, got)
			for _, d := range e.diagnostics(file, 2*n+2) {
				if d.Code == c.code || !slices.ContainsFunc(before, func(b lspDiagnostic) bool { return b.Code == d.Code }) {
					t.Errorf("%d: %s: after the fix there is %s: %s", i, c.code, d.Code, d.Message)
				}
			}
		}
		_ = e.conn.Close()
	}
}

// lspPolicy is a policy of two files that contains a bit of everything.
var lspPolicy = map[string]string{
	"model.conf":  presets["rbac-tenants"]().Text() + "\n[constraint_definition]\nc = sod(\"editor\", \"auditor\")\n",
	"rules.csv":   "# Reports.\n# All of them.\np, viewer, acme, /reports, GET\np, editor, acme, /reports/:id, POST\n\np, auditor, acme, /log, GET\n",
	"roles.csv":   "g, editor, viewer, acme\ng, erin, editor, acme\ng, ada, auditor, acme\n",
	"p.tests":     "allow erin in acme /reports GET # why\ndeny kim[editor,viewer] in acme /log GET\n\ndeny ada in acme /reports GET\n",
	"routes.json": `[{"method": "GET", "pattern": "/reports/{id}"}, {"method": "GET", "pattern": "/files/*path"}]`,
}

// TestLSPFeatures makes each kind of request at least once for one policy.
func TestLSPFeatures(t *testing.T) {
	t.Parallel()
	dir := write(t, lspPolicy)
	e := startEditor(t, dir, nil, nil)
	file := func(name string) string { return filepath.Join(dir, name) }
	for name := range lspPolicy {
		if name != "routes.json" {
			e.open(file(name))
			if got := e.diagnostics(file(name), 1); len(got) > 0 {
				t.Fatalf("%s: %v", name, got)
			}
		}
	}
	ask := func(method, name string, line, character int) string {
		t.Helper()
		var got json.RawMessage
		params := about(file(name), line, character)
		params["newName"], params["context"] = "author", map[string]any{"includeDeclaration": true}
		e.call("textDocument/"+method, params, &got)
		return strings.ReplaceAll(string(got), fileURI(dir), "")
	}
	matcher := strings.Count(strings.SplitAfter(lspPolicy["model.conf"], "[matchers]\n")[0], "\n")
	for _, c := range []struct {
		method, file    string
		line, character int
		want            []string
	}{
		{"hover", "rules.csv", 2, 4, []string{"**Allows** `viewer` `GET` on `/reports` (keyMatch2) in `acme`", "Reached by `editor`. Given to `erin`.", "Role `viewer`: 1 p line"}},
		{"hover", "roles.csv", 1, 3, []string{"Gives `erin` the role `editor` in `acme`, and with it `viewer`", "User `erin`: 2 p lines, by way of `editor`, `viewer`"}},
		{"hover", "model.conf", matcher, 5, []string{"lines, or, of the subject, by its credentials"}},
		{"hover", "model.conf", matcher, 8, []string{"the ID of the principal"}},
		{"hover", "model.conf", matcher - 1, 3, []string{"The condition that a request and a p line fulfil together"}},
		{"hover", "p.tests", 0, 3, []string{"erin", "rules.csv:3"}},
		{"completion", "rules.csv", 2, 5, []string{`"label":"viewer"`}},
		{"completion", "rules.csv", 2, 22, []string{`"label":"/reports/:id"`, `"label":"/reports"`}},
		{"completion", "rules.csv", 2, 18, []string{`"label":"/log"`, `"label":"/files/*"`}},
		{"completion", "rules.csv", 3, 32, []string{`"label":"POST"`, `"label":"PUT"`, `"label":"PATCH"`}},
		{"completion", "rules.csv", 4, 0, []string{`"label":"p"`, `"label":"g"`}},
		{"completion", "roles.csv", 1, 9, []string{`"label":"editor"`, `"label":"viewer"`, `"label":"auditor"`}},
		{"completion", "roles.csv", 1, 18, []string{`"label":"acme"`}},
		{"completion", "model.conf", matcher, 4, []string{`"label":"keyMatch2"`, `"label":"r.sub"`, `"label":"g"`}},
		{"completion", "p.tests", 1, 9, []string{`"label":"editor"`}},
		{"completion", "p.tests", 2, 0, []string{`"label":"allow"`}},
		{"definition", "rules.csv", 3, 5, []string{`"/roles.csv"`, `"line":1`}},
		{"definition", "roles.csv", 1, 10, []string{`"/rules.csv"`, `"line":3`}},
		{"definition", "rules.csv", 3, 0, []string{`"/model.conf"`}},
		{"definition", "rules.csv", 3, 32, []string{`"/model.conf"`}},
		{"definition", "model.conf", matcher, 8, []string{`"/model.conf"`}},
		{"references", "rules.csv", 3, 5, []string{`"/roles.csv"`, `"/rules.csv"`, `"/p.tests"`, `"/model.conf"`}},
		{"references", "model.conf", matcher, 15, []string{`"/rules.csv"`}},
		{"prepareRename", "p.tests", 1, 10, []string{`"placeholder":"editor"`, `"character":9`}},
		{"rename", "rules.csv", 3, 5, []string{`"/roles.csv"`, `"/rules.csv"`, `"/p.tests"`, `"/model.conf"`, `"newText":"\"author\""`}},
		{"foldingRange", "rules.csv", 0, 0, []string{`{"startLine":0,"endLine":1,"kind":"comment"}`, `{"startLine":0,"endLine":3,"kind":"region"}`}},
		{"foldingRange", "model.conf", 0, 0, []string{`"kind":"region"`}},
		{"semanticTokens/full", "rules.csv", 0, 0, []string{`[0,0,10,1,0,1,0,14,1,0,1,0,1,0,0,0,3,6,7,0,0,8,4,8,0,0,6,8,2,0,0,10,3,9,0,`}},
		{"semanticTokens/full", "model.conf", 0, 0, []string{`"data":[0,0,`}},
		{"semanticTokens/full", "p.tests", 0, 0, []string{`[0,0,5,0,0,0,6,4,6,0,`}},
		{"formatting", "rules.csv", 0, 0, []string{`p, viewer, acme, /reports,     GET`}},
	} {
		got := ask(c.method, c.file, c.line, c.character)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s of %s:%d:%d: got %.600s\nwithout %s", c.method, c.file, c.line, c.character, got, want)
			}
		}
	}
	if err := e.try("textDocument/rename", map[string]any{"textDocument": map[string]any{"uri": fileURI(file("rules.csv"))}, "position": lspPosition{3, 5}, "newName": "viewer"}, nil); err == nil {
		t.Error("two roles become one")
	}
	if err := e.try("textDocument/rename", map[string]any{"textDocument": map[string]any{"uri": fileURI(file("rules.csv"))}, "position": lspPosition{3, 32}, "newName": "GET"}, nil); err == nil {
		t.Error("a method is renamed")
	}
}

// TestLSPFollowsPatterns: if names in role links are patterns, hovers follow the links of
// those that match.
func TestLSPFollowsPatterns(t *testing.T) {
	t.Parallel()
	const policy = "g, adm-*, staff\ng, adm-1, night\np, staff, /a, GET\np, adm-*, /b, GET\np, ann, /c, GET\n"
	dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": policy})
	for _, c := range []struct {
		options any
		want    string
	}{
		{nil, "User `adm-1`: 0 p lines, by way of `night`."},
		{map[string]any{"rolePatterns": []string{"g=keyMatch"}}, "User `adm-1`: 2 p lines, by way of `night`, `staff`."},
	} {
		e := startEditor(t, dir, nil, c.options)
		file := filepath.Join(dir, "policy.csv")
		e.open(file)
		e.diagnostics(file, 1)
		var got struct {
			Contents struct{ Value string }
		}
		e.call("textDocument/hover", about(file, 1, 4), &got)
		if !strings.Contains(got.Contents.Value, c.want) {
			t.Errorf("with %v: got %s, want %s", c.options, got.Contents.Value, c.want)
		}
		_ = e.conn.Close()
	}
}

// TestLSPCompletesOtherNames: the word being typed is proposed only if it also occurs
// elsewhere.
func TestLSPCompletesOtherNames(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": ""})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "policy.csv")
	e.open(file)
	for i, c := range []struct {
		policy string // the cursor is at its end
		want   []string
	}{
		{"p, editor, /a, GET\np, ed", []string{"editor"}},
		{"p, editor, /a, GET\np, editor", []string{"editor"}},
		{"p, editor, /a, GET\ng, ann, ed", []string{"editor"}},
		{"p, ed, /a, GET\np, editor, /a, GET\np, ed", []string{"ed", "editor"}},
		{"p, editor, /a, GET\np, editor, /", []string{"/a"}},
		{"p, editor, /a, GET\np, editor, /a, P", []string{"POST", "PUT", "PATCH"}},
		{"p, editor, /a, GET\np, \"ed", []string{"editor"}},
	} {
		if got := e.completed(file, i+2, c.policy); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.policy, got, c.want)
		}
	}
}

// TestLSPCompletesTables: the head of a table is completed with users, and its lines with
// a test's parts in their places.
func TestLSPCompletesTables(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"model.conf": presets["rbac-tenants"]().Text(),
		"policy.csv": "g, erin, editor, acme\np, editor, acme, /reports, GET\np, viewer, umbra, /files/*, PUT\n",
		"p.tests":    "",
	})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "p.tests")
	e.open(file)
	for i, c := range []struct {
		tests string // the cursor is at its end
		want  []string
	}{
		{"", []string{"allow", "deny", "table"}},
		{"t", []string{"table"}},
		{"table ", []string{"in", "erin", "viewer", "anonymous"}},
		{"table in ", []string{"acme", "umbra"}},
		{"table in acme ", []string{"erin", "viewer", "anonymous"}},
		{"table in acme erin[", []string{"editor", "viewer"}},
		{"table in acme erin[editor,v", []string{"viewer"}},
		{"table in acme erin[editor] an", []string{"anonymous"}},
		{"table erin\n", []string{"/reports", "/files/*", "table"}},
		{"table erin\n# why\n/r", []string{"/reports"}},
		{"table erin\n/reports G", []string{"GET"}},
		{"table erin\n/reports GET ", []string{"allow", "deny", "-"}},
		{"table erin\n/reports GET allow d", []string{"deny"}},
		{"table erin\n/reports GET allow\n\n", []string{"allow", "deny", "table"}},
		{"allow erin ", []string{"in", "/reports", "/files/*", "GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"}},
		{"allow erin in a", []string{"acme"}},
		{"allow erin[e", []string{"editor"}},
	} {
		if got := e.completed(file, i+2, c.tests); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.tests, got, c.want)
		}
	}
}

// TestLSPRenameKeepsDecisions: the new name gets the same decisions as the old one, also
// in tests.
func TestLSPRenameKeepsDecisions(t *testing.T) {
	t.Parallel()
	dir := write(t, lspPolicy)
	e := startEditor(t, dir, nil, nil)
	texts := map[string]string{}
	for name, text := range lspPolicy {
		if name != "routes.json" {
			e.open(filepath.Join(dir, name))
			texts[name] = text
		}
	}
	for version, name := range []string{"the editor", `an "odd", name`, "in", "editor"} {
		params := about(filepath.Join(dir, "roles.csv"), 1, 9)
		params["newName"] = name
		var edit struct {
			Changes map[string][]lspTextEdit `json:"changes"`
		}
		if err := e.try("textDocument/rename", params, &edit); err != nil {
			if strings.Contains(name, `"`) {
				continue // which the model's constraint cannot express
			}
			t.Fatalf("%s: %v", name, err)
		}
		for uri, edits := range edit.Changes {
			short := filepath.Base(uri)
			texts[short] = applied(texts[short], edits)
			e.change(filepath.Join(dir, short), version+2, texts[short])
		}
		tests := filepath.Join(dir, "p.tests")
		e.waitFor("tests without failure", func() bool {
			p := e.published[fileURI(tests)]
			return p.Version == version+2 && len(p.Diagnostics) == 0
		})
	}
	for name, want := range lspPolicy {
		if texts[name] != want && name != "routes.json" && name != "p.tests" {
			t.Errorf("%s after the last rename:\n%s", name, texts[name])
		}
	}
}

// rulesOf returns the rules of a policy of the model rbac, for comparison.
func rulesOf(text string) (string, error) {
	fsys := lspFiles{"p.csv": text}
	a, err := casbinrules.OpenFS(fsys.FS(), casbinrules.RBAC(), []string{"p.csv"}, casbinrules.WithEmptyPolicy())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range a.Rules() {
		fmt.Fprintf(&b, "%s %q\n", r.Kind, r.Fields)
	}
	return b.String(), nil
}

// TestLSPMeanings: the hover of a finding is the first paragraph of its section.
func TestLSPMeanings(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		text, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var want strings.Builder
	link := regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)
	for _, section := range strings.Split("\n"+read("../../../../../../docs/policy-diagnostics.md"), "\n### ")[1:] {
		code, rest, _ := strings.Cut(section, "\n")
		meaning, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
		if strings.HasPrefix(meaning, "*") { // the severity
			_, meaning, _ = strings.Cut(meaning[1:], "*")
		}
		want.WriteString(code + ": " + link.ReplaceAllString(strings.TrimSpace(meaning), "$1") + "\n")
	}
	if got := read("../../lsp/meanings.txt"); got != want.String() {
		t.Errorf("internal/lsp/meanings.txt should read\n%s", want.String())
	}
}
