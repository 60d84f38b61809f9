package review

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBaseIsWhatWasCommitted: no git attribute hides or alters a file of the base, so
// that removed rules are noticed.
func TestBaseIsWhatWasCommitted(t *testing.T) {
	t.Parallel()
	const rules = "p, \"$Id$\", /a, GET, allow\np, \"$Format:%H$\", /b, GET, allow\ng, erin, \"$Id$\"\ng, erin, \"$Format:%H$\"\n"
	for i, attributes := range []string{
		"deny.csv export-ignore", "policies export-ignore", "* export-ignore", "*.csv export-subst", "*.csv ident",
		"*.csv text eol=crlf", "*.csv working-tree-encoding=UTF-16", "*.conf export-ignore", "*.yaml export-ignore",
	} {
		dir, git := repositoryOf(t, map[string]string{
			"sallyport.yaml": "policy:\n  model: model.conf\n  files: [policies]\n", "model.conf": presets["rbac-deny"]().Text(),
			"policies/allow.csv": rules, "policies/deny.csv": "p, erin, /a, GET, deny\n", "policies/notes.txt": "no policy",
		})
		branchOff(git)
		// A repository may also have local attributes, which no commit shows.
		put(t, dir, map[string]string{".git/info/attributes": attributes + "\n"})
		ways := [][]string{{"-c", "DIR/sallyport.yaml"}, {"-m", "DIR/model.conf", "-p", "DIR/policies"}}
		if testing.Short() {
			ways = ways[i%2 : i%2+1] // with and without a configuration or a model
		}
		for _, args := range ways {
			args = append([]string{"ci", "--fail-on", "change", "--lint", "error"}, args...)
			if got := run(t, dir, "", args...); !strings.Contains(got.Stdout, "no change in effect") {
				t.Errorf("%s, unchanged: %+v", attributes, got)
			}
			put(t, dir, map[string]string{"policies/deny.csv": "# nothing is denied\n"})
			if got := run(t, dir, "", args...); got.Code != exitFindings || !strings.Contains(got.Stdout, "+ erin gains GET /a") {
				t.Errorf("%s, with a denial fewer: %+v", attributes, got)
			}
			if err := os.Remove(filepath.Join(dir, "policies/deny.csv")); err != nil {
				t.Fatal(err)
			}
			if got := run(t, dir, "", args...); got.Code != exitFindings || !strings.Contains(got.Stdout, "+ erin gains GET /a") {
				t.Errorf("%s, with a file fewer: %+v", attributes, got)
			}
			put(t, dir, map[string]string{"policies/deny.csv": "p, erin, /a, GET, deny\n"})
		}
	}
}

// TestLinkInBaseIsNamed: the target path in a committed symbolic link is not read as a
// policy.
func TestLinkInBaseIsNamed(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"model.conf": "rbac", "real.csv": policy, "folder/a.csv": policy, "real.yaml": "policy:\n  model: rbac\n  files: [real.csv]\n",
	})
	for link, target := range map[string]string{
		"link.csv": "real.csv", "folder/b.csv": "../real.csv", "linked": "folder", "link.conf": "model.conf", "link.yaml": "real.yaml",
		"folder/notes.txt": "../real.csv",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("no symbolic links can be made here: %v", err)
		}
	}
	branchOff(commitAll(t, dir))
	for _, c := range []struct{ args, want string }{
		{"-m DIR/model.conf -p DIR/link.csv", "link.csv is a symbolic link in it"},
		{"-m DIR/model.conf -p DIR/folder", "folder/b.csv is a symbolic link in it"},
		{"-m DIR/model.conf -p DIR/linked", "linked is a symbolic link in it"},
		{"-m DIR/link.conf -p DIR/real.csv", "link.conf is a symbolic link in it"},
		{"-c DIR/link.yaml", "link.yaml is a symbolic link in it"},
	} {
		args := append([]string{"ci", "--fail-on", "widen", "--lint", "error"}, strings.Fields(c.args)...)
		if got := run(t, dir, "", args...); got.Code != exitFindings || !strings.Contains(got.Stdout, "not run: diff: ") || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%s: no %q in %+v", c.args, c.want, got)
		}
	}
}
