package reload_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The two policies give the roles and the rules crosswise: by either of them
// ann enters left and not right, and bob right and not left. Roles of one with
// rules of the other would turn all four around.
const (
	straight = `# straight
g, ann, even
g, bob, odd
p, even, /left,  GET
p, odd,  /right, GET
p, even, /hall,  GET
`
	crossed = `# crossed
g, ann, odd
g, bob, even
p, odd,  /left,  GET
p, even, /right, GET
p, even, /hall,  GET
`
)

// broken are policies that are no good, each in its own way.
var broken = []string{
	"",
	"p, even, /left\n",
	"p, even, /left, GET # for now\n",
	straight + "p, ann, \"/right, GET\n",
	crossed + "g, even, odd\ng, odd, even\n",
	"\xff\xfep\x00",
	straight + "q, ann, /right, GET\n",
}

// style is a way to change a file.
type style struct {
	name string
	edit func(file, text string) error
}

var styles = []style{
	{"rename over", func(file, text string) error {
		if err := write(file+".new", text); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}},
	{"truncate and write", write},
	{"write twice", func(file, text string) error {
		if err := write(file, text); err != nil {
			return err
		}
		return write(file, text+"# saved\n")
	}},
	{"delete and recreate", func(file, text string) error {
		if err := os.Remove(file); err != nil {
			return err
		}
		return write(file, text)
	}},
	{"half-written", func(file, text string) error {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		// The half ends within a rule, as a half does.
		half := max(strings.LastIndexByte(text, '/'), 0)
		for _, part := range []string{text[:half], text[half:]} {
			if _, err := f.WriteString(part); err != nil {
				return err
			}
		}
		return f.Close()
	}},
	{"swap a link", func(file, text string) error {
		// As a ConfigMap does: file links to ..data, which comes to link to
		// another directory.
		dir := filepath.Dir(file)
		state, err := os.MkdirTemp(dir, "..state")
		if err != nil {
			return err
		}
		if err := write(filepath.Join(state, "policy.csv"), text); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Base(state), filepath.Join(dir, "..tmp")); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join("..data", "policy.csv"), file+".link"); err != nil {
			return err
		}
		return os.Rename(file+".link", file)
	}},
}

func write(file, text string) error { return os.WriteFile(file, []byte(text), 0o600) }

func TestStylesWriteWhatTheyAreGiven(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.csv")
	if err := write(file, ""); err != nil {
		t.Fatal(err)
	}
	for i, s := range styles {
		text := fmt.Sprintf("p, u, /%d, GET\n", i)
		if err := s.edit(file, text); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if got, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(got), text) {
			t.Errorf("%s: %q, %v", s.name, got, err)
		}
	}
}
