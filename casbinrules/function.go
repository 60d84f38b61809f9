package casbinrules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// WithFunction gives the matcher a function of that name, which takes texts and
// returns true or false:
//
//	m = g(r.sub, p.sub) && r.obj == p.obj && shareWord(r.teams, p.teams)
//
// A model that calls a name that no option gives is refused when it is opened; a
// function that the model does not call is not used. Casbin's own functions, and
// names that look like role definitions, cannot be replaced.
//
// f must be safe for concurrent use, and quick: it is called for each candidate rule.
// It must return the same for the same arguments as long as the policy is in force;
// how often it is called, and for which rules, is unspecified. It is not called while
// a policy is loaded. An error or a panic refuses the request with 500, whatever
// other rules say; it is a [*core.InternalError] that wraps f's.
//
// Casbin's enforcer decides models that call f, rule by rule, without an index: an
// index calls functions for rules other than Casbin does, so an error would occur at
// other requests.
func WithFunction(name string, f func(args ...string) (bool, error)) Option {
	return func(c *config) error {
		switch {
		case !model.IsWord(name):
			return fmt.Errorf("function: %q is not a name", name)
		case model.IsReserved(name):
			return fmt.Errorf("function %s: the name has a meaning already", name)
		case f == nil:
			return fmt.Errorf("function %s is nil", name)
		case c.Functions[name] != nil || c.Aliases[name] != "":
			return fmt.Errorf("function %s: given twice", name)
		}
		if c.Functions == nil {
			c.Functions = map[string]model.MatcherFunction{}
		}
		c.Functions[name] = f
		return nil
	}
}

// WithFunctionAlias gives one of Casbin's functions a second name, for a model
// that calls it by the name under which an application has registered it:
//
//	m = g(r.sub, p.sub) && globOrRegexMatch(r.obj, p.obj) && r.act == p.act
//
// is, with WithFunctionAlias("globOrRegexMatch", "globMatch"), what it is with
// globMatch written there: patterns are checked when the policy is loaded, and
// findings, explanations and the index know the function. builtin is one of
// [AliasableFunctions]. A name that the model does not call is not used.
func WithFunctionAlias(name, builtin string) Option {
	return func(c *config) error {
		switch {
		case !model.IsWord(name):
			return fmt.Errorf("function alias: %q is not a name", name)
		case model.IsReserved(name):
			return fmt.Errorf("function alias %s: the name has a meaning already", name)
		case !slices.Contains(pattern.Aliasable, builtin):
			return fmt.Errorf("function alias %s: there is no function %q: use one of %s", name, builtin, strings.Join(pattern.Aliasable, ", "))
		case c.Functions[name] != nil || c.Aliases[name] != "":
			return fmt.Errorf("function alias %s: the function is given twice", name)
		}
		if c.Aliases == nil {
			c.Aliases = map[string]string{}
		}
		c.Aliases[name] = builtin
		return nil
	}
}

// AliasableFunctions are the functions of Casbin that compare a text with a
// pattern, sorted.
func AliasableFunctions() []string { return slices.Clone(pattern.Aliasable) }

// WithRolePatterns takes the names in the role links of a kind, which is "g" or "g2"
// and so on, for patterns of a function of Casbin's: whoever matches the left name of
// a link has its role, a role that is a pattern gives every role that it matches, and
// a rule for a pattern applies to everybody who matches. Casbin calls this
// AddNamedMatchingFunc. function is one of keyMatch, keyMatch2, keyMatch3, keyMatch4,
// globMatch and regexMatch. The IDs and roles of a request are compared with patterns
// and are never taken for one.
//
// A model that asks for roles of anything but the subject, or for g2 and its like
// the object, is refused when it is opened, and so is a name that the function
// cannot read. [Authorizer.Subjects] cannot list what patterns match.
func WithRolePatterns(kind, function string) Option {
	return func(c *config) error {
		if why := model.RolePatternError(function); why != "" {
			return fmt.Errorf("role patterns: there are none by %q: %s", function, why)
		}
		if c.RolePatterns[kind] != "" {
			return fmt.Errorf("role patterns: those of %s are given twice", kind)
		}
		if c.RolePatterns == nil {
			c.RolePatterns = map[string]string{}
		}
		c.RolePatterns[kind] = function
		return nil
	}
}

// WithTenantPatterns takes the tenants in the role links of a kind for patterns of
// keyMatch, by which "*" is every tenant and "eu-*" every one that begins with
// eu-. Casbin calls this AddNamedDomainMatchingFunc, and does so by itself where
// the matcher has keyMatch(r.dom, p.dom), with which this option is not needed.
// Tenants of p lines are compared as the matcher says.
func WithTenantPatterns(kind string) Option {
	return func(c *config) error {
		if c.TenantPatterns[kind] {
			return fmt.Errorf("tenant patterns: those of %s are given twice", kind)
		}
		if c.TenantPatterns == nil {
			c.TenantPatterns = map[string]bool{}
		}
		c.TenantPatterns[kind] = true
		return nil
	}
}
