package operate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

// TestReplay: both sides, from files and from revisions, in all forms.
func TestReplay(t *testing.T) {
	changed := strings.NewReplacer("p, editor, /reports/:id, PATCH", "p, viewer, /reports/:id, PATCH", "g, erin, editor", "g, erin, admin").Replace(policy)
	changed = strings.ReplaceAll(changed, "p, admin, /*, *\n", "p, admin, /none, *\n")
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "decisions.jsonl": clitest.DecisionLines})
	clitest.Commit(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "policy.csv"), []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	const text = "+ 1 x PATCH /reports/:id (new policy.csv:5): victor 1\n- 2 x PATCH /reports/:id (old policy.csv:5): erin 2\n" +
		"1 request would be allowed, 2 refused, of 3 compared\n"
	got := run(t, dir, "", "replay", "--old", "HEAD", "-p", "DIR/policy.csv", "DIR/decisions.jsonl")
	if out := got.Stdout; got.Code != exitOK || !strings.HasPrefix(out, text) || !strings.Contains(out, "decided none of them:\n") {
		t.Errorf("got %+v\nwant %s", got, text)
	}
	for _, args := range [][]string{
		{"--old", "HEAD", "--fail-on", "widen"},
		{"--fail-on", "change"},
		{"--old", "DIR/policy.csv", "--new", "HEAD", "--fail-on", "change", "--format", "json"},
	} {
		if got := run(t, dir, "", append([]string{"replay", "-p", "DIR/policy.csv", "DIR/decisions.jsonl"}, args...)...); got.Code != exitFindings {
			t.Errorf("%v: %+v", args, got)
		}
	}
	sarif := run(t, dir, "", "replay", "-p", "DIR/policy.csv", "--old", "HEAD", "--format", "sarif", "DIR/decisions.jsonl")
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID string `json:"ruleId"`
			}
		}
	}
	if err := json.Unmarshal([]byte(sarif.Stdout), &log); err != nil || len(log.Runs) != 1 || len(log.Runs[0].Results) < 3 || log.Runs[0].Results[0].RuleID != "access-gained" {
		t.Errorf("sarif: %v, %+v", err, sarif)
	}
	for _, tt := range []struct{ want, args string }{
		{"neither a file nor a revision", "--old nonsense"},
		{"neither a file nor a revision", "--old=--output=/x"},
		{"--fail-on knows", "--fail-on narrow"},
		{"there is no policy", "--old gone.csv"},
	} {
		args := append([]string{"replay", "-p", "DIR/policy.csv", "DIR/decisions.jsonl"}, strings.Fields(tt.args)...)
		if got := run(t, dir, "", args...); got.Code != exitUsage || !strings.Contains(got.Stderr, tt.want) {
			t.Errorf("%s: %+v", tt.args, got)
		}
	}
}

// TestLogVerify: findings have file and line, and missing proof is reported too.
func TestLogVerify(t *testing.T) {
	dir := write(t, map[string]string{"secret": strings.Repeat("s", 32), "other": strings.Repeat("o", 32)})
	name := filepath.Join(dir, "decisions.jsonl")
	k, err := decisionlog.MACKey([]byte(strings.Repeat("s", 32)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := decisionlog.Open(name, decisionlog.WithChainKey(k))
	if err != nil {
		t.Fatal(err)
	}
	l.Observe(t.Context(), core.Event{Outcome: core.OutcomeForbidden, Method: "GET"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	verify := func(args ...string) outcome {
		t.Helper()
		return run(t, dir, "", append([]string{"log", "verify", "DIR/decisions.jsonl"}, args...)...)
	}
	if got := verify("--key", "DIR/secret"); got.Code != exitOK || !strings.Contains(got.Stdout, "nothing was changed; signed up to number") {
		t.Errorf("good: %+v", got)
	}
	if got := verify(); got.Code != exitUsage || !strings.Contains(got.Stderr, "--key") {
		t.Errorf("without a key: %+v", got)
	}
	if got := verify("--key", "DIR/other"); got.Code != exitFindings || !strings.Contains(got.Stdout, ": signature: ") {
		t.Errorf("another key: %+v", got)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(text), `"method":"GET"`, `"method":"PUT"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := verify("--key", "DIR/secret"); got.Code != exitFindings || !strings.Contains(got.Stdout, "decisions.jsonl:3: changed: ") {
		t.Errorf("changed: %+v", got)
	}
	if got := verify("--key", "DIR/secret", "--format", "json"); got.Code != exitFindings || !strings.Contains(got.Stdout, `"code": "changed"`) {
		t.Errorf("json: %+v", got)
	}
	if got := run(t, dir, "", "log", "verify", "DIR/gone"); got.Code != exitUsage {
		t.Errorf("no file: %+v", got)
	}
}
