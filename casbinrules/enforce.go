package casbinrules

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
)

// Enforce decides as Casbin's own Enforce does for the model and policy: values are
// those of the model's request definition, in its order. It makes none of this
// package's additions: roles of credentials do not count, HEAD is not treated as
// GET, and a name of a role can be a subject.
//
// It is for tools and tests. Gates use [Authorizer.Authorize].
//
// The error is that of ctx, or reports a wrong number of values, a value that is not
// valid for the type of its attribute, or a failure of Casbin.
func (a *Authorizer) Enforce(ctx context.Context, values ...string) (core.Decision, error) {
	if err := ctx.Err(); err != nil {
		return core.Decision{}, err
	}
	s := a.current.Load()
	if len(values) != len(s.Schema.Request) {
		return core.Decision{}, fmt.Errorf("casbinrules: the request has %d values, and the model defines %d", len(values), len(s.Schema.Request))
	}
	q := engine.Request{Ctx: ctx, Attributes: make([]model.Value, len(s.Schema.Attributes))}
	for i, field := range s.Schema.Request {
		switch field {
		case model.FieldSubject:
			q.Subject = values[i]
		case model.FieldTenant:
			q.Tenant = values[i]
		case model.FieldObject:
			q.Object = values[i]
		case model.FieldAction:
			q.Action = values[i]
		default:
			v, err := typed(&a.config.Settings, s.Schema.Attributes[field-model.FieldAttribute], values[i])
			if err != nil {
				return core.Decision{}, fmt.Errorf("casbinrules: %w", err)
			}
			q.Attributes[field-model.FieldAttribute] = v
		}
	}
	s.Stamp(ctx, &q, &a.config.Settings)
	got, err := s.Engine.Decide(&q)
	if err == nil {
		err = q.Now.Err()
	}
	if err != nil {
		return core.Decision{}, fmt.Errorf("casbinrules: %w", err)
	}
	v := engine.Verdict{Answer: got, Reason: ReasonNoRule}
	return v.Decision(), nil
}
