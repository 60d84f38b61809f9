package doccheck

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// TestPoliciesLoad opens every policy that a page shows, with the ready model
// it names; one that shows a mistake must have the finding it names. One that
// shows none is written as "sallyport fmt" writes it.
func TestPoliciesLoad(t *testing.T) {
	models := map[string]casbinrules.Model{
		"RBAC":            casbinrules.RBAC(),
		"RBACWithDeny":    casbinrules.RBACWithDeny(),
		"RBACWithTenants": casbinrules.RBACWithTenants(),

		"RBACWithTenantPatterns": casbinrules.RBACWithTenantPatterns(),

		"timed": casbinrules.ModelText("timed.conf", strings.Replace(casbinrules.RBAC().Text(), "g = _, _", "g = _, _, (_, _)", 1)),

		"conditional": casbinrules.ModelText("conditional.conf", strings.Replace(casbinrules.RBAC().Text(), "g = _, _", "g = _, _, (_)", 1)),
	}
	opts := map[string][]casbinrules.Option{
		"conditional": {casbinrules.WithLinkCondition("g", func(context.Context, ...string) (bool, error) { return true, nil })},
	}
	count := 0
	for _, page := range documentation(t) {
		if page.Name == "docs/policy-diagnostics.md" {
			continue // its examples are tested in casbinrules
		}
		for _, b := range page.Blocks {
			if b.Language() != "csv" {
				continue
			}
			count++
			m, ok := casbinrules.Model{}, false
			if len(b.Info) > 1 {
				m, ok = models[b.Info[1]]
			}
			if !ok {
				t.Errorf("%s:%d: the block names no ready model", page.Name, b.Line)
				continue
			}
			_, err := casbinrules.OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(b.Text)}}, m, []string{"policy.csv"}, opts[b.Info[1]]...)
			if got := codes(err); !slices.Equal(got, b.Info[2:]) {
				t.Errorf("%s:%d: findings %q, want %q: %v", page.Name, b.Line, got, b.Info[2:], err)
			}
			if text, err := casbinrules.FormatPolicy(page.Name, []byte(b.Text)); err == nil && len(b.Info) == 2 && string(text) != b.Text {
				t.Errorf("%s:%d: \"sallyport fmt\" writes this policy as\n%s", page.Name, b.Line, text)
			}
		}
	}
	if count == 0 {
		t.Error("no policy found")
	}
}

// codes are the codes of an error of casbinrules.
func codes(err error) []string {
	var findings *casbinrules.FindingsError
	if err == nil {
		return []string{}
	}
	if !errors.As(err, &findings) {
		return []string{err.Error()}
	}
	var got []string
	for _, f := range findings.Findings {
		got = append(got, f.Code)
	}
	return got
}

var patternRow = regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]*) \\| ([^|]*)\\|")

// TestPatternsCoverWhatTheyAreSaidTo tries the table of patterns.
func TestPatternsCoverWhatTheyAreSaidTo(t *testing.T) {
	count := 0
	for _, line := range pageNamed(t, "docs/policy-files.md").Section("Ready models") {
		m := patternRow.FindStringSubmatch(line)
		if m == nil || m[1][0] != '/' {
			continue
		}
		for column, want := range map[int]bool{2: true, 3: false} {
			for _, path := range codeSpan.FindAllStringSubmatch(m[column], -1) {
				count++
				if covers(t, m[1], path[1]) != want {
					t.Errorf("docs/policy-files.md: pattern %s on %s is %v", m[1], path[1], !want)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no pattern found")
	}
}

// covers asks a policy of one line.
func covers(t *testing.T, pattern, path string) bool {
	t.Helper()
	policy := fstest.MapFS{"policy.csv": {Data: []byte("p, erin, " + pattern + ", GET")}}
	a, err := casbinrules.OpenFS(policy, casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Authorize(t.Context(), erin, core.Access{Action: "GET", Resource: core.Resource{Path: path}})
	if err != nil {
		t.Fatal(err)
	}
	return d.Allowed
}
