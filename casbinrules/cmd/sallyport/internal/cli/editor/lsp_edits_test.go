package editor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lspEdit changes documents of the given versions.
type lspEdit struct {
	Changes         map[string][]lspTextEdit `json:"changes"`
	DocumentChanges []struct {
		TextDocument struct {
			URI     string `json:"uri"`
			Version *int   `json:"version"`
		} `json:"textDocument"`
		Edits []lspTextEdit `json:"edits"`
	} `json:"documentChanges"`
}

// actionsFor requests the quick fixes for the editor's diagnostics.
func (e *editor) actionsFor(file string, d ...lspDiagnostic) (actions []struct {
	Title       string  `json:"title"`
	IsPreferred bool    `json:"isPreferred"`
	Edit        lspEdit `json:"edit"`
}) {
	e.t.Helper()
	e.call("textDocument/codeAction", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(file)}, "range": d[0].Range, "context": map[string]any{"diagnostics": d},
	}, &actions)
	return actions
}

// TestLSPFixesNothingOutdated: when the editor requests fixes, its findings may be about
// an older text of the document or of another one.
func TestLSPFixesNothingOutdated(t *testing.T) {
	t.Parallel()
	const rule, other, third = "p, ann, /a, GET\n", "p, bob, /b, GET\n", "p, cid, /c, GET\n"
	for _, c := range []struct {
		name, a, b string
		file, text string // changed before the request
	}{
		{"line above deleted", other, rule + rule + other, "b.csv", rule + other},
		{"line above inserted", other, rule + rule + other, "b.csv", other + rule + rule + other},
		{"the line itself rewritten", other, rule + rule + other, "b.csv", rule + "p, ann, /ab, GET\n"},
		{"the other of two deleted", rule, rule + other, "a.csv", third},
	} {
		dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "a.csv": c.a, "b.csv": c.b})
		e := startEditor(t, dir, nil, nil)
		a, b := filepath.Join(dir, "a.csv"), filepath.Join(dir, "b.csv")
		e.open(a)
		e.open(b)
		var duplicate lspDiagnostic
		e.waitFor("the duplicate", func() bool {
			found := e.published[fileURI(b)].Diagnostics
			at := slices.IndexFunc(found, func(d lspDiagnostic) bool { return d.Code == "duplicate_rule" })
			if at >= 0 {
				duplicate = found[at]
			}
			return at >= 0
		})
		e.change(filepath.Join(dir, c.file), 2, c.text)
		if got := e.actionsFor(b, duplicate); len(got) > 0 {
			t.Errorf("%s: an outdated finding is fixed: %v", c.name, got)
		}
		_ = e.conn.Close()
	}
}

// TestLSPEditsHaveVersions: editors that compare versions get them with each edit, so
// that they refuse late ones.
func TestLSPEditsHaveVersions(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"model.conf": presets["rbac"]().Text(), "policy.csv": "", "p.tests": "allow erin[editor] /a GET\n",
	})
	e := startServer(t)
	e.call("initialize", map[string]any{
		"workspaceFolders": []any{map[string]any{"uri": fileURI(dir)}},
		"capabilities":     map[string]any{"workspace": map[string]any{"workspaceEdit": map[string]any{"documentChanges": true}}},
	}, nil)
	e.notify("initialized", map[string]any{})
	file := filepath.Join(dir, "policy.csv")
	e.open(file, "")
	e.change(file, 7, "p, editor, /a, GET\np, editor, /a, GET\n")
	found := e.diagnostics(file, 7)
	actions := e.actionsFor(file, found[0])
	if len(actions) != 1 || len(actions[0].Edit.DocumentChanges) != 1 || actions[0].Edit.Changes != nil {
		t.Fatalf("for %v got %v", found, actions)
	}
	if d := actions[0].Edit.DocumentChanges[0].TextDocument; d.URI != fileURI(file) || d.Version == nil || *d.Version != 7 {
		t.Errorf("the fix is for %+v", d)
	}
	params := about(file, 0, 4)
	params["newName"] = "author"
	var edit lspEdit
	e.call("textDocument/rename", params, &edit)
	if len(edit.DocumentChanges) != 2 || edit.Changes != nil {
		t.Fatalf("rename: got %+v", edit)
	}
	for _, d := range edit.DocumentChanges {
		if tests := strings.HasSuffix(d.TextDocument.URI, ".tests"); tests != (d.TextDocument.Version == nil) {
			t.Errorf("%s is not open, or has a version: %+v", d.TextDocument.URI, d)
		}
	}
}

// TestLSPRenameRefusesOtherDecisions: a rename is refused if the name has, or would get,
// another meaning.
func TestLSPRenameRefusesOtherDecisions(t *testing.T) {
	t.Parallel()
	rbac, tenants := presets["rbac"]().Text(), presets["rbac-tenants"]().Text()
	root := strings.Replace(rbac, "m = ", `m = g(r.sub, "root") || r.sub == "owner" || `, 1)
	asking := func(condition string) string { return strings.Replace(rbac, "m = ", "m = "+condition+" && ", 1) }
	patterns := map[string]any{"rolePatterns": []string{"g=keyMatch"}}
	for _, c := range []struct {
		model, policy string
		options       any
		from, to      string // renames the name in the first line
		ok            bool
	}{
		{root, "p, editor, /a, GET\n", nil, "editor", "root", false},
		{root, "p, editor, /a, GET\n", nil, "editor", "owner", false},
		{root, "p, owner, /a, GET\n", nil, "owner", "editor", false},
		{root, "p, root, /a, GET\n", nil, "root", "admin", true},
		{rbac, "p, editor, /a, GET\n", nil, "editor", "anonymous", false},
		{rbac, "p, anonymous, /a, GET\n", nil, "anonymous", "editor", false},
		{rbac, "p, editor, /a, GET\n", nil, "editor", "*", false},
		{rbac, "p, editor, /a, GET\n", nil, "editor", " author", false},
		{rbac, "p, editor, /a, GET\n", nil, "editor", "au\u200bthor", false},
		{rbac, "p, editor, /a, GET\n", nil, "editor", "au\x00thor", false},
		{rbac, "p, editor, /a, GET\n", nil, "editor", "the #1, [r.x]", true},
		{root, "p, root, /a, GET\n", nil, "root", "the #1", false},
		{root, "p, root, /a, GET\n", nil, "root", "the r.x", false},
		{root, "p, root, /a, GET\n", nil, "root", "one, two", false},
		{root, "p, root, /a, GET\n", nil, "root", "zoë", false},
		{rbac, "p, editor, /a, GET\n", nil, "editor", "tim", false}, // named in a test
		{rbac, "p, editor, /a, GET\n", nil, "editor", "author", true},
		{rbac, "g, bob, emp\np, emp, /a, GET\np, adm-*, /b, GET\n", patterns, "bob", "adm-1", false},
		{rbac, "g, bob, emp\np, emp, /a, GET\np, adm-*, /b, GET\n", patterns, "bob", "b*", false},
		{rbac, "g, adm-1, emp\np, emp, /a, GET\np, adm-*, /b, GET\n", patterns, "adm-1", "bob", false},
		{rbac, "p, adm-*, /b, GET\n", patterns, "adm-*", "adm", false},
		{rbac, "g, bob, emp\np, emp, /a, GET\np, adm-*, /b, GET\n", patterns, "bob", "rob", true},
		{rbac, "g, bob, emp\np, emp, /a, GET\n", map[string]any{"rolePatterns": []string{"g=regexMatch"}}, "bob", "rob", false},
		{asking(`keyMatch(p.sub, "adm-*")`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", false},
		{asking(`p.sub =~ "^adm"`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", false},
		{asking(`p.sub > "a"`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", false},
		{asking(`p.sub == "adm" + "-1"`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", false},
		{asking(`keyMatch(r.obj, "/" + p.sub + "/*")`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", false},
		{asking(`r.obj != p.sub`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", false},
		{asking(`p.sub in ("adm-2", "adm-3")`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", true},
		{asking(`(p.sub != "adm-2" || r.sub == p.sub)`), "p, adm-1, /a, GET\n", nil, "adm-1", "boss", true},
		{strings.Replace(tenants, "m = ", `m = keyMatch(p.dom, "eu-*") && `, 1), "p, emp, eu-1, /a, GET\n", nil, "eu-1", "us-1", false},
		{tenants, "p, emp, eu-1, /a, GET\n", nil, "eu-1", "us-1", true},
		{tenants, "g, bob, emp, eu-1\np, emp, eu-1, /a, GET\ng, ann, emp, us-*\n", map[string]any{"tenantPatterns": []string{"g"}}, "eu-1", "us-1", false},
		{presets["rbac-tenants-patterns"]().Text(), "g, bob, emp, eu-1\np, emp, us-*, /a, GET\n", nil, "eu-1", "us-1", false},
	} {
		dir := write(t, map[string]string{"model.conf": c.model, "policy.csv": c.policy, "p.tests": "deny tim /a GET\n"})
		e := startEditor(t, dir, nil, c.options)
		file := filepath.Join(dir, "policy.csv")
		e.open(file)
		params := about(file, 0, strings.Index(c.policy, c.from)+1)
		params["newName"] = c.to
		var edit lspEdit
		if err := e.try("textDocument/rename", params, &edit); (err == nil) != c.ok || c.ok && len(edit.Changes[fileURI(file)]) == 0 {
			t.Errorf("%s to %s in %q: got %v and the error %v", c.from, c.to, c.policy, edit, err)
		}
		_ = e.conn.Close()
	}
}

// TestLSPRenamesInTables: users, roles and tenants are in the heads of tables, and not in
// their rows.
func TestLSPRenamesInTables(t *testing.T) {
	t.Parallel()
	const policy = "g, erin, editor, acme\np, editor, acme, erin, GET\n"
	const tests = "table in acme region=eu victor[editor] erin[a,editor] \"erin\" anonymous # erin\n# erin\nerin GET allow - allow deny\n\nallow erin[editor] in acme erin GET\n"
	for _, c := range []struct {
		line, character int // in the policy
		to, want        string
	}{
		{0, 4, "ina", strings.NewReplacer(" erin[", " ina[", `"erin"`, "ina").Replace(tests)},
		{0, 10, "author", strings.ReplaceAll(tests, "editor", "author")},
		{0, 18, "umbra", strings.ReplaceAll(tests, "in acme", "in umbra")},
	} {
		dir := write(t, map[string]string{"model.conf": presets["rbac-tenants"]().Text(), "policy.csv": policy, "p.tests": tests})
		e := startEditor(t, dir, nil, nil)
		file := filepath.Join(dir, "policy.csv")
		e.open(file)
		params := about(file, c.line, c.character)
		params["newName"] = c.to
		var edit lspEdit
		e.call("textDocument/rename", params, &edit)
		if got := applied(tests, edit.Changes[fileURI(filepath.Join(dir, "p.tests"))]); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
		_ = e.conn.Close()
	}
}

// TestLSPReadsTheWorkspaceOnly: neither a configuration nor a link leads to a device or
// outside the workspace.
func TestLSPReadsTheWorkspaceOnly(t *testing.T) {
	t.Parallel()
	out := write(t, map[string]string{"secret.csv": "p, hidden, /a, post\n"})
	const configured = "policy:\n  model: rbac\n  files: "
	for _, c := range []struct {
		name, link, target, config string
		told                       string
	}{
		{"routes", "routes.json", "/dev/zero", "", ""},
		{"tests", "z.tests", "/dev/zero", "", ""},
		{"policy", "z.csv", "/dev/zero", configured + ".\n", "outside the workspace"},
		{"linked policy", "z.csv", filepath.Join(out, "secret.csv"), configured + ".\n", "outside the workspace"},
		{"configuration", "", "", configured + filepath.Join(out, "secret.csv") + "\n", "outside the workspace"},
		{"broken configuration", "", "", "policy: [\n", "sallyport.yaml is not used"},
	} {
		files := map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": "p, ann, /a, GET\n", "p.tests": "allow ann /a GET\n"}
		if c.config != "" {
			files["sallyport.yaml"] = c.config
		}
		dir := write(t, files)
		if c.link != "" {
			if err := os.Symlink(c.target, filepath.Join(dir, c.link)); err != nil {
				t.Skip("links cannot be made here:", err)
			}
		}
		e := startEditor(t, dir, nil, nil)
		file := filepath.Join(dir, "p.tests")
		e.open(file)
		e.diagnostics(file, 1)
		params := about(file, 0, 7)
		params["context"] = map[string]any{"includeDeclaration": true}
		e.call("textDocument/references", params, nil)
		if c.told != "" {
			e.message(c.told)
		}
		e.mu.Lock()
		for uri := range e.published {
			if strings.HasPrefix(uri, fileURI(out)) {
				t.Errorf("%s: diagnostics of %s", c.name, uri)
			}
		}
		e.mu.Unlock()
		_ = e.conn.Close()
	}
}

// TestLSPTestsByTheSettings: tests run with the policy's settings, and each configuration
// of one policy separately.
func TestLSPTestsByTheSettings(t *testing.T) {
	t.Parallel()
	const config = "policy:\n  model: ../model.conf\n  files: ../policy.csv\n"
	dir := write(t, map[string]string{
		"model.conf": presets["rbac"]().Text(), "policy.csv": "p, ann, /a/A, GET\n",
		"x/p.tests": "allow ann /a/%41 GET\n", "x/sallyport.yaml": config,
		"y/p.tests": "allow ann /a/%41 GET\n", "y/sallyport.yaml": config + "  route_as_object: true\n",
	})
	e := startEditor(t, dir, nil, nil)
	for _, c := range []struct {
		file string
		want int
	}{{"x/p.tests", 0}, {"y/p.tests", 1}, {"x/p.tests", 0}} {
		file := filepath.Join(dir, c.file)
		e.open(file)
		if got := e.diagnostics(file, 1); len(got) != c.want {
			t.Errorf("%s: got %v and the messages %v", c.file, got, e.messages)
		}
	}
}

// TestLSPPrefersWhatGrantsNothing: a fix that an editor may apply by itself grants
// nothing beyond the policy in force.
func TestLSPPrefersWhatGrantsNothing(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": ""})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "policy.csv")
	e.open(file, "")
	for i, c := range []struct {
		text      string
		preferred bool
	}{
		{"p, ann, /a, PUT\n", false},
		{"p, ann, /a, GET|POST\n", false},
		{"p, ann, /a, GET\np, ann, /a, GET\n", true},
		{"p, ann, /a, GET # why\n", true},
		{"p, ann, /a.html, GET\n", true},
		{"p, ann, /a/, GET\n", false},
	} {
		e.change(file, i+2, c.text)
		found := e.diagnostics(file, i+2)
		if got := e.actionsFor(file, found[0]); len(got) != 1 || got[0].IsPreferred != c.preferred {
			t.Errorf("%q: got %+v", c.text, got)
		}
	}
}

// TestLSPFixesModels checks that fixing a finding in a model leaves no finding.
func TestLSPFixesModels(t *testing.T) {
	t.Parallel()
	good := presets["rbac"]().Text()
	bad := strings.Replace(good, "some(where (p.eft == allow))", "some(where(p.eft==allow))", 1)
	dir := write(t, map[string]string{"model.conf": bad, "policy.csv": "p, ann, /a, GET\n"})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "model.conf")
	e.open(file, bad)
	found := e.diagnostics(file, 1)
	if len(found) != 1 || found[0].Code != "model_effect" {
		t.Fatalf("got %v", found)
	}
	actions := e.actionsFor(file, found[0])
	if len(actions) != 1 || !actions[0].IsPreferred {
		t.Fatalf("got %+v", actions)
	}
	got := applied(bad, actions[0].Edit.Changes[fileURI(file)])
	if got != good {
		t.Errorf("got %q", got)
	}
	e.change(file, 2, got)
	if found := e.diagnostics(file, 2); len(found) > 0 {
		t.Errorf("after the fix there is %v", found)
	}
}
