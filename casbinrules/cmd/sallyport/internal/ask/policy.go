package ask

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/core"
)

// Policy is a policy with the roles that everyone signed in has. Its methods take them into
// account; requests without credentials never have them.
type Policy struct {
	*casbinrules.Authorizer
	// Default is the role of [casbinrules.WithDefaultRole], which the authorizer adds to
	// the roles of every principal; "" for none.
	Default string
	// Alone is a role that is evaluated separately before the principal; "" for none. What
	// it allows is allowed. What it denies is not denied to anyone.
	Alone string
}

// aloneID is the principal's ID for evaluating [Policy.Alone].
const aloneID = "\U0001f6aa"

// alonePrincipal returns the principal that has only the role Alone, in the tenant of p; nil if
// there is no such role.
func (a *Policy) alonePrincipal(p *core.Principal) (*core.Principal, error) {
	if a.Alone == "" || p == nil {
		return nil, nil
	}
	claims := map[string]any{}
	for name := range p.Claims() {
		claims[name], _ = p.Claim(name)
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: aloneID, Roles: []string{a.Alone}, Tenant: p.Tenant(), Claims: claims})
}

// principals returns p, preceded by the principal with the role Alone if there is one. A
// request is allowed if it is for any of them.
func (a *Policy) principals(p *core.Principal) ([]*core.Principal, error) {
	alone, err := a.alonePrincipal(p)
	if alone == nil || err != nil {
		return []*core.Principal{p}, err
	}
	return []*core.Principal{alone, p}, nil
}

// Authorize decides like [casbinrules.Authorizer.Authorize].
func (a *Policy) Authorize(ctx context.Context, p *core.Principal, access core.Access) (core.Decision, error) {
	if alone, err := a.alonePrincipal(p); alone != nil || err != nil {
		if err != nil {
			return core.Decision{}, err
		}
		if d, err := a.Authorizer.Authorize(ctx, alone, access); err != nil || d.Allowed {
			return d, err
		}
	}
	return a.Authorizer.Authorize(ctx, p, access)
}

// RolesOf returns the roles as [casbinrules.Authorizer.RolesOf] does, with the role Alone
// and the roles it inherits.
func (a *Policy) RolesOf(ctx context.Context, p *core.Principal) ([]string, error) {
	roles, err := a.Authorizer.RolesOf(ctx, p)
	if err != nil {
		return nil, err
	}
	alone, err := a.alonePrincipal(p)
	if alone == nil || err != nil {
		return roles, err
	}
	more, err := a.Authorizer.RolesOf(ctx, alone)
	return slices.Concat(roles, []string{a.Alone}, more), err
}

// RolesOfSubject returns the roles of a subject in the policy, none for a request
// without credentials.
func (a *Policy) RolesOfSubject(ctx context.Context, s Subject) ([]string, error) {
	s.Attributes = nil
	p, err := s.Question("", "").Principal()
	if p == nil || err != nil {
		return nil, err
	}
	return a.RolesOf(ctx, p)
}

// PrincipalsOf returns the principals as which a subject is judged, a nil one for a request
// without credentials. A request is allowed if it is for any of them.
func (a *Policy) PrincipalsOf(s Subject) ([]*core.Principal, error) {
	p, err := s.Question("", "").Principal()
	if err != nil {
		return nil, err
	}
	return a.principals(p)
}

// IsRole reports whether the subject of a question is refused because its name is that of a
// role.
func (a *Policy) IsRole(ctx context.Context, q Question) (bool, error) {
	d, err := Decide(ctx, &Policy{Authorizer: a.Authorizer}, q) // Alone might allow the request
	return d.Reason == casbinrules.ReasonSubjectIsRoleName, err
}

// Filter filters objects like [casbinrules.Authorizer.Filter].
func (a *Policy) Filter(ctx context.Context, p *core.Principal, action casbinrules.Action, objects []string) ([]string, error) {
	principals, err := a.principals(p)
	if err != nil {
		return nil, err
	}
	allowed := map[string]bool{}
	for _, p := range principals {
		some, err := a.Authorizer.Filter(ctx, p, action, objects)
		if err != nil {
			return nil, err
		}
		for _, object := range some {
			allowed[object] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(objects), func(object string) bool { return !allowed[object] }), nil
}

// Grants returns the distinct grants of [casbinrules.Authorizer.Objects].
func (a *Policy) Grants(ctx context.Context, p *core.Principal, action casbinrules.Action) ([]casbinrules.Grant, error) {
	principals, err := a.principals(p)
	if err != nil {
		return nil, err
	}
	var grants []casbinrules.Grant
	for _, p := range principals {
		set, err := a.Objects(ctx, p, action)
		if err != nil {
			return nil, err
		}
		for g := range set.Grants("") {
			grants = distinct.Add(grants, g)
		}
	}
	return grants, nil
}

// Subjects returns the subjects of [casbinrules.Authorizer.Subjects].
func (a *Policy) Subjects(ctx context.Context, tenant, object string, action casbinrules.Action) (casbinrules.SubjectSet, error) {
	set, err := a.Authorizer.Subjects(ctx, tenant, object, action)
	if err != nil || a.Alone == "" {
		return set, err
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: aloneID, Roles: []string{a.Alone}, Tenant: tenant})
	if err != nil {
		return set, err
	}
	if allowed, err := a.Authorizer.Filter(ctx, p, action, []string{object}); err != nil || len(allowed) == 0 {
		return set, err
	}
	names := readNames(a.Rules())
	set.Users = slices.DeleteFunc(slices.Concat(names.users, names.named), func(name string) bool {
		if name == Anonymous || name == a.Alone {
			return true
		}
		role, err := a.IsRole(ctx, Question{Subject: name, Tenant: tenant, Object: object, Action: action.Name})
		return err != nil || role
	})
	set.Roles, set.Others = a.KnownRoles(), true
	for _, list := range []*[]string{&set.Users, &set.Roles} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return set, nil
}

// Everybody describes what everyone signed in has; "" for nothing.
func (a *Policy) Everybody() string {
	var parts []string
	if a.Default != "" {
		parts = append(parts, fmt.Sprintf("has the default role %q", a.Default))
	}
	if a.Alone != "" {
		parts = append(parts, fmt.Sprintf("may do what the role %q may (policy.default)", a.Alone))
	}
	if parts == nil {
		return ""
	}
	return "everybody who is signed in " + strings.Join(parts, ", and ")
}
