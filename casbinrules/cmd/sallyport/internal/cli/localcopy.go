package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	shared "github.com/sallyport-go/sallyport/core/source"
)

// localName is the file that says which revision the files of a folder were made
// from.
const localName = ".sallyport-revision.json"

// localCopy is what that file holds.
type localCopy struct {
	Set      string            `json:"set"`
	Revision shared.Revision   `json:"revision"`
	Files    map[string]string `json:"files"` // SHA-256 of each
}

func newLocalCopy(set string, c *shared.Content) *localCopy {
	l := &localCopy{set, c.Revision, map[string]string{}}
	for _, f := range c.Files {
		l.Files[f.Name] = sum(f.Content)
	}
	return l
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// readLocalCopy reads what a folder was made from; nil if that is not known.
func readLocalCopy(dir, set string) (*localCopy, error) {
	file := filepath.Join(dir, localName)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var l localCopy
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if l.Set != set {
		return nil, fmt.Errorf("%s is of the set %q, and not of %q: use another folder, or --set %s", file, l.Set, set, l.Set)
	}
	return &l, nil
}

func (l *localCopy) write(dir string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return editFile(filepath.Join(dir, localName), func([]byte, bool) ([]byte, error) { return append(text, '\n'), nil })
}

// changed lists the files that are no longer as they were pulled or pushed.
func (l *localCopy) changed(dir string) ([]string, error) {
	var names []string
	for name, was := range l.Files {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing is lost where nothing is
		}
		if err != nil {
			return nil, err
		}
		if sum(text) != was {
			names = append(names, name)
		}
	}
	return names, nil
}

// pull writes content into a folder. Files that were edited, or were there before,
// stay unless force is set; then nothing is written at all.
func pull(dir string, before *localCopy, c *shared.Content, force bool) error {
	if !force {
		if err := checkOverwrite(dir, before, c); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(dir) // no name leads out of it, whatever links there are
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, f := range c.Files {
		if parent := filepath.Dir(filepath.FromSlash(f.Name)); parent != "." {
			if err := root.MkdirAll(parent, 0o755); err != nil {
				return err
			}
		}
		if err := root.WriteFile(filepath.FromSlash(f.Name), f.Content, modeOf(f.Name)); err != nil {
			return err
		}
	}
	if before == nil {
		return nil
	}
	for name := range before.Files {
		if _, still := c.File(name); !still {
			if err := root.Remove(filepath.FromSlash(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// modeOf keeps what may hold hashes of secrets from others.
func modeOf(name string) fs.FileMode {
	if isPolicyFile(name) {
		return 0o644
	}
	return 0o600
}

// isPolicyFile reports whether a file is a model, a policy, or tests of one.
func isPolicyFile(name string) bool {
	return slices.Contains([]string{".csv", ".conf", ".tests"}, filepath.Ext(name))
}

// checkOverwrite refuses to lose what was edited.
func checkOverwrite(dir string, before *localCopy, c *shared.Content) error {
	var edited []string
	if before != nil {
		var err error
		if edited, err = before.changed(dir); err != nil {
			return err
		}
	}
	for _, f := range c.Files {
		if before != nil && before.Files[f.Name] != "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if sum(text) != sum(f.Content) {
			edited = append(edited, f.Name)
		}
	}
	if len(edited) > 0 {
		return fmt.Errorf("%s would be overwritten, and has changes that are not in the store: push or move it first, or give --force", strings.Join(edited, ", "))
	}
	return nil
}
