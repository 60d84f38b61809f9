package lsp

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// overlay is the files of the disk, with what the editor has in place of those
// that are open. Its names are paths, which os.DirFS would not take.
type overlay map[string]*document

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	if d := o[filepath.Clean(name)]; d != nil {
		text := []byte(d.content())
		return &openFile{Reader: bytes.NewReader(text), info: openInfo{filepath.Base(d.path), int64(len(text))}}, nil
	}
	return os.Open(name)
}

// ReadFile implements fs.ReadFileFS.
func (o overlay) ReadFile(name string) ([]byte, error) {
	if d := o[filepath.Clean(name)]; d != nil {
		return []byte(d.content()), nil
	}
	return os.ReadFile(name)
}

// ReadDir implements fs.ReadDirFS. What is open and not saved yet is in it.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(name)
	for path := range o {
		base := filepath.Base(path)
		if filepath.Dir(path) == filepath.Clean(name) && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == base }) {
			entries = append(entries, fs.FileInfoToDirEntry(openInfo{base, 0}))
			err = nil
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) })
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
