package casbinrules

import (
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// RolesOf returns the roles that the policy's g lines give p, by its ID and by
// the roles of its credentials, in p's tenant where the model has tenants,
// without the roles of the credentials themselves. It follows at most ten
// links, counting the one from p to a role of its credentials. The order is
// that of their names for each source, the ID first.
//
// An ID that is the name of a role brings none. The error is always nil.
func (a *Authorizer) RolesOf(_ context.Context, p *core.Principal) ([]string, error) {
	s := a.current.Load()
	if s.members == nil || s.members.tenants && p.Tenant() == "" {
		return nil, nil
	}
	var own []string
	if !s.isRoleName(p.ID(), &a.config) {
		if c := s.members.from(p.Tenant(), p.ID()); c != nil {
			own = c.names
		}
	}
	if a.config.noTokenRoles {
		return own, nil
	}
	var tails []string
	several := false
	for role := range p.CredentialRoles() {
		if c := s.members.from(p.Tenant(), a.config.rolePrefix+role); c != nil {
			several = several || tails != nil
			tails = c.tails
		}
	}
	switch {
	case !several && own == nil && !holdsAny(p, tails):
		return tails, nil
	case tails == nil && !holdsAny(p, own):
		return own, nil
	}
	return a.union(s, p, own), nil
}

// holdsAny reports whether the credentials bring one of roles. p must be as
// its authenticator made it.
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

// union joins own with what the roles of the credentials lead to.
func (a *Authorizer) union(s *snapshot, p *core.Principal, own []string) []string {
	var all []string
	add := func(roles []string) {
		for _, role := range roles {
			if !slices.Contains(all, role) && !holds(p, role) {
				all = append(all, role)
			}
		}
	}
	add(own)
	for role := range p.CredentialRoles() {
		if c := s.members.from(p.Tenant(), a.config.rolePrefix+role); c != nil {
			add(c.tails)
		}
	}
	return all
}

// KnownRoles lists every name the policy uses for a subject: first those that
// g lines give as roles, then the left sides of g lines and the subjects of p
// lines, each part sorted. With [RolePrefix] only names with the prefix count,
// which is left away.
//
// The later ones are there because a role that only tokens carry stands in a
// policy exactly as a user does, and warning of it would be a false alarm;
// what is in neither part, such as a misspelt name, the policy does not know.
func (a *Authorizer) KnownRoles() []string { return slices.Clone(a.current.Load().knownRoles) }
