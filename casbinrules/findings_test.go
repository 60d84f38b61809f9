package casbinrules

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// findings opens the files and returns the errors as "file:line:column:code".
func findings(t *testing.T, m Model, fsys fs.FS, policies []string, opts ...Option) []string {
	t.Helper()
	_, err := OpenFS(fsys, m, policies, append(opts, quiet)...)
	if err == nil {
		return nil
	}
	var found *FindingsError
	if !errors.As(err, &found) {
		t.Fatalf("OpenFS: %v, want findings", err)
	}
	var got []string
	for _, f := range found.Findings {
		if f.Severity != SeverityError {
			continue
		}
		got = append(got, fmt.Sprintf("%s:%d:%d:%s", f.File, f.Line, f.Column, f.Code))
	}
	return got
}

func TestConstraints(t *testing.T) {
	m := ModelText("m.conf", strings.Replace(RBAC().Text(), "g = _, _", "g = _, _\ng2 = _, _", 1)+
		"\n[constraint_definition]\nc = sod(\"payer\", \"approver\")\nc2 = sodMax([\"a\", \"b\", \"c\"], 2)\nc3 = roleMax(\"root\", 1)\nc4 = rolePre(\"lead\", \"staff\")\n")
	for lines, want := range map[string][]string{
		"g, ann, payer\ng, ben, approver\ng, ann, a\ng, ann, b\ng, ann, root\ng, ann, lead\ng, ann, staff\n": nil,
		"g, ann, payer\ng, ann, approver\n":           {"p.csv:3:9:constraint_violated"},
		"g, ann, a\ng, ann, b\ng, ann, c\n":           {"p.csv:4:9:constraint_violated"},
		"g, ann, root\ng, ben, root\n":                {"p.csv:3:9:constraint_violated"},
		"g, ben, staff\ng, ann, lead\n":               {"p.csv:3:9:constraint_violated"},
		"g2, /a, root\ng2, /b, root\ng2, ann, lead\n": nil, // these links give nobody a role
	} {
		if got := findings(t, m, files("p.csv", "p, staff, /, GET\n"+lines), []string{"p.csv"}); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", lines, got, want)
		}
	}
}

// good is a line without findings.
const good = "p, admin, /*, *, allow\n"

// chain is a chain of role links.
func chain(links int) string {
	var b strings.Builder
	for i := range links {
		fmt.Fprintf(&b, "g, r%d, r%d\n", i, i+1)
	}
	return b.String()
}

var policyCases = []struct {
	name, policy string
	want         []string
}{
	{"nothing wrong", "# comment\n\n   # indented\r\n\tp,\tadmin, \"/a,b\", GET, allow\r\n  g, alice, admin", nil},
	{"H11 field missing", good + "p, bob, /x, GET\n", []string{"p.csv:2:13:field_count"}},
	{"H11 field too many", good + "p, bob, /x, GET, allow, more\n", []string{"p.csv:2:25:field_count"}},
	{"trailing comma", good + "p, bob, /x, GET, allow,\n", []string{"p.csv:2:24:field_count"}},
	{"H11 g with an extra field", good + "g, bob, admin, extra\n", []string{"p.csv:2:16:extra_field"}},
	{"g too short", good + "g, bob\n", []string{"p.csv:2:4:field_count"}},
	{"kind alone", good + "p\n", []string{"p.csv:2:1:field_count"}},
	{"H11 unknown kind", good + "  q, bob, /x, GET, allow\n", []string{"p.csv:2:3:unknown_ptype"}},
	{"kind in upper case", good + "P, bob, /x, GET, allow\n", []string{"p.csv:2:1:unknown_ptype"}},
	{"kind the model does not define", good + "p2, bob, /x, GET, allow\ng2, /a, b\n", []string{"p.csv:2:1:unknown_ptype", "p.csv:3:1:unknown_ptype"}},
	{"H11 stray quote", good + "p, b\"ob, /x, GET, allow\n", []string{"p.csv:2:5:quoting"}},
	{"text behind a quote", good + `p, "bob" , /x, GET, allow`, []string{"p.csv:2:9:quoting"}},
	{"open quote", good + `p, "bob, /x, GET, allow`, []string{"p.csv:2:4:quoting"}},
	{"H11 byte order mark", "\ufeff" + good, []string{"p.csv:1:1:byte_order_mark"}},
	{"UTF-16", "\xff\xfep\x00", []string{"p.csv:1:1:byte_order_mark"}},
	{"not UTF-8", good + "p, b\xf6b, /x, GET, allow\n", []string{"p.csv:2:5:encoding"}},
	{"H11 semicolons", good + "p; bob; /x; GET; allow\n", []string{"p.csv:2:2:semicolon_separator"}},
	{"H14 empty first field", good + ",bob, /x, GET, allow\n", []string{"p.csv:2:1:unknown_ptype"}},
	{"H14 empty subject", good + "p, , /x, GET, allow\n", []string{"p.csv:2:4:empty_field"}},
	{"H14 empty user of a role", good + "g,,admin\n", []string{"p.csv:2:3:empty_field"}},
	{"H14 empty fields, quoted and last", good + "p, \"\", /x, GET,\n", []string{"p.csv:2:4:empty_field", "p.csv:2:16:empty_field"}},
	{"H12 effect in capitals", good + "p, bob, /x, GET, Deny\n", []string{"p.csv:2:18:bad_effect"}},
	{"H12 effect misspelt", good + "p, bob, /x, GET, alow\n", []string{"p.csv:2:18:bad_effect"}},
	{"H12 inline comment", good + "p, bob, /x, GET, deny # note\n", []string{"p.csv:2:23:inline_comment"}},
	{"inline comment as a field", good + "g, bob, admin, # note\n", []string{"p.csv:2:16:inline_comment"}},
	{"quoted number sign", good + "p, bob, \"/x#y\", GET, deny\n", nil},
	{"NUL", good + "p, b\x00b, /x, GET, allow\n", []string{"p.csv:2:5:control_character"}},
	{"carriage returns alone", "p, a, /x, GET, allow\rp, b, /x, GET, allow", []string{"p.csv:1:21:control_character"}},
	{"tab inside a quoted field", good + "p, \"a\tb\", /x, GET, allow\n", []string{"p.csv:2:6:control_character"}},
	{"tab behind a doubled quote", good + "p, \"a\"\"\tb\", /x, GET, allow\n", []string{"p.csv:2:8:control_character"}},
	{"tab inside a field", good + "p, a\tb, /x, GET, allow\n", []string{"p.csv:2:5:control_character"}},
	{"blank behind a field", good + "p, bob , /x, GET, allow\n", []string{"p.csv:2:4:surrounding_space"}},
	{"blank inside quotes", good + "p, \" bob\", /x, GET, allow\n", []string{"p.csv:2:4:surrounding_space"}},
	{"H16 pattern that would panic", good + "p, bob, /a(b, GET, allow\n", []string{"p.csv:2:9:bad_pattern"}},
	{"H16 lone star", good + "p, bob, *, GET, allow\n", nil},
	{"line as long as Casbin reads", good + "p, " + strings.Repeat("b", policy.MaxLine-22) + ", /x, GET, allow\n", nil},
	{"line too long", good + "p, " + strings.Repeat("b", policy.MaxLine-18) + ", /x, GET, allow\n", []string{"p.csv:2:65536:line_too_long"}},
	{"rules that Casbin takes for one", "p, \"a,/x\", /y, GET, allow\np, a, \"/x,/y\", GET, allow\n", []string{"p.csv:2:1:colliding_rule"}},
	{"duplicate", good + good, nil},
	{"H06 empty file", "", []string{"p.csv:1:1:empty_policy"}},
	{"H06 role links only", "# nothing\ng, alice, admin\n", []string{"p.csv:1:1:empty_policy"}},
	{"H17 role of itself", good + "g, admin, admin\n", []string{"p.csv:2:1:role_cycle"}},
	{"H17 circle", good + "g, a, b\ng, b, c\n g, c, a\ng, x, a\n", []string{"p.csv:4:2:role_cycle"}},
	{"H17 ten links", good + chain(10), nil},
	{"H17 eleven links", good + chain(11), []string{"p.csv:2:1:role_chain_too_deep"}},
	{"all at once", "p, bob, /x\nq, a\np, bob, /x, GET, DENY\n", []string{"p.csv:1:9:field_count", "p.csv:2:1:unknown_ptype", "p.csv:3:18:bad_effect"}},
	{"two in one line", good + "p, bob, /a(b, GET, Allow\n", []string{"p.csv:2:9:bad_pattern", "p.csv:2:20:bad_effect"}},
}

func TestPolicyFindingsHaveTheirPlace(t *testing.T) {
	for _, c := range policyCases {
		t.Run(c.name, func(t *testing.T) {
			got := findings(t, RBACWithDeny(), files("p.csv", c.policy), []string{"p.csv"})
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestLinesOfAnUnknownKindHaveAHint(t *testing.T) {
	for line, want := range map[string]string{
		"p bob, /x, GET, allow\n":    "write a comma after the p",
		"g bob, admin\n":             "write a comma after the g",
		"P, bob, /x, GET, allow\n":   "the model has g, p, in this letter case",
		"rule bob, /x, GET, allow\n": "the model has g, p, in this letter case",
	} {
		fs := files("p.csv", good+line)
		found, err := LintFS(fs, RBACWithDeny(), []string{"p.csv"})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 || found[0].Hint != want {
			t.Errorf("%q: %v, want the hint %q", line, found, want)
		}
	}
}
