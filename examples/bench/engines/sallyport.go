package engines

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
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
// other bytes that say the same.
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

// memory is a file system with one file, which has other bytes after each
// change.
type memory struct {
	text    []byte
	current atomic.Pointer[fstest.MapFS]
	edition int
}

func newMemory(text []byte) *memory {
	m := &memory{text: text}
	m.current.Store(&fstest.MapFS{policyFile: &fstest.MapFile{Data: text}})
	return m
}

func (m *memory) Open(name string) (fs.File, error) { return m.current.Load().Open(name) }

// change is for one goroutine at a time.
func (m *memory) change() {
	m.edition++
	text := append(fmt.Appendf(nil, "# edition %d\n", m.edition), m.text...)
	m.current.Store(&fstest.MapFS{policyFile: &fstest.MapFile{Data: text}})
}
