package rule

import (
	"context"
	"strconv"

	"github.com/sallyport-go/sallyport/core"
)

// Func returns a rule that allows if allow returns true. The name is for auditors.
// An error refuses with 503, or as its kind says (see [core.Authorizer]), whatever
// the bool. The function must be safe for concurrent use.
//
// It panics if the name is empty or the function is nil.
func Func(name string, allow func(ctx context.Context, p *core.Principal, a core.Access) (bool, error)) core.Authorizer {
	if name == "" {
		panic("rule.Func: the rule name must not be empty")
	}
	if allow == nil {
		panic("rule.Func: the function of " + strconv.Quote(name) + " is nil")
	}
	return &predicate{label: newLabel("Func", name), allow: allow}
}

type predicate struct {
	label
	allow func(context.Context, *core.Principal, core.Access) (bool, error)
}

func (r *predicate) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	ok, err := r.allow(ctx, p, a)
	switch {
	case err != nil:
		return core.Decision{Rule: r.String()}, err
	case ok:
		return core.Decision{Allowed: true, Rule: r.String()}, nil
	default:
		return core.Decision{Reason: core.ReasonDenied, Rule: r.String()}, nil
	}
}

// Owner allows the principal whose ID is id, for checks inside a handler once
// the object is loaded:
//
//	if err := httpauth.Check(w, r, guard, rule.Any(rule.Owner(doc.Owner), rule.Role("admin"))); err != nil {
//		return
//	}
//
// It prints as rule.Owner, without the id, since rules are logged.
//
// An empty id, such as that of an object without an owner, matches nobody.
func Owner(id string) core.Authorizer { return owner(id) }

type owner string

// String omits the ID: it identifies a person, and rules are logged.
func (owner) String() string { return "rule.Owner" }

func (o owner) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	if o != "" && p.ID() == string(o) {
		return core.Decision{Allowed: true, Rule: o.String()}, nil
	}
	return core.Decision{Reason: core.ReasonDenied, Rule: o.String()}, nil
}
