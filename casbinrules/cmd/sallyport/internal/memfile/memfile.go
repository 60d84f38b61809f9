// Package memfile opens texts as files, for file systems that are not on disk.
package memfile

import (
	"bytes"
	"io/fs"
	"time"
)

// Open returns a file with this content, ready to be read.
func Open(name string, content []byte) fs.File {
	return file{bytes.NewReader(content), Info{name, len(content)}}
}

type file struct {
	*bytes.Reader
	info Info
}

func (f file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (file) Close() error                 { return nil }

// Info describes a file by its name and its size in bytes.
type Info struct {
	Base   string
	Length int
}

func (i Info) Name() string     { return i.Base }
func (i Info) Size() int64      { return int64(i.Length) }
func (Info) Mode() fs.FileMode  { return 0o400 }
func (Info) ModTime() time.Time { return time.Time{} }
func (Info) IsDir() bool        { return false }
func (Info) Sys() any           { return nil }
