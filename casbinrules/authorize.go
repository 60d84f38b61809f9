package casbinrules

import (
	"context"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
)

// Why a decision was a refusal.
const (
	// ReasonNoRule says that no rule allows.
	ReasonNoRule core.Reason = "no_rule_matched"
	// ReasonDeniedByRule says that the rule in Decision.Rule denies.
	ReasonDeniedByRule core.Reason = "denied_by_rule"
	// ReasonSubjectIsRoleName says that no rule allows, and that the
	// principal's ID is the name of a role or "anonymous", by which nobody
	// gets anything.
	ReasonSubjectIsRoleName core.Reason = "subject_is_role_name"
	// ReasonNoTenant says that the model has tenants and the principal none.
	ReasonNoTenant core.Reason = "no_tenant"
	// ReasonNoObject says that there is nothing to compare with the policy:
	// no route was matched, with [ObjectRoute].
	ReasonNoObject core.Reason = "no_object"
)

// Authorize decides by the policy. The subject is p's ID with the roles of its
// credentials as role links, the object the resource's name, else its path or,
// with [ObjectRoute], its route; the tenant is p's.
//
// A role of the credentials is a name like any other in the policy: what a rule
// gives the user "alice" it also gives whoever brings a role "alice", unless
// [RolePrefix] keeps the two apart. A model without g has no roles, and those
// of credentials mean nothing to it.
//
// A decision that a rule made names it as "policy.csv:12". The error is a
// [*core.InternalError] when Casbin fails, or that of ctx when it is done.
func (a *Authorizer) Authorize(ctx context.Context, p *core.Principal, access core.Access) (core.Decision, error) {
	s := a.current.Load()
	q := question{subject: p.ID(), tenant: p.Tenant(), roles: a.tokenRoles(p)}
	reason := ReasonNoRule
	if s.isRoleName(q.subject, &a.config) {
		q.subject = nobody
		reason = ReasonSubjectIsRoleName
	}
	return a.decide(ctx, s, &q, access, reason)
}

// AuthorizeAnonymous decides by the policy for the subject "anonymous" if
// [AllowAnonymous] was given, and refuses otherwise. A model with tenants
// always refuses: an anonymous request has none.
func (a *Authorizer) AuthorizeAnonymous(ctx context.Context, access core.Access) (core.Decision, error) {
	if !a.config.anonymous {
		return core.Decision{Reason: core.ReasonNoCredentials}, nil
	}
	return a.decide(ctx, a.current.Load(), &question{subject: anonymous}, access, ReasonNoRule)
}

// JudgesMethod reports whether method is one outside GET, HEAD, POST, PUT,
// PATCH, DELETE and OPTIONS that a rule names: as its action, or as a whole
// word of an action that is a pattern.
func (a *Authorizer) JudgesMethod(method string) bool {
	return a.current.Load().unusual[method] != nil
}

// tokenRoles are the roles of the credentials as the policy spells them.
func (a *Authorizer) tokenRoles(p *core.Principal) []string {
	if a.config.noTokenRoles {
		return nil
	}
	var roles []string
	for role := range p.CredentialRoles() {
		if role != "" {
			roles = append(roles, a.config.rolePrefix+role)
		}
	}
	return roles
}

func (a *Authorizer) decide(ctx context.Context, s *snapshot, q *question, access core.Access, reason core.Reason) (core.Decision, error) {
	if err := ctx.Err(); err != nil {
		return core.Decision{}, err
	}
	if s.schema.tenants && q.tenant == "" {
		return core.Decision{Reason: ReasonNoTenant}, nil
	}
	if q.object = a.object(access.Resource); q.object == "" {
		return core.Decision{Reason: ReasonNoObject}, nil
	}
	q.action = access.Action
	if q.action == http.MethodHead && !s.namesHead && !a.config.asCasbin {
		q.action = http.MethodGet
	}
	e, err := s.engineFor(access, a.config.asCasbin)
	if err != nil {
		return core.Decision{}, &core.InternalError{Err: err}
	}
	if e == nil {
		return core.Decision{Reason: core.ReasonUnknownMethod}, nil
	}
	got, err := e.decide(q)
	if err != nil {
		return core.Decision{}, &core.InternalError{Err: err}
	}
	return got.decision(reason), nil
}

// object is what the policy sees of a resource.
func (a *Authorizer) object(r core.Resource) string {
	switch {
	case r.Name != "":
		return r.Name
	case a.config.objectRoute:
		return r.Route
	default:
		return r.Path
	}
}

// engineFor is the engine for an action, or nil when it is an unusual method
// that no rule names. An action that the application named is no method.
func (s *snapshot) engineFor(access core.Access, asCasbin bool) (engine, error) {
	if asCasbin || isUsual(access.Action) || access.Request != nil && access.Request.Method() != access.Action {
		return s.engine, nil
	}
	if build := s.unusual[access.Action]; build != nil {
		return build()
	}
	return nil, nil
}

// decision is the answer as a decision; reason is that of a refusal by no
// rule.
func (a answer) decision(reason core.Reason) core.Decision {
	d := core.Decision{Allowed: a.allowed, Reason: reason}
	if a.rule != nil {
		d.Rule = a.rule.place()
	}
	switch {
	case a.allowed:
		d.Reason = core.ReasonAllowed
	case a.rule != nil:
		d.Reason = ReasonDeniedByRule
	}
	return d
}
