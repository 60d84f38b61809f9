package source

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// File is one named file.
type File struct {
	// Name is a slash-separated relative path in its shortest form, such as
	// "policy.csv" or "teams/sales.csv".
	Name    string `json:"name"`
	Content []byte `json:"content"`
}

// Content is all files of one revision. It is immutable once it was handed on.
type Content struct {
	Revision Revision `json:"revision"`
	// Files are in order of their names.
	Files []File `json:"files"`
	// Proof is what a [Verifier] proves revision and files by, such as signatures;
	// nil for sources that need none. It does not count for the hash.
	Proof []byte `json:"proof,omitempty"`

	summed *summed // nil unless Edits have found out the hash
}

// Limits of what a source may hold.
const (
	// MaxFiles is how many files there may be.
	MaxFiles = 1000
	// MaxSize is how many bytes all files may have together.
	MaxSize = 256 << 20
)

// NewContent is the content of a revision, with files in order. It refuses names
// and sizes that [Store.Publish] refuses, so that nobody who can write to a
// store can make instances take more than that.
func NewContent(r Revision, files []File) (*Content, error) {
	if err := checkFiles(files); err != nil {
		return nil, err
	}
	return &Content{Revision: r, Files: sorted(files)}, nil
}

// File is the content of a file.
func (c *Content) File(name string) (content []byte, found bool) {
	i, found := slices.BinarySearchFunc(c.Files, name, func(f File, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return nil, false
	}
	return c.Files[i].Content, true
}

// Hash is the SHA-256 of names and contents in lower-case hexadecimal. The
// revision does not count.
func (c *Content) Hash() string { return HashFiles(c.Files) }

// HashFiles is the hash that [Content.Hash] gives files, in any order.
func HashFiles(files []File) string {
	h := sha256.New()
	part := func(b []byte) {
		// Lengths go first, so that no two sets of files are the same bytes.
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b)))) // never fails
		_, _ = h.Write(b)
	}
	for _, f := range sorted(files) {
		part([]byte(f.Name))
		part(f.Content)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sorted(files []File) []File {
	byName := func(a, b File) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(files, byName) {
		files = slices.SortedFunc(slices.Values(files), byName)
	}
	return files
}

// checkFiles refuses files that a source may not hold.
func checkFiles(files []File) error {
	switch {
	case len(files) == 0:
		return errors.New("there is no file")
	case len(files) > MaxFiles:
		return fmt.Errorf("there are %d files, and at most %d are allowed", len(files), MaxFiles)
	}
	size := 0
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		if err := checkName(f.Name); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("file %q is there twice", f.Name)
		}
		seen[f.Name] = true
		if size += len(f.Content); size > MaxSize {
			return fmt.Errorf("the files have more than %d bytes together", MaxSize)
		}
	}
	return nil
}

// checkName refuses what is not the name of a file below a folder, on any
// operating system.
func checkName(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == ':' || r == 0xfffd }
	if name == "" || len(name) > 255 || path.Clean(name) != name || path.IsAbs(name) || name == "." || strings.HasPrefix(name, "..") || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%q is not a file name: want a relative path with slashes, such as teams/sales.csv", name)
	}
	// Tools run what they find in files such as .git/config and .envrc.
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return fmt.Errorf("%q is not a file name: no part of it may begin with a dot, or end with a dot or a space", name)
		}
	}
	return nil
}
