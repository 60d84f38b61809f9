package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Staged is a file that is written beside its final place.
type Staged struct {
	root       *os.Root
	temp, name string
}

// Stage writes a file of root beside its final place, with the mode and the owner of the
// existing file, or the mode fresh if there is none.
func Stage(root *os.Root, name string, fresh fs.FileMode, content []byte) (*Staged, error) {
	dir, base := placeOf(root, name)
	s := &Staged{root: root, name: dir + base}
	info, err := root.Stat(s.name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", s.name)
	case errors.Is(err, fs.ErrNotExist):
		err = root.MkdirAll(cmp.Or(dir, "."), 0o755)
	}
	if err != nil {
		return nil, err
	}
	sweep(root, dir, base)
	s.temp = dir + tempName(base)
	w, err := root.OpenFile(s.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fresh)
	if err != nil {
		return nil, err
	}
	if err = fill(w, info, content); err != nil {
		return nil, errors.Join(err, s.Discard())
	}
	return s, nil
}

// Place puts the file in its place.
func (s *Staged) Place() error {
	err := s.root.Rename(s.temp, s.name)
	if err == nil {
		s.temp = ""
	}
	return err
}

// Discard removes the file, unless it is in its place.
func (s *Staged) Discard() error {
	if s.temp == "" {
		return nil
	}
	return s.root.Remove(s.temp)
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
