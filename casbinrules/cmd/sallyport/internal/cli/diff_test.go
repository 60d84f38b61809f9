package cli

import (
	"strings"
	"testing"
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

// diffs are what is expected of each edit.
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
	if got.code != code || !strings.HasPrefix(got.stdout, want.text) || got.stderr != "" {
		t.Errorf("%s: got %+v\nwant %d %s", name, got, code, want.text)
	}
	if got := run(t, dir, "", "diff", "DIR/old.csv", other+"/"+name); got.code != exitOK {
		t.Errorf("%s: without --fail-on: %+v", name, got)
	}
	code = exitFindings
	if name == "rewritten.csv" {
		code = exitOK
	}
	got = run(t, dir, "", "diff", "DIR/old.csv", other+"/"+name, "--fail-on", "change", "--format", "json")
	if got.code != code || !strings.Contains(got.stdout, `"asked": `) {
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
		if got.code != exitOK || !strings.HasPrefix(got.stdout, c.want) {
			t.Errorf("%s %s: got %+v\nwant %s", c.old, c.now, got, c.want)
		}
	}
}
