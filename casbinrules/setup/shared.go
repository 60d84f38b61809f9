package setup

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// RegisterPolicyStore registers a kind of store under its name below policy.store;
// otherwise it is like [RegisterSessionStore].
func RegisterPolicyStore[T any](name string, open func(settings *T) (s source.Source, closing func() error, err error)) {
	register(policyStore, name, open)
}

// checkPolicy refuses keys for files beside a store, and keys for a store beside
// files.
func (a *assembly) checkPolicy(c *policyConfig) error {
	shared := c.Store.Settings != nil
	if len(c.Files) == 0 && !shared {
		return a.doc.Wrap(errors.New("files is missing: name policy files, or a store"), &a.config.Policy)
	}
	if len(c.Files) > 0 && shared {
		return a.doc.Wrap(errors.New("files and store: choose one"), &c.Files)
	}
	if shared {
		return nil
	}
	for _, key := range []any{&c.StoreFiles, &c.Poll, &c.MaxStale, &c.Stale, &c.LastGood, &c.Older} {
		if a.doc.Has(key) {
			return a.doc.Wrap(errors.New("this is only for a policy in a store"), key)
		}
	}
	return nil
}

// openShared opens the policy in a store.
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
	policy, err := casbinrules.OpenSource(a.settings.ctx, s, model, c.StoreFiles, opts...)
	if err != nil {
		return nil, err
	}
	if err := a.follows(func() source.Status { return policy.Status().Source }); err != nil {
		return nil, errors.Join(err, policy.Close())
	}
	return policy, nil
}

// follows notes what follows the store of the policy. A revision that is older than one
// that the predecessor has seen there is an error: begun anew, nothing else would
// notice that the store has stepped back.
func (a *assembly) follows(status func() source.Status) error {
	c := a.config.Policy
	a.made.store, a.made.followed = c.Store, append(a.made.followed, status)
	p := a.settings.predecessor
	if p == nil || c.Older || !reflect.DeepEqual(p.store, c.Store) {
		return nil
	}
	for _, before := range p.followed {
		if now, was := status().Latest, before().Latest; now < was {
			return a.doc.Wrap(fmt.Errorf("%w: it shows revision %d after revision %d (older_revisions accepts that)", source.ErrStepBack, now, was), &c.Store)
		}
	}
	return nil
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

// followOptions returns the options for following the store. suffix distinguishes
// the last good files.
func (a *assembly) followOptions(suffix string) []source.Option {
	c := a.config.Policy
	var opts options[source.Option]
	if a.doc.Has(&c.Poll) {
		opts = append(opts, source.WithPollInterval(c.Poll))
	}
	if c.LastGood != "" && !a.settings.noWrites {
		opts = append(opts, source.WithLastGoodFile(a.path(c.LastGood)+suffix))
	}
	opts.on(c.Older, source.WithOlderRevisions)
	return opts
}

// credentialFile is a file of credentials, local or in the store of the policy.
type credentialFile struct {
	section, key string
	path         *decode.File
	inStore      *string
}

// loadEither makes into load the file, from wherever it is. The follower is nil for
// a local file.
func (a *assembly) loadEither(c credentialFile, into watch.Loader) (*source.Follower, error) {
	policy := a.config.Policy
	switch {
	case *c.path != "" && *c.inStore != "":
		return nil, a.doc.Wrap(errors.New("a local file and one in the store: choose one"), c.inStore)
	case *c.path == "" && *c.inStore == "":
		return nil, fmt.Errorf("%s is missing, or store_file for a file in the store of the policy", c.key)
	case *c.inStore == "":
		return nil, a.doc.Wrap(a.load(string(*c.path), into), c.path)
	case policy == nil || policy.Store.Settings == nil:
		return nil, a.doc.Wrap(errors.New("policy.store is missing: the file is in the store of the policy"), c.inStore)
	}
	s, err := a.policyStore()
	if err != nil {
		return nil, err
	}
	opts := append(a.followOptions("."+c.section), source.WithStatusObserver(a.followLog(*c.inStore)))
	if a.doc.Has(&policy.MaxStale) {
		opts = append(opts, source.WithMaxStaleness(policy.MaxStale, nil))
	}
	f, err := source.FollowFile(a.settings.ctx, s, *c.inStore, into, opts...)
	if err != nil {
		return nil, a.doc.Wrap(err, c.inStore)
	}
	if err := a.follows(f.Status); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	a.made.reloads = append(a.made.reloads, f.Refresh)
	a.closes(f.Close)
	a.measure(func(i Instrument) error { return i.AddSource(c.section, f.Status) })
	return f, nil
}

// followLog returns a function that logs changes in the status of a file in the
// store. An outage is one line, whatever errors it has; after an answer the next is news.
func (a *assembly) followLog(name string) func(source.Status) {
	log := a.log.With("file", name)
	var last source.Status
	return func(s source.Status) {
		switch {
		case s.Stale && !last.Stale:
			log.Error("file not confirmed by its store for longer than max_staleness", "revision", uint64(s.Revision), "error", s.Err)
		case s.Err != nil && s.Revision != 0 && (last.Err == nil || last.Err.Error() != s.Err.Error() && !last.Confirmed.Equal(s.Confirmed)):
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

// whileConfirmed limits a scheme to the time during which its file is confirmed, if
// the configuration says so.
func (a *assembly) whileConfirmed(f *source.Follower) func(core.Authenticator, error) (core.Authenticator, error) {
	return func(scheme core.Authenticator, err error) (core.Authenticator, error) {
		if err != nil || f == nil || a.config.Policy.Stale != string(casbinrules.StaleUnavailable) {
			return scheme, err
		}
		return source.WhileConfirmed(f, scheme)
	}
}
