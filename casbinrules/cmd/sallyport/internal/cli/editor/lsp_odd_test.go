package editor

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sourcegraph/jsonrpc2"
)

// TestLSPOddRequests makes every request at positions outside the text: each is answered
// without an internal error.
func TestLSPOddRequests(t *testing.T) {
	t.Parallel()
	texts := map[string][]string{
		"policy.csv":   {"", "\ufeffp, ann, /a, GET\r\n", "p, \U0001f6aa, /a, GET\rg, \U0001f6aa", "\n\n\"", "p, ann, /a, GET"},
		"model.conf":   {"", "\ufeff[matchers]\r\nm = r.sub == \"\U0001f6aa\"", "[request_definition]\nr = sub\r= "},
		"policy.tests": {"", "\ufeffallow \U0001f6aa /a GET\r\n", "allow ann[\ndeny"},
	}
	at := []lspPosition{{-1, -1}, {0, -5}, {0, 4}, {0, 1 << 30}, {1 << 30, 0}, {1 << 62, 1 << 62}, {-1 << 62, 3}, {1, 1}}
	dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": policy, "policy.tests": ""})
	e := startEditor(t, dir, nil, nil)
	for name, texts := range texts {
		file := filepath.Join(dir, name)
		e.open(file)
		for i, text := range texts {
			e.change(file, i+2, text)
			for j, from := range at {
				params := about(file, from.Line, from.Character)
				params["newName"] = "\U0001f6aa"
				params["range"], params["context"] = lspRange{from, at[len(at)-1-j]}, map[string]any{"diagnostics": []lspDiagnostic{{Range: lspRange{at[j], from}, Code: "put_patch"}}}
				for _, method := range []string{
					"hover", "completion", "definition", "references", "prepareRename", "rename", "formatting", "codeAction", "foldingRange", "semanticTokens/full",
				} {
					err := e.try("textDocument/"+method, params, nil)
					refused, _ := errors.AsType[*jsonrpc2.Error](err)
					if err != nil && (!strings.Contains(strings.ToLower(method), "rename") || refused == nil || refused.Code == jsonrpc2.CodeInternalError) {
						t.Errorf("%s at %v of %q: %v", method, from, text, err)
					}
				}
			}
		}
	}
	if len(e.messages) > 0 {
		t.Errorf("the server reported %v", e.messages)
	}
}

// TestLSPOddOrder sends messages that an editor does not send, or in another order.
func TestLSPOddOrder(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": "", "p.tests": ""})
	e := startEditor(t, dir, nil, nil)
	file, tests := filepath.Join(dir, "policy.csv"), filepath.Join(dir, "p.tests")
	refusal := func(method string, params any) *jsonrpc2.Error {
		t.Helper()
		refused, ok := errors.AsType[*jsonrpc2.Error](e.try(method, params, nil))
		if !ok {
			t.Fatalf("%s was not refused", method)
		}
		return refused
	}
	e.change(file, 7, "p, ann, /a, get\n") // for a document that is not open
	e.notify("textDocument/didSave", about(file, 0, 0))
	e.notify("textDocument/didClose", about(file, 0, 0))
	if got := refusal("textDocument/hover", about(file, 0, 0)); got.Code != jsonrpc2.CodeInvalidParams || !strings.Contains(got.Message, "not open") {
		t.Errorf("a document that is not open: %+v", got)
	}
	for params, want := range map[string]string{
		`{"textDocument":{"uri":"x"},"position":{"line":1e300,"character":0}}`: "position.line",
		`{"textDocument":{"uri":"x"},"position":{"line":"1","character":0}}`:   "position.line",
		`{"textDocument":7}`: "textDocument",
		`[]`:                 "array",
		`null`:               "not open",
	} {
		if got := refusal("textDocument/hover", json.RawMessage(params)); got.Code != jsonrpc2.CodeInvalidParams || !strings.Contains(got.Message, want) {
			t.Errorf("%s: %+v", params, got)
		}
	}

	e.open(file, "p, ann, /a, Put\n")
	e.open(file, "p, ann, /a, Get\n") // again, with another text
	e.waitFor("what is wrong with the second text", func() bool {
		found := e.published[fileURI(file)].Diagnostics
		return len(found) > 0 && strings.Contains(found[0].Message, `"Get"`)
	})
	e.edit(file, 0, map[string]any{"text": "p, ann, /b, GET\n"}) // for an older version
	e.edit(file, 9)                                              // without a change
	// Half a surrogate pair is invalid and gets replaced.
	e.notify("textDocument/didChange", json.RawMessage(fmt.Sprintf(
		`{"textDocument":{"uri":%q,"version":10},"contentChanges":[{"text":"p, ann, /\ud83d, GET\ng, ann, \udeaa\n"}]}`, fileURI(file))))
	e.diagnostics(file, 10)
	e.open(tests, "allow ann /\ufffd GET\n")
	if found := e.diagnostics(tests, 1); len(found) > 0 {
		t.Errorf("the text differs from what was sent: %v", found)
	}

	e.call("shutdown", nil, nil)
	if got := refusal("shutdown", nil); got.Code != jsonrpc2.CodeInvalidRequest {
		t.Errorf("a second shutdown: %+v", got)
	}
	e.edit(file, 11, map[string]any{"text": "p"}) // which has no effect any more
	e.notify("exit", nil)
	_ = e.conn.Notify(t.Context(), "exit", nil) // which may find no server any more
	if code := <-e.code; code != exitOK {
		t.Errorf("the exit code is %d", code)
	}
}

// TestLSPLargeDocuments opens 10 MB: as a policy, as one line, and as lines that are not
// rules.
func TestLSPLargeDocuments(t *testing.T) {
	t.Parallel()
	size := 10 << 20
	if testing.Short() {
		size = 1 << 20
	}
	dir := write(t, map[string]string{"model.conf": presets["rbac"]().Text(), "policy.csv": ""})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "policy.csv")
	e.open(file)
	var rules strings.Builder
	for i := 0; rules.Len() < size; i++ {
		fmt.Fprintf(&rules, "p, role%d, /things/%d, GET\n", i%1000, i)
	}
	version := 1
	for _, c := range []struct{ name, text, want string }{
		{"rules", rules.String(), ""},
		{"one line", "p, ann, /" + strings.Repeat("a", size), "line_too_long"},
		{"no rules", strings.Repeat("\"\n", size/20), "quoting"},
	} {
		version++
		e.change(file, version, c.text)
		found := e.diagnostics(file, version)
		if got := fmt.Sprint(found); c.want == "" && len(found) > 0 || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %.200s, want %q", c.name, got, c.want)
		}
		e.call("textDocument/hover", about(file, 0, 4), nil)
		version++
		at := lspPosition{0, 3}
		e.edit(file, version, map[string]any{"range": lspRange{at, at}, "text": "x"})
		e.diagnostics(file, version)
	}
}
