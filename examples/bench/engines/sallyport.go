package engines

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
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

// OpenPolicy opens our authorizer, and gives what reloads it: the policy then has
// another rule in its middle, for nobody who asks.
func OpenPolicy(s *Source) (a *casbinrules.Authorizer, reload func() error, err error) {
	opened, err := openSallyport(s)
	if err != nil {
		return nil, nil, err
	}
	e := opened.(*sallyport)
	return e.authorizer, e.Reload, nil
}

func openSallyport(s *Source) (Engine, error) {
	files := newMemory(s.csv())
	a, err := casbinrules.OpenFS(files, casbinrules.ModelText("model.conf", s.Model), []string{policyFile},
		casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	if status := a.Status(); status.Engine != casbinrules.EngineIndex {
		return nil, fmt.Errorf("the policy is decided by %s", status.Engine)
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
	m.edition++
	before, after := m.text[:m.half], m.text[m.half:]
	_, fields, _ := bytes.Cut(after, []byte{','}) // behind the kind
	_, fields, _ = bytes.Cut(fields, []byte{','}) // and the subject
	fields, _, _ = bytes.Cut(fields, []byte{'\n'})
	rule := fmt.Appendf(nil, "p, edition%d,%s\n", m.edition, fields)
	text := slices.Concat(before, rule, after)
	m.current.Store(&fstest.MapFS{policyFile: &fstest.MapFile{Data: text}})
}
