package editor

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

// TestLSPAgreesWithLint opens every broken file with several models, and every example
// policy, and compares the server's findings with those of lint.
func TestLSPAgreesWithLint(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	cases := lspCases(t, root)
	seen := map[string]bool{}
	for n, encoding := range []string{"utf-16", "utf-8", "utf-32"} {
		e := startEditor(t, root, []string{encoding}, nil)
		if e.encoding != encoding {
			t.Fatalf("the encoding is %s, and %s was offered", e.encoding, encoding)
		}
		for i, dir := range cases {
			if i%3 != n || testing.Short() && i/3%2 > 0 {
				continue
			}
			m := casbinrules.ModelFile(filepath.Join(dir, policyfile.ModelName))
			file := filepath.Join(dir, policyfile.PolicyName)
			want, err := casbinrules.Lint(m, []string{file}, casbinrules.WithClaimsAsAttributes())
			if err != nil {
				t.Fatal(err)
			}
			e.open(file)
			e.diagnostics(file, 1)
			var got []string
			for _, name := range []string{m.Name(), file} {
				got = append(got, lspFindings(e, name)...)
			}
			var wanted []string
			for _, f := range want {
				seen[f.Code] = true
				wanted = append(wanted, lspWant(t, f, encoding))
			}
			slices.Sort(got)
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) {
				t.Errorf("%s, %s:\ngot  %s\nwant %s", dir, encoding, strings.Join(got, "\n     "), strings.Join(wanted, "\n     "))
			}
			e.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": fileURI(file)}})
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d codes were found: the cases prove little", len(seen))
	}
}

// lspCases makes a folder with model.conf and policy.csv for each broken file, with
// several models, and for each example.
func lspCases(t *testing.T, root string) []string {
	t.Helper()
	var dirs []string
	add := func(name, model, policy string) {
		dir := filepath.Join(root, name)
		dirs = append(dirs, dir)
		for file, text := range map[string]string{policyfile.ModelName: model, policyfile.PolicyName: policy} {
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	models := map[string]string{}
	for name, preset := range presets {
		models[name] = preset().Text()
	}
	rbac, deny := models["rbac"], models["rbac-deny"]
	models["regexp"] = strings.ReplaceAll(rbac, `(p.act == "*" || r.act == p.act)`, "regexMatch(r.act, p.act)")
	models["keymatch"] = strings.ReplaceAll(rbac, "keyMatch2", "keyMatch")
	models["acl"] = strings.ReplaceAll(strings.ReplaceAll(rbac, "keyMatch2(r.obj, p.obj)", "r.obj == p.obj"), `(p.act == "*" || r.act == p.act)`, "r.act == p.act")
	models["allow-only"] = strings.ReplaceAll(deny, " && !some(where (p.eft == deny))", "")
	models["constraints"] = rbac + "\n[constraint_definition]\nc = sod(\"staff\", \"auditor\")\n"
	files, err := filepath.Glob("../../../../../testdata/diagnostics/*")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d broken files, %v", len(files), err)
	}
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, file := range files {
		base := filepath.Base(file)
		if filepath.Ext(file) == ".conf" {
			add(base, read(file), read(filepath.Join(filepath.Dir(file), "good.csv")))
			add(base+"-deny", read(file), read(filepath.Join(filepath.Dir(file), "good_deny.csv")))
			continue
		}
		for name, model := range models {
			add(base+"-"+name, model, read(file))
		}
		add(base+"-crlf", rbac, strings.ReplaceAll(read(file), "\n", "\r\n"))
		add(base+"-wide", rbac, strings.ReplaceAll(read(file), "p, ", "p, \U0001f6aaé"))
	}
	examples, err := filepath.Glob("../../../../../testdata/policies/*.txt")
	if err != nil || len(examples) < 30 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, file := range examples {
		_, rest, _ := strings.Cut(read(file), "-- model.conf --\n")
		model, rest, _ := strings.Cut(rest, "-- policy.csv --\n")
		policy, _, _ := strings.Cut(rest, "-- findings --\n")
		add(filepath.Base(file), model, policy)
	}
	slices.Sort(dirs)
	return dirs
}

// lspFindings returns the server's findings in a file, as far as lint has them too.
func lspFindings(e *editor, file string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var got []string
	for _, d := range e.published[fileURI(file)].Diagnostics {
		if d.Code == "no_model" {
			continue
		}
		line := fmt.Sprintf("%s:%d:%d %d %s %s", file, d.Range.Start.Line, d.Range.Start.Character, d.Severity, d.Code, d.Message)
		if d.Source != "sallyport" || d.CodeDescription == nil || !strings.HasSuffix(d.CodeDescription.Href, "#"+d.Code) ||
			cmp.Or(cmp.Compare(d.Range.Start.Line, d.Range.End.Line), cmp.Compare(d.Range.Start.Character, d.Range.End.Character)) > 0 {
			line += fmt.Sprintf(" and is odd: %+v", d)
		}
		got = append(got, line)
	}
	return got
}

// lspWant is a finding in the form expected from the server.
func lspWant(t *testing.T, f casbinrules.Finding, encoding string) string {
	t.Helper()
	text, err := os.ReadFile(f.File)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n")
	line := lines[f.Line-1]
	before := string([]rune(line[:min(f.Column-1, len(strings.TrimRight(line, "\r")))]))
	character := map[string]int{"utf-8": len(before), "utf-16": len(utf16.Encode([]rune(before))), "utf-32": len([]rune(before))}[encoding]
	message := f.Message
	if f.Hint != "" {
		message += " (" + f.Hint + ")"
	}
	severity := map[casbinrules.Severity]int{casbinrules.SeverityError: 1, casbinrules.SeverityWarning: 2, casbinrules.SeverityNote: 3}[f.Severity]
	return fmt.Sprintf("%s:%d:%d %d %s %s", f.File, f.Line-1, character, severity, f.Code, message)
}

// TestLSPFollowsTheEditor: unsaved text is used in place of the file, in whichever file
// it is, and tests run with it.
func TestLSPFollowsTheEditor(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": "allow erin /reports/7 PUT\ndeny victor /reports/7 PUT\n",
		"parts/model.conf": presets["rbac"]().Text(), "parts/roles.csv": "g, erin, editor\n", "parts/rules.csv": "p, editor, /reports, GET\n",
		"lone/rules.csv": "p, editor, /reports, GET\n"})
	e := startEditor(t, dir, nil, nil)
	file, tests, model := filepath.Join(dir, "policy.csv"), filepath.Join(dir, "policy.tests"), filepath.Join(dir, "model.conf")
	expectCodes := func(file string, version int, want ...string) {
		t.Helper()
		e.waitFor(fmt.Sprint(want, " in ", file), func() bool {
			p, ok := e.published[fileURI(file)]
			var got []string
			for _, d := range p.Diagnostics {
				got = append(got, d.Code)
			}
			return ok && p.Version == version && slices.Equal(got, want)
		})
	}
	e.open(file)
	e.open(tests)
	expectCodes(file, 1)
	expectCodes(tests, 1)
	e.edit(file, 2, map[string]any{"range": lspRange{lspPosition{3, 25}, lspPosition{3, 28}}, "text": "put"})
	expectCodes(file, 2, "method_case", "patch_without_put")
	expectCodes(tests, 1) // which cannot run
	e.edit(file, 3, map[string]any{"range": lspRange{lspPosition{3, 0}, lspPosition{5, 0}}, "text": ""})
	expectCodes(tests, 1, "test_failed")
	e.change(tests, 2, "allow erin /reports/7\nallow erin /reports GET\n")
	expectCodes(tests, 2, "test_syntax")
	e.open(model)
	e.change(model, 2, strings.Replace(presets["rbac"]().Text(), "p.act == ", "p.action == ", 1))
	expectCodes(model, 2, "model_matcher")
	expectCodes(file, 3, "no_model") // whose lines mean nothing now
	if d := e.published[fileURI(file)].Diagnostics[0]; d.Range.Start.Line != 0 || !strings.Contains(d.Message, "model.conf:") {
		t.Errorf("the policy says %+v", d)
	}
	e.notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": fileURI(model)}})
	expectCodes(model, 0)
	expectCodes(file, 3)
	// The files of a folder are one policy, unless one of them is policy.csv.
	rules, roles := filepath.Join(dir, "parts/rules.csv"), filepath.Join(dir, "parts/roles.csv")
	e.open(rules)
	expectCodes(rules, 1)
	e.open(roles)
	e.change(roles, 2, "g, erin\n")
	expectCodes(roles, 2, "field_count")
	// Without a model there are no findings about a policy's lines.
	lone := filepath.Join(dir, "lone/rules.csv")
	e.open(lone)
	expectCodes(lone, 1, "no_model")
	e.notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"sallyport": map[string]any{"model": "rbac-deny"}}})
	expectCodes(lone, 1, "field_count")
	e.notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"sallyport": map[string]any{"modle": "rbac"}}})
	e.message(`unknown field \"modle\"`)
}

// TestLSPReadsTheConfiguration: a file is judged with the policy and options of a
// sallyport.yaml above it.
func TestLSPReadsTheConfiguration(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"sallyport.yaml":   "realm: r\nbearer:\n  issuer: https://idp.example\n  audience: r\n  introspection:\n    endpoint: https://idp.example/i\n    client: r\n    secret: ${NOT_SET}\npolicy:\n  model: rbac\n  files: rules\n  role_prefix: \"role:\"\n",
		"rules/a.csv":      "p, role:editor, /reports, GET\n",
		"rules/b.csv":      "g, erin, editor\n",
		"other/policy.csv": "p, editor, /reports, GET\np, editor, /reports, post\n", "other/model.conf": presets["rbac"]().Text(),
	})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "rules/b.csv")
	e.open(file)
	if got := e.diagnostics(file, 1); len(got) != 1 || got[0].Code != "role_without_prefix" {
		t.Errorf("got %v, and the messages %v", got, e.messages)
	}
	other := filepath.Join(dir, "other/policy.csv")
	e.open(other)
	if got := e.diagnostics(other, 1); len(got) != 1 || got[0].Code != "method_case" {
		t.Errorf("got %v", got)
	}
}

// TestLSPReadsTheOptionsOfAPolicyInAStore: the files beside the configuration are a copy of
// those in the store.
func TestLSPReadsTheOptionsOfAPolicyInAStore(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"sallyport.yaml": "policy:\n  model: model.conf\n  store:\n    postgres: {url: \"${NOT_SET}\"}\n  role_prefix: \"role:\"\n",
		"model.conf":     "rbac", "policy.csv": "p, role:editor, /reports, GET\ng, erin, editor\n",
	})
	e := startEditor(t, dir, nil, nil)
	file := filepath.Join(dir, "policy.csv")
	e.open(file)
	if got := e.diagnostics(file, 1); len(got) != 1 || got[0].Code != "role_without_prefix" {
		t.Errorf("got %v, and the messages %v", got, e.messages)
	}
}

// TestLSPReportsUnreadRoutes: without routes completion proposes less, for no visible
// reason.
func TestLSPReportsUnreadRoutes(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"routes.json": "[{", "access/model.conf": presets["rbac"]().Text(), "access/policy.csv": policy})
	e := startEditor(t, dir, nil, nil)
	e.open(filepath.Join(dir, "access/policy.csv"))
	e.message("no routes are proposed: read routes: " + filepath.Join(dir, "routes.json"))
}

// TestLSPProtocol: the order of messages, and invalid ones.
func TestLSPProtocol(t *testing.T) {
	t.Parallel()
	codeOf := func(err error) int64 {
		refused, ok := errors.AsType[*jsonrpc2.Error](err)
		if !ok {
			return 0
		}
		return refused.Code
	}
	e := startServer(t)
	if got := codeOf(e.try("shutdown", nil, nil)); got != -32002 {
		t.Errorf("a request before initialize: code %d", got)
	}
	if got := codeOf(e.try("initialize", map[string]any{"initializationOptions": map[string]any{"modle": "rbac"}}, nil)); got != jsonrpc2.CodeInvalidParams {
		t.Errorf("unknown settings: code %d", got)
	}
	e.call("initialize", map[string]any{}, nil)
	for method, want := range map[string]int64{"initialize": jsonrpc2.CodeInvalidRequest, "textDocument/none": jsonrpc2.CodeMethodNotFound} {
		if got := codeOf(e.try(method, map[string]any{}, nil)); got != want {
			t.Errorf("%s: code %d, want %d", method, got, want)
		}
	}
	e.notify("textDocument/didChange", map[string]any{"textDocument": 7})
	e.notify("$/unknown", nil)
	e.notify("$/cancelRequest", map[string]any{"id": 77})
	e.call("shutdown", nil, nil)
	if got := codeOf(e.try("textDocument/hover", about("/x", 0, 0), nil)); got != jsonrpc2.CodeInvalidRequest {
		t.Errorf("a request after shutdown: code %d", got)
	}
	e.notify("exit", nil)
	if code := <-e.code; code != exitOK {
		t.Errorf("the exit code is %d", code)
	}
	for _, last := range []string{"exit", ""} {
		e = startServer(t)
		if last != "" {
			e.notify(last, nil)
		} else {
			_ = e.conn.Close()
		}
		if code := <-e.code; code != exitFindings {
			t.Errorf("an end without shutdown: exit code %d", code)
		}
	}
}

// TestLSPMalformedMessages: each is answered, or ends the server.
func TestLSPMalformedMessages(t *testing.T) {
	t.Parallel()
	frame := func(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }
	hello := frame(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)
	for message, want := range map[string]string{
		frame(`{"jsonrpc":`):              `"code":-32700`,
		frame(`[]`):                       `"code":-32600`,
		frame(`null`):                     `"code":-32600`,
		frame(`{"jsonrpc":"2.0"}`):        `"code":-32600`,
		frame("\xff\xfe"):                 `"code":-32700`,
		frame(`[{"id":1,"result":null}]`): `"code":-32600`,
		"content-length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n{}": `"code":-32600`,
		"Content-Length: 99999999999999999\r\n\r\n{}":                                            "",
		"Content-Length: -1\r\n\r\n":                                                             "",
		"Content-Length: x\r\n\r\n":                                                              "",
		"\r\n":                                                                                   "",
		strings.Repeat("X: y\r\n", 5000):                                                         "",
		strings.Repeat("x", 1<<20):                                                               "",
		"Content-Length: 100000000\r\n\r\nshort":                                                 "",
	} {
		in, toServer := io.Pipe()
		fromServer, out := io.Pipe()
		code := make(chan int, 1)
		go func() {
			code <- program([]string{"lsp"}, in, out, io.Discard)
			_ = out.Close()
		}()
		go func() {
			_, _ = io.WriteString(toServer, message+hello)
			if want == "" {
				_ = toServer.Close()
			}
		}()
		var text strings.Builder
		for r := bufio.NewReader(fromServer); !strings.Contains(text.String(), "capabilities"); {
			line, err := r.ReadString('}')
			text.WriteString(line)
			if err != nil {
				break
			}
		}
		_ = toServer.Close()
		_ = fromServer.Close()
		if want != "" && (!strings.Contains(text.String(), want) || !strings.Contains(text.String(), `"id":null`) || !strings.Contains(text.String(), "capabilities")) || want == "" && text.Len() > 0 {
			t.Errorf("%.60q is answered by %.300q", message, text.String())
		}
		if got := <-code; got != exitFindings {
			t.Errorf("%.60q: exit code %d", message, got)
		}
	}
}
