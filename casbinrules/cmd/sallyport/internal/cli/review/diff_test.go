package review

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

func TestDiff(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "old.csv": policy})
	changed := func(name string, replace ...string) {
		t.Helper()
		text := strings.NewReplacer(replace...).Replace(policy)
		if text == policy {
			t.Fatalf("%s is the same", name)
		}
		for file, text := range map[string]string{name: text} {
			d := write(t, map[string]string{file: text, "model.conf": "rbac"})
			expectDiff(t, dir, d, name)
		}
	}
	changed("added.csv", "p, admin", "p, viewer, /reports/:id, DELETE\np, admin")
	changed("removed.csv", "p, editor, /reports/:id, PATCH\n", "")
	changed("narrowed.csv", "p, admin, /*, *", "p, admin, /reports, *")
	changed("role.csv", "g, victor, viewer", "g, victor, editor")
	changed("rewritten.csv", "p, admin, /*, *\n", "", "# Reports.", "p, admin, /*, *")
}

// diffs are the expected results of each edit.
var diffs = map[string]struct {
	widens bool
	text   string
}{
	"added.csv":     {true, "+ viewer gains DELETE /reports/:id (new added.csv:6); so do editor, erin, victor\n1 gained, 0 lost"},
	"removed.csv":   {false, "- editor loses PATCH /reports/:id (old old.csv:5); so does erin\n0 gained, 1 lost"},
	"narrowed.csv":  {false, "- admin loses * /* (old old.csv:6); so does alice\n0 gained, 1 lost"},
	"role.csv":      {true, "+ victor gains PUT /reports/:id (new role.csv:4)\n+ victor gains PATCH /reports/:id (new role.csv:5)\n2 gained, 0 lost"},
	"rewritten.csv": {false, "no change in effect"},
}

func expectDiff(t *testing.T, dir, other, name string) {
	t.Helper()
	want := diffs[name]
	code := exitOK
	if want.widens {
		code = exitFindings
	}
	got := run(t, dir, "", "diff", "DIR/old.csv", other+"/"+name, "--fail-on", "widen")
	if got.Code != code || !strings.HasPrefix(got.Stdout, want.text) || got.Stderr != "" {
		t.Errorf("%s: got %+v\nwant %d %s", name, got, code, want.text)
	}
	if got := run(t, dir, "", "diff", "DIR/old.csv", other+"/"+name); got.Code != exitOK {
		t.Errorf("%s: without --fail-on: %+v", name, got)
	}
	code = exitFindings
	if name == "rewritten.csv" {
		code = exitOK
	}
	got = run(t, dir, "", "diff", "DIR/old.csv", other+"/"+name, "--fail-on", "change", "--format", "json")
	if got.Code != code || !strings.Contains(got.Stdout, `"asked": `) {
		t.Errorf("%s: json: %+v", name, got)
	}
}

func TestDiffSeesWhatOverlapsAndDenies(t *testing.T) {
	dir := write(t, map[string]string{
		"a.csv": "p, u, /x/*, *, allow\np, u, /x/:a/secret, GET, deny\n",
		"b.csv": "p, u, /x/*, *, allow\n",
		"c.csv": "p, u, /x/:a, *, allow\np, u, /x/:a/secret, GET, deny\n",
		"d.csv": "p, u, /:a/y, GET, allow\np, u, /x/:b, GET, deny\n",
		"e.csv": "p, u, /:a/y, GET, allow\np, u, /x/:b, GET, allow\n",
		"t.csv": "p, u, t1, /x, GET\n", "s.csv": "p, u, t2, /x, GET\n",
	})
	for _, c := range []struct{ model, old, now, want string }{
		{"rbac-deny", "a", "b", "+ u gains GET /x/:a/secret (new b.csv:1)\n1 gained, 0 lost"},
		{"rbac-deny", "a", "c", "- u loses * /x/* (old a.csv:1)\n"},
		{"rbac-deny", "d", "e", "+ u gains GET /x/:b (new e.csv:2)\n"},
		{"rbac-deny", "e", "d", "- u loses GET /x/:b (new d.csv:2)\n"},
		{"rbac-tenants", "t", "s", "+ u in t2 gains GET /x (new s.csv:1)\n- u in t1 loses GET /x (old t.csv:1)\n1 gained, 1 lost"},
	} {
		got := run(t, dir, "", "diff", "-m", c.model, "DIR/"+c.old+".csv", "DIR/"+c.now+".csv")
		if got.Code != exitOK || !strings.HasPrefix(got.Stdout, c.want) {
			t.Errorf("%s %s: got %+v\nwant %s", c.old, c.now, got, c.want)
		}
	}
}

// A comparison in a tenant unknown to both policies proves nothing.
func TestDiffOfAnUnknownTenant(t *testing.T) {
	const star = "[request_definition]\nr = sub, dom, obj, act\n[policy_definition]\np = sub, dom, obj, act\n[role_definition]\ng = _, _\n" +
		"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && (p.dom == \"*\" || r.dom == p.dom) && r.obj == p.obj && r.act == p.act\n"
	dir := write(t, map[string]string{"star.conf": star, "a.csv": "p, u, acme, /x, GET\n", "b.csv": "p, u, acme, /x, GET\np, u, acme, /x, PUT\n", "c.csv": "p, u, *, /x, GET\n", "d.csv": "p, u, /x, GET\n"})
	for _, c := range []struct {
		model, old, now, tenant string
		code                    int
		want                    string
	}{
		{"rbac-tenants", "a", "b", "acme", exitFindings, ""},
		{"rbac-tenants", "a", "b", "amce", exitUsage, `neither policy knows the tenant "amce": did you mean acme?`},
		{"rbac-tenants", "a", "b", "globex", exitUsage, `neither policy knows the tenant "globex"`},
		{"DIR/star.conf", "a", "c", "globex", exitFindings, ""},
		{"DIR/star.conf", "c", "c", "globex", exitOK, ""},
		{"rbac", "d", "d", "acme", exitUsage, "the model has no tenants"},
	} {
		got := run(t, dir, "", "diff", "-m", c.model, "--fail-on", "widen", "--tenant", c.tenant, "DIR/"+c.old+".csv", "DIR/"+c.now+".csv")
		if got.Code != c.code || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%s in %s: got %+v", c.now, c.tenant, got)
		}
	}
}

// Changes that differ only in invented attribute values are reported as one, and so is
// the restriction by --claim and --tenant.
func TestDiffFoldsValuesAndSaysWhatItComparedAlone(t *testing.T) {
	two := strings.NewReplacer("act, region", "act, region, age", "r.region == p.region", "r.region == p.region && r.age >= p.age").Replace(clitest.RegionModel)
	dir := write(t, map[string]string{"model.conf": two, "old.csv": "p, kim, /bar, GET, eu, 18\n", "new.csv": "p, kim, /bar, GET, eu, 18\np, ann, /bar, GET, us, 16\n"})
	diff := func(args ...string) []string {
		return append([]string{"diff", "DIR/old.csv", "DIR/new.csv", "--attribute", "age=number"}, args...)
	}
	expect(t, dir, "", exitOK, "+ ann age=16 or 17 or 18 or 19 region=us gains GET /bar (new new.csv:2)\n1 gained, 0 lost, in 450 requests compared\n", "", diff()...)
	got := run(t, dir, "", diff("--claim", "age=5")...)
	if !strings.HasPrefix(got.Stdout, "no change in effect, in ") || !strings.HasSuffix(got.Stdout, " requests compared\nnote: compared with age=5 alone; nothing is known of others\n") {
		t.Errorf("one value: %+v", got)
	}
	got = run(t, dir, "", diff("--claim", "age=5", "--claim", "age=30", "--claim", "region=us")...)
	if !strings.HasPrefix(got.Stdout, "+ ann age=30 region=us gains") || !strings.HasSuffix(got.Stdout, "note: compared with age=5 or 30 and region=us alone; nothing is known of others\n") {
		t.Errorf("three values: %+v", got)
	}
	var many []string
	for _, age := range []string{"20", "21", "22", "23", "24", "25", "26"} {
		many = append(many, "--claim", "age="+age)
	}
	if got = run(t, dir, "", diff(many...)...); !strings.HasPrefix(got.Stdout, "+ ann age=20 or 21 or 22 or 23 or 24 or 2 more region=us gains") {
		t.Errorf("many values: %+v", got)
	}
	got = run(t, dir, "", diff("--format", "json", "--claim", "age=30")...)
	if !strings.Contains(got.Stdout, `"only_attributes": {`) || !strings.Contains(got.Stdout, `"region": [`) {
		t.Errorf("json: %+v", got)
	}
	tenants := write(t, map[string]string{"old.csv": "p, editor, acme, /x, GET\n", "new.csv": "p, editor, acme, /x, GET\np, editor, globex, /x, GET\n"})
	got = run(t, tenants, "", "diff", "-m", "rbac-tenants", "DIR/old.csv", "DIR/new.csv", "--tenant", "acme")
	if !strings.HasPrefix(got.Stdout, "no change in effect") || !strings.HasSuffix(got.Stdout, "note: compared with tenant acme alone; nothing is known of others\n") {
		t.Errorf("one tenant: %+v", got)
	}
}
