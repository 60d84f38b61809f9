package setup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestDecisionLog: the section opens a log, which is opened again on reload, closed
// with the setup, and left alone by tools.
func TestDecisionLog(t *testing.T) {
	t.Parallel()
	path := configFile(t, minimal+"decision_log:\n  path: decisions.jsonl\n  chain_key: {file: decisions.key}\n")
	name := filepath.Join(filepath.Dir(path), "decisions.jsonl")
	tool, err := Open(path, quiet(), WithoutWrites())
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
	if err := s.decisions.log.Load().Flush(t.Context()); err != nil { // so that the old file has it
		t.Fatal(err)
	}
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

// TestDecisionLogOfASuccessor: a setup that takes the place of another one goes on
// with its log, with other settings too, and leaves it alone where it cannot be
// opened.
func TestDecisionLogOfASuccessor(t *testing.T) {
	t.Parallel()
	const section = "decision_log:\n  path: decisions.jsonl\n  chain_key: {file: decisions.key}\n"
	path := configFile(t, minimal+section)
	name := filepath.Join(filepath.Dir(path), "decisions.jsonl")
	ask := func(s *Setup) {
		handler := httpauth.Authorize(s.Guard())(http.NotFoundHandler())
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/reports/7", nil))
	}
	closed := func(s *Setup) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, text := range []string{
		minimal + section,
		strings.Replace(minimal, "realm: reports", "realm: others", 1) + section,
		minimal + section + "  queue_size: 100\n",
		minimal + section + "  queue_size: 100\n  max_age: 1h\n",
	} {
		ask(s)
		for _, broken := range []string{"  head_interval: -1s\n", "answers: {style: none.css}\n"} {
			if err := os.WriteFile(path, []byte(minimal+section+broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path, quiet(), WithPredecessor(s)); err == nil {
				t.Fatalf("%s is taken", broken)
			}
			ask(s)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		next, err := Open(path, quiet(), WithPredecessor(s))
		if err != nil {
			t.Fatal(err)
		}
		ask(s) // which still serves
		ask(next)
		closed(s)
		closed(s) // which does no harm to the one that goes on
		ask(next)
		asked += 6
		s = next
		if got := s.decisions.stats(); got.QueueFull != 0 || got.WriteFailed != 0 {
			t.Errorf("lost: %+v", got)
		}
	}
	closed(s)
	if got := s.decisions.stats(); got.Written != uint64(asked) {
		t.Errorf("%+v, want %d written", got, asked)
	}
	key, err := decisionlog.ParseKey([]byte(strings.Repeat("d", 32) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := decisionlog.Verify([]string{name}, decisionlog.WithVerificationKeys(key))
	if err != nil || len(v.Findings) > 0 || v.QueueFull > 0 {
		t.Errorf("verification: %+v, %v", v, err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(content), `"kind":"decision"`); n != asked {
		t.Errorf("%d decisions, want %d", n, asked)
	}
}

// TestDecisionLogOfAClosedPredecessor: the log is opened again.
func TestDecisionLogOfAClosedPredecessor(t *testing.T) {
	t.Parallel()
	path := configFile(t, minimal+"decision_log: {path: decisions.jsonl}\n")
	s := openPath(t, path, quiet())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next := openPath(t, path, quiet(), WithPredecessor(s))
	wants(t, next.Guard(), 401, "GET", "/reports")
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "decisions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), `"kind":"decision"`); n != 1 || next.decisions.stats().QueueFull != 0 {
		t.Errorf("%d decisions: %s", n, text)
	}
}

// unmeasured is an instrument that takes no decision log.
type unmeasured struct{ Instrument }

func (unmeasured) Observe(context.Context, core.Event)                             {}
func (unmeasured) TraceID(context.Context) string                                  { return "" }
func (unmeasured) AddPolicy(string, *casbinrules.Authorizer) error                 { return nil }
func (unmeasured) PolicyReloaded(context.Context, string, casbinrules.ReloadEvent) {}
func (unmeasured) Page() http.Handler                                              { return nil }
func (unmeasured) AddDecisionLog(string, func() decisionlog.Stats) error {
	return errors.New("no room for a decision log")
}

func init() {
	RegisterObserver("unmeasured", func(*struct{}) (core.Observer, func() error, error) { return unmeasured{}, nil, nil })
}

// TestFailedSuccessorChangesNothing: the log of a setup that still serves keeps its
// settings when the one that would take its place fails, also where it fails last.
func TestFailedSuccessorChangesNothing(t *testing.T) {
	t.Parallel()
	const section = "decision_log:\n  path: decisions.jsonl\n  queue_size: %d\n"
	path := configFile(t, minimal+fmt.Sprintf(section, 200))
	s := openPath(t, path, quiet())
	write(t, path, minimal+fmt.Sprintf(section, 100)+"observers: [{unmeasured: {}}]\n")
	if _, err := Open(path, quiet(), WithPredecessor(s)); err == nil || !strings.Contains(err.Error(), "no room for a decision log") {
		t.Fatalf("error %v", err)
	}
	handler := httpauth.Authorize(s.Guard())(http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/reports/7", nil))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "decisions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), `"queue_size":100,`) || strings.Count(string(text), `"kind":"open"`) != 1 || strings.Count(string(text), `"kind":"decision"`) != 1 {
		t.Errorf("the log: %s", text)
	}
}

// TestWithoutWrites: a tool leaves no file behind, beside the files that a setup writes.
func TestWithoutWrites(t *testing.T) {
	t.Parallel()
	path := configFile(t, "realm: reports\nbearer: {issuer: 'https://idp.example', audience: reports, jwks: jwks.json}\n"+
		"basic: {store_file: users.htpasswd}\npolicy: {model: rbac, store: {one: {}}, store_files: policy.csv, last_good_file: kept.json}\n"+
		"decision_log: {path: decisions.jsonl}\n")
	files := func() string {
		names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		return fmt.Sprint(names, err)
	}
	before := files()
	if err := openPath(t, path, quiet(), WithoutWrites()).Close(); err != nil {
		t.Fatal(err)
	}
	if got := files(); got != before {
		t.Errorf("a tool has written: %s, and there was %s", got, before)
	}
	if err := openPath(t, path, quiet()).Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kept.json", "kept.json.basic", "decisions.jsonl"} {
		if got := files(); !strings.Contains(got, want) {
			t.Errorf("a service has not written %s: %s", want, got)
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
