package stores

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	shared "github.com/sallyport-go/sallyport/core/source"
)

// localName is the file that records from which revision the files of a directory come.
const localName = ".sallyport-revision.json"

// localCopy is the content of that file.
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

// readLocalCopy reads from which revision a directory comes; nil if that is not known.
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
	return atomicfile.Edit(filepath.Join(dir, localName), func([]byte, bool) ([]byte, error) { return append(text, '\n'), nil })
}

// changed returns the files that have changed since they were pulled or pushed.
func (l *localCopy) changed(dir string) ([]string, error) {
	var names []string
	for name, was := range l.Files {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a missing file cannot be lost
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

// pull writes content into a directory. If files there were edited, or existed
// before, it writes nothing at all unless force is set. Each file is put in place
// in one step, once all of them are written.
func pull(dir string, before *localCopy, c *shared.Content, force bool) (err error) {
	if !force {
		if err := checkOverwrite(dir, before, c); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(dir) // no name leads out of it, not even by links
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	var files []*atomicfile.Staged
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.Discard())
		}
	}()
	for _, f := range c.Files {
		mode := fs.FileMode(0o600) // it may contain hashes of secrets
		if policyfile.IsPolicyFile(f.Name) {
			mode = 0o644
		}
		one, err := atomicfile.Stage(root, f.Name, mode, f.Content)
		if err != nil {
			return err
		}
		files = append(files, one)
	}
	for _, f := range files {
		if err := f.Place(); err != nil {
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

// checkOverwrite returns an error if edits would be lost. A file that already has the new
// content, as after an interrupted pull, has no edits.
func checkOverwrite(dir string, before *localCopy, c *shared.Content) error {
	known := map[string][]string{} // the sums of what the store holds, by name
	if before != nil {
		for name, was := range before.Files {
			known[name] = append(known[name], was)
		}
	}
	for _, f := range c.Files {
		known[f.Name] = append(known[f.Name], sum(f.Content))
	}
	var edited []string
	for _, name := range slices.Sorted(maps.Keys(known)) {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case errors.Is(err, fs.ErrNotExist): // a missing file cannot be lost
		case err != nil:
			return err
		case !slices.Contains(known[name], sum(text)):
			edited = append(edited, name)
		}
	}
	if len(edited) > 0 {
		return fmt.Errorf("%s would be overwritten, and has changes that are not in the store: push or move it first, or give --force", strings.Join(edited, ", "))
	}
	return nil
}
