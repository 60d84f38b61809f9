package editor

import (
	"os"
	"path/filepath"
	"testing"
)

const ragged = "# Reports\np,viewer,/reports,GET\np, editor,   /reports/:id, PUT\n"

const aligned = "# Reports\np, viewer, /reports,     GET\np, editor, /reports/:id, PUT\n"

func TestFmt(t *testing.T) {
	dir := write(t, map[string]string{"a.csv": ragged, "b.csv": aligned, "notes.txt": "p,"})
	expect(t, dir, ragged, exitOK, aligned, "", "fmt")
	expect(t, dir, ragged, exitFindings, "stdin\n", "", "fmt", "--check")
	expect(t, dir, aligned, exitOK, "", "", "fmt", "--check")
	expect(t, dir, "", exitOK, aligned+aligned, "", "fmt", "DIR")
	expect(t, dir, "", exitFindings, "a.csv\n", "", "fmt", "--check", "DIR")
	expect(t, dir, "", exitOK, aligned, "", "fmt", "DIR/b.csv")
}

func TestFmtWritesAtomicallyAndKeepsTheMode(t *testing.T) {
	dir := write(t, map[string]string{"real/a.csv": ragged})
	real := filepath.Join(dir, "real/a.csv")
	link := filepath.Join(dir, "link.csv")
	if err := os.Symlink("real/a.csv", link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(real, 0o640); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "", exitOK, "", "", "fmt", "-w", "DIR/link.csv")
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	text, err := os.ReadFile(real)
	if err != nil || string(text) != aligned {
		t.Errorf("got %q, %v", text, err)
	}
	if info, err = os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(real))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	// A formatted file is not written.
	before := info
	expect(t, dir, "", exitOK, "", "", "fmt", "-w", "DIR/real")
	if after, err := os.Stat(real); err != nil || !os.SameFile(before, after) {
		t.Errorf("a formatted file was replaced, %v", err)
	}
}

func TestFmtWritesNothingWhenOneFileIsRefused(t *testing.T) {
	dir := write(t, map[string]string{"a.csv": ragged, "b.csv": "p, a, /x, GET # why\n", "c.csv": "p, \"a\n"})
	expect(t, dir, "", exitFindings, "", "b.csv:1:15: error: inline_comment", "fmt", "-w", "DIR")
	expect(t, dir, "", exitFindings, "", "c.csv:1:4: error: quoting", "fmt", "-w", "DIR")
	expect(t, dir, "p, a , /x, GET", exitFindings, "", "stdin:1:4: error: surrounding_space", "fmt")
	if text, err := os.ReadFile(filepath.Join(dir, "a.csv")); err != nil || string(text) != ragged {
		t.Errorf("got %q, %v", text, err)
	}
}
