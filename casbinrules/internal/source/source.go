// Package source reads a model and its policy in one state, from files or from
// anything that provides rows.
package source

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/core"
	from "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// policySuffix ends the names of policy files in a directory.
const policySuffix = ".csv"

// AdapterFile replaces the file name in the places of rules that come from rows.
const AdapterFile = "adapter"

// Model says where a model comes from.
type Model struct {
	Name string // for findings
	File bool   // Name is the name of a file
	Text string
}

// Read returns m with its text.
func (m Model) Read(fsys fs.FS) (Model, error) {
	if m.Name == "" {
		return m, errNoModel
	}
	if !m.File {
		return m, nil
	}
	text, err := fs.ReadFile(fsys, m.Name)
	if err != nil {
		return m, fmt.Errorf("read model: %w", err)
	}
	m.Text = string(text)
	return m, nil
}

var errNoModel = errors.New("no model: use ModelFile, ModelText or a ready one such as RBAC()")

// Host is the file system of the operating system with its usual paths, which
// os.DirFS does not accept.
type Host struct{}

// Open implements fs.FS.
func (Host) Open(name string) (fs.File, error) { return os.Open(name) }

// Sources say where model and policy come from, so that they can be read again.
type Sources struct {
	FS       fs.FS
	Model    Model
	Policies []string
	Options  []watch.Option
	// Rows loads the policy for the text of a model that Casbin accepts, in place of
	// Policies; nil if there are Policies.
	Rows   func(model string) ([][]string, error)
	Casbin bridge.Casbin
	// Shared reports that model and policies are names in a shared source.
	Shared bool
}

// Contents are model and policy files as they were at one moment.
type Contents struct {
	Model    Model // with its text
	Policies []watch.File
	Snapshot watch.Snapshot // the files they come from; zero with an fs.FS
	// Adapted reports that the rules are Rows, which Policies shows as a file.
	Adapted bool
	Rows    [][]string
	// Revision is that of a shared source; "" for others.
	Revision string
	// fileSum returns the sum of a policy file, if a shared source may know it; else nil.
	fileSum func(policy int, step func()) from.Sum
	// Sums are those of the policy files, if they do not come from a shared source. They
	// are at first those of an earlier policy, or nil, and set by Hash.
	Sums []*from.FileSum
	sum  string // the result of Hash
}

// Paths returns the files and directories of the operating system to be read.
func (s *Sources) Paths() []string {
	if s.Model.File {
		return append([]string{s.Model.Name}, s.Policies...)
	}
	return s.Policies
}

// check returns an error for sources that cannot be read.
func (s *Sources) check() error {
	if s.Model.Name == "" {
		return errNoModel
	}
	if len(s.Policies) == 0 && s.Rows == nil {
		return errors.New("no policy file is given")
	}
	if s.Model.File && strings.Contains(s.Model.Name, "://") {
		return fmt.Errorf("model %s is a URL, and files are read here: fetch it first, or give its text to ModelText", s.Model.Name)
	}
	for _, name := range s.Policies {
		if strings.Contains(name, "://") {
			return fmt.Errorf("policy %s is a URL, and files are read here: fetch it first, or use FromAdapter", name)
		}
	}
	return nil
}

// OnHost reports whether the files are those of the operating system.
func (s *Sources) OnHost() bool {
	_, ok := s.FS.(Host)
	return ok
}

// Read reads all files in one state.
func (s *Sources) Read() (*Contents, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.Rows != nil {
		return s.readRows()
	}
	if !s.OnHost() {
		return s.readFS()
	}
	got, err := watch.Read(s.Paths(), s.WatchOptions()...)
	if err != nil {
		return nil, readError(err, s.Paths())
	}
	return s.Take(got)
}

// readError rewords the error of watch.Read for callers that do not watch files,
// and names the file that was given first.
func readError(err error, paths []string) error {
	for _, name := range paths {
		var at *fs.PathError
		if _, statErr := os.Stat(name); errors.As(statErr, &at) && errors.Is(err, at.Err) {
			if errors.Is(at.Err, fs.ErrNotExist) {
				return fmt.Errorf("read %s: %w: \"sallyport init\" writes one to begin with", name, at.Err)
			}
			return fmt.Errorf("read %s: %w", name, at.Err)
		}
	}
	if inner := errors.Unwrap(err); inner != nil && err.Error() == "watch: "+inner.Error() {
		return inner
	}
	return err
}

// WatchOptions returns the options for watching the files.
func (s *Sources) WatchOptions() []watch.Option {
	return append(slices.Clone(s.Options), watch.WithSuffixes(policySuffix))
}

// Take returns the contents of what was read: the model first, if it is a file.
func (s *Sources) Take(got watch.Snapshot) (*Contents, error) {
	in := &Contents{Model: s.Model, Policies: got.Files, Snapshot: got}
	if s.Model.File {
		if len(got.Files) == 0 || got.Files[0].Name != s.Model.Name {
			return nil, fmt.Errorf("read model: %s is a directory; name the file", s.Model.Name)
		}
		in.Model.Text = string(got.Files[0].Content)
		in.Policies = got.Files[1:]
	}
	for _, name := range s.Policies {
		if !slices.ContainsFunc(in.Policies, func(f watch.File) bool { return f.Name == name || filepath.Dir(f.Name) == filepath.Clean(name) }) {
			return nil, fmt.Errorf("read policy: directory %s holds no %s file", name, policySuffix)
		}
	}
	return in, nil
}

// readTries is how often the files of an fs.FS are read again if they change meanwhile.
const readTries = 4

// readFS reads the files of an fs.FS until they are the same when read again, since
// an fs.FS does not report changes.
func (s *Sources) readFS() (*Contents, error) {
	before, err := s.readFSOnce()
	for range readTries {
		if err != nil {
			return nil, err
		}
		var in *Contents
		if in, err = s.readFSOnce(); err == nil && in.same(before) {
			return in, nil
		}
		before = in
	}
	return nil, cmp.Or(err, watch.ErrChanging)
}

// same reports whether model and policies are the same.
func (in *Contents) same(other *Contents) bool {
	return in.Model == other.Model && slices.EqualFunc(in.Policies, other.Policies, func(a, b watch.File) bool {
		return a.Name == b.Name && bytes.Equal(a.Content, b.Content)
	})
}

func (s *Sources) readFSOnce() (*Contents, error) {
	m, err := s.Model.Read(s.FS)
	if err != nil {
		return nil, err
	}
	names, err := policyFiles(s.FS, s.Policies)
	if err != nil {
		return nil, err
	}
	in := &Contents{Model: m}
	for _, name := range names {
		data, err := fs.ReadFile(s.FS, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		in.Policies = append(in.Policies, watch.File{Name: name, Content: data})
	}
	return in, nil
}

// policyFiles returns the files of an fs.FS that policies stands for.
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
			switch {
			case e.IsDir() || e.Name()[0] == '.' || !strings.HasSuffix(strings.ToLower(e.Name()), policySuffix):
			case !strings.HasSuffix(e.Name(), policySuffix):
				return nil, fmt.Errorf("read policy: %s: only names that end in %s are read, in these letters: rename it or remove it", path.Join(name, e.Name()), policySuffix)
			default:
				files = append(files, path.Join(name, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("read policy: directory %s holds no %s file", name, policySuffix)
		}
	}
	return files, nil
}

// Names returns the names of the policy files.
func (in *Contents) Names() []string {
	names := make([]string, len(in.Policies))
	for i, f := range in.Policies {
		names[i] = f.Name
	}
	return names
}

// Hash returns the hash of model and policies. Only the last element of a name
// counts, so that the same files have the same hash wherever they are mounted.
// Lengths come first, so that no two sets of files result in the same bytes; a policy
// file is represented by [from.SumFile]. It is computed once, and not safe for
// concurrent use.
func (in *Contents) Hash() string { return in.HashAt(nil) }

// HashAt is Hash with a pace.
func (in *Contents) HashAt(p *pace.Pace) string {
	if in.sum != "" {
		return in.sum
	}
	h := sha256.New()
	part := func(text string) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text)))) // never fails
		_, _ = h.Write([]byte(text))
	}
	part(in.Model.Text)
	before := in.Sums
	in.Sums = nil
	for i, f := range in.Policies {
		part(filepath.Base(f.Name))
		var sum from.Sum
		if in.fileSum != nil {
			sum = in.fileSum(i, p.RestIfDue)
		} else {
			var last *from.FileSum
			if i < len(before) {
				last = before[i]
			}
			in.Sums = append(in.Sums, last.Next(f.Content, p.RestIfDue))
			sum = in.Sums[i].Sum
		}
		_, _ = h.Write(sum[:])
	}
	in.sum = hex.EncodeToString(h.Sum(nil))
	return in.sum
}

// rows calls Rows. A panic would end the program, since it may be on a goroutine that
// reloads.
func (s *Sources) rows(model string) (rows [][]string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &core.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return s.Rows(model)
}

// readRows reads all rows, and the model first.
func (s *Sources) readRows() (*Contents, error) {
	m, err := s.Model.Read(s.FS)
	if err != nil {
		return nil, err
	}
	in := &Contents{Model: m, Adapted: true}
	// Errors in the model are reported when it is parsed again.
	if _, err := s.Casbin.ReadModel(m.Text); err == nil {
		if in.Rows, err = s.rows(m.Text); err != nil {
			return nil, fmt.Errorf("read policy: adapter: %w", err)
		}
	}
	// The content is only hashed, so no two policies may have the same.
	var content []byte
	for _, row := range in.Rows {
		content = fmt.Appendf(content, "%q\n", row)
	}
	in.Policies = []watch.File{{Name: AdapterFile, Content: content}}
	return in, nil
}
