package watch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
)

// ErrChanging means that the files were being written each time they were read, so
// that the result may mix several states. A later attempt may succeed.
var ErrChanging = errors.New("the files keep changing while they are read")

// File is one file that was read.
type File struct {
	// Name is the given path, or for a file in a directory that path joined with
	// the file's name.
	Name string
	// Content is the whole file. The receiver may keep it.
	Content []byte
}

// Snapshot is the state of all watched files at one moment.
type Snapshot struct {
	// Files are in the order in which the paths were given, those of one
	// directory sorted by name.
	Files []File
	// Hash is the SHA-256 of all names and contents, in lower-case
	// hexadecimal. Snapshots with the same hash hold the same files.
	Hash string
}

// ended returns the length of each file that ends with a line break.
func (s Snapshot) ended() map[string]int {
	sizes := make(map[string]int)
	for _, f := range s.Files {
		if bytes.HasSuffix(f.Content, lineBreak) {
			sizes[f.Name] = len(f.Content)
		}
	}
	return sizes
}

// cutOff reports whether a file has become shorter than it was, according to ended, and
// lacks the line break that it had at its end, as a file does while it is being written.
// Part of a line may mean something else than the whole, and lines that are still missing
// may be those that deny or revoke.
func (s Snapshot) cutOff(ended map[string]int) bool {
	return slices.ContainsFunc(s.Files, func(f File) bool {
		return len(f.Content) < ended[f.Name] && !bytes.HasSuffix(f.Content, lineBreak)
	})
}

var lineBreak = []byte("\n")

// Read reads paths once, in the same way as a [Watcher]. A directory stands for the
// files in it that [WithSuffixes] allows. Options for watching have no effect.
//
// All files are read completely. If one of them changes meanwhile they are read
// again, a few times at most; then the error is [ErrChanging]. Other errors name
// the path that is missing, unreadable, too large or not a regular file, and wrap
// the cause, such as [io/fs.ErrNotExist].
func Read(paths []string, opts ...Option) (Snapshot, error) {
	c, err := newConfig(paths, opts)
	if err != nil {
		return Snapshot{}, fmt.Errorf("watch: %w", err)
	}
	return c.load(runtime.Gosched)
}

// hash returns the hash of names and contents. Each is preceded by its length, so that no
// two sets of files result in the same bytes. It calls pause after each part of a
// large file.
func hash(files []File, pause func()) string {
	h := sha256.New()
	size := func(n int) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) // never fails
	}
	for _, f := range files {
		size(len(f.Name))
		_, _ = h.Write([]byte(f.Name))
		size(len(f.Content))
		for some := range slices.Chunk(f.Content, part) {
			if _, _ = h.Write(some); len(some) == part {
				pause()
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
