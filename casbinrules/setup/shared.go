package setup

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/source"
)

// RegisterPolicyStore makes a kind of store known under the name that it has
// below policy.store; otherwise as [RegisterSessionStore].
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
	s, err := openKind[source.Source](a, policyStore, &c.Store)
	if err != nil {
		return nil, err
	}
	var follow []source.Option
	if a.doc.Has(&c.Poll) {
		follow = append(follow, source.WithPollInterval(c.Poll))
	}
	if c.LastGood != "" {
		path := c.LastGood
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.doc.Dir(), path)
		}
		follow = append(follow, source.WithLastGoodFile(path))
	}
	if c.Older {
		follow = append(follow, source.WithOlderRevisions())
	}
	opts = append(slices.Clone(opts), casbinrules.WithSourceOptions(follow...))
	switch {
	case a.doc.Has(&c.MaxStale):
		opts = append(opts, casbinrules.WithMaxStaleness(c.MaxStale, casbinrules.StaleMode(cmp.Or(c.Stale, string(casbinrules.StaleServe)))))
	case a.doc.Has(&c.Stale):
		return nil, a.doc.Wrap(errors.New("when_stale needs max_staleness"), &c.Stale)
	}
	return casbinrules.OpenSource(context.Background(), s, model, c.StoreFiles, opts...)
}
