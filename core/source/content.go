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

// Content holds all files of one revision. It is immutable once it is shared.
type Content struct {
	Revision Revision `json:"revision"`
	// Files are sorted by name.
	Files []File `json:"files"`
	// Proof proves revision and files to a [Verifier], for instance by signatures;
	// nil for sources that need none. It is not part of the hash.
	Proof []byte `json:"proof,omitempty"`

	summed *summed // the hash and sums of Files; nil until computed
}

// Limits on the content of a source.
const (
	// MaxFiles is the maximum number of files.
	MaxFiles = 1000
	// MaxSize is the maximum size of all files together in bytes.
	MaxSize = 256 << 20
)

// NewContent returns the content of a revision, with files sorted. It refuses names
// and sizes that [Store.Publish] refuses, so that nobody with write access to a
// store can make instances load more than that.
func NewContent(r Revision, files []File) (*Content, error) {
	if err := checkFiles(files); err != nil {
		return nil, err
	}
	return &Content{Revision: r, Files: sorted(files)}, nil
}

// File returns the content of the named file.
func (c *Content) File(name string) (content []byte, found bool) {
	i, found := slices.BinarySearchFunc(c.Files, name, func(f File, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return nil, false
	}
	return c.Files[i].Content, true
}

// Hash returns the hash of the files by [HashFiles]. The revision is not part of
// it.
func (c *Content) Hash() string { return HashFiles(c.Files) }

// HashFiles returns the SHA-256, in lower-case hexadecimal, of the names and sums
// of files, sorted by name: for each the length of the name in eight bytes,
// big-endian, the name, and the 32 bytes of its [SumFile].
func HashFiles(files []File) string {
	files = sorted(files)
	sums := make([]Sum, len(files))
	for i, f := range files {
		sums[i] = SumFile(f.Content, nil)
	}
	return hashOf(files, sums)
}

// hashOf returns the hash of sorted files with these sums.
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

// checkFiles returns an error for files that a source must not hold.
func checkFiles(files []File) error {
	switch {
	case len(files) == 0:
		return errors.New("there are no files")
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
			return fmt.Errorf("file %q is given twice", f.Name)
		}
		seen[f.Name] = true
		if size += len(f.Content); size > MaxSize {
			return fmt.Errorf("the files have more than %d bytes together", MaxSize)
		}
	}
	return nil
}

// checkName returns an error for anything but the name of a file below a directory, on
// any operating system.
func checkName(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == ':' || r == 0xfffd }
	if name == "" || len(name) > 255 || path.Clean(name) != name || path.IsAbs(name) || name == "." || strings.HasPrefix(name, "..") || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%q is not a file name: want a relative path with slashes, such as teams/sales.csv", name)
	}
	// Some tools execute what they find in files such as .git/config and .envrc.
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return fmt.Errorf("%q is not a file name: no part of it may begin with a dot, or end with a dot or a space", name)
		}
	}
	return nil
}
