package rule

import (
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// Role allows a principal that has any of the named roles, from its credentials or
// from the policy. To require several roles, combine: All(Role("a"), Role("b")).
//
// A refusal is a plain 403: asking for a new token would not help, so it
// carries no insufficient_scope. The rule is a [core.RoleNamer].
//
// It panics if no name is given, or a name is empty or given twice.
func Role(names ...string) core.Authorizer {
	return &role{names: list("Role", "role", names), label: newLabel("Role", names...)}
}

type role struct {
	label
	names []string
}

func (r *role) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	for _, name := range r.names {
		if p.HasRole(name) {
			return core.Decision{Allowed: true, Rule: r.String()}, nil
		}
	}
	return core.Decision{Reason: core.ReasonMissingRole, Rule: r.String()}, nil
}

// RoleNames implements [core.RoleNamer].
func (r *role) RoleNames() []string { return slices.Clone(r.names) }
