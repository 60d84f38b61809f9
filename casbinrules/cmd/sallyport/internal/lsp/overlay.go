package lsp

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// overlay is the files of the workspace, with what the editor has in place of those
// that are open. Its names are paths, which os.DirFS would not take. What a
// configuration or a link in the workspace names outside of it is not read.
type overlay struct {
	docs map[string]*document
	// roots are the folders and files that may be read, without links.
	roots []string
}

// files are those that may be read: in the folders of the workspace, beside open
// documents, and what the settings name.
func (v *view) files() overlay {
	named := slices.Clone(v.dirs)
	for path := range v.docs {
		named = append(named, filepath.Dir(path))
	}
	set := append([]string{v.settings.Model, v.settings.Routes}, v.settings.Policy...)
	if v.settings.Model == "" && len(v.settings.Policy) > 0 { // it is beside the policy
		set = append(set, filepath.Join(filepath.Dir(v.settings.Policy[0]), "model.conf"))
	}
	for _, name := range set {
		switch {
		case name == "":
		case !filepath.IsAbs(name) && len(v.dirs) > 0:
			named = append(named, filepath.Join(v.dirs[0], name))
		default:
			named = append(named, name)
		}
	}
	slices.Sort(named)
	o := overlay{docs: v.docs}
	for _, name := range slices.Compact(named) {
		if abs, err := filepath.Abs(name); err == nil {
			if real, err := filepath.EvalSymlinks(abs); err == nil {
				o.roots = append(o.roots, real)
			}
		}
	}
	return o
}

// with is o with a document in place of a file.
func (o overlay) with(name string, d *document) overlay {
	o.docs = maps.Clone(o.docs)
	o.docs[name] = d
	return o
}

// inside refuses what lies outside the workspace once links are followed.
func (o overlay) inside(name string) error {
	abs, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return err
	}
	for _, root := range o.roots {
		if rest, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(rest) {
			return nil
		}
	}
	return fmt.Errorf("%s is outside the workspace: add its folder, or name it in the settings of the editor", name)
}

// maxFile is how large a file that is read may be, in bytes.
const maxFile = 64 << 20

// readFile reads a regular file of at most maxFile bytes: a device or a pipe may
// never end.
func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return text, err
}

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	if d := o.docs[filepath.Clean(name)]; d != nil {
		text := []byte(d.content())
		return &openFile{Reader: bytes.NewReader(text), info: openInfo{filepath.Base(d.path), int64(len(text))}}, nil
	}
	text, err := o.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{Reader: bytes.NewReader(text), info: openInfo{filepath.Base(name), int64(len(text))}}, nil
}

// Stat implements fs.StatFS.
func (o overlay) Stat(name string) (fs.FileInfo, error) {
	if d := o.docs[filepath.Clean(name)]; d != nil {
		return openInfo{filepath.Base(d.path), int64(len(d.content()))}, nil
	}
	if err := o.inside(name); err != nil {
		return nil, err
	}
	return os.Stat(name)
}

// ReadFile implements fs.ReadFileFS.
func (o overlay) ReadFile(name string) ([]byte, error) {
	if d := o.docs[filepath.Clean(name)]; d != nil {
		return []byte(d.content()), nil
	}
	if err := o.inside(name); err != nil {
		return nil, err
	}
	return readFile(name)
}

// ReadDir implements fs.ReadDirFS. What is open and not saved yet is in it.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	var entries []fs.DirEntry
	err := o.inside(name)
	if err == nil {
		entries, err = os.ReadDir(name)
	}
	for path := range o.docs {
		base := filepath.Base(path)
		if filepath.Dir(path) == filepath.Clean(name) && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == base }) {
			entries = append(entries, fs.FileInfoToDirEntry(openInfo{base, 0}))
			err = nil
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}

// openFile is an open document as a file.
type openFile struct {
	*bytes.Reader
	info openInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

// openInfo describes one.
type openInfo struct {
	name string
	size int64
}

func (i openInfo) Name() string     { return i.name }
func (i openInfo) Size() int64      { return i.size }
func (openInfo) Mode() fs.FileMode  { return 0o600 }
func (openInfo) ModTime() time.Time { return time.Time{} }
func (openInfo) IsDir() bool        { return false }
func (openInfo) Sys() any           { return nil }
