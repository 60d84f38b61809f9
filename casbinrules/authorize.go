package casbinrules

import (
	"context"
	"errors"
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
	// no route was matched, with [WithRouteAsObject].
	ReasonNoObject core.Reason = "no_object"
	// ReasonNoAttribute says that the request lacks an attribute that the
	// model asks for; see [WithAttribute].
	ReasonNoAttribute core.Reason = "no_attribute"
	// ReasonBadAttribute says that an attribute of the request does not read as
	// its type; see [WithAttributeType].
	ReasonBadAttribute core.Reason = "bad_attribute"
)

// Authorize decides by the policy. The subject is p's ID with the roles of its
// credentials as role links, the object the resource's name, else its path or,
// with [WithRouteAsObject], its route; the tenant is p's.
//
// A role of the credentials is a name like any other in the policy: what a rule
// gives the user "alice" it also gives whoever brings a role "alice", unless
// [WithRolePrefix] keeps the two apart. A model without g has no roles, and those
// of credentials mean nothing to it.
//
// A decision that a rule made names it as "policy.csv:12". The error is a
// [*core.InternalError] when Casbin fails, or that of ctx when it is done.
//
// The policy may be reloaded at any time. Each call decides by one policy as a
// whole, roles and rules together: it uses p's ID and the roles of its
// credentials, and not the roles that [Authorizer.RolesOf] gave it before.
func (a *Authorizer) Authorize(ctx context.Context, p *core.Principal, access core.Access) (d core.Decision, err error) {
	s := a.current.Load()
	var q question
	a.askWithoutRoles(&q, s, p, &access)
	var v verdict
	if a.config.bringsRoles(p) {
		err = a.judgeWithRoles(ctx, s, &q, p, &v)
	} else {
		err = s.judge(ctx, &q, &bearing{}, &a.config.settings, &v)
	}
	v.fill(&d)
	d.Revision = s.version.Hash
	return d, err
}

// judgeWithRoles is apart for its room on the stack, which others need not
// clear.
//
//go:noinline
func (a *Authorizer) judgeWithRoles(ctx context.Context, s *policyInForce, q *question, p *core.Principal, v *verdict) error {
	var room [maxRolesAside]string
	with := bearing{prefix: a.config.rolePrefix, roles: a.config.credentialRoles(room[:0], p)}
	return s.judge(ctx, q, &with, &a.config.settings, v)
}

// AuthorizeAnonymous decides by the policy for the subject "anonymous" if
// [WithAnonymous] was given, and refuses otherwise. A model with tenants
// always refuses: an anonymous request has none.
func (a *Authorizer) AuthorizeAnonymous(ctx context.Context, access core.Access) (core.Decision, error) {
	if !a.config.anonymous {
		return core.Decision{Reason: core.ReasonNoCredentials}, nil
	}
	s := a.current.Load()
	q := a.askAnonymous(s, access)
	var v verdict
	err := s.judge(ctx, &q, &bearing{}, &a.config.settings, &v)
	d := v.decision()
	d.Revision = s.version.Hash
	return d, err
}

// JudgesMethod reports whether method is one outside GET, HEAD, POST, PUT,
// PATCH, DELETE and OPTIONS that a rule names: as its action, or as a whole
// word of an action that is a pattern.
func (a *Authorizer) JudgesMethod(method string) bool {
	return a.current.Load().unusual[method] != nil
}

// maxRolesAside is how many roles of credentials a decision takes without
// allocating.
const maxRolesAside = 16

// bearing is the roles that the credentials of a request bring. They are not in
// its question, which may be kept, so that they can stay on the stack.
type bearing struct {
	prefix string // of roles in the policy, which these do not have
	roles  []string
}

// spelt are the roles as the policy spells them.
func (b *bearing) spelt() []string {
	if b.prefix == "" {
		return b.roles
	}
	var roles []string
	for _, role := range b.roles {
		roles = append(roles, b.prefix+role)
	}
	return roles
}

// bringsRoles reports whether a principal's credentials have roles that count.
func (c *config) bringsRoles(p *core.Principal) bool {
	if !c.noTokenRoles {
		for role := range p.CredentialRoles() {
			if role != "" {
				return true
			}
		}
	}
	return false
}

// credentialRoles appends the roles that count of a principal's credentials.
func (c *config) credentialRoles(roles []string, p *core.Principal) []string {
	if c.noTokenRoles {
		return roles
	}
	for role := range p.CredentialRoles() {
		if role != "" {
			roles = append(roles, role)
		}
	}
	return roles
}

// ask puts what is asked of a policy into its words.
func (a *Authorizer) ask(s *policyInForce, p *core.Principal, access core.Access) question {
	var q question
	a.askWithoutRoles(&q, s, p, &access)
	q.roles = (&bearing{a.config.rolePrefix, a.config.credentialRoles(nil, p)}).spelt()
	return q
}

// askWithoutRoles fills in an empty question.
func (a *Authorizer) askWithoutRoles(q *question, s *policyInForce, p *core.Principal, access *core.Access) {
	q.subject, q.tenant, q.otherwise = p.ID(), p.Tenant(), ReasonNoRule
	q.number = s.names.known(q.subject)
	if s.isRoleName(q.subject, q.number, &a.config.settings) {
		q.denied, q.deniedNumber = q.subject, q.number
		q.subject, q.number = nobody, 0
		q.otherwise = ReasonSubjectIsRoleName
	}
	a.askFor(s, q, access)
	a.config.fill(s.schema, q, p, access)
}

func (a *Authorizer) askAnonymous(s *policyInForce, access core.Access) question {
	q := question{subject: anonymous, number: s.names.known(anonymous), otherwise: ReasonNoRule}
	a.askFor(s, &q, &access)
	a.config.fill(s.schema, &q, nil, &access)
	return q
}

// askFor fills in object and action.
func (a *Authorizer) askFor(s *policyInForce, q *question, access *core.Access) {
	q.object, q.folded = a.config.object(&access.Resource)
	q.action = access.Action
	if q.action == http.MethodHead && !a.config.asCasbin {
		q.asGet = s.namesHead
		if !s.namesHead {
			q.action = http.MethodGet
		}
	}
	// An action that the application named is no method.
	q.named = access.Request != nil && access.Request.Method() != access.Action
}

// verdict is an answer with the reason of a refusal that no rule made.
type verdict struct {
	answer
	otherwise core.Reason
}

// judge decides by the snapshot alone. Denials hold wider than permissions: a
// name that gets nothing is denied what its rules deny all the same, what is
// denied to GET is denied to HEAD, and what is denied in one spelling of a path
// whose letter case the router does not keep is denied in all.
func (s *snapshot) judge(ctx context.Context, q *question, with *bearing, c *settings, v *verdict) error {
	if err := s.judgeAsSpelled(ctx, q, with, c, v); err != nil || !v.allowed || q.folded == 0 || s.spellings == nil {
		return err
	}
	return s.judgeSpellings(ctx, q, with, c, v)
}

// judgeSpellings refuses what is denied in another spelling.
//
//go:noinline
func (s *snapshot) judgeSpellings(ctx context.Context, q *question, with *bearing, c *settings, v *verdict) error {
	objects, err := s.spellings.of(q.object, q.folded)
	if err != nil {
		*v = verdict{}
		return err
	}
	for _, object := range objects {
		other := *q
		other.object = object
		var got verdict
		if err := s.judgeAsSpelled(ctx, &other, with, c, &got); err != nil || s.spellings.refuse(&got) {
			*v = got
			v.spelled = object
			return err
		}
	}
	return nil
}

func (s *snapshot) judgeAsSpelled(ctx context.Context, q *question, with *bearing, c *settings, v *verdict) error {
	if q.denied != "" || q.asGet {
		if err := s.decideWider(ctx, q, with, c, v); err != nil || v.denies() {
			return err
		}
		*v = verdict{}
	}
	return s.decide(ctx, q, with, c, v)
}

// decideWider is apart for its room on the stack.
//
//go:noinline
func (s *snapshot) decideWider(ctx context.Context, q *question, with *bearing, c *settings, v *verdict) error {
	wider := q.wider()
	return s.decide(ctx, &wider, with, c, v)
}

// wider is the question of which only a denial counts.
func (q *question) wider() question {
	w := *q
	if q.denied != "" {
		w.subject, w.number = q.denied, q.deniedNumber
	}
	if q.asGet {
		w.action = http.MethodGet
	}
	return w
}

// denies reports whether a rule made the refusal.
func (a *answer) denies() bool { return a.rule != nil && !a.allowed }

// decide puts a question as it stands. The verdict is empty before.
func (s *snapshot) decide(ctx context.Context, q *question, with *bearing, c *settings, v *verdict) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.ctx = ctx
	switch {
	case s.schema.tenants && q.tenant == "":
		v.otherwise = ReasonNoTenant
	case q.object == "":
		v.otherwise = ReasonNoObject
	case q.unfilled != nil:
		return q.refuse(v)
	case s.index != nil && (q.named || isUsual(q.action)) && s.index.find(q, with, &v.answer):
		if q.cut {
			*v = verdict{}
			return ctx.Err()
		}
		v.otherwise = q.otherwise
	default:
		return s.askEngine(q, with, c, v)
	}
	return nil
}

// refuse answers a question with a field that could not be filled.
func (q *question) refuse(v *verdict) error {
	var bad *badAttributeError
	switch {
	case errors.Is(q.unfilled, ErrNoAttribute):
		v.otherwise = ReasonNoAttribute
	case errors.As(q.unfilled, &bad):
		v.otherwise = ReasonBadAttribute
	default:
		return q.unfilled
	}
	return nil
}

// askEngine puts a copy of a question to the engine for its action, so that
// what an index is asked stays on the stack.
//
//go:noinline
func (s *snapshot) askEngine(q *question, with *bearing, c *settings, v *verdict) error {
	asked := *q
	asked.roles = append([]string(nil), with.spelt()...) // no Clone, which may return what it is given
	got, err := s.ask(&asked, c)
	*v = got
	return err
}

// ask puts a question to the engine for its action.
func (s *snapshot) ask(q *question, c *settings) (verdict, error) {
	e, err := s.engineFor(q, c)
	if err != nil {
		return verdict{}, &core.InternalError{Err: err}
	}
	if e == nil {
		return verdict{otherwise: core.ReasonUnknownMethod}, nil
	}
	got, err := e.decide(q)
	if err != nil {
		return verdict{}, q.failure(err)
	}
	return verdict{got, q.otherwise}, nil
}

// object is what the policy sees of a resource, and how many bytes of it may be
// in any letter case.
func (c *config) object(r *core.Resource) (object string, folded int) {
	switch {
	case r.Name != "":
		return r.Name, 0
	case !c.objectRoute:
		return r.Path, max(0, min(r.Folded, len(r.Path)))
	case r.Folded != 0:
		return r.Route, len(r.Route)
	default:
		return r.Route, 0
	}
}

// engineFor is the engine for an action, or nil when it is an unusual method
// that no rule names.
func (s *snapshot) engineFor(q *question, c *settings) (engine, error) {
	if c.asCasbin || q.named || isUsual(q.action) {
		return s.engine, nil
	}
	if build := s.unusual[q.action]; build != nil {
		return build()
	}
	return nil, nil
}

// decision is the verdict for a guard.
func (v *verdict) decision() (d core.Decision) {
	v.fill(&d)
	return d
}

// fill makes the decision where it is to be: it is large to copy.
func (v *verdict) fill(d *core.Decision) {
	d.Allowed, d.Reason = v.allowed, v.otherwise
	if d.Rule = v.place; d.Rule == "" && v.rule != nil {
		d.Rule = v.rule.place()
	}
	switch {
	case v.allowed:
		d.Reason = core.ReasonAllowed
	case v.rule != nil:
		d.Reason = ReasonDeniedByRule
	}
}
