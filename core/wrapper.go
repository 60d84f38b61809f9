package core

import (
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

// ability is an optional interface of an authorizer.
type ability struct {
	of  string // in words, to follow "which"
	has func(Authorizer) bool
	// own reports that it is not looked for behind Unwrap: a wrapper that refuses
	// principals must be able to refuse anonymous requests too.
	own    bool
	method string
}

var abilities = []ability{
	{"adds roles to principals", can[RoleSource], false, "RolesOf"},
	{"knows all roles there are", can[RoleLister], false, "KnownRoles"},
	{"decides about further methods", can[MethodAuthorizer], false, "JudgesMethod"},
	{"may let requests without credentials pass", isAnonymous, true, "AuthorizeAnonymous"},
}

func can[T any](a Authorizer) bool {
	_, ok := wrapped.As[T](a)
	return ok
}

func isAnonymous(a Authorizer) bool {
	_, ok := a.(AnonymousAuthorizer)
	return ok
}

// checkWrapper refuses an authorizer that hides an optional interface of one inside
// it.
func checkWrapper(a Authorizer, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%T wraps itself", a)
	}
	for _, inner := range wrapped.Inside(a) {
		for _, able := range abilities {
			switch {
			case !able.has(inner) || able.has(a):
			case able.own:
				return fmt.Errorf("%T wraps %T, which %s, and hides this: give it a method %s that asks the wrapped one or refuses", a, inner, able.of, able.method)
			default:
				return fmt.Errorf("%T wraps %T, which %s, and hides this: give it a method %s, or Unwrap() core.Authorizer", a, inner, able.of, able.method)
			}
		}
		if err := checkWrapper(inner, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// checkSource refuses a role source that hides the list of roles of one inside it.
func checkSource(s RoleSource, depth int) error {
	if depth == 0 {
		return fmt.Errorf("%T wraps itself", s)
	}
	_, lists := wrapped.As[RoleLister](s)
	for _, inner := range wrapped.Inside(s) {
		if _, ok := wrapped.As[RoleLister](inner); ok && !lists {
			return fmt.Errorf("%T wraps %T, which knows all roles there are, and hides this: give it a method KnownRoles, or Unwrap() core.RoleSource", s, inner)
		}
		if err := checkSource(inner, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// checkRule refuses a rule that would decide on less than it needs.
func (g *Guard) checkRule(rule Authorizer) error {
	if err := checkWrapper(rule, maxWrappers); err != nil {
		return err
	}
	if g.roles == nil {
		if sources := wrapped.Sources[RoleSource](rule); len(sources) > 0 {
			return fmt.Errorf("%T adds roles to principals, which other rules and handlers would not see: give it to the guard with WithAuthorizer or WithRoles", sources[0])
		}
	}
	return nil
}

func (g *Guard) checkRoles(rule Authorizer) error {
	lister, known := wrapped.As[RoleLister](g.roles)
	if !known || rule == nil {
		return nil
	}
	roles := lister.KnownRoles()
	if len(roles) == 0 {
		return nil
	}
	for _, role := range wrapped.Gather(rule, RoleNamer.RoleNames) {
		if slices.Contains(roles, role) {
			continue
		}
		err := fmt.Errorf("the policy has no user or role %q, only %s", role, nearestNames(role, roles))
		if g.strict {
			return err
		}
		g.logger.Warn("a rule needs an unknown role", "error", err.Error())
	}
	return nil
}
