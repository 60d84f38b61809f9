// Package casbinv3 is casbinrules for applications that use Casbin v3: its
// functions take v3's adapters, watchers and enforcers, and v3 reads models and
// decides what no index can.
//
// Everything else comes from package casbinrules: options, findings, reloads and the
// methods of an authorizer. Use [Open] here instead of [casbinrules.Open], and so on;
// a function that is not here, such as [casbinrules.Lint], takes [WithCasbin].
//
// Beyond Casbin v2, a model may have a [constraint_definition]. Its constraints
// are checked whenever a policy is loaded, and a policy that violates one is
// refused with a finding for each line that does. Casbin itself checks them only
// when role links are added one by one. They are about the g lines of the policy:
// roles that credentials bring do not count.
//
// The module of this package requires that of casbinrules, which requires Casbin
// v2. Both are built into a program; nothing of v2 is run.
package casbinv3

import (
	"errors"
	"io/fs"
	"reflect"
	"slices"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/persist"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// WithCasbin makes Casbin v3 read models and decide what no index can. The functions
// of this package add it themselves; it is for functions of package casbinrules that
// take options.
func WithCasbin() casbinrules.Option { return casbinrules.WithCasbin(library{}) }

// WithWatcher is [casbinrules.WithWatcher], which takes the watchers of any
// version of Casbin.
func WithWatcher(w persist.Watcher) casbinrules.Option { return casbinrules.WithWatcher(w) }

// Open is [casbinrules.Open] with Casbin v3.
func Open(m casbinrules.Model, policies []string, opts ...casbinrules.Option) (*casbinrules.Authorizer, error) {
	return casbinrules.Open(m, policies, withCasbin(opts)...)
}

// OpenFS is [casbinrules.OpenFS] with Casbin v3.
func OpenFS(fsys fs.FS, m casbinrules.Model, policies []string, opts ...casbinrules.Option) (*casbinrules.Authorizer, error) {
	return casbinrules.OpenFS(fsys, m, policies, withCasbin(opts)...)
}

// FromAdapter is [casbinrules.FromAdapter] for an adapter of Casbin v3. Adapters that
// take a context, such as the one for gorm, are called through their LoadPolicy.
func FromAdapter(m casbinrules.Model, adapter persist.Adapter, opts ...casbinrules.Option) (*casbinrules.Authorizer, error) {
	if isNil(adapter) {
		return nil, errors.New("casbinv3: the adapter is nil")
	}
	return casbinrules.FromRows(m, func(model string) ([][]string, error) { return load(model, adapter) }, withCasbin(opts)...)
}

// FromEnforcer is [casbinrules.FromEnforcer] for an enforcer of Casbin v3. One
// whose model has constraints is refused, since Casbin does not check them when
// it loads a policy.
func FromEnforcer(e casbin.IEnforcer, opts ...casbinrules.Option) (*casbinrules.EnforcerAuthorizer, error) {
	if isNil(e) {
		return nil, errors.New("casbinv3: the enforcer is nil")
	}
	return casbinrules.FromBridgedEnforcer(bridged(e), opts...)
}

// withCasbin puts the option of v3 in front, so that others go before it.
func withCasbin(opts []casbinrules.Option) []casbinrules.Option {
	return slices.Insert(slices.Clone(opts), 0, WithCasbin())
}

// isNil reports whether v is nil, or an interface that holds a nil pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}
