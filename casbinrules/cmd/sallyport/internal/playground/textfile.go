package playground

import (
	"io/fs"
	"strings"
	"time"
)

// textFiles is a file system in memory: texts by file name.
type textFiles map[string]string

// Open implements fs.FS.
func (f textFiles) Open(name string) (fs.File, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return openText{strings.NewReader(text), textFile{name, text}}, nil
}

type textFile struct{ name, text string }

type openText struct {
	*strings.Reader
	file textFile
}

func (o openText) Stat() (fs.FileInfo, error) { return textInfo(o.file), nil }
func (openText) Close() error                 { return nil }

type textInfo textFile

func (i textInfo) Name() string     { return i.name }
func (i textInfo) Size() int64      { return int64(len(i.text)) }
func (textInfo) Mode() fs.FileMode  { return 0o400 }
func (textInfo) ModTime() time.Time { return time.Time{} }
func (textInfo) IsDir() bool        { return false }
func (textInfo) Sys() any           { return nil }
