package watch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// maxFiles bounds the work that one directory can cause.
	maxFiles = 10_000
	// readTries is how often files are read if they change while being read.
	readTries = 4
)

// reading is a file with its metadata when it was read.
type reading struct {
	source
	info    fs.FileInfo
	content []byte
}

// part is how many bytes are read, or hashed, without a pause: some hundred microseconds
// of work.
const part = 512 << 10

// rest is the pause of a load beside requests: the processor serves those that have come
// meanwhile, which it would not look for if the goroutine only yielded.
func rest() { time.Sleep(300 * time.Microsecond) }

// load reads all files in one state. It checks all of them again after reading the last
// one, so that a model is never combined with the policy of a later state. It calls pause
// after each part of a large file.
func (c *config) load(pause func()) (Snapshot, error) {
	var err error
	for range readTries {
		var all []reading
		if all, err = c.readAll(pause); err == nil {
			if err = c.unchanged(all); err == nil {
				return snapshot(all, pause), nil
			}
		}
		// A file of a directory may go between being listed and being read.
		if !errors.Is(err, ErrChanging) && !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return Snapshot{}, fmt.Errorf("watch: %w", err)
}

func snapshot(all []reading, pause func()) Snapshot {
	files := make([]File, len(all))
	for i, r := range all {
		files[i] = File{Name: r.name, Content: r.content}
	}
	return Snapshot{Files: files, Hash: hash(files, pause)}
}

func (c *config) readAll(pause func()) ([]reading, error) {
	files, err := c.list()
	if err != nil {
		return nil, err
	}
	all := make([]reading, 0, len(files))
	left := c.maxTotal
	for _, file := range files {
		r, err := readFile(file, c.maxFile, pause)
		if err != nil {
			return nil, err
		}
		if left -= int64(len(r.content)); left < 0 {
			return nil, fmt.Errorf("%s: with it the files have more than %d bytes in total: split them or allow more", file.name, c.maxTotal)
		}
		all = append(all, r)
	}
	return all, nil
}

// list returns the files that the paths stand for.
func (c *config) list() ([]source, error) {
	var files []source
	seen := make(map[string]bool)
	add := func(s source) error {
		if seen[s.abs] {
			return fmt.Errorf("%s is given by itself and by its directory: remove one of the two", s.name)
		}
		if len(files) == maxFiles {
			return fmt.Errorf("%s: contains more than %d files", s.name, maxFiles)
		}
		seen[s.abs] = true
		files = append(files, s)
		return nil
	}
	for _, path := range c.paths {
		found, err := c.expand(path)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if err := add(s); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// expand returns the files in a directory that are to be read.
func (c *config) expand(path source) ([]source, error) {
	info, err := os.Stat(path.abs)
	if err != nil {
		return nil, named(path, err)
	}
	if !info.IsDir() {
		return []source{path}, nil
	}
	if len(c.suffixes) == 0 {
		return nil, fmt.Errorf("%s is a directory: choose its files with WithSuffixes", path.name)
	}
	entries, err := os.ReadDir(path.abs) // sorted by name
	if err != nil {
		return nil, named(path, err)
	}
	var files []source
	for _, e := range entries {
		if !c.counts(e.Name()) {
			continue
		}
		s := source{filepath.Join(path.name, e.Name()), filepath.Join(path.abs, e.Name())}
		if info, err := os.Stat(s.abs); err == nil && info.IsDir() {
			continue
		}
		if c.misspelt(e.Name()) {
			return nil, fmt.Errorf("%s: only names that end in %s are read, in these letters: rename it or remove it", s.name, strings.Join(c.suffixes, " or "))
		}
		files = append(files, s)
	}
	return files, nil
}

// readFile reads one file and fails if the file changes meanwhile.
func readFile(s source, limit int64, pause func()) (reading, error) {
	// To open a device may have effects, so check first.
	if info, err := os.Stat(s.abs); err != nil {
		return reading{}, named(s, err)
	} else if !info.Mode().IsRegular() {
		return reading{}, irregular(s)
	}
	return readOpen(s, limit, pause)
}

// readOpen is readFile for what was a regular file a moment ago.
func readOpen(s source, limit int64, pause func()) (reading, error) {
	f, err := open(s.abs)
	if err != nil {
		return reading{}, named(s, err)
	}
	defer func() { _ = f.Close() }() // only read
	before, err := f.Stat()
	if err != nil {
		return reading{}, named(s, err)
	}
	if !before.Mode().IsRegular() {
		return reading{}, irregular(s)
	}
	if before.Size() > limit {
		return reading{}, tooLarge(s, limit)
	}
	content, err := readUpTo(inParts{f, pause}, before.Size(), limit)
	if err != nil {
		return reading{}, named(s, err)
	}
	if int64(len(content)) > limit {
		return reading{}, tooLarge(s, limit)
	}
	after, err := f.Stat()
	if err != nil {
		return reading{}, named(s, err)
	}
	if !whole(before, after, len(content)) {
		return reading{}, fmt.Errorf("%s: %w", s.name, ErrChanging)
	}
	return reading{s, after, content}, nil
}

// inParts reads at most a part at a time.
type inParts struct {
	io.Reader
	pause func()
}

func (r inParts) Read(room []byte) (int, error) {
	n, err := r.Reader.Read(room[:min(len(room), part)])
	if n == part {
		r.pause()
	}
	return n, err
}

// readUpTo reads r to its end, but at most one byte more than limit. It expects size
// bytes.
func readUpTo(r io.Reader, size, limit int64) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	return buf.Bytes(), err
}

// unchanged fails if the paths now stand for other files.
func (c *config) unchanged(all []reading) error {
	files, err := c.list()
	if err != nil {
		return err
	}
	if len(files) != len(all) {
		return ErrChanging
	}
	for i, r := range all {
		if files[i] != r.source {
			return fmt.Errorf("%s: %w", files[i].name, ErrChanging)
		}
		info, err := os.Stat(r.abs)
		if err != nil {
			return named(r.source, err)
		}
		if !os.SameFile(info, r.info) || !same(info, r.info) {
			return fmt.Errorf("%s: %w", r.name, ErrChanging)
		}
	}
	return nil
}

// whole reports whether n bytes, read between two looks at a file's metadata, are its
// whole content. The time of modification alone does not tell, since it is coarse. Files
// that the kernel generates, as in /proc, claim to be empty.
func whole(before, after fs.FileInfo, n int) bool {
	return same(before, after) && (before.Size() == 0 || before.Size() == int64(n))
}

func same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func irregular(s source) error { return fmt.Errorf("%s: is not a regular file", s.name) }

func tooLarge(s source, limit int64) error {
	return fmt.Errorf("%s: larger than %d bytes; split it or allow more", s.name, limit)
}

// named adds the path, as the caller knows it, to err.
func named(s source, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = fmt.Errorf("%s: %w", pathErr.Op, pathErr.Err)
	}
	return fmt.Errorf("%s: %w", s.name, err)
}
