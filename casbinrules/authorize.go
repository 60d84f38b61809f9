package casbinrules

import (
	"context"
	"net/http"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Authorize decides by the policy. The subject is p's ID, with the roles of its
// credentials as role links. The object is the resource's name, or else its path, or
// its route with [WithRouteAsObject]. The tenant is p's.
//
// A role of the credentials is a name like any other in the policy: what a rule
// grants to the user "alice" it also grants to anybody with a role "alice", unless
// [WithRolePrefix] keeps the two apart. In a model without g there are no roles, and
// those of credentials have no effect.
//
// A decision made by a rule names it, as "policy.csv:12". The error is a
// [*core.InternalError] if Casbin fails, or that of ctx.
//
// With [WithDefaultRole] the principal has that role, too.
//
// The policy may be reloaded at any time. Each call decides by one policy as a
// whole, roles and rules together: it uses p's ID and the roles of its credentials,
// not the roles that [Authorizer.RolesOf] returned earlier.
func (a *Authorizer) Authorize(ctx context.Context, p *core.Principal, access core.Access) (d core.Decision, err error) {
	err = a.decide(ctx, p, &access, nil, &d)
	return d, err
}

// decide fills in the decision about a principal; about are the attributes of the
// object.
func (a *Authorizer) decide(ctx context.Context, p *core.Principal, access *core.Access, about map[string]string, d *core.Decision) (err error) {
	s := a.current.Load()
	var q engine.Request
	attributes := a.fillRequest(&q, s, p, access, about)
	var v engine.Verdict
	if a.config.addsRoles(p) {
		err = a.decideWithRoles(ctx, s, &q, p, &v)
	} else {
		err = s.Decide(ctx, &q, &engine.TokenRoles{}, &a.config.Settings, &v)
	}
	v.Fill(d)
	d.Revision, d.Attributes = s.version.Revision, attributes
	if err == nil && (a.remembered != nil || a.refusing.Load()) {
		err = a.bound(p, q.Object, q.Action, d)
	}
	return err
}

// decideWithRoles is kept out of line so that its array does not grow
// Authorize's frame.
//
//go:noinline
func (a *Authorizer) decideWithRoles(ctx context.Context, s *policyInForce, q *engine.Request, p *core.Principal, v *engine.Verdict) error {
	var room [engine.MaxRolesAside]string
	with := engine.TokenRoles{Prefix: a.config.RolePrefix, Roles: a.config.addedRoles(room[:0], p)}
	return s.Decide(ctx, q, &with, &a.config.Settings, v)
}

// AuthorizeAnonymous decides by the policy for the subject "anonymous" if
// [WithAnonymous] was given, and refuses otherwise. A model with tenants always
// refuses, since an anonymous request has none.
func (a *Authorizer) AuthorizeAnonymous(ctx context.Context, access core.Access) (core.Decision, error) {
	if !a.config.Anonymous {
		return core.Decision{Reason: core.ReasonNoCredentials}, nil
	}
	s := a.current.Load()
	q, attributes := a.anonymousRequest(s, access)
	var v engine.Verdict
	err := s.Decide(ctx, &q, &engine.TokenRoles{}, &a.config.Settings, &v)
	d := v.Decision()
	d.Revision, d.Attributes = s.version.Revision, attributes
	if err == nil && (a.remembered != nil || a.refusing.Load()) {
		err = a.bound(nil, q.Object, q.Action, &d)
	}
	return d, err
}

// JudgesMethod reports whether method is one outside GET, HEAD, POST, PUT, PATCH,
// DELETE and OPTIONS that a rule names, as its action or as a whole word of an
// action that is a pattern.
func (a *Authorizer) JudgesMethod(method string) bool {
	return a.current.Load().Unusual[method] != nil
}

// addsRoles reports whether a principal has roles other than those of role links.
func (c *config) addsRoles(p *core.Principal) bool {
	if c.DefaultRole != "" {
		return true
	}
	if !c.NoTokenRoles {
		for role := range p.CredentialRoles() {
			if role != "" {
				return true
			}
		}
	}
	return false
}

// addedRoles appends the roles of a principal other than those of role links: those
// of its credentials, and the default role last.
func (c *config) addedRoles(roles []string, p *core.Principal) []string {
	if !c.NoTokenRoles {
		for role := range p.CredentialRoles() {
			if role != "" {
				roles = append(roles, role)
			}
		}
	}
	if c.DefaultRole != "" {
		roles = append(roles, c.DefaultRole)
	}
	return roles
}

// newRequest translates a request for the policy.
func (a *Authorizer) newRequest(s *policyInForce, p *core.Principal, access core.Access, about map[string]string) engine.Request {
	var q engine.Request
	a.fillRequest(&q, s, p, &access, about)
	q.Roles = (&engine.TokenRoles{Prefix: a.config.RolePrefix, Roles: a.config.addedRoles(nil, p)}).Prefixed()
	return q
}

// fillRequest fills in an empty request, and returns its attributes.
func (a *Authorizer) fillRequest(q *engine.Request, s *policyInForce, p *core.Principal, access *core.Access, about map[string]string) core.Attributes {
	a.setObjectAndAction(s, q, access)
	q.Subject, q.Tenant, q.DefaultReason = p.ID(), p.Tenant(), ReasonNoRule
	s.FindSubject(q)
	if s.IsRoleName(q.Subject, q.Number, &a.config.Settings) {
		q.DenyOnlySubject, q.DenyOnlyNumber = q.Subject, q.Number
		q.Subject, q.Number = engine.Unmatchable, 0
		q.DefaultReason = ReasonSubjectIsRoleName
	}
	return a.config.fill(s.Schema, q, p, access, about)
}

func (a *Authorizer) anonymousRequest(s *policyInForce, access core.Access) (engine.Request, core.Attributes) {
	q := engine.Request{Subject: policy.Anonymous, Number: s.Names.Known(policy.Anonymous), DefaultReason: ReasonNoRule}
	a.setObjectAndAction(s, &q, &access)
	attributes := a.config.fill(s.Schema, &q, nil, &access, nil)
	return q, attributes
}

// setObjectAndAction fills in object and action.
func (a *Authorizer) setObjectAndAction(s *policyInForce, q *engine.Request, access *core.Access) {
	q.Object, q.Folded = a.config.object(&access.Resource)
	q.Action = access.Action
	if q.Action == http.MethodHead && !a.config.AsCasbin {
		q.AsGet = s.NamesHead
		if !s.NamesHead {
			q.Action = http.MethodGet
		}
	}
	// An action that the application named is not a method.
	q.NamedAction = access.Request != nil && access.Request.Method() != access.Action
}

// object returns what the policy sees of a resource, and the number of its leading
// bytes whose letter case does not count.
func (c *config) object(r *core.Resource) (object string, folded int) {
	switch {
	case r.Name != "":
		return r.Name, 0
	case !c.ObjectRoute:
		return r.Path, max(0, min(r.Folded, len(r.Path)))
	case r.Folded != 0:
		return r.Route, len(r.Route)
	default:
		return r.Route, 0
	}
}
