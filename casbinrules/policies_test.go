package casbinrules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// policyCase is a file of testdata/policies: a model, a policy, options, and the expected
// findings, one per line.
type policyCase struct {
	model, policy     string
	options, findings []string
}

func readPolicyCase(t *testing.T, file string) policyCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	part := map[string]string{}
	for section := range strings.SplitSeq(string(data), "\n-- ") {
		name, text, _ := strings.Cut(section, " --\n")
		part[name] = text + "\n"
	}
	lines := func(text string) []string {
		return strings.FieldsFunc(text, func(c rune) bool { return c == '\n' })
	}
	return policyCase{part["model.conf"], part["policy.csv"], lines(part["options"]), lines(part["findings"])}
}

// lintOptions returns the options that the names stand for.
func (c policyCase) lintOptions(t *testing.T) []LintOption {
	t.Helper()
	var opts []LintOption
	for _, line := range c.options {
		name, value, _ := strings.Cut(line, " ")
		switch name {
		case "attribute":
			opts = append(opts, WithClaimAttribute(value, value))
		case "function":
			opts = append(opts, WithFunction(value, func(args ...string) (bool, error) { return strings.HasPrefix(args[0], args[1]), nil }))
		case "role-prefix":
			opts = append(opts, WithRolePrefix(value))
		case "allow-anonymous":
			opts = append(opts, WithAnonymous())
		case "object-route":
			opts = append(opts, WithRouteAsObject())
		case "without-token-roles":
			opts = append(opts, WithoutTokenRoles())
		default:
			t.Fatalf("option %q is not known", line)
		}
	}
	return opts
}

// TestPoliciesOfManyKinds: reasonable policies of every style have only the findings that
// are listed with them.
func TestPoliciesOfManyKinds(t *testing.T) {
	names, err := filepath.Glob("testdata/policies/*.txt")
	if err != nil || len(names) < 30 {
		t.Fatalf("%d policies, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			c := readPolicyCase(t, name)
			found, err := LintFS(files("policy.csv", c.policy), ModelText("model.conf", c.model), []string{"policy.csv"}, c.lintOptions(t)...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Code, f.Severity))
			}
			if !slices.Equal(got, c.findings) {
				t.Errorf("got\n%v\nwant\n%s", found, strings.Join(c.findings, "\n"))
			}
		})
	}
}
