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

	summed *summed // what is known of Files; nil until their hash was found out
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

// Hash is that of [HashFiles]. The revision does not count.
func (c *Content) Hash() string { return HashFiles(c.Files) }

// HashFiles is the SHA-256, in lower-case hexadecimal, of the names and the sums of files
// in order of their names: of each the length of the name in eight bytes, the highest
// first, the name, and the 32 bytes of its [SumFile].
func HashFiles(files []File) string {
	files = sorted(files)
	sums := make([]Sum, len(files))
	for i, f := range files {
		sums[i] = SumFile(f.Content, nil)
	}
	return hashOf(files, sums)
}

// hashOf is the hash of files in order that have these sums.
func hashOf(files []File, sums []Sum) string {
	h := sha256.New()
	for i, f := range files {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f.Name)))) // never fails
		_, _ = h.Write([]byte(f.Name))
		_, _ = h.Write(sums[i][:])
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
