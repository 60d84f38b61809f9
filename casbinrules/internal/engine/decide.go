package engine

import (
	"context"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Reasons of refusals, as package casbinrules documents them.
const (
	ReasonNoRule            core.Reason = "no_rule_matched"
	ReasonDeniedByRule      core.Reason = "denied_by_rule"
	ReasonSubjectIsRoleName core.Reason = "subject_is_role_name"
	ReasonNoTenant          core.Reason = "no_tenant"
	ReasonNoObject          core.Reason = "no_object"
	ReasonNoAttribute       core.Reason = "no_attribute"
	ReasonBadAttribute      core.Reason = "bad_attribute"
)

// MaxRolesAside is the number of roles of credentials up to which a decision does
// not allocate.
const MaxRolesAside = 16

// TokenRoles are the roles that the credentials of a request carry. They are not
// part of Request, which an engine may retain, so that they can stay on the stack.
type TokenRoles struct {
	Prefix string // prefix of roles in the policy, which Roles lack
	Roles  []string
}

// Prefixed returns the roles as the policy spells them.
func (b *TokenRoles) Prefixed() []string {
	if b.Prefix == "" {
		return b.Roles
	}
	var roles []string
	for _, role := range b.Roles {
		roles = append(roles, b.Prefix+role)
	}
	return roles
}

// Verdict is an answer, with the reason of a refusal that no rule made.
type Verdict struct {
	Answer
	Reason core.Reason
}

// Decide decides with the snapshot alone. Deny rules reach further than allow rules:
// they apply to a subject whose name grants it nothing, those for GET apply to HEAD,
// and if the router ignores the letter case of a path, a denial of one spelling
// applies to all.
func (s *Snapshot) Decide(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if s.limitedLinks {
		s.Stamp(ctx, q, c)
	}
	if q.DenyOnlySubject != "" || q.AsGet || q.Folded != 0 {
		return s.decideVariants(ctx, q, with, c, v)
	}
	return s.decideOne(ctx, q, with, c, v)
}

// decideVariants decides a request together with the variants of it that deny rules
// cover.
//
//go:noinline
func (s *Snapshot) decideVariants(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if err := s.decideAsSpelled(ctx, q, with, c, v); err != nil || !v.Allowed || q.Folded == 0 || s.spellings == nil {
		return err
	}
	return s.decideSpellings(ctx, q, with, c, v)
}

// decideSpellings refuses what is denied in another spelling of the path.
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
		if err := s.decideAsSpelled(ctx, &other, with, c, &got); err != nil || s.spellings.Refuses(&got) {
			*v = got
			v.Spelled = object
			return err
		}
	}
	return nil
}

func (s *Snapshot) decideAsSpelled(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	excluded := false
	for w := range q.Variants {
		if err := s.decideOne(ctx, &w, with, c, v); err != nil || v.Denies() {
			return err
		}
		excluded = excluded || !v.Allowed && w.Action == q.Action
		*v = Verdict{}
	}
	err := s.decideOne(ctx, q, with, c, v)
	if v.Allowed && excluded {
		*v = Verdict{Reason: q.DefaultReason}
	}
	return err
}

// decideOne decides q alone. The verdict must be empty.
func (s *Snapshot) decideOne(ctx context.Context, q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.Ctx = ctx
	switch {
	case s.Schema.Tenants && q.Tenant == "":
		v.Reason = ReasonNoTenant
	case q.Object == "":
		v.Reason = ReasonNoObject
	case q.AttributeErr != nil:
		return q.Refuse(v)
	case s.Index != nil && (q.NamedAction || policy.IsUsual(q.Action)) && s.Index.Find(q, with, &v.Answer):
		if q.aborted {
			*v = Verdict{}
			return ctx.Err()
		}
		if err := q.Now.Err(); err != nil {
			*v = Verdict{}
			return err
		}
		v.Reason = q.DefaultReason
	default:
		return s.decideByEngine(q, with, c, v)
	}
	return nil
}

// decideByEngine copies q for the engine of its action, so that a question that an
// index decides stays on the stack.
//
//go:noinline
func (s *Snapshot) decideByEngine(q *Request, with *TokenRoles, c *model.Settings, v *Verdict) error {
	asked := *q
	asked.Roles = append([]string(nil), with.Prefixed()...) // not slices.Clone, which may return its argument
	got, err := s.decideCopy(&asked, c)
	*v = got
	return err
}

// decideCopy decides q with the engine for its action.
func (s *Snapshot) decideCopy(q *Request, c *model.Settings) (Verdict, error) {
	e, err := s.engineFor(q, c)
	if err != nil {
		return Verdict{}, &core.InternalError{Err: err}
	}
	if e == nil {
		return Verdict{Reason: core.ReasonUnknownMethod}, nil
	}
	got, err := e.Decide(q)
	if err != nil {
		return Verdict{}, q.failure(err)
	}
	if err := q.Now.Err(); err != nil {
		return Verdict{}, err
	}
	return Verdict{got, q.DefaultReason}, nil
}

// engineFor returns the engine for an action, or nil if it is an unusual method that
// no rule names.
func (s *Snapshot) engineFor(q *Request, c *model.Settings) (engine, error) {
	if c.AsCasbin || q.NamedAction || policy.IsUsual(q.Action) {
		return s.Engine, nil
	}
	if build := s.Unusual[q.Action]; build != nil {
		return build()
	}
	return nil, nil
}

// Decision returns the verdict as a decision for a guard.
func (v *Verdict) Decision() (d core.Decision) {
	v.Fill(&d)
	return d
}

// Fill writes the decision to d, because a Decision is large to copy.
func (v *Verdict) Fill(d *core.Decision) {
	d.Allowed, d.Reason = v.Allowed, v.Reason
	if d.Rule = v.Place; d.Rule == "" && v.Rules != nil {
		d.Rule = v.Rule().Place()
	}
	switch {
	case v.Allowed:
		d.Reason = core.ReasonAllowed
	case v.Rules != nil:
		d.Reason = ReasonDeniedByRule
	}
}
