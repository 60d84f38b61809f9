package casbinrules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// WithFunction adds a function with this name to the matcher, which takes texts and
// returns true or false:
//
//	m = g(r.sub, p.sub) && r.obj == p.obj && shareWord(r.teams, p.teams)
//
// A model that calls an unknown function is refused when it is opened; a function
// that the model does not call is not used. Casbin's own functions, and names that
// look like role definitions, cannot be replaced.
//
// f must be safe for concurrent use, and quick: it is called for each candidate
// rule. It must return the same result for the same arguments as long as the policy
// is in force; how often it is called, and for which rules, is unspecified. It is
// not called while a policy is loaded. An error or a panic refuses the request with
// 500, whatever other rules say; it is a [*core.InternalError] that wraps f's.
//
// Casbin's enforcer decides models that call f, rule by rule, without an index: an
// index would call functions for other rules than Casbin does, so errors would
// affect other requests.
func WithFunction(name string, f func(args ...string) (bool, error)) Option {
	return func(c *config) error {
		switch {
		case !model.IsWord(name):
			return fmt.Errorf("function: %q is not a name", name)
		case model.IsReserved(name):
			return fmt.Errorf("function %s: the name is already defined", name)
		case f == nil:
			return fmt.Errorf("function %s is nil", name)
		case c.Aliases[name] != "":
			return fmt.Errorf("function %s: given twice", name)
		}
		return setKey(&c.Functions, name, f, "function %s: given twice")
	}
}

// WithFunctionAlias gives one of Casbin's functions a second name, for a model that
// calls it by the name under which an application has registered it:
//
//	m = g(r.sub, p.sub) && globOrRegexMatch(r.obj, p.obj) && r.act == p.act
//
// With WithFunctionAlias("globOrRegexMatch", "globMatch") this means the same as
// with globMatch: patterns are checked when the policy is loaded, and findings,
// explanations and the index support the function. builtin is one of
// [AliasableFunctions]. A name that the model does not call is not used.
func WithFunctionAlias(name, builtin string) Option {
	return func(c *config) error {
		switch {
		case !model.IsWord(name):
			return fmt.Errorf("function alias: %q is not a name", name)
		case model.IsReserved(name):
			return fmt.Errorf("function alias %s: the name is already defined", name)
		case !slices.Contains(pattern.Aliasable, builtin):
			return fmt.Errorf("function alias %s: unknown function %q: use one of %s", name, builtin, strings.Join(pattern.Aliasable, ", "))
		case c.Functions[name] != nil:
			return fmt.Errorf("function alias %s: the function is given twice", name)
		}
		return setKey(&c.Aliases, name, builtin, "function alias %s: the function is given twice")
	}
}

// AliasableFunctions returns the functions of Casbin that compare a text with a
// pattern, sorted.
func AliasableFunctions() []string { return slices.Clone(pattern.Aliasable) }

// WithRolePatterns makes the names in the role links of a kind, which is "g" or "g2"
// and so on, patterns of one of Casbin's functions: whoever matches the left name of
// a link has its role, a role that is a pattern includes every role that matches it,
// and a rule for a pattern applies to everybody who matches. Casbin calls this
// AddNamedMatchingFunc. function is one of keyMatch, keyMatch2, keyMatch3,
// keyMatch4, globMatch and regexMatch. The IDs and roles of a request are compared
// with patterns and are never patterns themselves.
//
// A model that tests roles of anything but the subject or, for g2 and so on, the
// object is refused when it is opened, and so is a name that is not a valid pattern.
// [Authorizer.Subjects] cannot list what patterns match.
func WithRolePatterns(kind, function string) Option {
	return func(c *config) error {
		if why := model.RolePatternError(function); why != "" {
			return fmt.Errorf("role patterns: function %q is not supported: %s", function, why)
		}
		return setKey(&c.RolePatterns, kind, function, "role patterns for %s are given twice")
	}
}

// WithTenantPatterns makes the tenants in the role links of a kind patterns of
// keyMatch: "*" is every tenant, and "eu-*" every one that begins with eu-. Casbin
// calls this AddNamedDomainMatchingFunc, and enables it itself if the matcher
// contains keyMatch(r.dom, p.dom), so that this option is not needed. Tenants of p
// lines are compared as the matcher says.
func WithTenantPatterns(kind string) Option {
	return func(c *config) error {
		return setKey(&c.TenantPatterns, kind, true, "tenant patterns for %s are given twice")
	}
}
