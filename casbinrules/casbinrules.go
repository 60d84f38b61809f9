package casbinrules

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/load"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	from "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// Authorizer decides gate two from a Casbin model and policy. It is safe for
// concurrent use: every decision reads one immutable snapshot of the policy and
// takes no lock.
//
// [Authorizer.Reload], and [WithFileWatch] after each change, build a new snapshot
// and swap it in whole. Files that are not a valid policy change only
// [Authorizer.Status], which tells a health check that the policy in force,
// identified by [Authorizer.Version], is older than the files.
type Authorizer struct {
	config  config
	sources source.Sources
	current atomic.Pointer[policyInForce]

	updates *updates                      // nil without WithWatcher
	watcher atomic.Pointer[watch.Watcher] // nil without WithFileWatch
	last    atomic.Pointer[attempt]       // nil before the first reload
	closed  atomic.Bool
	slot    chan struct{} // holds a value during a call of Reload
	force   atomic.Bool   // whether that call is forced
	telling sync.Mutex    // held while observers are called
	shared
}

// The interfaces that a guard uses.
var (
	_ core.AnonymousAuthorizer = (*Authorizer)(nil)
	_ core.MethodAuthorizer    = (*Authorizer)(nil)
	_ core.RoleSource          = (*Authorizer)(nil)
	_ core.RoleLister          = (*Authorizer)(nil)
)

// Open reads a model and its policy. Each of policies is a CSV file, or a directory
// whose files ending in ".csv" are read in order of their names; the rules of all
// files form one policy, in the order given.
//
// All mistakes in model and policy are reported at once, in an error that is a
// [*FindingsError]. A file that cannot be read is another error. Likely mistakes are
// logged, and listed by [Authorizer.Warnings].
func Open(m Model, policies []string, opts ...Option) (*Authorizer, error) {
	return OpenFS(source.Host{}, m, policies, opts...)
}

// OpenFS is [Open] with all files inside fsys, such as an embed.FS. Paths are
// those of package io/fs: slashes, and no leading one.
func OpenFS(fsys fs.FS, m Model, policies []string, opts ...Option) (*Authorizer, error) {
	if fsys == nil {
		return nil, errors.New("casbinrules: the file system is nil")
	}
	return assemble(source.Sources{FS: fsys, Model: m.of, Policies: slices.Clone(policies)}, opts)
}

// assemble creates an authorizer and loads its policy for the first time.
func assemble(from source.Sources, opts []Option) (*Authorizer, error) {
	a := &Authorizer{slot: make(chan struct{}, 1), sources: from, config: newConfig()}
	if err := option.Apply(&a.config, opts); err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	if a.config.logger == nil {
		a.config.logger = slog.Default()
	}
	if a.config.observers == nil {
		a.config.observers = append(a.config.observers, LogReloads(a.config.logger))
	}
	a.sources.Options, a.sources.Casbin = a.config.watch, a.config.Casbin
	if err := a.start(); err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	return a, nil
}

// start loads the policy for the first time.
func (a *Authorizer) start() error {
	if err := checkWatching(&a.sources, &a.config); err != nil {
		return err
	}
	if a.config.updates != nil {
		var err error
		if a.updates, err = watchUpdates(a.config.updates); err != nil {
			return err
		}
	}
	if a.config.shared != nil {
		return a.follow()
	}
	in, err := a.sources.Read()
	if err != nil {
		return err
	}
	if err := a.startWith(in); err != nil {
		return err
	}
	if a.updates != nil {
		a.updates.start(a)
	}
	if a.config.watching {
		return a.startWatching(in.Snapshot)
	}
	return nil
}

// startWith puts the first policy into force.
func (a *Authorizer) startWith(in *source.Contents) error {
	s, err := loadPolicy(nil, in, &a.config.Settings)
	if err != nil {
		return err
	}
	a.current.Store(s)
	logFindings(a.config.logger, a.config.pseudonymousFindings(s.loaded.Warnings))
	return nil
}

// policyInForce is a policy that is ready to decide, with its metadata. It is
// immutable.
type policyInForce struct {
	engine.Snapshot
	version Version
	model   source.Model
	loaded  *load.Loaded
	sums    []*from.FileSum
}

// loadPolicy prepares what was read for decisions, as a revision of the policy in
// force if there is one.
func loadPolicy(after *policyInForce, in *source.Contents, c *model.Settings) (*policyInForce, error) {
	load := load.Load
	if after != nil {
		load = after.loaded.Reload
	}
	l, err := load(in, c)
	if err != nil {
		return nil, err
	}
	v := newVersion(in, l.Rules, c.Pace)
	return &policyInForce{Snapshot: *l.Snapshot, model: in.Model, version: v, loaded: l, sums: in.Sums}, nil
}

// checkWatching returns an error for sources that cannot be watched.
func checkWatching(s *source.Sources, c *config) error {
	if err := c.checkShared(); err != nil {
		return err
	}
	switch {
	case c.watching && s.Rows != nil:
		return errors.New("watch: the policy is not in a file: use WithWatcher, or call Reload when it changes")
	case c.watching && !s.OnHost():
		return errors.New("watch: only files of the operating system can be watched: use Open, or call Reload when they change")
	case c.updates != nil && s.Rows == nil:
		return errors.New("watcher: it reports changes of an adapter: use FromAdapter, or WithFileWatch for files")
	}
	return nil
}
