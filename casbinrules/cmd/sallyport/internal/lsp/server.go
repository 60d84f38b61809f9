// Package lsp is a language server for model, policy and policy test files: it reports in
// an editor, as the text is typed, what the commands lint, test and fmt report.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
)

// Config provides the functions with which the server finds projects and runs tests.
type Config struct {
	Version string
	// Find returns the project that a file belongs to.
	Find func(Lookup) (Project, error)
	// Test runs the tests in text, whose lines count from 1.
	Test func(ctx context.Context, p Project, a *casbinrules.Authorizer, name, text string) ([]TestResult, error)
	// Explain explains the result of the test on a line; "" if there is no test.
	Explain func(ctx context.Context, p Project, a *casbinrules.Authorizer, line string) (string, error)
}

// Settings are what an editor sends as initializationOptions. They take precedence over the
// command's flags of the same meaning.
type Settings struct {
	Model  string   `json:"model,omitempty"`
	Policy []string `json:"policy,omitempty"`
	Routes string   `json:"routes,omitempty"`
	ask.Options
}

// Lookup asks for the project of a file.
type Lookup struct {
	File string
	Kind Kind
	Settings
	// Dirs are the workspace folders.
	Dirs []string
	// FS contains the files under their usual paths, with the editor's version of open
	// ones.
	FS fs.FS
}

// Project is a model with its policy and the options for both.
type Project struct {
	// Model is the zero Model if none was found; Why then gives the reason.
	Model casbinrules.Model
	Why   string
	// Read says how to read the policy, and Options is the same for the library.
	Read    ask.Options
	Options []casbinrules.Option
	// Skipped says which configuration could not be read; "" if none.
	Skipped string
	// Policies are files and directories; empty for a model without a policy.
	Policies []string
	// Routes are the application's routes, for completion. With CompareRoutes the policy is
	// also linted against them.
	Routes        []core.RouteInfo
	CompareRoutes bool
}

// TestResult is the result of one test.
type TestResult struct {
	Line, Column int // from 1
	// Code is "" if the test passed.
	Code string
	// Warning reports that the test passed but proves less than it seems to.
	Warning bool
	// Text says why the test failed.
	Text string
}

type server struct {
	config Config
	flags  Settings

	conn *jsonrpc2.Conn
	out  *stream // of conn
	// analyses runs in the background; ended is closed when it has stopped.
	analyses *analyses
	parsed   parsed

	mu       sync.Mutex
	state    state
	view     view
	inFlight map[jsonrpc2.ID]context.CancelFunc
	running  sync.WaitGroup
}

// state is the state of the protocol's life cycle.
type state int

const (
	stateNew state = iota
	stateReady
	stateShutDown
)

// view is a snapshot of what the client has sent. It is immutable.
type view struct {
	docs     map[string]*document // by path
	dirs     []string             // workspace folders
	settings Settings
	enc      encoding
	// versions reports whether the client checks document versions before applying edits.
	versions bool
}

// edit returns a workspace edit for the client; edits are by URI.
func (v *view) edit(edits map[string][]textEdit) workspaceEdit {
	if !v.versions {
		return workspaceEdit{Changes: edits}
	}
	var made workspaceEdit
	for _, uri := range slices.Sorted(maps.Keys(edits)) {
		e := documentEdit{Edits: edits[uri]}
		e.TextDocument.URI = uri
		if d := v.docs[pathOf(uri)]; d != nil {
			e.TextDocument.Version = &d.version
		}
		made.DocumentChanges = append(made.DocumentChanges, e)
	}
	return made
}

// Serve serves the client connected to in and out until the client sends exit or the input
// ends. flags are the settings for an editor that sends none. The error says why the
// session did not end in an orderly way.
func Serve(ctx context.Context, in io.Reader, out io.Writer, flags Settings, c Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		config: c, flags: flags, inFlight: map[jsonrpc2.ID]context.CancelFunc{},
		view: view{docs: map[string]*document{}, enc: utf16Units, settings: flags},
	}
	s.analyses = newAnalyses(s)
	ready := make(chan struct{})
	s.out = newStream(in, out)
	s.conn = jsonrpc2.NewConn(ctx, s.out, handlerFunc(func(ctx context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) {
		<-ready
		s.handle(ctx, r)
	}), jsonrpc2.SetLogger(log.New(io.Discard, "", 0)))
	close(ready)
	looked := make(chan struct{})
	go func() {
		s.analyses.run(ctx)
		close(looked)
	}()
	<-s.conn.DisconnectNotify()
	cancel()
	<-looked
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateShutDown {
		return errors.New("the editor went away without shutting the server down")
	}
	return nil
}

type handlerFunc func(context.Context, *jsonrpc2.Conn, *jsonrpc2.Request)

func (f handlerFunc) Handle(ctx context.Context, c *jsonrpc2.Conn, r *jsonrpc2.Request) { f(ctx, c, r) }

// handle processes one message, in the order received. Notifications are applied before the
// next message is read; requests are answered concurrently, from a snapshot of the
// documents at the time they arrived.
func (s *server) handle(ctx context.Context, r *jsonrpc2.Request) {
	if r.Notif {
		s.handleNotification(r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, refusal := s.handlerFor(r)
	if refusal != nil {
		go func() { _ = s.conn.ReplyWithError(ctx, r.ID, refusal) }()
		return
	}
	if _, twice := s.inFlight[r.ID]; twice {
		go func() {
			_ = s.conn.ReplyWithError(ctx, r.ID, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "a request of this id is not answered yet"})
		}()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s.inFlight[r.ID] = cancel
	v := s.view
	s.running.Go(func() {
		result, err := recoverPanic(func() (any, error) { return answer(ctx, &v) })
		s.reply(ctx, r.ID, result, err)
	})
}

// recoverPanic turns a panic into an error, so that it fails one request instead of ending the
// session.
func recoverPanic[T any](f func() (T, error)) (result T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal error: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}

func (s *server) reply(ctx context.Context, id jsonrpc2.ID, result any, err error) {
	s.mu.Lock()
	cancel := s.inFlight[id]
	delete(s.inFlight, id)
	s.mu.Unlock()
	cancelled := ctx.Err() != nil
	cancel()
	ctx = context.WithoutCancel(ctx)
	switch refusal, ok := errors.AsType[*jsonrpc2.Error](err); {
	case cancelled:
		_ = s.conn.ReplyWithError(ctx, id, &jsonrpc2.Error{Code: requestCancelled, Message: "cancelled"})
	case ok:
		_ = s.conn.ReplyWithError(ctx, id, refusal)
	case err != nil:
		_ = s.conn.ReplyWithError(ctx, id, &jsonrpc2.Error{Code: jsonrpc2.CodeInternalError, Message: err.Error()})
	default:
		_ = s.conn.Reply(ctx, id, result)
	}
}

type handler func(ctx context.Context, v *view) (any, error)

// handlerFor returns the handler for a request, or an error.
func (s *server) handlerFor(r *jsonrpc2.Request) (handler, *jsonrpc2.Error) {
	const notInitialized = -32002
	switch {
	case r.Method == "initialize" && s.state == stateNew:
		return s.initialize(r)
	case s.state == stateNew:
		return nil, &jsonrpc2.Error{Code: notInitialized, Message: "the server is not initialized"}
	case s.state == stateShutDown || r.Method == "initialize":
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server has been initialized, or shut down"}
	case r.Method == "shutdown":
		s.state = stateShutDown
		return func(context.Context, *view) (any, error) { return nil, nil }, nil
	}
	about := requests[r.Method]
	if about == nil {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "unknown method " + r.Method}
	}
	var p documentParams
	if err := parameters(r, &p); err != nil {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	return func(ctx context.Context, v *view) (any, error) {
		doc := v.docs[pathOf(p.TextDocument.URI)]
		if doc == nil {
			return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: "the document is not open"}
		}
		return about(s, &query{ctx: ctx, view: v, doc: doc, documentParams: p})
	}, nil
}

type query struct {
	documentParams
	ctx  context.Context
	view *view
	doc  *document
}

// requests maps methods to the handlers of requests about documents.
var requests = map[string]func(*server, *query) (any, error){
	"textDocument/hover":               (*server).hover,
	"textDocument/completion":          (*server).complete,
	"textDocument/definition":          (*server).definition,
	"textDocument/references":          (*server).references,
	"textDocument/prepareRename":       (*server).prepareRename,
	"textDocument/rename":              (*server).rename,
	"textDocument/formatting":          (*server).format,
	"textDocument/codeAction":          (*server).codeActions,
	"textDocument/foldingRange":        (*server).fold,
	"textDocument/semanticTokens/full": (*server).semanticTokens,
}

func parameters(r *jsonrpc2.Request, into any) error {
	if r.Params == nil {
		return errors.New("the parameters are missing")
	}
	return json.Unmarshal(*r.Params, into)
}

// initialize handles the first request of a client.
func (s *server) initialize(r *jsonrpc2.Request) (handler, *jsonrpc2.Error) {
	var p initializeParams
	if err := parameters(r, &p); err != nil {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	settings := s.flags
	if len(p.Options) > 0 {
		if err := decodeStrict(p.Options, &settings); err != nil {
			return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: "initializationOptions: " + err.Error()}
		}
	}
	v := view{docs: map[string]*document{}, settings: settings, enc: chooseEncoding(append(p.Capabilities.General.PositionEncodings, p.Capabilities.OffsetEncoding...))}
	v.versions = p.Capabilities.Workspace.WorkspaceEdit.DocumentChanges
	if p.WorkspaceFolders == nil && p.RootURI != "" {
		p.WorkspaceFolders = []folder{{p.RootURI}}
	}
	for _, f := range p.WorkspaceFolders {
		v.dirs = append(v.dirs, pathOf(f.URI))
	}
	s.view, s.state = v, stateReady
	return func(context.Context, *view) (any, error) {
		return map[string]any{
			"capabilities":   capabilities(v.enc),
			"offsetEncoding": v.enc,
			"serverInfo":     map[string]any{"name": "sallyport", "version": s.config.Version},
		}, nil
	}, nil
}

// chooseEncoding picks the position encoding: UTF-16 unless the client offers a better one.
func chooseEncoding(offered []encoding) encoding {
	for _, enc := range []encoding{utf8Units, utf32Units} {
		if slices.Contains(offered, enc) {
			return enc
		}
	}
	return utf16Units
}

// setDocument adds a document to the view, or removes it if d is nil.
func (s *server) setDocument(path string, d *document) {
	docs := maps.Clone(s.view.docs)
	if d == nil {
		delete(docs, path)
	} else {
		docs[path] = d
	}
	s.view.docs = docs
}
