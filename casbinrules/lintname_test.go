package casbinrules

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// TestNamesThatAreMeantForPaths: an object without a leading slash is a name, unless the
// lines around it suggest that it is a path.
func TestNamesThatAreMeantForPaths(t *testing.T) {
	const beside = "p, ann, /a, GET\n"
	for _, c := range []struct {
		name, policy string
		model        Model
		want         []string
	}{
		{"a parameter and a method", "p, ann, reports/:id, GET\n", RBAC(), []string{"1 no_leading_slash warning"}},
		{"a parameter alone", "p, ann, :id, DELETE\n", RBAC(), []string{"1 no_leading_slash warning"}},
		{"all below", "p, ann, reports/*, GET\n", RBAC(), []string{"1 no_leading_slash warning"}},
		{"beside paths", beside + "p, ann, reports/:id, *\n", RBAC(), []string{"2 no_leading_slash warning"}},
		{"beside methods", "p, ann, ledger, GET\np, ann, accounts, GET\np, ann, reports/:id, *\n", RBAC(), []string{"3 no_leading_slash warning"}},
		{"beside paths, with actions", "p, ann, /a, read\np, ann, reports/:id, read\n", RBAC(), []string{"2 no_leading_slash warning"}},
		{"in another spelling, too", "p, ann, reports/{id}, GET\n", RBAC(), []string{"1 no_leading_slash warning", "1 parameter_spelling warning"}},
		{"keyMatch", "p, ann, reports/*, GET\n", byFunction("keyMatch"), []string{"1 no_leading_slash warning"}},
		{"a URL", "p, ann, https://example.com/reports, GET\n", RBAC(), []string{"1 unmatchable_pattern warning"}},
		{"a URL of a host", "p, ann, http://example.com, GET\n", byFunction("keyMatch"), []string{"1 unmatchable_pattern warning"}},
		{"a URL beside paths", beside + "p, ann, https://example.com/*, *\n", RBAC(), []string{"2 unmatchable_pattern warning"}},
		{"angle brackets", "p, ann, /reports/<id>, GET\np, ann, /reports/<int:id>/pages, GET\n", RBAC(), []string{"1 parameter_spelling warning", "2 parameter_spelling warning"}},
		{"angle brackets in a glob", "p, ann, /reports/<id>, GET\n", byFunction("globMatch"), []string{"1 parameter_spelling warning"}},
		{"angle brackets alone", "p, ann, <id>, GET\n", RBAC(), []string{"1 no_leading_slash warning", "1 parameter_spelling warning"}},

		{"names", "p, ann, ledger, GET\np, ann, accounts/daily, GET\n", RBAC(), nil},
		{"patterns of names", "p, ann, accounts/:id, read\np, ann, teams/*, approve\n", RBAC(), nil},
		{"patterns of names, everything", "p, ann, accounts/:id, *\n", RBAC(), nil},
		{"identifiers that are URLs", "p, ann, https://example.com/accounts, read\n", RBAC(), nil},
		{"URNs", "p, ann, urn:example:ledger, GET\n", RBAC(), nil},
		{"projects", "p, ann, default/*, get\np, ann, */*, sync\n", byFunction("globMatch"), nil},
		{"names beside a path", "p, ann, /a, read\np, ann, ledger, read\np, ann, accounts/daily, read\np, ann, teams/x, read\n", RBAC(), nil},
	} {
		got := severitiesOf(t, c.model, c.policy)
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestNamesAreToldOfAtTheirFirstLines has several lines for each use of a name.
func TestNamesAreToldOfAtTheirFirstLines(t *testing.T) {
	const policy = `p, editor, /a, GET
p, anonymous, /a, GET
p, anonymous, /b, GET
g, ann, editor
g, anonymous, editor
g, anonymous, editor2
`
	lines := func(code string) (lines []string) {
		for _, f := range lintOf(t, RBAC(), policy) {
			if strings.HasSuffix(f, ":"+code) {
				line, _, _ := strings.Cut(f, ":")
				lines = append(lines, line)
			}
		}
		return lines
	}
	if got := lines(model.CodeAnonymous); !slices.Equal(got, []string{"2", "5"}) {
		t.Errorf("anonymous is told of at lines %v", got)
	}
}
