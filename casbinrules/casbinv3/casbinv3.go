// Package casbinv3 is casbinrules for applications that use Casbin v3: its functions
// accept v3's adapters, watchers and enforcers, and v3 reads models and decides what
// the index cannot.
//
// Everything else comes from package casbinrules: options, findings, reloads and the
// methods of an authorizer. Use [Open] here instead of [casbinrules.Open], and so
// on; functions that are not here, such as [casbinrules.Lint], accept [WithCasbin].
//
// In addition to what Casbin v2 supports, a model may have a
// [constraint_definition]. Its constraints are checked whenever a policy is loaded,
// and a policy that violates one is refused with a finding for each such line.
// Casbin itself checks them only when role links are added one by one. They apply to
// the g lines of the policy: roles of credentials do not count.
//
// The module of this package requires casbinrules, which requires Casbin v2. Both
// versions are built into a program, but no code of v2 is run.
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

// WithCasbin makes Casbin v3 read models and decide what the index cannot. The
// functions of this package add it themselves; it is for functions of package
// casbinrules that take options.
func WithCasbin() casbinrules.Option { return casbinrules.WithCasbin(library{}) }

// WithWatcher is [casbinrules.WithWatcher], which accepts the watchers of any
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

// FromEnforcer is [casbinrules.FromEnforcer] for an enforcer of Casbin v3. An
// enforcer whose model has constraints is refused, since Casbin does not check them
// when it loads a policy.
func FromEnforcer(e casbin.IEnforcer, opts ...casbinrules.Option) (*casbinrules.EnforcerAuthorizer, error) {
	if isNil(e) {
		return nil, errors.New("casbinv3: the enforcer is nil")
	}
	return casbinrules.FromBridgedEnforcer(bridged(e), opts...)
}

// withCasbin puts the option for v3 first, so that others take precedence.
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
