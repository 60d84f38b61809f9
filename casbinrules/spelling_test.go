package casbinrules

import (
	"context"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/core"
)

// folded is a request for a path whose first bytes a router has turned into lower case.
func folded(action, path string, n int) core.Access {
	return core.Access{Action: action, Resource: core.Resource{Path: path, Route: path, Folded: n}}
}

const prefixed = len("/files")

// patternModel is RBACWithDeny with another comparison of objects.
func patternModel(t *testing.T, compare string) Model {
	t.Helper()
	text := RBACWithDeny().Text()
	changed := strings.Replace(text, "keyMatch2(r.obj, p.obj)", compare, 1)
	if changed == text && compare != "keyMatch2(r.obj, p.obj)" {
		t.Fatalf("the model does not compare by keyMatch2:\n%s", text)
	}
	return ModelText("model.conf", changed)
}

// TestDenialsHoldInEverySpelling: a deny applies in the letter case that the application
// registered and in any other, where the router has folded it, and nowhere else.
func TestDenialsHoldInEverySpelling(t *testing.T) {
	for _, c := range []struct {
		compare, object string
		asked, not      string // asked is denied
	}{
		{"keyMatch(r.obj, p.obj)", "/Files/private/*", "/files/private/x", "/files/private"},
		{"keyMatch2(r.obj, p.obj)", "/FILES/private/:name", "/files/private/x", "/files/Private/x"},
		{"keyMatch(r.obj, p.obj)", "/Fil*", "/files/x", "/fi"},
		{"keyMatch2(r.obj, p.obj)", "/*/Files/private/*", "/t/files/private/x", "/t/files/Private/x"},
		{"r.obj == p.obj", "/FiLes/private/x", "/files/private/x", "/files/private/X"},
		{"globMatch(r.obj, p.obj)", "/{Files,Docs}/private/*", "/files/private/x", "/files/public"},
		{"globMatch(r.obj, p.obj)", "/[A-F]iles/private/*", "/files/private/x", "/files/public"},
		{"regexMatch(r.obj, p.obj)", "^/(FILES/a|Files/b)/.*$", "/files/a/x", "/files/c/x"},
		{"regexMatch(r.obj, p.obj)", "^/(FILES/a|Files/b)/.*$", "/files/b/x", "/files/A/x"},
		{"regexMatch(r.obj, p.obj)", "^/Filesy?/private/.*$", "/files/private/x", "/files/public"},
		{"regexMatch(r.obj, p.obj)", "^/Filess?/private/.*$", "/files/private/x", "/files/public"},
		{"regexMatch(r.obj, p.obj)", "^/F[Ii]les/private/.*$", "/files/private/x", "/files/public"},
		{"regexMatch(r.obj, p.obj)", "^/[A-Z]+/private/\\S+$", "/files/private/x", "/files/public"},
		{"regexMatch(r.obj, p.obj)", "^/\\p{Lu}\\w+/private/.*$", "/files/private/x", "/files/public"},
		{"regexMatch(r.obj, p.obj)", "^/(?P<Part>Files)/private/.*$", "/files/private/x", "/files/public"},
	} {
		t.Run(c.compare+" "+c.object, func(t *testing.T) {
			lines := [][]string{{"ann", matchesAll[c.compare], "GET", "allow"}, {"ann", c.object, "GET", "deny"}}
			if matchesAll[c.compare] == "" {
				lines = [][]string{lines[1], {"ann", c.asked, "GET", "allow"}, {"ann", c.not, "GET", "allow"}}
			}
			m := patternModel(t, c.compare)
			policy := csvOf(t, lines)
			for name, a := range map[string]core.Authorizer{
				"index": openRules(t, m, policy), "as Casbin": openRules(t, m, policy, WithCasbinSemantics()),
				"object route": openRules(t, m, policy, WithRouteAsObject()), "enforcer": fromEnforcer(t, enforcerOf(t, m, strings.Split(strings.TrimSpace(policy), "\n")...)),
			} {
				n := strings.Index(strings.ToLower(c.asked), "/private")
				if n < 0 {
					n = min(prefixed, len(c.asked))
				}
				for _, tc := range []struct {
					access  core.Access
					allowed bool
				}{
					{folded("GET", c.asked, n), false},
					{folded("GET", c.asked, 0), true},
					{folded("GET", c.asked, 1<<20), false},
					{folded("GET", c.not, min(n, len(c.not))), true},
				} {
					d, err := a.Authorize(t.Context(), who(t, "ann"), tc.access)
					if err != nil || d.Allowed != tc.allowed {
						t.Errorf("%s: %+v: %+v, %v", name, tc.access.Resource, d, err)
					}
					if !d.Allowed && (d.Reason != ReasonDeniedByRule || d.Rule == "") {
						t.Errorf("%s: %+v: %+v", name, tc.access.Resource, d)
					}
				}
			}
		})
	}
}

// TestEditsChangeSpellings: rules that an edit adds or takes away are spelled as if they had
// been there from the start, or never.
func TestEditsChangeSpellings(t *testing.T) {
	const allow, deny = "p, ann, /*, GET, allow\n", "p, ann, /Files/private/:name, GET, deny\n"
	fsys := fstest.MapFS{"policy.csv": {Data: []byte(allow)}}
	a, err := OpenFS(fsys, RBACWithDeny(), []string{"policy.csv"})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{allow + deny, allow} {
		fsys["policy.csv"] = &fstest.MapFile{Data: []byte(text)}
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := LinesEdited(a); n != i+1 {
			t.Fatalf("%d lines were read alone, want %d: the case proves nothing", n, i+1)
		}
		d, err := a.Authorize(t.Context(), who(t, "ann"), folded("GET", "/files/private/x", prefixed))
		if err != nil || d.Allowed != (text == allow) {
			t.Errorf("%q: %+v, %v", text, d, err)
		}
	}
}

// matchesAll returns an object that matches all paths, by the comparison.
var matchesAll = map[string]string{
	"keyMatch(r.obj, p.obj)": "/*", "keyMatch2(r.obj, p.obj)": "/*", "globMatch(r.obj, p.obj)": "/**", "regexMatch(r.obj, p.obj)": "^/.*$",
}

func csvOf(t *testing.T, lines [][]string) string {
	t.Helper()
	var b strings.Builder
	w := csv.NewWriter(&b)
	for _, line := range lines {
		if err := w.Write(append([]string{"p"}, line...)); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return b.String()
}

// TestSpellingsThatNoRuleDenies: permissions hold as written, a rule for other users
// changes nothing, and what the router does not fold is compared exactly.
func TestSpellingsThatNoRuleDenies(t *testing.T) {
	const policy = `p, admin, /Files/*, *, allow
p, ann, /files/*, GET, allow
p, ann, /files/Secret, GET, deny
p, bob, /Files/*, GET, allow
p, eve, /*, GET, allow
p, eve, /API/*, GET, deny
`
	a := openRules(t, RBACWithDeny(), policy)
	for _, c := range []struct {
		id, path string
		folded   int
		allowed  bool
	}{
		{"ann", "/files/x", prefixed, true},
		{"ann", "/files/secret", prefixed, true},
		{"ann", "/files/Secret", prefixed, false},
		{"ann", "/files/secret", len("/files/secret"), false},
		{"bob", "/files/x", prefixed, false},
		{"eve", "/api/x", len("/api"), false},
		{"eve", "/Api/x", len("/Api"), false},
		{"eve", "/apix/x", len("/apix"), true},
		{"eve", "/t/api/x", len("/t/api"), true},
		{"eve", "/api/x", 0, true},
		{"eve", "/api/x", -1, true},
		{"eve", "/", 1, true},
	} {
		d, err := a.Authorize(t.Context(), who(t, c.id), folded("GET", c.path, c.folded))
		if err != nil || d.Allowed != c.allowed {
			t.Errorf("%s %s, %d folded: %+v, %v", c.id, c.path, c.folded, d, err)
		}
	}
}

// TestSpellingsInOtherModels: tenants, groups of objects, priorities, HEAD and anonymous
// requests.
func TestSpellingsInOtherModels(t *testing.T) {
	const deny = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
	grouped := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _\ng2 = _, _", deny, "r.sub == p.sub && (g2(r.obj, p.obj) || keyMatch(r.obj, p.obj)) && r.act == p.act"))
	priority := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, eft", "", "priority(p.eft) || deny", "r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act"))
	except := ModelText("m.conf", modelText(plainRequest, "sub, obj, act, except", "", someAllow, "r.sub == p.sub && keyMatch(r.obj, p.obj) && !keyMatch(r.obj, p.except) && r.act == p.act"))
	literal := ModelText("m.conf", modelText(plainRequest, "sub, obj, act", "", someAllow, `r.sub == p.sub && keyMatch(r.obj, p.obj) && !keyMatch(r.obj, "/Files/private/*") && r.act == p.act`))
	tenants := ModelText("m.conf", modelText("sub, dom, obj, act", "sub, dom, obj, act, eft", "", deny, "r.sub == p.sub && r.dom == p.dom && keyMatch(r.obj, p.obj) && r.act == p.act"))
	for _, c := range []struct {
		name   string
		model  Model
		policy string
		opts   []Option
	}{
		{"groups of objects", grouped, "p, ann, /*, GET, allow\np, ann, secrets, GET, deny\ng2, /Files/private/x, secrets\n", nil},
		{"an order of rules", priority, "p, ann, /Files/private/*, GET, deny\np, ann, /*, GET, allow\n", nil},
		{"an exception in a column", except, "p, ann, /*, GET, /Files/private/*\n", nil},
		{"an exception in the matcher", literal, "p, ann, /*, GET\n", nil},
		{"tenants", tenants, "p, ann, Acme, /*, GET, allow\np, ann, Acme, /Files/private/*, GET, deny\n", nil},
		{"tenants, as Casbin", tenants, "p, ann, Acme, /*, GET, allow\np, ann, Acme, /Files/private/*, GET, deny\n", []Option{WithCasbinSemantics()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := openRules(t, c.model, c.policy, append(c.opts, WithoutTokenRoles())...)
			for path, allowed := range map[string]bool{"/files/private/x": false, "/files/public": true, "/docs/private/x": true} {
				d, err := a.Authorize(t.Context(), tenantOf(t, "Acme", "ann"), folded("GET", path, prefixed))
				if err != nil || d.Allowed != allowed {
					t.Errorf("%s: %+v, %v", path, d, err)
				}
			}
		})
	}
	a := openRules(t, RBACWithDeny(), "p, anonymous, /*, GET, allow\np, anonymous, /Files/private/*, GET, deny\np, x, /y, HEAD, allow\n", WithAnonymous())
	for _, method := range []string{"GET", "HEAD"} {
		if d, err := a.AuthorizeAnonymous(t.Context(), folded(method, "/files/private/x", prefixed)); err != nil || d.Allowed {
			t.Errorf("%s: %+v, %v", method, d, err)
		}
	}
}

// TestTooManySpellings: a prefix that rules spell in more ways than can be tried is refused
// with an error that says so.
func TestTooManySpellings(t *testing.T) {
	policy := "p, ann, /*, GET, allow\n"
	for i := range 100 {
		spelled := []byte("/abcdefg/x")
		for bit := range 7 {
			if i>>bit&1 == 1 {
				spelled[1+bit] -= 'a' - 'A'
			}
		}
		policy += "p, bob, " + string(spelled) + ", GET, deny\n"
	}
	a := openRules(t, RBACWithDeny(), policy)
	d, err := a.Authorize(t.Context(), who(t, "ann"), folded("GET", "/abcdefg/x", len("/abcdefg")))
	var internal *core.InternalError
	if !errors.As(err, &internal) || d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := a.Authorize(t.Context(), who(t, "ann"), folded("GET", "/other/x", len("/other"))); err != nil || !d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestEditedDenialsHoldInEverySpelling: an edit of one line adds a spelling, or takes it away.
func TestEditedDenialsHoldInEverySpelling(t *testing.T) {
	const allowed, denied = "p, ann, /*, GET, allow\np, ben, /*, GET, allow\n", "p, ann, /Files/private/*, *, deny\n"
	fsys := files("policy.csv", allowed)
	a, err := OpenFS(fsys, RBACWithDeny(), []string{"policy.csv"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{allowed + denied, allowed, allowed + denied} {
		fsys["policy.csv"].Data = []byte(text)
		if err := a.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := decide(t, a, who(t, "ann"), folded("GET", "/files/private/x", prefixed)); d.Allowed != (text == allowed) {
			t.Errorf("edit %d: %+v", i, d)
		}
	}
	if n := LinesEdited(a); n != 3 {
		t.Errorf("%d lines were read alone, want 3: the case proves nothing", n)
	}
}

// TestSpellingsAreExplained: an explanation names the rule and the spelling.
func TestSpellingsAreExplained(t *testing.T) {
	a := openRules(t, RBACWithDeny(), "p, ann, /files/*, GET, allow\np, ann, /Files/private/*, *, deny\n")
	access := folded("GET", "/files/private/x", prefixed)
	e, err := a.Explain(t.Context(), who(t, "ann"), access)
	if err != nil {
		t.Fatal(err)
	}
	if e.Allowed || e.Rule == nil || e.Rule.Place() != "policy.csv:2" || e.Object != "/Files/private/x" || e.Overrides == nil || e.Overrides.Line != 1 ||
		len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "/files/private/x") {
		t.Errorf("%+v", e)
	}
	if d := decide(t, a, who(t, "ann"), access); d.Allowed || d.Rule != e.Decision().Rule || d.Reason != e.Reason {
		t.Errorf("decided %+v, explained %+v", d, e)
	}
}

// TestSpellingsAllocateNothing: there is no allocation if no rule spells the path
// otherwise.
func TestSpellingsAllocateNothing(t *testing.T) {
	for name, policy := range map[string]string{
		"no capitals": "p, ann, /files/*, GET, allow\n", "other capitals": "p, ann, /files/*, GET, allow\np, ann, /Docs/*, GET, deny\np, ann, /FilesX/*, GET, deny\n",
	} {
		a, p, access := openRules(t, RBACWithDeny(), policy), who(t, "ann"), folded("GET", "/files/x", prefixed)
		if n := testing.AllocsPerRun(200, func() {
			if d, err := a.Authorize(context.Background(), p, access); err != nil || !d.Allowed {
				t.Fatalf("%+v %v", d, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
