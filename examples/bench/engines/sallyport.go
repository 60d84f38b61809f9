package engines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

const policyFile = "policy.csv"

type sallyport struct {
	authorizer *casbinrules.Authorizer
	files      *memory
}

// OpenPolicy opens our authorizer.
func OpenPolicy(s *Source) (*casbinrules.Authorizer, error) {
	opened, err := openSallyport(s)
	if err != nil {
		return nil, err
	}
	return opened.(*sallyport).authorizer, nil
}

// WatchPolicy opens our authorizer on files in a folder, which it watches. What is
// returned with it replaces the policy by another edition, in which a rule in the
// middle is another one, for nobody who asks. Editions are written beforehand and put
// in place by a symbolic link, as Kubernetes does it, so that nothing else is measured.
func WatchPolicy(s *Source, folder string, opts ...casbinrules.Option) (a *casbinrules.Authorizer, edit func() error, err error) {
	model, policy := filepath.Join(folder, "model.conf"), filepath.Join(folder, policyFile)
	files, editions := newMemory(s.csv()), [2]string{}
	for i := range editions {
		editions[i] = fmt.Sprintf("edition%d", i)
		if err := os.WriteFile(filepath.Join(folder, editions[i]), files.edited(), 0o600); err != nil {
			return nil, nil, err
		}
	}
	at := 0
	edit = func() error {
		at++
		next := filepath.Join(folder, "next")
		return errors.Join(os.Symlink(editions[at%2], next), os.Rename(next, policy))
	}
	if err := errors.Join(os.WriteFile(model, []byte(s.Model), 0o600), edit()); err != nil {
		return nil, nil, err
	}
	opts = append(opts, casbinrules.WithFileWatch(), silent())
	a, err = onIndex(casbinrules.Open(casbinrules.ModelFile(model), []string{policy}, opts...))
	return a, edit, err
}

func silent() casbinrules.Option { return casbinrules.WithLogger(slog.New(slog.DiscardHandler)) }

// onIndex refuses a policy that Casbin decides.
func onIndex(a *casbinrules.Authorizer, err error) (*casbinrules.Authorizer, error) {
	if err != nil {
		return nil, err
	}
	if status := a.Status(); status.Engine != casbinrules.EngineIndex {
		return nil, fmt.Errorf("the policy is decided by %s", status.Engine)
	}
	return a, nil
}

func openSallyport(s *Source) (Engine, error) {
	files := newMemory(s.csv())
	a, err := onIndex(casbinrules.OpenFS(files, casbinrules.ModelText("model.conf", s.Model), []string{policyFile}, silent()))
	if err != nil {
		return nil, err
	}
	return &sallyport{a, files}, nil
}

func (s *sallyport) Prepare(q policies.Question) func() (bool, error) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: q.Subject, Scheme: "Bearer"})
	access := core.Access{Action: q.Action, Resource: core.Resource{Path: q.Object}}
	ctx := context.Background()
	return func() (bool, error) {
		if err != nil {
			return false, err
		}
		d, err := s.authorizer.Authorize(ctx, p, access)
		return d.Allowed, err
	}
}

func (s *sallyport) Reload() error {
	s.files.change()
	return s.authorizer.Reload(context.Background())
}

// memory is a file system with one file, in which one rule changes each time.
type memory struct {
	text    []byte
	half    int // where the line of the rule in the middle begins
	current atomic.Pointer[fstest.MapFS]
	edition int
}

func newMemory(text []byte) *memory {
	m := &memory{text: text}
	lines := text[:bytes.LastIndex(text, []byte("\np,"))+1]
	m.half = bytes.LastIndex(lines[:len(lines)/2], []byte("\np,")) + 1
	m.current.Store(&fstest.MapFS{policyFile: &fstest.MapFile{Data: text}})
	return m
}

func (m *memory) Open(name string) (fs.File, error) { return m.current.Load().Open(name) }

// change is for one goroutine at a time.
func (m *memory) change() {
	m.current.Store(&fstest.MapFS{policyFile: &fstest.MapFile{Data: m.edited()}})
}

// edited is the text of the next edition.
func (m *memory) edited() []byte {
	m.edition++
	before, after := m.text[:m.half], m.text[m.half:]
	_, fields, _ := bytes.Cut(after, []byte{','}) // behind the kind
	_, fields, _ = bytes.Cut(fields, []byte{','}) // and the subject
	fields, _, _ = bytes.Cut(fields, []byte{'\n'})
	rule := fmt.Appendf(nil, "p, edition%d,%s\n", m.edition, fields)
	return slices.Concat(before, rule, after)
}
