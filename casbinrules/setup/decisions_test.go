package setup

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestDecisionLog: the section opens a log, which is opened again on reload, closed
// with the setup, and left alone by tools.
func TestDecisionLog(t *testing.T) {
	t.Parallel()
	path := configFile(t, minimal+"decision_log:\n  path: decisions.jsonl\n  chain_key: {file: decisions.key}\n")
	name := filepath.Join(filepath.Dir(path), "decisions.jsonl")
	tool, err := Open(path, quiet(), WithoutDecisions())
	if err != nil {
		t.Fatal(err)
	}
	if err := tool.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("a tool has written a log")
	}
	s, err := Open(path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	handler := httpauth.Authorize(s.Guard())(http.NotFoundHandler())
	ask := func() { handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/reports/7", nil)) }
	ask()
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	key, err := decisionlog.ParseKey([]byte(strings.Repeat("d", 32) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := decisionlog.Verify([]string{name + ".1", name}, decisionlog.WithVerificationKeys(key))
	if err != nil || len(v.Findings) > 0 || v.Signed == 0 {
		t.Errorf("verification: %+v, %v", v, err)
	}
	for _, file := range []string{name + ".1", name} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), `"kind":"decision"`); n != 1 {
			t.Errorf("%s has %d decisions: %s", file, n, text)
		}
	}
}

// TestWrongDecisionLog: what cannot work is an error at its place.
func TestWrongDecisionLog(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		"path: gone/decisions.jsonl":                      "no such file",
		"path: policy.csv":                                "not a line of a decision log",
		"path: d.jsonl\n  allowed_percent: 101":           "sample rate 1.01",
		"path: d.jsonl\n  max_files: 0":                   "0 files",
		"path: d.jsonl\n  chain_key: {file: ca.pem}":      "CERTIFICATE",
		"path: d.jsonl\n  sample_key: {file: policy.csv}": "",
		"chain: true": "path",
	} {
		s, err := Open(configFile(t, minimal+"decision_log:\n  "+settings+"\n"), quiet())
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", settings, err)
			} else if err := s.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sallyport.yaml:") {
			t.Errorf("%s: error %v, want %s", settings, err, want)
		}
	}
}
