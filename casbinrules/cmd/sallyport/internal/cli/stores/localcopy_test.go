package stores

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	shared "github.com/sallyport-go/sallyport/core/source"
)

// TestPullPutsFilesInPlaceInOneStep: a concurrent reader gets all of the old file or all
// of the new one, and if one file cannot be written none is.
func TestPullPutsFilesInPlaceInOneStep(t *testing.T) {
	dir := write(t, map[string]string{"policy.csv": "p, old, /x, GET\n", "real/b.csv": "old\n"})
	if err := errors.Join(os.Symlink("real/b.csv", filepath.Join(dir, "b.csv")), os.Chmod(filepath.Join(dir, "policy.csv"), 0o600)); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(filepath.Join(dir, "policy.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	content := func(names ...string) *shared.Content {
		c := &shared.Content{}
		for _, name := range names {
			c.Files = append(c.Files, shared.File{Name: name, Content: []byte("new\n")})
		}
		return c
	}
	holds := func(want string) {
		t.Helper()
		var names []string
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if name, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() {
				names = append(names, name+" "+strings.TrimSpace(readFile(t, path)))
			}
			return err
		})
		if got := strings.Join(names, ", "); err != nil || got != want {
			t.Errorf("the folder holds %s, want %s; %v", got, want, err)
		}
	}
	const old = "b.csv old, policy.csv p, old, /x, GET, real/b.csv old"
	for wrong, want := range map[string]string{"real": "not a regular file", "../out.csv": "escapes", "policy.csv/x": "not a directory"} {
		if err := pull(dir, nil, content("policy.csv", "b.csv", wrong), true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", wrong, err, want)
		}
		holds(old)
	}
	if err := pull(dir, nil, content("policy.csv", "b.csv", "sub/c.csv"), true); err != nil {
		t.Fatal(err)
	}
	holds("b.csv new, policy.csv new, real/b.csv new, sub/c.csv new")
	if text, err := io.ReadAll(reader); err != nil || string(text) != "p, old, /x, GET\n" {
		t.Errorf("a concurrent reader got %q, %v", text, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "policy.csv")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "b.csv")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
}

// TestPullFollowsLinksAsTheSystemDoes: the target of a link is relative to the link's
// folder, also for a chain of links.
func TestPullFollowsLinksAsTheSystemDoes(t *testing.T) {
	for _, c := range []struct{ link, to, name string }{
		{"real/deep/p.csv", "../p.csv", "sub/p.csv"},
		{"real/deep/p.csv", "../../real/p.csv", "sub/p.csv"},
		{"real/deep/p.csv", "./../p.csv", "sub/p.csv"},
		{"p2.csv", "sub/../p.csv", "p2.csv"},
	} {
		dir := write(t, map[string]string{"p.csv": "other\n", "real/p.csv": "old\n", "real/deep/x.csv": "x\n"})
		if err := errors.Join(os.Symlink("real/deep", filepath.Join(dir, "sub")), os.Symlink(c.to, filepath.Join(dir, c.link))); err != nil {
			t.Fatal(err)
		}
		content := &shared.Content{Files: []shared.File{{Name: c.name, Content: []byte("new\n")}}}
		if err := pull(dir, nil, content, true); err != nil {
			t.Errorf("%s to %s: %v", c.link, c.to, err)
		}
		if got, other := readFile(t, filepath.Join(dir, "real/p.csv")), readFile(t, filepath.Join(dir, "p.csv")); got != "new\n" || other != "other\n" {
			t.Errorf("%s to %s: the file has %q, and another one %q", c.link, c.to, got, other)
		}
	}
}

// TestPullAfterAnInterruptedOne: files written before their revision was recorded do not
// count as edits, and files between the two states do.
func TestPullAfterAnInterruptedOne(t *testing.T) {
	content := func(r shared.Revision, texts map[string]string) *shared.Content {
		var files []shared.File
		for name, text := range texts {
			files = append(files, shared.File{Name: name, Content: []byte(text)})
		}
		c, err := shared.NewContent(r, files)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := newLocalCopy("default", content(1, map[string]string{"a.csv": "a1", "b.csv": "b1", "gone.csv": "1"}))
	next := content(2, map[string]string{"a.csv": "a2", "b.csv": "b2", "c.csv": "c2"})
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"a.csv": "a2", "b.csv": "b1", "gone.csv": "1"}, ""},
		{map[string]string{"a.csv": "a2", "b.csv": "b2", "c.csv": "c2"}, ""},
		{map[string]string{"a.csv": "a2", "b.csv": "mine", "c.csv": "mine", "gone.csv": "2"}, "b.csv, c.csv, gone.csv would be overwritten"},
	} {
		dir := write(t, c.files)
		err := pull(dir, before, next, false)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.files, err, c.want)
		}
	}
}
