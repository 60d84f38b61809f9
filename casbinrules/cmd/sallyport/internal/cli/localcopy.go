package cli

import (
	"cmp"
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
	return editFile(filepath.Join(dir, localName), func([]byte, bool) ([]byte, error) { return append(text, '\n'), nil })
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
	staged := map[string]string{} // temporary files by final name
	defer func() {
		for _, temp := range staged {
			err = errors.Join(err, root.Remove(temp))
		}
	}()
	for _, f := range c.Files {
		if staged[f.Name], err = stage(root, f); err != nil {
			delete(staged, f.Name)
			return err
		}
	}
	for _, f := range c.Files {
		dir, base := placeOf(root, f.Name)
		if err := root.Rename(staged[f.Name], dir+base); err != nil {
			return err
		}
		delete(staged, f.Name)
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

// placeOf returns where to put a file of a directory: the target of a symbolic link, if
// there is one. The path is not cleaned, because ".." in a link means the parent of the
// directory that holds the link, which may itself be reached through a link.
func placeOf(root *os.Root, name string) (dir, base string) {
	dir, base = filepath.Split(filepath.FromSlash(name))
	for range 40 {
		to, err := root.Readlink(dir + base)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = dir + to
		}
		dir, base = filepath.Split(to)
	}
	return dir, base
}

// stage writes a file beside its final place, with the mode and the owner of the
// existing file.
func stage(root *os.Root, f shared.File) (temp string, err error) {
	dir, base := placeOf(root, f.Name)
	name := dir + base
	info, err := root.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", name)
	case errors.Is(err, fs.ErrNotExist):
		err = root.MkdirAll(cmp.Or(dir, "."), 0o755)
	}
	if err != nil {
		return "", err
	}
	mode := fs.FileMode(0o600) // it may contain hashes of secrets
	if isPolicyFile(f.Name) {
		mode = 0o644
	}
	sweep(root, dir, base)
	temp = dir + tempName(base)
	w, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = w.Write(f.Content)
	if err == nil && info != nil {
		if err = keepOwner(w, info); err == nil {
			err = w.Chmod(info.Mode().Perm())
		}
	}
	if err = errors.Join(err, w.Sync(), w.Close()); err != nil {
		return "", errors.Join(err, root.Remove(temp))
	}
	return temp, nil
}

// isPolicyFile reports whether a file is a model, a policy, or tests of one.
func isPolicyFile(name string) bool {
	return slices.Contains([]string{".csv", ".conf", ".tests"}, filepath.Ext(name))
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
