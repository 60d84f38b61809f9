package casbinrules

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/watch"
)

// Authorizer answers gate two from a Casbin model and policy. It is safe for
// concurrent use: every decision reads one immutable snapshot of the policy and
// takes no lock.
//
// [Authorizer.Reload], and [WithFileWatch] by itself, build another snapshot aside and
// swap it in whole. Files that are no good policy change nothing but
// [Authorizer.Status], which tells a health check that the policy in force,
// named by [Authorizer.Version], is older than the files.
type Authorizer struct {
	config  config
	sources sources
	current atomic.Pointer[policyInForce]

	updates *updates                      // nil without WithWatcher
	watcher atomic.Pointer[watch.Watcher] // nil without WithFileWatch
	last    atomic.Pointer[attempt]       // nil before the first reload
	closed  atomic.Bool
	slot    chan struct{} // holds a value during a call of Reload
	force   atomic.Bool   // what that call asks for
	telling sync.Mutex    // held while observers are told
}

// What a guard asks of an authorizer, all of which this one answers.
var (
	_ core.AnonymousAuthorizer = (*Authorizer)(nil)
	_ core.MethodAuthorizer    = (*Authorizer)(nil)
	_ core.RoleSource          = (*Authorizer)(nil)
	_ core.RoleLister          = (*Authorizer)(nil)
)

// Open reads a model and its policy. Each of policies is a CSV file, or a
// directory of which every file ending in ".csv" is read in order of its name;
// the rules of all files make one policy, in the order given.
//
// Everything wrong with model and policy is reported at once, in an error that
// is a [*FindingsError]. A file that cannot be read is another error. What is
// only likely to be a mistake is logged, and listed by [Authorizer.Warnings].
func Open(m Model, policies []string, opts ...Option) (*Authorizer, error) {
	return OpenFS(hostFS{}, m, policies, opts...)
}

// OpenFS is [Open] with all files inside fsys, such as an embed.FS. Paths are
// those of package io/fs: slashes, and no leading one.
func OpenFS(fsys fs.FS, m Model, policies []string, opts ...Option) (*Authorizer, error) {
	if fsys == nil {
		return nil, errors.New("casbinrules: the file system is nil")
	}
	return assemble(sources{fsys: fsys, model: m, policies: slices.Clone(policies)}, opts)
}

// assemble makes an authorizer of a policy that is read for the first time.
func assemble(from sources, opts []Option) (*Authorizer, error) {
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
	a.sources.options, a.sources.casbin = a.config.watch, a.config.Casbin
	if err := a.start(); err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	return a, nil
}

// start loads the policy for the first time.
func (a *Authorizer) start() error {
	if err := a.sources.checkWatching(&a.config); err != nil {
		return err
	}
	if a.config.updates != nil {
		var err error
		if a.updates, err = watchUpdates(a.config.updates); err != nil {
			return err
		}
	}
	in, err := a.sources.read()
	if err != nil {
		return err
	}
	s, err := load(in, &a.config.Settings)
	if err != nil {
		return err
	}
	a.current.Store(s)
	logFindings(a.config.logger, a.config.pseudonymousFindings(s.warnings))
	if a.updates != nil {
		a.updates.start(a)
	}
	if a.config.watching {
		return a.startWatching(in.read)
	}
	return nil
}

// hostFS is the operating system's files under their usual paths, which
// os.DirFS would not take.
type hostFS struct{}

func (hostFS) Open(name string) (fs.File, error) { return os.Open(name) }
