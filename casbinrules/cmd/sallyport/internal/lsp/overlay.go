package lsp

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/memfile"
)

// overlay is the file system of the workspace, with open documents in place of files on
// disk. File names are ordinary paths, which os.DirFS would reject. A file outside the
// workspace is not read, even if a configuration or a symbolic link inside it refers to
// one.
type overlay struct {
	docs map[string]*document
	// roots are the files and directories that may be read, with symbolic links resolved.
	roots []string
}

// files returns the files that may be read: those in the workspace folders, beside open
// documents, or named in the settings.
func (v *view) files() overlay {
	named := slices.Clone(v.dirs)
	for path := range v.docs {
		named = append(named, filepath.Dir(path))
	}
	set := append([]string{v.settings.Model, v.settings.Routes}, v.settings.Policy...)
	if v.settings.Model == "" && len(v.settings.Policy) > 0 { // the model is beside the policy
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

// with returns o with a document in place of the named file.
func (o overlay) with(name string, d *document) overlay {
	o.docs = maps.Clone(o.docs)
	o.docs[name] = d
	return o
}

// inside returns an error for a file outside the workspace after symbolic links are
// resolved.
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

// maxFile is the maximum size of a file that is read, in bytes.
const maxFile = 64 << 20

// readFile reads a regular file of at most maxFile bytes. Devices and pipes are rejected
// because they may never end.
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
		return memfile.Open(filepath.Base(d.path), []byte(d.content())), nil
	}
	text, err := o.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return memfile.Open(filepath.Base(name), text), nil
}

// Stat implements fs.StatFS.
func (o overlay) Stat(name string) (fs.FileInfo, error) {
	if d := o.docs[filepath.Clean(name)]; d != nil {
		return memfile.Info{Base: filepath.Base(d.path), Length: len(d.content())}, nil
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

// ReadDir implements fs.ReadDirFS. Its result includes open documents that were never
// saved.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	var entries []fs.DirEntry
	err := o.inside(name)
	if err == nil {
		entries, err = os.ReadDir(name)
	}
	for path := range o.docs {
		base := filepath.Base(path)
		if filepath.Dir(path) == filepath.Clean(name) && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == base }) {
			entries = append(entries, fs.FileInfoToDirEntry(memfile.Info{Base: base}))
			err = nil
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}
