package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lspEdit is what changes documents, with the versions that it is for.
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

// actionsFor asks for what cures diagnostics that the editor has.
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

// TestLSPCuresNothingOutdated: the editor's findings may be of an older text, of
// the document itself or of another one, when it asks what cures them.
func TestLSPCuresNothingOutdated(t *testing.T) {
	t.Parallel()
	const rule, other, third = "p, ann, /a, GET\n", "p, bob, /b, GET\n", "p, cid, /c, GET\n"
	for _, c := range []struct {
		name, a, b string
		file, text string // what is changed before the question
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
			t.Errorf("%s: an outdated finding is cured: %v", c.name, got)
		}
		_ = e.conn.Close()
	}
}

// TestLSPEditsHaveVersions: an editor that compares versions gets them with each
// edit, so that it refuses one that is late.
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
		t.Errorf("the cure is for %+v", d)
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
