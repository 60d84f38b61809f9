package casbinrules

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// baseModel is a good model; the cases below name its line numbers.
const baseModel = `[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act
`

func TestModelFindingsHaveTheirPlace(t *testing.T) {
	effect := "e = some(where (p.eft == allow))"
	matcher := "m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"
	for _, c := range []struct {
		name, old, with string
		want            []string
	}{
		{"good", "", "", nil},
		{"comments and continued lines", matcher, "# a comment\n; another\n  m = g(r.sub, p.sub) && \\\n  keyMatch2(r.obj, p.obj) && r.act == p.act", nil},
		{"H01 deny only", effect, "e = !some(where (p.eft == deny))", []string{"m.conf:8:1:model_allows_by_default"}},
		{"H01 matcher without policy", matcher, `m = r.sub != ""`, []string{"m.conf:10:1:model_allows_by_default"}},
		{"H01 allowed by an empty policy", matcher, matcher + ` || r.act == "GET"`, []string{"m.conf:10:1:model_allows_by_default"}},
		{"effect Casbin does not know", effect, "e = some(where (p.eft==allow))", []string{"m.conf:8:1:model_effect"}},
		{"subject priority with token roles", effect, "e = subjectPriority(p.eft) || deny", []string{"m.conf:8:1:model_token_roles"}},
		{"request field that cannot be filled", "r = sub, obj, act", "  r = sub, obj, act, time", []string{"m.conf:2:3:model_request"}},
		{"request field missing", "r = sub, obj, act", "r = sub, obj", []string{"m.conf:2:1:model_request_incomplete"}},
		{"two request fields for one thing", "r = sub, obj, act", "r = sub, dom, tenant, obj, act", []string{"m.conf:2:1:model_request"}},
		{"field of a request field", matcher, matcher + " && r.sub.Age > 18", []string{"m.conf:10:1:model_matcher"}},
		{"field of a policy that is not there", matcher, matcher + " && p.dom == r.obj", []string{"m.conf:10:1:model_matcher"}},
		{"unknown function", matcher, matcher + " && isOwner(r.sub)", []string{"m.conf:10:1:model_matcher"}},
		{"field in a text", matcher, matcher + ` && keyMatch(r.obj, "/r.*") && r.obj != "/p.pdf"`, []string{"m.conf:10:1:model_matcher", "m.conf:10:1:model_matcher"}},
		{"text of other letters", matcher, matcher + ` && r.obj != "/é"`, []string{"m.conf:10:1:model_matcher"}},
		{"no field in a text", matcher, matcher + ` && r.obj != "/per.pdf" && r.obj != "r.pdf" && r.obj != '/r_pdf' && !regexMatch(r.obj, '/r\.pdf')`, nil},
		{"eval", matcher, matcher + " && eval(p.act)", []string{"m.conf:10:1:model_matcher"}},
		{"ipMatch", matcher, matcher + " && ipMatch(r.obj, p.obj)", []string{"m.conf:10:1:model_matcher"}},
		{"pattern from the request", matcher, matcher + " && regexMatch(p.act, r.act)", []string{"m.conf:10:1:model_matcher"}},
		{"bad pattern in the matcher", matcher, matcher + " && regexMatch(r.act, '(')", []string{"m.conf:10:1:model_matcher"}},
		{"pattern from the request by operator", matcher, matcher + " && p.act =~ r.act", []string{"m.conf:10:1:model_matcher"}},
		{"no expression", matcher, matcher + " &&", []string{"m.conf:10:1:model_matcher"}},
		{"open string", matcher, matcher + " && r.act == 'GET", []string{"m.conf:10:1:model_matcher"}},
		{"tokens outside a string", matcher, matcher + " && r.act == é", []string{"m.conf:10:1:model_matcher"}},
		{"matcher that fails at every request", matcher, "m = g(r.sub, p.sub) && r.obj > 3 || r.act - p.act", []string{"m.conf:10:30:model_matcher"}},
		{"texts in order on a continued line", matcher, "  m = g(r.sub, p.sub) && \\\n\t r.obj\t>= p.obj && r.act == p.act", []string{"m.conf:11:9:model_matcher"}},
		{"texts in order twice", matcher, matcher + ` && r.obj > "a#" && r.sub < r.obj`, []string{"m.conf:10:1:model_matcher"}},
		{"conditional roles", "g = _, _", "g = _, _, (_)", []string{"m.conf:6:1:model_roles"}},
		{"four fields of a role", "g = _, _", "g = _, _, _, _", []string{"m.conf:6:1:model_roles"}},
		{"gap in the numbers of roles", "g = _, _", "g = _, _\ng3 = _, _", []string{"m.conf:7:1:model_roles"}},
		{"unused definition", "p = sub, obj, act", "p = sub, obj, act\np2 = sub, obj", []string{"m.conf:5:1:model_unused_definition"}},
		{"defined twice", "p = sub, obj, act", "p = sub, obj, act\np = sub, obj", []string{"m.conf:5:1:model_unused_definition"}},
		{"field twice", "p = sub, obj, act", "p = sub, obj, act, obj", []string{"m.conf:4:1:model_definition"}},
		{"field without a name", "p = sub, obj, act", "p = sub, obj, act,", []string{"m.conf:4:1:model_definition"}},
		{"unknown section", "[matchers]", "[matcher]", []string{"m.conf:9:1:model_unused_definition"}},
		{"section missing", "[matchers]\n" + matcher, "", []string{"m.conf:1:1:model_syntax"}},
		{"line without =", effect, effect + "\nallow", []string{"m.conf:9:1:model_syntax"}},
		{"before any section", "[request_definition]", "x = y\n[request_definition]", []string{"m.conf:1:1:model_syntax"}},
		{"long line", matcher, matcher + strings.Repeat(" ", model.MaxModelLine), []string{"m.conf:10:1:model_syntax"}},
		{"byte order mark", "[request_definition]", model.BOM + "[request_definition]", []string{"m.conf:1:1:byte_order_mark"}},
		{"tenant patterns without tenants", matcher, "m = g(r.sub, p.sub) && keyMatch(r_dom, p_dom) && r.obj == p.obj && r.act == p.act", []string{"m.conf:10:1:model_matcher", "m.conf:10:1:model_matcher"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(baseModel, c.old) {
				t.Fatalf("the base model has no %q", c.old)
			}
			text := strings.Replace(baseModel, c.old, c.with, 1)
			got := findings(t, ModelText("m.conf", text), files("p.csv", "p, admin, /*, GET"), []string{"p.csv"})
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestMatcherFindingsComeOnce: a name that the matcher uses several times is reported once.
func TestMatcherFindingsComeOnce(t *testing.T) {
	text := strings.NewReplacer("p = sub, obj, act", "p = sub, obj, method", "keyMatch2(", "keyMatch9(").Replace(RBAC().Text())
	found, err := LintFS(files("policy.csv", "p, ann, /a, GET\n"), ModelText("model.conf", text), []string{"policy.csv"})
	if err != nil || len(found) != 2 || found[0].Message == found[1].Message {
		t.Errorf("%v, %v", found, err)
	}
}

func TestFindingReadsAsOneLine(t *testing.T) {
	_, err := OpenFS(files("p.csv", "p, ab, /x, GET, yes\n"), RBACWithDeny(), []string{"p.csv"})
	const want = `casbinrules: p.csv:1:17: error: bad_effect: Casbin treats the effect "yes" as no effect (write allow or deny, in lower case)`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	f := Finding{File: "p\n.csv", Line: 1, Column: 2, Severity: SeverityWarning, Code: "c", Message: "m\x1b[2J"}
	if got := f.String(); got != "p\ufffd.csv:1:2: warning: c: m\ufffd[2J" {
		t.Errorf("H20: got %q", got)
	}
	if got := Severity(9).String(); got != "severity 9" {
		t.Errorf("got %q", got)
	}
}

func TestManyFindingsAreCutInText(t *testing.T) {
	_, err := OpenFS(files("p.csv", strings.Repeat("q\n", 250)), RBAC(), []string{"p.csv"})
	var found *FindingsError
	if !errors.As(err, &found) || len(found.Findings) != 250 {
		t.Fatalf("got %v", err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 101 || lines[100] != "and 150 more" {
		t.Errorf("got %d lines, last %q", len(lines), lines[len(lines)-1])
	}
}

func TestFilesAreRead(t *testing.T) {
	fsys := files(
		"conf/model.conf", RBAC().Text(),
		"conf/b.csv", "p, bob, /b, GET\n",
		"conf/a.csv", "p, ann, /a, GET\n",
		"conf/notes.txt", "not a policy",
		"extra.csv", "p, eve, /e, GET\n",
		"empty/readme", "",
	)
	a, err := OpenFS(fsys, ModelFile("conf/model.conf"), []string{"extra.csv", "conf"})
	if err != nil {
		t.Fatal(err)
	}
	for who_, rule := range map[string]string{"ann": "a.csv:1", "bob": "b.csv:1", "eve": "extra.csv:1"} {
		if d := decide(t, a, who(t, who_), to("GET", "/"+who_[:1])); !d.Allowed || d.Rule != rule {
			t.Errorf("%s: got %+v, want rule %s", who_, d, rule)
		}
	}
	dir := t.TempDir()
	if err := writeFile(dir+"/policy.csv", "p, ann, /a, GET\n"); err != nil {
		t.Fatal(err)
	}
	for _, policy := range []string{dir, dir + "/policy.csv"} {
		if _, err := Open(RBAC(), []string{policy}); err != nil {
			t.Errorf("Open(%s): %v", policy, err)
		}
	}
	for _, c := range []struct {
		name     string
		m        Model
		policies []string
		opts     []Option
		want     error
	}{
		{"no model", Model{}, []string{"extra.csv"}, nil, nil},
		{"model missing", ModelFile("none.conf"), []string{"extra.csv"}, nil, fs.ErrNotExist},
		{"policy missing", RBAC(), []string{"none.csv"}, nil, fs.ErrNotExist},
		{"URL for a model", ModelFile("https://a.example/model.conf"), []string{"extra.csv"}, nil, nil},
		{"URL for a policy", RBAC(), []string{"https://a.example/extra.csv"}, nil, nil},
		{"no policy", RBAC(), nil, nil, nil},
		{"directory without policies", RBAC(), []string{"empty"}, nil, nil},
		{"nil option", RBAC(), []string{"extra.csv"}, []Option{nil}, nil},
		{"empty role prefix", RBAC(), []string{"extra.csv"}, []Option{WithRolePrefix("")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := OpenFS(fsys, c.m, c.policies, c.opts...)
			if err == nil || a != nil || !strings.HasPrefix(err.Error(), "casbinrules: ") {
				t.Fatalf("got %v, %v; want an error alone", a, err)
			}
			if strings.HasPrefix(c.name, "URL") && !strings.Contains(err.Error(), "is a URL, and files are read here") {
				t.Errorf("got %v, want it to say that it is a URL", err)
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if _, err := OpenFS(nil, RBAC(), []string{"p.csv"}); err == nil {
		t.Error("a nil file system is taken")
	}
}

func TestFindingsOfSeveralFilesAreInTheirOrder(t *testing.T) {
	fsys := files("z.csv", "p, a\ng, a, b\n", "a.csv", "g, b, a\nq\n")
	got := findings(t, RBAC(), fsys, []string{"z.csv", "a.csv"})
	want := []string{"z.csv:1:4:field_count", "a.csv:1:1:role_cycle", "a.csv:2:1:unknown_ptype"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// H15: a pattern that does not compile is an error at load.
func TestPrioritiesAndPatternsOfEveryFunctionAreChecked(t *testing.T) {
	text := modelText(plainRequest, "priority, sub, obj, act, eft", "g = _, _", firstMatch, "g(r.sub, p.sub) && FN(r.obj, p.obj) && r.act == p.act")
	for fn, bad := range map[string]string{
		"keyMatch2": "/a[", "keyMatch3": "/a[", "keyMatch4": "/(a)/{id}", "keyMatch5": "/a)", "regexMatch": "(a", "globMatch": "/[",
	} {
		m := ModelText("m.conf", strings.Replace(text, "FN", fn, 1))
		got := findings(t, m, files("p.csv", "p, 1, a, "+bad+", GET, allow\np, high, a, /x, GET, allow\n"), []string{"p.csv"})
		if want := []string{"p.csv:1:10:bad_pattern", "p.csv:2:4:bad_priority"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", fn, got, want)
		}
	}
	m := ModelText("m.conf", strings.Replace(text, "FN", "keyMatch4", 1))
	if got := findings(t, m, files("p.csv", "p, 1, a, /[a, GET, allow\n"), []string{"p.csv"}); !slices.Equal(got, []string{"p.csv:1:10:bad_pattern"}) {
		t.Errorf("got %q", got)
	}
	m = ModelText("m.conf", strings.Replace(text, "FN(r.obj, p.obj)", `keyGet2(r.obj, p.obj, "id") == keyGet3(r.obj, p.obj, "id")`, 1))
	if got := findings(t, m, files("p.csv", "p, 1, a, /[a, GET, allow\n"), []string{"p.csv"}); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

func TestRegexpOperatorsTakePatterns(t *testing.T) {
	m := ModelText("m.conf", strings.Replace(baseModel, "r.act == p.act", "r.act =~ p.act", 1))
	if got := findings(t, m, files("p.csv", "p, a, /x, (GET\n"), []string{"p.csv"}); !slices.Equal(got, []string{"p.csv:1:11:bad_pattern"}) {
		t.Errorf("got %q", got)
	}
	if a := open(t, m, "p, a, /x, GET|PURGE\n"); !a.JudgesMethod("PURGE") || a.JudgesMethod("GET|PURGE") {
		t.Error("an action behind =~ is not read as a pattern")
	}
}

func TestSubjectPriorityNeedsATree(t *testing.T) {
	m := ModelText("m.conf", strings.Replace(baseModel, someAllow, subjectFirst, 1))
	got := findings(t, m, files("p.csv", "p, a, /x, GET\ng, u, a\ng, u, b\n"), []string{"p.csv"}, WithoutTokenRoles())
	if !slices.Equal(got, []string{"p.csv:3:4:role_tree"}) {
		t.Errorf("got %q", got)
	}
}

// TestOwnersAreNotLetInByDefault: attributes without a value equal nothing, not even each
// other or the subject.
func TestOwnersAreNotLetInByDefault(t *testing.T) {
	text := modelText("sub, obj, act, owner, group", "sub, obj, act", "g = _, _", someAllow, "r.sub == r.owner || r.owner == r.group || g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act")
	opts := []Option{WithClaimAttribute("owner", "owner"), WithClaimAttribute("group", "group")}
	if got := findings(t, ModelText("m.conf", text), files("p.csv", "p, ann, /a, GET\n"), []string{"p.csv"}, opts...); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	open := strings.Replace(text, "r.sub == r.owner", "r.owner != r.group", 1)
	if got := findings(t, ModelText("m.conf", open), files("p.csv", "p, ann, /a, GET\n"), []string{"p.csv"}, opts...); len(got) != 1 || !strings.HasSuffix(got[0], model.CodeModelOpen) {
		t.Errorf("a condition that is true for all: got %q", got)
	}
}
