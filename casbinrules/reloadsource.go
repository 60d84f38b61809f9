package casbinrules

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"

	"github.com/sallyport-go/sallyport/core/watch"
)

// policySuffix is how the names of policy files in a directory end.
const policySuffix = ".csv"

// sources say where model and policy come from, so that they can be read
// again.
type sources struct {
	fsys     fs.FS // nil for the operating system's files
	model    Model
	policies []string
	options  []watch.Option
	rows     func(model string) ([][]string, error) // in place of policies, or nil
	casbin   bridge.Casbin                          // that rows are loaded for
}

// contents are model and policy files as they were at one moment.
type contents struct {
	model    Model // with its text
	policies []watch.File
	read     watch.Snapshot // what they were taken from; zero with an fs.FS
	// adapted says that the rules are rows, which policies shows as a file.
	adapted bool
	rows    [][]string
	sum     string // what hash has found
}

// paths are the files and directories of the operating system to be read.
func (s *sources) paths() []string {
	if s.model.file {
		return append([]string{s.model.name}, s.policies...)
	}
	return s.policies
}

// check refuses sources that nothing can be read from.
func (s *sources) check() error {
	if s.model.name == "" {
		return errors.New("no model: use ModelFile, ModelText or a ready one such as RBAC()")
	}
	if len(s.policies) == 0 && s.rows == nil {
		return errors.New("no policy file is given")
	}
	return nil
}

// checkWatching refuses to watch what cannot be watched.
func (s *sources) checkWatching(c *config) error {
	_, onHost := s.fsys.(hostFS)
	switch {
	case c.watching && s.rows != nil:
		return errors.New("watch: the policy is in no file: use WithWatcher, or call Reload when it changes")
	case c.watching && !onHost:
		return errors.New("watch: only files of the operating system can be watched: use Open, or call Reload when they change")
	case c.updates != nil && s.rows == nil:
		return errors.New("watcher: it tells of changes of an adapter: use FromAdapter, or WithFileWatch for files")
	}
	return nil
}

// read reads all files in one state.
func (s *sources) read() (*contents, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.rows != nil {
		return s.readRows()
	}
	if _, ok := s.fsys.(hostFS); !ok {
		return s.readFS()
	}
	got, err := watch.Read(s.paths(), s.watchOptions()...)
	if err != nil {
		return nil, readError(err, s.paths())
	}
	return s.take(got)
}

// readError is the error of watch.Read in the words of one who may watch nothing,
// and names the file that was given before all.
func readError(err error, paths []string) error {
	for _, name := range paths {
		var at *fs.PathError
		if _, statErr := os.Stat(name); errors.As(statErr, &at) && errors.Is(err, at.Err) {
			return fmt.Errorf("read %s: %w", name, at.Err)
		}
	}
	if inner := errors.Unwrap(err); inner != nil && err.Error() == "watch: "+inner.Error() {
		return inner
	}
	return err
}

func (s *sources) watchOptions() []watch.Option {
	return append(slices.Clone(s.options), watch.WithSuffixes(policySuffix))
}

// take sorts out what was read: the model first, where it is a file.
func (s *sources) take(got watch.Snapshot) (*contents, error) {
	in := &contents{model: s.model, policies: got.Files, read: got}
	if s.model.file {
		if len(got.Files) == 0 || got.Files[0].Name != s.model.name {
			return nil, fmt.Errorf("read model: %s is a directory; name the file", s.model.name)
		}
		in.model.text = string(got.Files[0].Content)
		in.policies = got.Files[1:]
	}
	for _, name := range s.policies {
		if !slices.ContainsFunc(in.policies, func(f watch.File) bool { return f.Name == name || filepath.Dir(f.Name) == filepath.Clean(name) }) {
			return nil, fmt.Errorf("read policy: directory %s holds no %s file", name, policySuffix)
		}
	}
	return in, nil
}

// readTries is how often the files of an fs.FS that change meanwhile are read.
const readTries = 4

// readFS reads the files of an fs.FS until two readings agree, since it tells
// nothing else about changes.
func (s *sources) readFS() (*contents, error) {
	before, err := s.readFSOnce()
	if err != nil {
		return nil, err
	}
	for range readTries {
		after, err := s.readFSOnce()
		if err != nil {
			return nil, err
		}
		if after.equal(before) {
			return after, nil
		}
		before = after
	}
	return nil, watch.ErrChanging
}

func (s *sources) readFSOnce() (*contents, error) {
	m, err := s.model.read(s.fsys)
	if err != nil {
		return nil, err
	}
	names, err := policyFiles(s.fsys, s.policies)
	if err != nil {
		return nil, err
	}
	in := &contents{model: m}
	for _, name := range names {
		data, err := fs.ReadFile(s.fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		in.policies = append(in.policies, watch.File{Name: name, Content: data})
	}
	return in, nil
}

// policyFiles lists the files of an fs.FS meant by policies.
func policyFiles(fsys fs.FS, policies []string) ([]string, error) {
	var files []string
	for _, name := range policies {
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		entries, err := fs.ReadDir(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		before := len(files)
		for _, e := range entries {
			if !e.IsDir() && strings.HasSuffix(e.Name(), policySuffix) && e.Name()[0] != '.' {
				files = append(files, path.Join(name, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("read policy: directory %s holds no %s file", name, policySuffix)
		}
	}
	return files, nil
}

// names are the names of the policy files.
func (in *contents) names() []string {
	names := make([]string, len(in.policies))
	for i, f := range in.policies {
		names[i] = f.Name
	}
	return names
}

func (in *contents) equal(other *contents) bool {
	return in.model == other.model && slices.EqualFunc(in.policies, other.policies, func(a, b watch.File) bool {
		return a.Name == b.Name && bytes.Equal(a.Content, b.Content)
	})
}

// hash sums up model and policies. Of a name only its last part counts, as in
// the places of rules, so that the same files have the same hash wherever they
// are mounted. Lengths go first, so that no two sets of files run together into
// the same bytes. It is summed up once, and not by several goroutines.
func (in *contents) hash() string {
	if in.sum != "" {
		return in.sum
	}
	h := sha256.New()
	part := func(b []byte) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b)))) // never fails
		_, _ = h.Write(b)
	}
	part([]byte(in.model.text))
	for _, f := range in.policies {
		part([]byte(filepath.Base(f.Name)))
		part(f.Content)
	}
	in.sum = hex.EncodeToString(h.Sum(nil))
	return in.sum
}
