package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// RegisterPolicyStore makes a kind of store known under its name below policy.store;
// otherwise it is like [RegisterSessionStore].
func RegisterPolicyStore[T any](name string, open func(settings *T) (s source.Source, closing func() error, err error)) {
	register(policyStore, name, open)
}

// checkPolicy refuses keys that are for files where there is a store, and the
// other way round.
func (a *assembly) checkPolicy(c *policyConfig) error {
	shared := c.Store.Settings != nil
	if len(c.Files) == 0 && !shared {
		return a.doc.Wrap(errors.New("files is missing: name policy files, or a store"), &a.config.Policy)
	}
	if len(c.Files) > 0 && shared {
		return a.doc.Wrap(errors.New("files and store: take one of them"), &c.Files)
	}
	if shared {
		return nil
	}
	for _, key := range []any{&c.StoreFiles, &c.Poll, &c.MaxStale, &c.Stale, &c.LastGood, &c.Older} {
		if a.doc.Has(key) {
			return a.doc.Wrap(errors.New("this is for a policy in a store"), key)
		}
	}
	return nil
}

// openShared opens the policy of a store.
func (a *assembly) openShared(c *policyConfig, model casbinrules.Model, opts []casbinrules.Option) (*casbinrules.Authorizer, error) {
	s, err := a.policyStore()
	if err != nil {
		return nil, err
	}
	opts = append(slices.Clone(opts), casbinrules.WithSourceOptions(a.followOptions("")...))
	switch {
	case a.doc.Has(&c.MaxStale):
		opts = append(opts, casbinrules.WithMaxStaleness(c.MaxStale, casbinrules.StaleMode(cmp.Or(c.Stale, string(casbinrules.StaleServe)))))
	case a.doc.Has(&c.Stale):
		return nil, a.doc.Wrap(errors.New("when_stale needs max_staleness"), &c.Stale)
	}
	return casbinrules.OpenSource(context.Background(), s, model, c.StoreFiles, opts...)
}

// policyStore opens the store of the policy, once.
func (a *assembly) policyStore() (source.Source, error) {
	if a.store != nil {
		return a.store, nil
	}
	var err error
	a.store, err = openKind[source.Source](a, policyStore, &a.config.Policy.Store)
	return a.store, err
}

// followOptions say how what is in the store is followed. suffix tells the last
// good files apart.
func (a *assembly) followOptions(suffix string) []source.Option {
	c := a.config.Policy
	var opts []source.Option
	if a.doc.Has(&c.Poll) {
		opts = append(opts, source.WithPollInterval(c.Poll))
	}
	if c.LastGood != "" && !a.settings.noWrites {
		path := c.LastGood
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.doc.Dir(), path)
		}
		opts = append(opts, source.WithLastGoodFile(path+suffix))
	}
	if c.Older {
		opts = append(opts, source.WithOlderRevisions())
	}
	return opts
}

// credentialFile is a file of credentials, on this machine or in the store of the
// policy.
type credentialFile struct {
	section, key string
	path         *decode.File
	inStore      *string
}

// loadEither has into load the file from where it is. The follower is nil for one
// on this machine.
func (a *assembly) loadEither(c credentialFile, into watch.Loader) (*source.Follower, error) {
	policy := a.config.Policy
	switch {
	case *c.path != "" && *c.inStore != "":
		return nil, a.doc.Wrap(errors.New("a file of this machine and one of the store: take one of them"), c.inStore)
	case *c.path == "" && *c.inStore == "":
		return nil, fmt.Errorf("%s is missing, or store_file for a file in the store of the policy", c.key)
	case *c.inStore == "":
		return nil, a.doc.Wrap(a.load(string(*c.path), into), c.path)
	case policy == nil || policy.Store.Settings == nil:
		return nil, a.doc.Wrap(errors.New("there is no store: it is that of the policy, policy.store"), c.inStore)
	}
	s, err := a.policyStore()
	if err != nil {
		return nil, err
	}
	opts := append(a.followOptions("."+c.section), source.WithStatusObserver(a.followLog(*c.inStore)))
	if a.doc.Has(&policy.MaxStale) {
		opts = append(opts, source.WithMaxStaleness(policy.MaxStale, nil))
	}
	f, err := source.FollowFile(context.Background(), s, *c.inStore, into, opts...)
	if err != nil {
		return nil, a.doc.Wrap(err, c.inStore)
	}
	a.made.reloads = append(a.made.reloads, f.Refresh)
	a.closes(f.Close)
	a.measure(func(i Instrument) error { return i.AddSource(c.section, f.Status) })
	return f, nil
}

// followLog logs what becomes of a file in the store.
func (a *assembly) followLog(name string) func(source.Status) {
	log := a.log.With("file", name)
	var last source.Status
	return func(s source.Status) {
		switch {
		case s.Stale && !last.Stale:
			log.Error("file not confirmed by its store for longer than max_staleness", "revision", uint64(s.Revision), "error", s.Err)
		case s.Err != nil && (last.Err == nil || last.Err.Error() != s.Err.Error()) && s.Revision != 0:
			log.Error("file not taken from its store, the last good one stays in use", "revision", uint64(s.Revision), "error", s.Err)
		case s.FileErr != nil && last.FileErr == nil:
			log.Error("file in use, but not kept for a start without its store", "revision", uint64(s.Revision), "error", s.FileErr)
		case s.Revision != last.Revision:
			log.Info("file loaded from its store", "revision", uint64(s.Revision))
		case last.Stale && !s.Stale:
			log.Info("file confirmed by its store again", "revision", uint64(s.Revision))
		}
		last = s
	}
}

// whileConfirmed bounds a scheme by what its file is followed by, if the
// configuration says so.
func (a *assembly) whileConfirmed(f *source.Follower) func(core.Authenticator, error) (core.Authenticator, error) {
	return func(scheme core.Authenticator, err error) (core.Authenticator, error) {
		if err != nil || f == nil || a.config.Policy.Stale != string(casbinrules.StaleUnavailable) {
			return scheme, err
		}
		return source.WhileConfirmed(f, scheme)
	}
}
