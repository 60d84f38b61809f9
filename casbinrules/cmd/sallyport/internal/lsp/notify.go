package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sourcegraph/jsonrpc2"
)

// handleNotification handles a notification. A malformed one is ignored, since notifications have no
// response to carry an error.
func (s *server) handleNotification(r *jsonrpc2.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Method == "exit":
		go func() { _ = s.conn.Close() }()
	case s.state != stateReady:
	case r.Method == "$/cancelRequest":
		var p struct {
			ID jsonrpc2.ID `json:"id"`
		}
		if parameters(r, &p) == nil && s.inFlight[p.ID] != nil {
			s.inFlight[p.ID]()
		}
	case strings.HasPrefix(r.Method, "textDocument/"):
		s.handleDocumentNotification(r)
	case r.Method == "workspace/didChangeWorkspaceFolders":
		var p struct {
			Event struct {
				Added   []folder `json:"added"`
				Removed []folder `json:"removed"`
			} `json:"event"`
		}
		if parameters(r, &p) == nil {
			s.changeFolders(p.Event.Added, p.Event.Removed)
		}
	case r.Method == "workspace/didChangeConfiguration":
		var p struct {
			Settings map[string]json.RawMessage `json:"settings"`
		}
		if parameters(r, &p) == nil && p.Settings["sallyport"] != nil {
			s.changeSettings(p.Settings["sallyport"])
		}
	case r.Method == "workspace/didChangeWatchedFiles":
		s.analyses.markDirty(anyPath)
	}
}

func (s *server) handleDocumentNotification(r *jsonrpc2.Request) {
	var p documentNotification
	if parameters(r, &p) != nil {
		return
	}
	item := p.TextDocument
	path := pathOf(item.URI)
	d := s.view.docs[path]
	switch {
	case r.Method == "textDocument/didOpen":
		d = newDocument(item.URI, path, item.Version, kindOf(path, item.LanguageID, item.Text), item.Text)
		s.setDocument(path, d.withDisk(onDisk(path)))
		s.analyses.markDirty(path)
	case r.Method == "textDocument/didChange" && d != nil:
		s.setDocument(path, d.edited(item.Version, p.ContentChanges, s.view.enc))
		s.analyses.markDirty(path)
	case r.Method == "textDocument/didSave" && d != nil:
		s.setDocument(path, d.withDisk(onDisk(path)))
		s.analyses.markDirty(anyPath) // the saved file may hold settings or routes
	case r.Method == "textDocument/didClose":
		s.setDocument(path, nil)
		s.analyses.markDirty(anyPath)
	}
}

// onDisk returns the content of a file; "" if it cannot be read.
func onDisk(path string) string {
	text, err := readFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// kindOf determines the kind of a file from the editor's language ID, or from its name and
// text: not every .conf and .csv file is a model or policy.
func kindOf(path, language, text string) Kind {
	switch language {
	case "casbin-model":
		return KindModel
	case "casbin-policy":
		return KindPolicy
	case "casbin-tests":
		return KindTests
	}
	switch base := filepath.Base(path); {
	case base == "model.conf", filepath.Ext(base) == ".conf" && strings.Contains(text, "request_definition"):
		return KindModel
	case filepath.Ext(base) == ".csv":
		return KindPolicy
	case filepath.Ext(base) == ".tests":
		return KindTests
	}
	return KindOther
}

func (s *server) changeFolders(added, removed []folder) {
	dirs := slices.DeleteFunc(slices.Clone(s.view.dirs), func(dir string) bool {
		return slices.ContainsFunc(removed, func(f folder) bool { return dir == pathOf(f.URI) })
	})
	for _, f := range added {
		dirs = append(dirs, pathOf(f.URI))
	}
	s.view.dirs = dirs
	s.analyses.markDirty(anyPath)
}

func (s *server) changeSettings(text json.RawMessage) {
	settings := s.flags
	if err := decodeStrict(text, &settings); err != nil {
		go s.show(severityError, "sallyport: settings: "+err.Error())
		return
	}
	s.view.settings = settings
	s.analyses.markDirty(anyPath)
}

// decodeStrict decodes settings and rejects unknown keys.
func decodeStrict(text json.RawMessage, into *Settings) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (s *server) show(severity int, text string) {
	_ = s.conn.Notify(context.Background(), "window/showMessage", map[string]any{"type": severity, "message": text})
}

func capabilities(enc encoding) map[string]any {
	return map[string]any{
		"positionEncoding":           enc,
		"textDocumentSync":           map[string]any{"openClose": true, "change": 2, "save": map[string]any{"includeText": false}},
		"hoverProvider":              true,
		"completionProvider":         map[string]any{"triggerCharacters": []string{",", " ", "[", ".", "/"}},
		"definitionProvider":         true,
		"referencesProvider":         true,
		"renameProvider":             map[string]any{"prepareProvider": true},
		"documentFormattingProvider": true,
		"codeActionProvider":         map[string]any{"codeActionKinds": []string{"quickfix"}},
		"foldingRangeProvider":       true,
		"semanticTokensProvider":     map[string]any{"legend": tokenLegend(), "full": true},
		"workspace":                  map[string]any{"workspaceFolders": map[string]any{"supported": true, "changeNotifications": true}},
	}
}
