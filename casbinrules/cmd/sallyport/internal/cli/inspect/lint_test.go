package inspect

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
)

const flawed = "p, viewer, /reports, GET\np, vïewer, /reports , GET, x\np, viewer, /reports, GET\n"

func TestLintFormats(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": flawed, "clean.csv": policy})
	got := run(t, dir, "", "lint", "-p", "DIR/policy.csv")
	if got.Code != exitFindings || !strings.Contains(got.Stderr, "may be reported only once there is no error") || !strings.HasPrefix(got.Stdout, "policy.csv:2:") {
		t.Errorf("text: got %+v", got)
	}
	if strings.Contains(got.Stdout, "\x1b") {
		t.Error("there is colour without a terminal")
	}
	var findings []result.Finding
	got = run(t, dir, "", "lint", "-p", "DIR/policy.csv", "--format", "json")
	if err := json.Unmarshal([]byte(got.Stdout), &findings); err != nil || got.Code != exitFindings {
		t.Fatalf("json: %v in %+v", err, got)
	}
	if f := findings[0]; f.File != "policy.csv" || f.Line != 2 || f.Severity != "error" || f.Code != "field_count" || f.Column != 29 {
		t.Errorf("json: got %+v", f)
	}
	expect(t, dir, "", exitOK, "[]\n", "", "lint", "-p", "DIR/clean.csv", "--format", "json")
}

// TestLintSARIF checks the parts of SARIF 2.1.0 that its schema requires.
func TestLintSARIF(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": flawed, "clean.csv": policy})
	var log map[string]any
	got := run(t, dir, "", "lint", "-p", "DIR/policy.csv", "--format", "sarif")
	if err := json.Unmarshal([]byte(got.Stdout), &log); err != nil || got.Code != exitFindings {
		t.Fatalf("%v in %+v", err, got)
	}
	at := func(v any, path ...any) any {
		for _, step := range path {
			switch step := step.(type) {
			case string:
				v = v.(map[string]any)[step]
			case int:
				v = v.([]any)[step]
			}
		}
		return v
	}
	result := at(log, "runs", 0, "results", 0)
	for _, c := range []struct {
		got, want any
	}{
		{at(log, "version"), "2.1.0"},
		{at(log, "runs", 0, "tool", "driver", "name"), "sallyport"},
		{at(log, "runs", 0, "columnKind"), "unicodeCodePoints"},
		{at(log, "runs", 0, "tool", "driver", "rules", 0, "id"), at(result, "ruleId")},
		{at(result, "ruleIndex"), 0.0},
		{at(result, "ruleId"), "field_count"},
		{at(result, "level"), "error"},
		{at(result, "locations", 0, "physicalLocation", "region", "startLine"), 2.0},
		// Counted in characters, the one before taking two bytes.
		{at(result, "locations", 0, "physicalLocation", "region", "startColumn"), 28.0},
	} {
		if c.got != c.want {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if uri := at(result, "locations", 0, "physicalLocation", "artifactLocation", "uri").(string); uri != "file:///policy.csv" && !strings.HasSuffix(uri, "policy.csv") {
		t.Errorf("uri %s", uri)
	}
	got = run(t, dir, "", "lint", "-p", "DIR/clean.csv", "--format", "sarif")
	if err := json.Unmarshal([]byte(got.Stdout), &log); err != nil || got.Code != exitOK || at(log, "runs", 0, "results") == nil {
		t.Errorf("without findings: %v in %+v", err, got)
	}
}

func TestLintFailOnAndAsCasbin(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "twice.csv": "p, a, /x, GET\np, a, /x, GET\n", "space.csv": "p, a , /x, GET\n"})
	for _, c := range []struct {
		code int
		args []string
	}{
		{exitFindings, []string{"-p", "DIR/twice.csv"}},
		{exitOK, []string{"-p", "DIR/twice.csv", "--fail-on", "error"}},
		{exitFindings, []string{"-p", "DIR/space.csv", "--fail-on", "error"}},
		{exitOK, []string{"-p", "DIR/space.csv", "--fail-on", "error", "--as-casbin"}},
	} {
		if got := run(t, dir, "", append([]string{"lint"}, c.args...)...); got.Code != c.code || got.Stdout == "" {
			t.Errorf("%q: got %+v, want %d", c.args, got, c.code)
		}
	}
}

// TestNotesNeverFail: every output format lists them, and they do not affect the exit
// code.
func TestNotesNeverFail(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "note.csv": "p, a, /x, PUT\n", "both.csv": "p, a, /x, PUT\np, a, /x, PUT\n"})
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitOK, ": note: put_without_patch: ", []string{"-p", "DIR/note.csv"}},
		{exitOK, ": note: put_without_patch: ", []string{"-p", "DIR/note.csv", "--fail-on", "error"}},
		{exitOK, `"severity": "note"`, []string{"-p", "DIR/note.csv", "--format", "json"}},
		{exitOK, `"level": "note"`, []string{"-p", "DIR/note.csv", "--format", "sarif"}},
		{exitFindings, ": note: put_without_patch: ", []string{"-p", "DIR/both.csv"}},
		{exitOK, ": note: put_without_patch: ", []string{"-p", "DIR/both.csv", "--fail-on", "error"}},
	} {
		if got := run(t, dir, "", append([]string{"lint"}, c.args...)...); got.Code != c.code || !strings.Contains(got.Stdout, c.want) || got.Stderr != "" {
			t.Errorf("%q: got %+v, want %d and %q", c.args, got, c.code, c.want)
		}
	}
	if got := run(t, dir, "", "lint", "-p", "DIR/note.csv", "--fail-on", "note"); got.Code != exitUsage || !strings.Contains(got.Stderr, "--fail-on warning or --fail-on error") {
		t.Errorf("--fail-on note: got %+v", got)
	}
}

func TestLintComparesWithRoutes(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy,
		"routes.json": `[{"method": "GET", "pattern": "/reports"}, {"method": "PUT", "pattern": "/drafts/:id"}]`})
	got := run(t, dir, "", "lint", "-p", "DIR/policy.csv", "--routes", "DIR/routes.json")
	if got.Code != exitFindings || !strings.Contains(got.Stdout, "rule_matches_no_route") {
		t.Errorf("got %+v", got)
	}
}

func TestHintsNameTheFlagOfAnOption(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "empty.csv": "", "anonymous.csv": "p, anonymous, /x, GET\n", "same.csv": "p, staff, globex, /x, GET\ng, erin, team, acme\ng, team, staff, globex\n",
		"plain.conf": strings.ReplaceAll(presets["rbac"]().Text(), "keyMatch2", "keyMatch"), "route.csv": "p, erin, /x/:id, GET\n"})
	for _, c := range []struct {
		want string
		args []string
	}{
		{"use WithEmptyPolicy (--allow-empty, empty: true)", []string{"lint", "-p", "DIR/empty.csv"}},
		{"use WithAnonymous (--allow-anonymous, anonymous: true)", []string{"lint", "-p", "DIR/anonymous.csv"}},
		{"see WithAnonymous, --allow-anonymous", []string{"explain", "-p", "DIR/anonymous.csv", "anonymous", "/x", "GET"}},
		{"use WithRolePrefix (--role-prefix)", []string{"lint", "-m", "rbac-tenants", "-p", "DIR/same.csv"}},
		{"WithRouteAsObject (--object-route, route_as_object)", []string{"lint", "-m", "DIR/plain.conf", "-p", "DIR/route.csv"}},
	} {
		if got := run(t, dir, "", c.args...); !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%q: want %q in %+v", c.args, c.want, got)
		}
	}
}
