package editor

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// lspPosition and the types below are the protocol's, as an editor sees them.
type lspPosition struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type lspRange struct {
	Start lspPosition `json:"start"`
	End   lspPosition `json:"end"`
}

type lspDiagnostic struct {
	Range           lspRange `json:"range"`
	Severity        int      `json:"severity"`
	Code            string   `json:"code,omitempty"`
	CodeDescription *struct {
		Href string `json:"href"`
	} `json:"codeDescription,omitempty"`
	Source  string `json:"source"`
	Message string `json:"message"`
}

type lspPublished struct {
	URI         string          `json:"uri"`
	Version     int             `json:"version"`
	Diagnostics []lspDiagnostic `json:"diagnostics"`
}

// editor is a client of a server in this process.
type editor struct {
	t        testing.TB
	conn     *jsonrpc2.Conn
	encoding string
	code     chan int // of the command, once it has ended

	mu        sync.Mutex
	published map[string]lspPublished
	messages  []string
	changed   chan struct{} // closed and replaced with each message
}

// startEditor starts the command and initializes it.
func startEditor(t testing.TB, root string, encodings []string, options any, args ...string) *editor {
	t.Helper()
	e := startServer(t, args...)
	params := map[string]any{
		"workspaceFolders":      []any{map[string]any{"uri": fileURI(root)}},
		"initializationOptions": options,
		"capabilities":          map[string]any{"general": map[string]any{"positionEncodings": encodings}},
	}
	var result struct {
		Capabilities struct {
			PositionEncoding string `json:"positionEncoding"`
		} `json:"capabilities"`
	}
	e.call("initialize", params, &result)
	e.encoding = result.Capabilities.PositionEncoding
	e.notify("initialized", map[string]any{})
	return e
}

// startServer starts the command, and stops it with the test.
func startServer(t testing.TB, args ...string) *editor {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	e := &editor{t: t, code: make(chan int, 1), published: map[string]lspPublished{}, changed: make(chan struct{})}
	go func() {
		e.code <- program(append([]string{"lsp"}, args...), in, out, io.Discard)
		_ = out.Close()
	}()
	e.conn = jsonrpc2.NewConn(context.Background(), jsonrpc2.NewBufferedStream(pipes{fromServer, toServer}, jsonrpc2.VSCodeObjectCodec{}), jsonrpc2.HandlerWithError(e.told))
	t.Cleanup(func() { _ = e.conn.Close() })
	return e
}

// pipes are both directions of a connection.
type pipes struct {
	*io.PipeReader
	w *io.PipeWriter
}

func (p pipes) Write(b []byte) (int, error) { return p.w.Write(b) }

func (p pipes) Close() error {
	_ = p.w.Close()
	return p.PipeReader.Close()
}

// told handles the server's notifications.
func (e *editor) told(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r.Method {
	case "textDocument/publishDiagnostics":
		var p lspPublished
		if err := json.Unmarshal(*r.Params, &p); err != nil {
			return nil, err
		}
		e.published[p.URI] = p
	case "window/showMessage":
		e.messages = append(e.messages, string(*r.Params))
	}
	close(e.changed)
	e.changed = make(chan struct{})
	return nil, nil
}

// waitFor waits until a condition holds on the server's messages.
func (e *editor) waitFor(what string, holds func() bool) {
	e.t.Helper()
	if !e.comes(holds) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.t.Fatalf("the server did not report %s; messages: %s", what, e.messages)
	}
}

// comes reports whether a condition comes to hold on the server's messages.
func (e *editor) comes(holds func() bool) bool {
	limit := time.After(authtest.TimeLimit(time.Minute))
	for {
		e.mu.Lock()
		done, changed := holds(), e.changed
		e.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-limit:
			return false
		}
	}
}

// diagnostics returns those of a document's version.
func (e *editor) diagnostics(file string, version int) []lspDiagnostic {
	e.t.Helper()
	var found []lspDiagnostic
	e.waitFor("diagnostics of "+file, func() bool {
		p, ok := e.published[fileURI(file)]
		found = p.Diagnostics
		return ok && p.Version >= version
	})
	return found
}

// message waits for a message to the user that contains part.
func (e *editor) message(part string) {
	e.t.Helper()
	e.waitFor("a message with "+part, func() bool { return strings.Contains(strings.Join(e.messages, "\n"), part) })
}

// call requires a result; try may get an error.
func (e *editor) call(method string, params, result any) {
	e.t.Helper()
	if err := e.try(method, params, result); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

func (e *editor) try(method string, params, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), authtest.TimeLimit(time.Minute))
	defer cancel()
	return e.conn.Call(ctx, method, params, result)
}

func (e *editor) notify(method string, params any) {
	e.t.Helper()
	if err := e.conn.Notify(context.Background(), method, params); err != nil {
		e.t.Fatalf("%s: %v", method, err)
	}
}

// open opens a file with a text, by default the file's.
func (e *editor) open(file string, text ...string) {
	e.t.Helper()
	if len(text) == 0 {
		content, err := os.ReadFile(file)
		if err != nil {
			e.t.Fatal(err)
		}
		// An editor shows no byte order mark, and replaces invalid bytes by a sign.
		text = append(text, string([]rune(strings.TrimPrefix(string(content), "\ufeff"))))
	}
	e.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": fileURI(file), "languageId": "", "version": 1, "text": text[0]}})
}

// change replaces the whole text.
func (e *editor) change(file string, version int, text string) {
	e.t.Helper()
	e.edit(file, version, map[string]any{"text": text})
}

// edit applies changes in order.
func (e *editor) edit(file string, version int, changes ...map[string]any) {
	e.t.Helper()
	e.notify("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": fileURI(file), "version": version}, "contentChanges": changes,
	})
}

// about returns the parameters of requests at a position.
func about(file string, line, character int) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": fileURI(file)}, "position": lspPosition{line, character}}
}

func fileURI(file string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
}

// completed changes a file, and returns the proposals at its end.
func (e *editor) completed(file string, version int, text string) (labels []string) {
	e.t.Helper()
	e.change(file, version, text)
	at := utf16Position(text, len(text))
	var got struct {
		Items []struct{ Label string }
	}
	e.call("textDocument/completion", about(file, at.Line, at.Character), &got)
	for _, item := range got.Items {
		labels = append(labels, item.Label)
	}
	return labels
}
