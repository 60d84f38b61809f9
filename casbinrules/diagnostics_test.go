package casbinrules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
)

// ageOptions are those of the model ages.
var ageOptions = []LintOption{WithClaimAttribute("age", "age"), WithAttributeType("age", Number)}

// diagnostics are the broken files of testdata/diagnostics, each named by the
// one code it causes, with the places, severities and, where it is not RBAC,
// the model.
var diagnostics = []struct {
	file, model string
	want        string // "line:column severity"
	opts        []LintOption
}{
	{"model_syntax.conf", "", "10:1 error", nil},
	{"model_unused_definition.conf", "", "6:1 error", nil},
	{"model_definition.conf", "", "5:1 error", nil},
	{"model_request.conf", "", "3:1 error", nil},
	{"model_request_incomplete.conf", "", "3:1 error", nil},
	{"model_roles.conf", "", "8:1 error", nil},
	{"model_effect.conf", "", "9:1 error", nil},
	{"model_matcher.conf", "", "11:1 error", nil},
	{"model_allows_by_default.conf", "", "9:1 error", nil},
	{"model_constraint.conf", "", "11:1 error", nil},
	{"model_token_roles.conf", "", "9:1 error", nil},
	{"model_unused_roles.conf", "", "7:1 note", nil},
	{"model_unused_column.conf", "", "5:1 warning", nil},
	{"byte_order_mark.csv", "", "1:1 error", nil},
	{"encoding.csv", "", "2:7 error", nil},
	{"line_too_long.csv", "", "2:65536 error", nil},
	{"control_character.csv", "", "2:7 error", nil},
	{"decomposed_letter.csv", "", "2:6 warning", nil},
	{"quoting.csv", "", "2:8 error", nil},
	{"single_quotes.csv", "", "2:4 error", nil},
	{"inline_comment.csv", "", "2:23 error", nil},
	{"semicolon_separator.csv", "", "2:2 error", nil},
	{"surrounding_space.csv", "", "2:4 error", nil},
	{"unknown_ptype.csv", "", "2:1 error", nil},
	{"unused_ptype.csv", "", "2:1 error", nil},
	{"field_count.csv", "", "2:9 error", nil},
	{"extra_field.csv", "", "3:16 error", nil},
	{"empty_field.csv", "", "2:4 error", nil},
	{"bad_effect.csv", "rbac-deny", "3:31 error", nil},
	{"bad_priority.csv", "priority", "2:4 error", nil},
	{"bad_pattern.csv", "", "2:9 error", nil},
	{"bad_value.csv", "ages", "3:22 error", ageOptions},
	{"bad_time.csv", "timed", "3:19 error", nil},
	{"colliding_rule.csv", "", "3:1 error", nil},
	{"duplicate_rule.csv", "", "3:1 warning", nil},
	{"empty_policy.csv", "", "1:1 error", nil},
	{"deny_ignored.csv", "allow-only", "3:23 error", nil},
	{"superuser_and_deny.conf", "", "11:1 warning", nil},
	{"subject_with_two_meanings.conf", "", "11:1 warning", []LintOption{WithObjectAttribute("owner")}},
	{"clause_for_everybody.conf", "", "11:1 warning", nil},
	{"shadowed_rule.csv", "", "4:1 warning", nil},
	{"contradicting_rules.csv", "rbac-deny", "3:1 warning", nil},
	{"unanchored_regexp.csv", "regexp", "2:19 warning", nil},
	{"no_leading_slash.csv", "", "3:9 warning", nil},
	{"unmatchable_pattern.csv", "", "2:9 warning", nil},
	{"query_in_pattern.csv", "", "2:9 warning", nil},
	{"literal_star.csv", "acl", "2:19 error", nil},
	{"misplaced_star.csv", "", "2:9 error", nil},
	{"star_in_middle.csv", "", "2:9 warning", nil},
	{"prefix_star.csv", "keymatch", "2:9 warning", nil},
	{"star_misses_parent.csv", "", "2:9 warning", nil},
	{"parameter_spelling.csv", "", "2:9 warning", nil},
	{"parameter_suffix.csv", "", "2:9 error", nil},
	{"regexp_character.csv", "", "2:9 warning", nil},
	{"unknown_method.csv", "", "2:19 warning", nil},
	{"method_case.csv", "", "2:19 error", nil},
	{"put_without_patch.csv", "", "2:23 warning", nil},
	{"patch_without_put.csv", "", "2:23 warning", nil},
	{"get_without_head.csv", "", "2:19 warning", nil},
	{"role_cycle.csv", "", "4:1 error", nil},
	{"role_chain_too_deep.csv", "", "3:1 error", nil},
	{"role_tree.csv", "subject-priority", "6:4 error", []LintOption{WithoutTokenRoles()}},
	{"constraint_violated.csv", "constraints", "5:9 error", nil},
	{"role_without_prefix.csv", "", "4:9 error", []LintOption{WithRolePrefix("role:")}},
	{"role_never_assigned.csv", "", "3:4 warning", nil},
	{"role_without_rules.csv", "", "4:10 warning", nil},
	{"user_and_role.csv", "", "5:4 warning", nil},
	{"default_role_without_rules.csv", "", "1:1 warning", []LintOption{WithDefaultRole("reader")}},
	{"default_role_denies.csv", "rbac-deny", "3:28 warning", []LintOption{WithDefaultRole("reader")}},
	{"link_never_counts.csv", "timed", "3:37 error", nil},
	{"link_over.csv", "timed", "3:19 warning", nil},
	{"link_outlived.csv", "timed", "5:16 warning", nil},
	{"link_with_two_times.csv", "timed", "4:16 error", nil},
	{"link_time_ignored.csv", "timed-tenants", "3:23 error", nil},
	{"anonymous_not_allowed.csv", "", "2:4 warning", nil},
	{"rule_matches_no_route.csv", "", "3:9 warning", []LintOption{WithRoutes([]core.RouteInfo{{Method: "GET", Pattern: "/reports/:id"}})}},
	{"route_without_rule.csv", "", "1:1 warning", []LintOption{WithRoutes([]core.RouteInfo{{Method: "GET", Pattern: "/reports/:id"}, {Method: "POST", Pattern: "/reports"}})}},
}

func TestBrokenFilesAreFoundAtTheirPlace(t *testing.T) {
	fsys := os.DirFS("testdata/diagnostics")
	seen := map[string]bool{}
	for _, c := range diagnostics {
		code, kind, _ := strings.Cut(c.file, ".")
		seen[code] = true
		t.Run(code, func(t *testing.T) {
			m, policies := exampleModels()["rbac"], []string{c.file}
			if c.model != "" {
				m = exampleModels()[c.model]
			}
			if kind == "conf" {
				m, policies = ModelFile(c.file), []string{"good.csv"}
				switch code {
				case model.CodeModelOpen:
					policies[0] = "good_effect.csv"
				case model.CodeFreeClause:
					policies[0] = "good_deny.csv"
				}
			}
			found, err := LintFS(fsys, m, policies, c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				if f.Code != code || f.File != c.file || f.Hint == "" {
					t.Errorf("got %s", f)
				}
				got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Severity))
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	// Reloads compare two policies, and have their own test.
	for _, code := range codesInCode(t) {
		if !seen[code] && !slices.Contains([]string{model.CodeEmptied, model.CodeShrunk}, code) {
			t.Errorf("%s has no broken file", code)
		}
	}
}
