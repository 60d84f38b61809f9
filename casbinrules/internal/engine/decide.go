package engine

import (
	"context"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
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
	// no route was matched, with casbinrules.WithRouteAsObject.
	ReasonNoObject core.Reason = "no_object"
	// ReasonNoAttribute says that the request lacks an attribute that the
	// model asks for; see casbinrules.WithAttribute.
	ReasonNoAttribute core.Reason = "no_attribute"
	// ReasonBadAttribute says that an attribute of the request does not read as
	// its type; see casbinrules.WithAttributeType.
	ReasonBadAttribute core.Reason = "bad_attribute"
)

// MaxRolesAside is how many roles of credentials a decision takes without
// allocating.
const MaxRolesAside = 16

// TokenRoles is the roles that the credentials of a request bring. They are not in
// its question, which may be kept, so that they can stay on the stack.
type TokenRoles struct {
	Prefix string // of roles in the policy, which these do not have
	Roles  []string
}

// Spelled are the roles as the policy spells them.
func (b *TokenRoles) Spelled() []string {
	if b.Prefix == "" {
		return b.Roles
	}
	var roles []string
	for _, role := range b.Roles {
		roles = append(roles, b.Prefix+role)
	}
	return roles
}

// Verdict is an answer with the reason of a refusal that no rule made.
type Verdict struct {
	Answer
	Otherwise core.Reason
}

// Decide decides by the snapshot alone. Denials hold wider than permissions: a
// name that gets nothing is denied what its rules deny all the same, what is
// denied to GET is denied to HEAD, and what is denied in one spelling of a path
// whose letter case the router does not keep is denied in all.
func (s *Snapshot) Decide(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if s.limited {
		s.Stamp(ctx, q, c)
	}
	if q.Denied != "" || q.AsGet || q.Folded != 0 {
		return s.decideAll(ctx, q, with, c, v)
	}
	return s.decideOne(ctx, q, with, c, v)
}

// decideAll decides a question that may stand for others, too.
//
//go:noinline
func (s *Snapshot) decideAll(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if err := s.decideAsSpelled(ctx, q, with, c, v); err != nil || !v.Allowed || q.Folded == 0 || s.spellings == nil {
		return err
	}
	return s.decideSpellings(ctx, q, with, c, v)
}

// decideSpellings refuses what is denied in another spelling.
func (s *Snapshot) decideSpellings(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	objects, err := s.spellings.Of(q.Object, q.Folded)
	if err != nil {
		*v = Verdict{}
		return err
	}
	for _, object := range objects {
		other := *q
		other.Object = object
		var got Verdict
		if err := s.decideAsSpelled(ctx, &other, with, c, &got); err != nil || s.spellings.Refuse(&got) {
			*v = got
			v.Spelled = object
			return err
		}
	}
	return nil
}

func (s *Snapshot) decideAsSpelled(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if q.Denied != "" || q.AsGet {
		if err := s.decideWider(ctx, q, with, c, v); err != nil || v.Denies() {
			return err
		}
		*v = Verdict{}
	}
	return s.decideOne(ctx, q, with, c, v)
}

func (s *Snapshot) decideWider(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	wider := q.Wider()
	return s.decideOne(ctx, &wider, with, c, v)
}

// decideOne puts a question as it stands. The verdict is empty before.
func (s *Snapshot) decideOne(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.Ctx = ctx
	switch {
	case s.Schema.Tenants && q.Tenant == "":
		v.Otherwise = ReasonNoTenant
	case q.Object == "":
		v.Otherwise = ReasonNoObject
	case q.Unfilled != nil:
		return q.Refuse(v)
	case s.Index != nil && (q.Named || policy.IsUsual(q.Action)) && s.Index.Find(q, with, &v.Answer):
		if q.cut {
			*v = Verdict{}
			return ctx.Err()
		}
		if err := q.Now.Err(); err != nil {
			*v = Verdict{}
			return err
		}
		v.Otherwise = q.Otherwise
	default:
		return s.decideByEngine(q, with, c, v)
	}
	return nil
}

// decideByEngine puts a copy of a question to the engine for its action, so that
// what an index is asked stays on the stack.
//
//go:noinline
func (s *Snapshot) decideByEngine(q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	asked := *q
	asked.Roles = append([]string(nil), with.Spelled()...) // no Clone, which may return what it is given
	got, err := s.decideCopy(&asked, c)
	*v = got
	return err
}

// decideCopy puts a question to the engine for its action.
func (s *Snapshot) decideCopy(q *Request, c *model.Settings) (Verdict, error) {
	e, err := s.engineFor(q, c)
	if err != nil {
		return Verdict{}, &core.InternalError{Err: err}
	}
	if e == nil {
		return Verdict{Otherwise: core.ReasonUnknownMethod}, nil
	}
	got, err := e.Decide(q)
	if err != nil {
		return Verdict{}, q.failure(err)
	}
	if err := q.Now.Err(); err != nil {
		return Verdict{}, err
	}
	return Verdict{got, q.Otherwise}, nil
}

// engineFor is the engine for an action, or nil when it is an unusual method
// that no rule names.
func (s *Snapshot) engineFor(q *Request, c *model.Settings) (engine, error) {
	if c.AsCasbin || q.Named || policy.IsUsual(q.Action) {
		return s.Engine, nil
	}
	if build := s.Unusual[q.Action]; build != nil {
		return build()
	}
	return nil, nil
}

// Decision is the verdict for a guard.
func (v *Verdict) Decision() (d core.Decision) {
	v.Fill(&d)
	return d
}

// Fill makes the decision where it is to be: it is large to copy.
func (v *Verdict) Fill(d *core.Decision) {
	d.Allowed, d.Reason = v.Allowed, v.Otherwise
	if d.Rule = v.Place; d.Rule == "" && v.Rule != nil {
		d.Rule = v.Rule.Place()
	}
	switch {
	case v.Allowed:
		d.Reason = core.ReasonAllowed
	case v.Rule != nil:
		d.Reason = ReasonDeniedByRule
	}
}
