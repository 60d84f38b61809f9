package doccheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestTablesSayWhatTheCodeSays compares the first column of tables with what
// there is in the code.
func TestTablesSayWhatTheCodeSays(t *testing.T) {
	src := source(t)
	for _, c := range []struct {
		page, section string
		want          []string
	}{
		{"docs/troubleshooting.md", "Reason codes", constants(src, "Reason")},
		{"docs/troubleshooting.md", "Fields of a log line", logFields(t)},
		{"docs/concepts.md", "Public codes", constants(src, "Code")},
		{"docs/dependencies.md", "Dependencies", slices.Sorted(maps.Keys(dependencies(t)))},
	} {
		got := RowKeys(pageNamed(t, c.page).Section(c.section))
		slices.Sort(got)
		for _, key := range got {
			if !slices.Contains(c.want, key) {
				t.Errorf("%s, %s: the code has no %q", c.page, c.section, key)
			}
		}
		for _, key := range c.want {
			if !slices.Contains(got, key) {
				t.Errorf("%s, %s: %q is missing", c.page, c.section, key)
			}
		}
		if len(slices.Compact(got)) != len(got) || len(got) == 0 {
			t.Errorf("%s, %s: rows %q are none or stand twice", c.page, c.section, got)
		}
	}
}

// TestTablesNameEveryOutcome: a reader of a log finds what its lines can say.
func TestTablesNameEveryOutcome(t *testing.T) {
	outcomes := constants(source(t), "Outcome", "core")
	if len(outcomes) == 0 {
		t.Fatal("the code has no outcomes")
	}
	for _, c := range []struct{ page, section string }{
		{"docs/troubleshooting.md", "Fields of a log line"},
		{"docs/decision-log.md", "Lines"},
	} {
		var row string
		for _, line := range pageNamed(t, c.page).Section(c.section) {
			if strings.HasPrefix(line, "| `outcome` |") {
				row = line
			}
		}
		for _, outcome := range outcomes {
			if !regexp.MustCompile(`\b` + outcome + `\b`).MatchString(row) {
				t.Errorf("%s, %s: the row of the outcome does not name %s", c.page, c.section, outcome)
			}
		}
	}
}

// constants are the values of the string constants whose names begin with
// prefix and go on with a capital, in the given folders or in those of all
// modules that users get.
func constants(src *Source, prefix string, dirs ...string) []string {
	var values []string
	for dir, all := range src.Constants {
		if len(dirs) > 0 && !slices.Contains(dirs, dir) || strings.HasPrefix(dir, "examples") || strings.HasPrefix(dir, ".ci") || strings.Contains(dir, "authtest") {
			continue
		}
		if prefix == "Code" && strings.HasPrefix(dir, "casbinrules/internal/") {
			continue // the codes of findings, which no client sees
		}
		for name, value := range all {
			if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" && 'A' <= rest[0] && rest[0] <= 'Z' {
				values = append(values, value)
			}
		}
	}
	slices.Sort(values)
	return values
}

// inTenant is the scheme Name with a tenant for everybody.
type inTenant struct{ authtest.Names }

func (inTenant) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: "erin", Roles: []string{"viewer"}, Tenant: "acme"})
}

// logFields are the fields that a log line can have beside those of log/slog.
func logFields(t *testing.T) []string {
	t.Helper()
	var line bytes.Buffer
	observer := core.LogObserver(slog.New(slog.NewJSONHandler(&line, nil)))
	g, err := core.NewGuard([]core.Authenticator{inTenant{}}, core.WithObserver(observer))
	if err != nil {
		t.Fatal(err)
	}
	refuse := authtest.AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) { return core.Decision{}, nil })
	r := httptest.NewRequest("GET", "/a/7", nil)
	r.Header.Set("Authorization", "Name erin viewer")
	g.CheckNow(context.Background(), &adapter.View{Request: r}, refuse)
	observer.Observe(context.Background(), core.Event{
		Outcome: core.OutcomeForbidden, Status: 403, Reason: core.ReasonDenied, Gate: "authorize",
		Scheme: "Bearer", PrincipalID: "erin", Method: "GET", Route: "/a/:id", Resource: "/a/7", Rule: "policy.csv:1", Revision: "1f",
		RequestID: "1", TraceID: "2", Duration: 1, Cause: errors.New("cause"),
	})
	fields := map[string]any{}
	for lines := json.NewDecoder(&line); lines.More(); { // into one map
		if err := lines.Decode(&fields); err != nil {
			t.Fatal(err)
		}
	}
	for _, own := range []string{slog.TimeKey, slog.LevelKey, slog.MessageKey} {
		delete(fields, own)
	}
	return slices.Sorted(maps.Keys(fields))
}

var (
	requirement = regexp.MustCompile(`(?m)^(?:require )?\t?([a-z][\w./-]*\.[\w./-]+) (v\S+)$`)
	tool        = regexp.MustCompile(`(?m)^(?:tool |\t)(\S+/cmd/\S+)$`)
)

// dependencies are what the go.mod files of the repository require directly,
// with the version, which is the same in all of them: the tests of the workspace
// then run with what the published modules require.
func dependencies(t *testing.T) map[string]string {
	t.Helper()
	versions := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == ".build" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.Name() != "go.mod" {
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // a file of the checkout
		if err != nil {
			return err
		}
		for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "github.com/sallyport-go/") {
				continue
			}
			if other := versions[m[1]]; other != "" && other != m[2] {
				t.Errorf("%s requires %s %s, and another module %s", path, m[1], m[2], other)
			}
			versions[m[1]] = m[2]
		}
		for _, m := range tool.FindAllStringSubmatch(string(text), -1) {
			line := regexp.MustCompile(`(?m)^\t(\S+) (v\S+) // indirect$`)
			for _, r := range line.FindAllStringSubmatch(string(text), -1) {
				if strings.HasPrefix(m[1], r[1]+"/") {
					versions[r[1]] = r[2]
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return versions
}

// TestDependenciesHaveTheirVersions: the page names the version that is built.
func TestDependenciesHaveTheirVersions(t *testing.T) {
	lines := pageNamed(t, "docs/dependencies.md").Lines
	for name, version := range dependencies(t) {
		row := "| `" + name + "` | " + version + " |"
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, row) }) {
			t.Errorf("docs/dependencies.md has no row %q", row)
		}
	}
}
