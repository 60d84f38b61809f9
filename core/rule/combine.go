package rule

import (
	"cmp"
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// All allows what all of its rules allow. Rules are asked in order; the first that
// refuses or fails decides, and the rest are not asked.
//
// It panics when no rule is given or one is nil.
func All(rules ...core.Authorizer) core.Authorizer { return &all{newParts("All", rules)} }

type all struct{ parts }

func (r *all) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	said, revision := r.String(), ""
	for i, part := range r.rules {
		d, err := r.evaluate(ctx, part, p, a)
		if err != nil || !d.Allowed {
			return d, err
		}
		said, revision = r.with(said, i, d), cmp.Or(d.Revision, revision)
	}
	return core.Decision{Allowed: true, Rule: said, Revision: revision}, nil
}

// with appends the Rule of part i, such as a line of a policy, for auditors, unless
// the combination's own text says it already.
func (r *all) with(said string, i int, d core.Decision) string {
	if d.Rule == r.texts[i] || d.Rule == r.String() {
		return said
	}
	return said + ", " + d.Rule
}

// AuthorizeAnonymous implements [core.AnonymousAuthorizer]: every part has to
// implement it and allow.
func (r *all) AuthorizeAnonymous(ctx context.Context, a core.Access) (core.Decision, error) {
	said, revision := r.String(), ""
	for i, part := range r.rules {
		d, err := r.evaluateAnonymous(ctx, part, a)
		if err != nil || !d.Allowed {
			return d, err
		}
		said, revision = r.with(said, i, d), cmp.Or(d.Revision, revision)
	}
	return core.Decision{Allowed: true, Rule: said, Revision: revision}, nil
}

// JudgesMethod implements [core.MethodAuthorizer]. One part is enough, since its
// consent is required.
func (r *all) JudgesMethod(method string) bool {
	return slices.ContainsFunc(r.rules, func(part core.Authorizer) bool { return judgesMethod(part, method) })
}

// Any allows what at least one of its rules allows. Rules are asked in order; the
// first that allows or fails decides, and the rest are not asked. An error is
// therefore never hidden by a later rule that would allow: put rules that need
// nothing outside the process first.
//
// If all refuse, the client is told what the first rule's refusal says: its public
// code and message, its scopes, the authentication it asks for. If it says none of
// these, and another rule would allow after a stronger or more recent
// authentication, the client is asked for that.
//
// It panics when no rule is given or one is nil.
func Any(rules ...core.Authorizer) core.Authorizer { return &anyOf{newParts("Any", rules)} }

type anyOf struct{ parts }

func (r *anyOf) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	var refusal core.Decision
	for i, part := range r.rules {
		d, err := r.evaluate(ctx, part, p, a)
		if err != nil || d.Allowed {
			return d, err
		}
		if i == 0 || d.StepUp != nil && silent(refusal) {
			refusal = d
		}
	}
	refusal.Rule = r.String()
	return refusal, nil
}

// silent reports whether a refusal has nothing specific to tell the client.
func silent(d core.Decision) bool {
	return d.Code == "" && d.Message == "" && len(d.Scopes) == 0 && d.StepUp == nil
}

// AuthorizeAnonymous implements [core.AnonymousAuthorizer]: one part that
// implements it and allows is enough.
func (r *anyOf) AuthorizeAnonymous(ctx context.Context, a core.Access) (core.Decision, error) {
	for _, part := range r.rules {
		if d, err := r.evaluateAnonymous(ctx, part, a); err != nil || d.Allowed {
			return d, err
		}
	}
	return core.Decision{Reason: core.ReasonNoCredentials, Rule: r.String()}, nil
}

// JudgesMethod implements [core.MethodAuthorizer]. Every part has to decide on the
// method: one that does not would allow it unchecked.
func (r *anyOf) JudgesMethod(method string) bool {
	return !slices.ContainsFunc(r.rules, func(part core.Authorizer) bool { return !judgesMethod(part, method) })
}

// Not allows what r refuses and refuses what it allows. An error of r stays an
// error. The zero [core.Decision] is a refusal like any other, so Not of a rule
// without an opinion allows: use it on rules that match what to keep out, such as
// Not(Role("contractor")).
//
// It never lets a request without credentials pass. It panics if r is nil.
func Not(r core.Authorizer) core.Authorizer { return &not{newParts("Not", []core.Authorizer{r})} }

type not struct{ parts }

// AuthorizeAnonymous implements [core.AnonymousAuthorizer]: it refuses.
func (r *not) AuthorizeAnonymous(context.Context, core.Access) (core.Decision, error) {
	return core.Decision{Reason: core.ReasonNoCredentials, Rule: r.String()}, nil
}

// JudgesMethod implements [core.MethodAuthorizer]. It reports false, since a rule
// that refuses a method unchecked would allow it here.
func (r *not) JudgesMethod(string) bool { return false }

func (r *not) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	d, err := r.evaluate(ctx, r.rules[0], p, a)
	switch {
	case err != nil:
		return d, err
	case d.Allowed:
		return core.Decision{Reason: core.ReasonDenied, Rule: r.String()}, nil
	default:
		return core.Decision{Allowed: true, Rule: r.String()}, nil
	}
}
