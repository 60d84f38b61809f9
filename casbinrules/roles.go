package casbinrules

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// RolesOf returns the roles that the policy's g lines assign to p, through its ID
// and the roles of its credentials, in p's tenant if the model has tenants, without
// the roles of the credentials themselves. It follows at most ten links, counting
// the one from p to a role of its credentials. Roles are sorted by name for each
// source, the ID first.
//
// An ID that is the name of a role has no roles. The only error is that of a
// condition of [WithLinkCondition].
//
// The role of [WithDefaultRole] is included, and so are the roles it has. In a model
// with tenants they are included only if p has another role there: a role in a
// tenant makes p a member of it (core.WithTenant), and otherwise everybody would be
// a member.
//
// A guard calls it once, after gate one, and the policy may be reloaded before gate
// two. Decisions of the policy do not use the returned roles, and rules such as
// rule.Role use nothing else, so each of them is consistent with one policy. Only a
// combination of the two, such as rule.All of a role and the policy, can see the
// roles of one policy and the decision of the next, for requests in progress during
// a reload.
func (a *Authorizer) RolesOf(ctx context.Context, p *core.Principal) ([]string, error) {
	s := a.current.Load()
	if s.Members == nil || s.Members.Tenants && p.Tenant() == "" {
		return nil, nil
	}
	now := s.Now(ctx, &a.config.Settings)
	roles := a.ownRoles(s, now, p)
	if a.config.DefaultRole == "" || s.Members.Tenants && len(roles) == 0 {
		return knownBy(now, roles)
	}
	return knownBy(now, a.withDefault(s, now, p, roles))
}

// knownBy returns roles, or the error of a condition of role links.
func knownBy(now policy.Moment, roles []string) ([]string, error) {
	if err := now.Err(); err != nil {
		return nil, fmt.Errorf("casbinrules: roles: %w", err)
	}
	return roles, nil
}

// withDefault returns roles with the default role and the roles that it has.
func (a *Authorizer) withDefault(s *policyInForce, now policy.Moment, p *core.Principal, roles []string) []string {
	role := a.config.DefaultRole
	all := slices.Clone(roles)
	add := func(role string) {
		if !slices.Contains(all, role) && !holds(p, role) {
			all = append(all, role)
		}
	}
	add(role)
	for c := range s.Members.Closures(s.Members.AfterTokenRole(now), p.Tenant(), a.config.RolePrefix+role) {
		for _, role := range c.Tails {
			add(role)
		}
	}
	return all
}

// ownRoles returns the roles that the policy itself assigns to p.
func (a *Authorizer) ownRoles(s *policyInForce, now policy.Moment, p *core.Principal) []string {
	var only []string
	sources := 0
	for roles := range a.given(s, now, p) {
		only = roles
		sources++
	}
	if sources == 0 || sources == 1 && !holdsAny(p, only) {
		return only
	}
	var all []string
	for roles := range a.given(s, now, p) {
		for _, role := range roles {
			if !slices.Contains(all, role) && !holds(p, role) {
				all = append(all, role)
			}
		}
	}
	return all
}

// given yields the roles that p's ID leads to, then those that each role of its
// credentials leads to.
func (a *Authorizer) given(s *policyInForce, now policy.Moment, p *core.Principal) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if number := s.Names.Known(p.ID()); !s.IsRoleName(p.ID(), number, &a.config.Settings) {
			for c := range s.Members.ClosuresOf(now, p.Tenant(), p.ID(), number) {
				if !yield(c.Names) {
					return
				}
			}
		}
		if a.config.NoTokenRoles {
			return
		}
		for role := range p.CredentialRoles() {
			for c := range s.Members.Closures(s.Members.AfterTokenRole(now), p.Tenant(), a.config.RolePrefix+role) {
				if !yield(c.Tails) {
					return
				}
			}
		}
	}
}

// holdsAny reports whether the credentials carry one of roles.
func holdsAny(p *core.Principal, roles []string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return holds(p, role) })
}

func holds(p *core.Principal, role string) bool {
	for held := range p.CredentialRoles() {
		if held == role {
			return true
		}
	}
	return false
}

// KnownRoles lists every name that the policy uses for a subject: first those that g
// lines assign as roles and those that the matcher names as a role, as in g(r.sub,
// "admin"), then the left sides of g lines and the subjects of p lines, each part
// sorted. With [WithRolePrefix] only names with the prefix are included, without the
// prefix.
//
// The second part is included because a role that only tokens carry looks in a
// policy exactly like a user, and a warning about it would be a false alarm. A name
// in neither part, such as a misspelt one, is unknown to the policy.
func (a *Authorizer) KnownRoles() []string { return slices.Clone(a.current.Load().KnownRoles()) }
