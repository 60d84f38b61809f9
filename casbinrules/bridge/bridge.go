// Package bridge defines what casbinrules needs from Casbin: one interface for each
// thing that differs between its major versions. It is for authors of a bridge to
// another major version; applications use an existing one.
//
// Package casbinrules includes the bridge to [Casbin] v2. A bridge implements
// [Casbin] and passes it to casbinrules.WithCasbin, loads rows for
// casbinrules.FromRows, and implements [Enforcer] for
// casbinrules.FromBridgedEnforcer. Package bridgetest checks the contracts here.
package bridge

import (
	"sync"

	"github.com/casbin/govaluate"
)

// Casbin is one major version of Casbin. It is safe for concurrent use.
type Casbin interface {
	// ReadModel makes Casbin read the text of a model.
	ReadModel(text string) (Model, error)
	// Functions returns the functions that every matcher may call, by name, in a map
	// that the caller may change.
	Functions() map[string]govaluate.ExpressionFunction
	// TenantPatterns returns the names of a request field and a policy field: if a
	// matcher calls keyMatch with the two, Casbin treats the tenants of role links
	// as patterns. Both are "" if the model has no such fields.
	TenantPatterns(m Model) (request, policy string)
	// NewDecider returns an enforcer with a policy loaded that nobody changes.
	NewDecider(p Policy) (Decider, error)
}

// Model is a model parsed by Casbin.
type Model interface {
	// Definition returns the definition of a key such as "r" or "g2". It returns
	// false if the model does not have it or Casbin ignores it.
	Definition(key string) (Definition, bool)
	// Keys returns the keys of a section, which is the first letter of each key,
	// sorted.
	Keys(section string) []string
}

// Definition is one definition of a model. It must not be modified.
type Definition struct {
	// Value is the text after the "=", as processed by Casbin.
	Value string
	// Tokens are the names of the fields, as matchers see them: "r_sub".
	Tokens []string
	// Rules are the policy lines of this kind, without the kind, if a policy has
	// been loaded.
	Rules [][]string
}

// Policy is the input of a [Decider].
type Policy struct {
	// Model is the text of a model that ReadModel has accepted.
	Model string
	// Matcher is evaluated instead of the model's. It names fields as in Tokens.
	Matcher string
	// Links, if not "", is an additional last field of the request, such as
	// "r_links". Functions then include the role definitions, and Casbin must not
	// keep role links of its own.
	Links string
	// Functions are added to Casbin's own, and take precedence over them.
	Functions map[string]govaluate.ExpressionFunction
	// Load passes every rule to add, beginning with its kind, and returns the first
	// error of add. It does not use the rule again.
	Load func(add func(rule []string) error) error
}

// Decider decides by one policy. It is safe for concurrent use.
type Decider interface {
	// EnforceEx decides, and returns the rule that decided, without its kind. The
	// rule is not a copy: its first element is the one that Load passed, which
	// identifies it among equal rules.
	EnforceEx(values ...any) (allowed bool, rule []string, err error)
}

// Enforcer is an enforcer that the application has created and may change. Its
// methods are called while its lock is held.
type Enforcer interface {
	Decider
	// Model returns the current model and policy, or nil if there is none.
	Model() Model
	// ImplicitRoles returns the roles that a name has through any number of role
	// links, within a tenant if one is given.
	ImplicitRoles(name string, tenant ...string) ([]string, error)
	// Lock returns the lock that the enforcer itself takes for each change, or nil
	// if it takes none. The other methods must not take it.
	Lock() *sync.RWMutex
}

// Rows returns the rows of the policy that was loaded into m, each beginning with
// its kind: the p rows, then those of g, g2 and so on.
func Rows(m Model) [][]string {
	var rows [][]string
	for _, section := range []string{"p", "g"} {
		for _, kind := range m.Keys(section) {
			def, _ := m.Definition(kind)
			for _, fields := range def.Rules {
				rows = append(rows, append([]string{kind}, fields...))
			}
		}
	}
	return rows
}
