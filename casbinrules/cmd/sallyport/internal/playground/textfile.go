package playground

import (
	"io/fs"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/memfile"
)

// textFiles is a file system in memory: texts by file name.
type textFiles map[string]string

// Open implements fs.FS.
func (f textFiles) Open(name string) (fs.File, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return memfile.Open(name, []byte(text)), nil
}
