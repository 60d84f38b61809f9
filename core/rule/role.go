package rule

import (
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// Role allows a principal that has any of the named roles, whether its
// credentials brought them or the policy gives them. For several roles at
// once, combine: All(Role("a"), Role("b")).
//
// A refusal is a plain 403: asking for a new token would not help, so it
// carries no insufficient_scope. The rule is a [core.RoleNamer].
//
// It panics when no name is given, or one is empty or stands twice.
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
