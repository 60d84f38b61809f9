package lsp

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// unfixable says of each finding without a quick fix why it has none. A quick fix is the
// only possible remedy, is certainly what the author means, and changes one line.
var unfixable = map[string]string{
	"model_syntax":               "what the line was to say is unknown",
	"model_unused_definition":    "it may be the rest of a definition that lacks a backslash",
	"model_constraint":           "which of the forms is meant is unknown",
	"model_definition":           "a field needs a name that only the author knows",
	"model_request":              "a field needs a name that only the author knows",
	"model_request_incomplete":   "the matcher has to look at the field, too",
	"model_roles":                "which of the forms is meant is unknown, and a gap may be a lost definition",
	"model_matcher":              "a name that is near may be another one, and allow more",
	"model_allows_by_default":    "what denies everything else is no less of a guess; each allow has to be written",
	"model_token_roles":          "it is an option of the program, or another effect",
	"model_unused_roles":         "where in the matcher roles belong is the author's to say",
	"model_unused_column":        "the matcher has to compare the field, or the lines do without",
	"encoding":                   "which characters the bytes were is unknown",
	"decomposed_letter":          "which of two names that look the same the service has is unknown",
	"line_too_long":              "how to cut it is the author's to say",
	"field_count":                "the value that is missing or too much is the author's to say",
	"empty_field":                "the value is the author's to say",
	"bad_priority":               "the number is the author's to say",
	"bad_pattern":                "how the pattern was to end is unknown",
	"bad_value":                  "the value is the author's to say",
	"colliding_rule":             "both lines are meant, and a name without a comma is the author's to say",
	"empty_policy":               "the rules are the author's to say",
	"deny_ignored":               "the deny is meant, so that the model has to change, and with it other lines",
	"superuser_and_deny":         "the matcher, or the deny, is wrong",
	"subject_with_two_meanings":  "which alternative of the matcher gives way is the author's to say",
	"clause_for_everybody":       "where the parentheses belong is the author's to say",
	"contradicting_rules":        "either of the two may be the wrong one",
	"literal_star":               "the values it was to stand for, or another matcher, are the author's to say",
	"misplaced_star":             "/* and .* both are likely, and differ",
	"star_in_middle":             "one segment may be meant or several, and the parameter needs a name",
	"prefix_star":                "longer names may be meant",
	"parameter_suffix":           "without the suffix the rule still matches every suffix; with it the pattern is another one",
	"role_cycle":                 "any link of the circle may be the wrong one",
	"constraint_violated":        "which of the roles goes is the author's to say",
	"role_chain_too_deep":        "which link is one too many is the author's to say",
	"role_tree":                  "which of the roles goes is the author's to say",
	"default_role_without_rules": "the option, or the subject of a line, is misspelt",
	"default_role_denies":        "whom the deny is for is the author's to say",
	"link_never_counts":          "exchanged ends would give the role, and either may be misspelt",
	"link_over":                  "it may be kept for auditors, and without its last link the name of a role is a user's, who gets what the role gets",
	"link_outlived":              "either link may be the wrong one",
	"link_with_two_times":        "both times are meant, and one line cannot say them",
	"link_time_ignored":          "the time belongs in the links of users, of which there may be many",
	"role_without_prefix":        "the role with the prefix may be another one, and would be given",
	"role_never_assigned":        "who has the role is the author's to say, or tokens bring it",
	"role_without_rules":         "the rules are the author's to say, or the program asks for the role",
	"user_and_role":              "which of the two gets another name is the author's to say, in all files",
	"anonymous_not_allowed":      "it is an option of the program, or another subject",
	"rule_matches_no_route":      "a path may be misspelt, or its route gone",
	"route_without_rule":         "who may is the author's to say",
	"file_emptied":               "the rules that are lost are in no file",
	"file_shrunk":                "the rules that are lost are in no file",
}

func TestEveryFindingIsJudged(t *testing.T) {
	t.Parallel()
	codes := map[string]bool{}
	for line := range strings.Lines(meanings) {
		code, _, _ := strings.Cut(line, ":")
		codes[code] = true
		_, has := quickFixes[code]
		if _, hasNot := unfixable[code]; has == hasNot {
			t.Errorf("%s has a quick fix: %v, a reason why it has none: %v", code, has, hasNot)
		}
	}
	for _, code := range append(slices.Collect(maps.Keys(quickFixes)), slices.Collect(maps.Keys(unfixable))...) {
		if !codes[code] {
			t.Errorf("there is no finding %s", code)
		}
	}
}

// linksAreRegexps ends a model whose role links are regular expressions.
const linksAreRegexps = "# Names in role links are regular expressions.\n"

// fixable returns policies with a finding of each code that has a quick fix, each with its
// model and the text after the fix.
func fixable() []struct{ code, model, text, want string } {
	rbac, deny := casbinrules.RBAC().Text(), casbinrules.RBACWithDeny().Text()
	regexps := strings.ReplaceAll(deny, `(p.act == "*" || r.act == p.act)`, "regexMatch(r.act, p.act)")
	not := func(condition string) string {
		return strings.Replace(regexps, "regexMatch(r.act, p.act)", condition, 1)
	}
	starred := strings.ReplaceAll(deny, "keyMatch2", "keyMatch")
	timed := strings.Replace(rbac, "g = _, _", "g = _, _, (_, _)", 1)
	allowed := "p, ann, /*, *, allow\n"
	linked := deny + linksAreRegexps
	return []struct{ code, model, text, want string }{
		{"duplicate_rule", rbac, "p, ann, /a, GET\np, ann, /a, GET\n", "p, ann, /a, GET\n"},
		{"shadowed_rule", deny, allowed + "p, ann, /a/*, GET, deny\np, ann, /a/b, GET, deny\n", allowed + "p, ann, /a/*, GET, deny\n"},
		{"unused_ptype", rbac, "p, ann, /a, GET\nm, x\n", "p, ann, /a, GET\n"},
		{"extra_field", rbac, "p, staff, /a, GET\ng, ann, staff, x\n", "p, staff, /a, GET\ng, ann, staff\n"},
		{"unanchored_regexp", regexps, "p, ann, /a, G.T, allow\n", "p, ann, /a, ^(?:G.T)$, allow\n"},
		{"unanchored_regexp", regexps, "p, ann, /*, ^.*$, allow\np, ann, /a, G.T, deny\n", "p, ann, /*, ^.*$, allow\np, ann, /a, ^(?:G.T)$, deny\n"},
		{"unanchored_regexp", not("!regexMatch(r.act, p.act)"), "p, ann, /a, GET, allow\n", "p, ann, /a, ^(?:GET)$, allow\n"},
		{"unanchored_regexp", not("r.act !~ p.act"), "p, ann, /a, GET, allow\n", "p, ann, /a, ^(?:GET)$, allow\n"},
		{"unanchored_regexp", not("regexMatch(r.act, p.act) == false"), "p, ann, /a, GET, allow\n", "p, ann, /a, ^(?:GET)$, allow\n"},
		{"unanchored_regexp", not("(r.obj == p.obj) == regexMatch(r.act, p.act)"), "p, ann, /a, GET, allow\n", "p, ann, /a, ^(?:GET)$, allow\n"},
		{"unanchored_regexp", not("(regexMatch(r.act, p.act) ? r.sub == \"x\" : true)"), "p, ann, /a, GET, allow\n", "p, ann, /a, ^(?:GET)$, allow\n"},
		{"unanchored_regexp", linked, "p, ^banned$, /*, *, deny\np, ^ann$, /*, *, allow\ng, ^an, ^banned$\n", "p, ^banned$, /*, *, deny\np, ^ann$, /*, *, allow\ng, ^(?:^an)$, ^banned$\n"},
		{"regexp_character", deny, "p, ann, /a.html, GET, allow\n", `p, ann, /a\.html, GET, allow` + "\n"},
		{"regexp_character", deny, allowed + "p, ann, /a.html, GET, deny\n", allowed + `p, ann, /a\.html, GET, deny` + "\n"},
		{"method_case", rbac, "p, ann, /a, get\np, bob, /a, GET\n", "p, ann, /a, GET\np, bob, /a, GET\n"},
		{"unknown_method", rbac, "p, ann, /a, GET|POST\n", "p, ann, /a, GET\np, ann, /a, POST\n"},
		{"unknown_method", rbac, "p, ann, /a, \"GET,POST\"\np, ann, /a, POST\n", "p, ann, /a, GET\np, ann, /a, POST\n"},
		{"put_without_patch", rbac, "p, ann, /a, PUT\n", "p, ann, /a, PUT\np, ann, /a, PATCH\n"},
		{"patch_without_put", rbac, "p, ann, /a, PATCH\n", "p, ann, /a, PATCH\np, ann, /a, PUT\n"},
		{"get_without_head", rbac, "p, ann, /a, GET\np, bob, /b, HEAD\n", "p, ann, /a, GET\np, ann, /a, HEAD\np, bob, /b, HEAD\n"},
		{"star_misses_parent", starred, "p, ann, /a/*, GET, allow\n", "p, ann, /a/*, GET, allow\np, ann, /a, GET, allow\n"},
		{"surrounding_space", rbac, "p, ann , /a, GET\n", "p, ann, /a, GET\n"},
		{"single_quotes", rbac, "p, 'ann', /a, GET\n", "p, ann, /a, GET\n"},
		{"single_quotes", rbac, "p, “ann”, /a, GET\n", "p, ann, /a, GET\n"},
		{"inline_comment", rbac, "p, ann, /a, GET # all\n", "# all\np, ann, /a, GET\n"},
		{"semicolon_separator", rbac, "p; ann; /a; GET\n", "p, ann, /a, GET\n"},
		{"quoting", rbac, "p, an\"n, /a, GET\n", "p, \"an\"\"n\", /a, GET\n"},
		{"control_character", rbac, "p, an\u200bn, /a, GET\n", "p, ann, /a, GET\n"},
		{"control_character", rbac, "p, \"a\"\"n\u200bn\", /a, GET\n", "p, \"a\"\"nn\", /a, GET\n"},
		{"byte_order_mark", rbac, "\ufeffp, ann, /a, GET\n", "p, ann, /a, GET\n"},
		{"bad_effect", deny, "p, ann, /a, GET, Allow\n", "p, ann, /a, GET, allow\n"},
		{"bad_effect", deny, allowed + "p, ann, /a, GET, Deny\n", allowed + "p, ann, /a, GET, deny\n"},
		{"no_leading_slash", rbac, "p, ann, /a, GET\np, bob, a/:id, GET\n", "p, ann, /a, GET\np, bob, /a/:id, GET\n"},
		{"query_in_pattern", rbac, "p, ann, /a?x=1, GET\n", "p, ann, /a, GET\n"},
		{"parameter_spelling", rbac, "p, ann, /a/{id}, GET\n", "p, ann, /a/:id, GET\n"},
		{"parameter_spelling", rbac, "p, ann, /a/{id:[0-9]+}, GET\n", "p, ann, /a/:id, GET\n"},
		{"parameter_spelling", rbac, "p, ann, /a/:id?, GET\n", ""},
		{"unmatchable_pattern", rbac, "p, ann, /a/, GET\n", "p, ann, /a, GET\n"},
		{"unknown_ptype", rbac, "P, ann, /a, GET\np, bob, /b, GET\n", "p, ann, /a, GET\np, bob, /b, GET\n"},
		{"unknown_ptype", rbac, "p, staff, /a, GET\n\"G\", ann, staff\n", "p, staff, /a, GET\ng, ann, staff\n"},
		{"unknown_ptype", rbac, "policy, ann, /a, GET\np, bob, /b, GET\n", ""},
		{"unknown_ptype", rbac, "P2, ann, /a, GET\np, bob, /b, GET\n", ""},
		{"bad_time", timed, "p, staff, /a, GET\ng, ann, staff, _, 2999-12-31T18:00:00Z\n", "p, staff, /a, GET\ng, ann, staff, _, 2999-12-31 18:00:00\n"},
		{"bad_time", timed, "p, staff, /a, GET\ng, ann, staff, 2999-12-31 23:30:00-01:00, _\n", "p, staff, /a, GET\ng, ann, staff, 3000-01-01 00:30:00, _\n"},
		{"bad_time", timed, "p, staff, /a, GET\ng, ann, staff, _, 2999-12-31T18:00:00.5Z\n", ""},
		{"bad_time", timed, "p, staff, /a, GET\ng, ann, staff, _, 2999-12-31T18:00:00\n", ""},
		{"bad_time", timed, "p, staff, /a, GET\ng, ann, staff, _, 2999-12-31\n", ""},
		{"bad_time", timed, "p, staff, /a, GET\ng, ann, staff, _, 9999-12-31T23:59:59-01:00\n", ""},
		{"model_effect", "", strings.Replace(rbac, "some(where (p.eft == allow))", "some(where(p.eft==allow))", 1), rbac},
		{"model_effect", "", strings.Replace(deny, "e = some(where (p.eft == allow)) && ", "  e=some( where (p.eft == allow))&&", 1),
			strings.Replace(deny, "e = some", "  e=some", 1)},
		{"model_effect", "", strings.Replace(rbac, "some(where (p.eft == allow))", "!some(where(p.eft==deny))", 1), ""},
		{"model_effect", "", strings.Replace(rbac, "some(where (p.eft == allow))", "some(where (p.eft == deny))", 1), ""},
	}
}

// TestFixesGrantNothing checks that a quick fix removes its finding. Unless it declares
// that it may grant more, no one may gain access compared with the policy in force, if
// there was one, neither by Casbin's rules nor by those of this package.
func TestFixesGrantNothing(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, c := range fixable() {
		tried[c.code] = tried[c.code] || c.want != ""
		for name, opts := range map[string][]casbinrules.Option{"plain": nil, "as Casbin": {casbinrules.WithCasbinSemantics()}} {
			name = c.code + ", " + name
			if strings.HasSuffix(c.model, linksAreRegexps) {
				opts = append(opts, casbinrules.WithRolePatterns("g", "regexMatch"))
			}
			before, after := policyAndModel{c.model, c.text}, policyAndModel{c.model, ""}
			if c.model == "" {
				before = policyAndModel{c.text, "p, ann, /a, GET\n"}
				if strings.Contains(c.text, "deny") {
					before.policy = "p, ann, /a, GET, allow\n"
				}
			}
			found := before.lint(t, opts)
			at := slices.IndexFunc(found, func(f casbinrules.Finding) bool { return f.Code == c.code })
			if at < 0 {
				t.Errorf("%s: %q is fine, or it is %v", name, c.text, found)
				continue
			}
			fix := Fixes(casbinrules.ModelText("model.conf", before.model), map[string]string{"policy.csv": before.policy}, found)[at]
			if fix == nil || c.want == "" {
				if (fix == nil) != (c.want == "") {
					t.Errorf("%s: %q has the fix %+v, want %q", name, c.text, fix, c.want)
				}
				continue
			}
			got := newDocument("", "", 1, KindPolicy, c.text)
			for _, e := range fix.Edits {
				got = got.edited(2, []contentChange{{&e.Range, e.NewText}}, utf16Units)
			}
			if got.text != c.want {
				t.Errorf("%s: got %q, want %q", name, got.text, c.want)
			}
			after.policy = got.text
			if c.model == "" {
				after = policyAndModel{got.text, before.policy}
			}
			for _, f := range after.lint(t, opts) {
				if f.Code == c.code {
					t.Errorf("%s: after the fix there is %s", name, f)
				}
			}
			if more := granted(before.allowed(t, opts), after.allowed(t, opts)); len(more) > 0 && !fix.Grants {
				t.Errorf("%s: %q claims to grant nothing, but grants %q", name, fix.Title, more)
			}
		}
	}
	for code := range quickFixes {
		if !tried[code] {
			t.Errorf("the fix for %s is not tested", code)
		}
	}
}

type policyAndModel struct{ model, policy string }

func (p policyAndModel) files() (fstest.MapFS, casbinrules.Model, []string) {
	return fstest.MapFS{"policy.csv": {Data: []byte(p.policy)}}, casbinrules.ModelText("model.conf", p.model), []string{"policy.csv"}
}

func (p policyAndModel) lint(t *testing.T, opts []casbinrules.Option) []casbinrules.Finding {
	t.Helper()
	fsys, m, names := p.files()
	var all []casbinrules.LintOption
	for _, o := range opts {
		all = append(all, o)
	}
	found, err := casbinrules.LintFS(fsys, m, names, all...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// open returns an authorizer, nil if the policy does not load.
func (p policyAndModel) open(t *testing.T, opts []casbinrules.Option) *casbinrules.Authorizer {
	t.Helper()
	fsys, m, names := p.files()
	a, err := casbinrules.OpenFS(fsys, m, names, append(slices.Clone(opts), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))...)
	if refused := (*casbinrules.FindingsError)(nil); errors.As(err, &refused) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// allowed returns the allowed among many requests; nil if the policy does not load.
func (p policyAndModel) allowed(t *testing.T, opts []casbinrules.Option) map[string]bool {
	t.Helper()
	a := p.open(t, opts)
	if a == nil {
		return nil
	}
	made := map[string]bool{}
	for _, sub := range []string{"ann", "ann ", "bob", "staff", "an\"n", "an\u200bn", "x", ""} {
		for _, obj := range []string{"/a", "/a/", "/a/b", "/a/b/c", "/a/{id}", "/a.html", "/axhtml", "/a?x=1", "/x=1", "/b", "a", "a/b", "/", ""} {
			for _, act := range []string{"GET", "get", "GETX", "XGET", "GXT", "GET|POST", "GET,POST", "GET # all", "HEAD", "POST", "PUT", "PATCH", ""} {
				d, err := a.Enforce(t.Context(), sub, obj, act)
				if err != nil {
					t.Fatal(err)
				}
				if d.Allowed {
					made[sub+" "+act+" "+obj] = true
				}
			}
		}
	}
	return made
}

// granted returns the requests allowed after and not before, by a policy in force.
func granted(before, after map[string]bool) []string {
	if before == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(after)), func(q string) bool { return before[q] })
}

// TestFixedTimesAreTheSame checks that a fixed time is the same instant as the original.
func TestFixedTimesAreTheSame(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"2999-12-31T18:00:00Z", "2999-12-31 18:00:00+05:30", "0001-01-01T00:00:00-12:00", "2000-02-29T23:59:59-23:59"} {
		want, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "T", 1))
		if err != nil {
			t.Fatal(err)
		}
		line := "g, ann, staff, _, " + text
		_, edits := write(timeInUTC)(&spot{text: line, fields: splitFields(line), field: 4})
		if len(edits) != 1 {
			t.Fatalf("%s: got %v", text, edits)
		}
		if got, err := time.Parse(time.DateTime, strings.Trim(edits[0].text, `"`)); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v", text, edits[0].text, err)
		}
	}
}
