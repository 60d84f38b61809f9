package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

func TestEditFileKeepsModeAndLink(t *testing.T) {
	dir := clitest.Write(t, map[string]string{"real/keys": "a"})
	file, link := filepath.Join(dir, "real/keys"), filepath.Join(dir, "link")
	if err := errors.Join(os.Symlink("real/keys", link), os.Chmod(file, 0o640)); err != nil {
		t.Fatal(err)
	}
	if err := Edit(link, func(text []byte, _ bool) ([]byte, error) { return append(text, 'b'), nil }); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 || clitest.ReadFile(t, file) != "ab" {
		t.Errorf("link %v, %v, %q", info, err, clitest.ReadFile(t, file))
	}
	if info, err = os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// An unchanged file is not written.
	if err := Edit(link, func(text []byte, _ bool) ([]byte, error) { return text, nil }); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(info, after) {
		t.Errorf("the file was replaced, %v", err)
	}
}

// A concurrent save by an editor is not overwritten.
func TestEditFileNoticesOthers(t *testing.T) {
	for name, meanwhile := range map[string]func(string) error{
		"changed": func(file string) error { return os.WriteFile(file, []byte("theirs"), 0o600) },
		"created": func(file string) error { return os.WriteFile(file+".new", []byte("theirs"), 0o600) },
		"removed": os.Remove,
	} {
		dir := clitest.Write(t, map[string]string{"keys": "a"})
		file := filepath.Join(dir, "keys")
		edited := file
		if name == "created" {
			edited += ".new"
		}
		err := Edit(edited, func([]byte, bool) ([]byte, error) { return []byte("mine"), meanwhile(file) })
		if err == nil || !strings.Contains(err.Error(), "was changed meanwhile: nothing was written") {
			t.Errorf("%s: error %v", name, err)
		}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if text := clitest.ReadFile(t, filepath.Join(dir, e.Name())); strings.HasPrefix(e.Name(), ".") || text == "mine" {
				t.Errorf("%s: left %s with %q", name, e.Name(), text)
			}
		}
	}
}

func TestEditFileLeavesNothingBehindOnErrors(t *testing.T) {
	dir := clitest.Write(t, map[string]string{"keys": "a"})
	errNo := errors.New("no")
	if err := Edit(filepath.Join(dir, "keys"), func([]byte, bool) ([]byte, error) { return nil, errNo }); !errors.Is(err, errNo) {
		t.Errorf("error %v", err)
	}
	if err := Edit(filepath.Join(dir, "new"), func(_ []byte, found bool) ([]byte, error) {
		if found {
			t.Error("a file that is not there is found")
		}
		return nil, errNo
	}); !errors.Is(err, errNo) {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || clitest.ReadFile(t, filepath.Join(dir, "keys")) != "a" {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
