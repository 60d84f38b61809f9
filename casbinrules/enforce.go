package casbinrules

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
)

// Enforce decides as Casbin's own Enforce does for the model and policy: values
// are those of the model's request definition, in its order. Nothing is added
// that Casbin does not know: no roles of credentials, no HEAD judged as GET,
// no names that get nothing.
//
// It is for tools and tests. Gates ask [Authorizer.Authorize].
//
// The error is that of ctx, of a wrong number of values, of a value that does
// not read as the type of its attribute, or of Casbin.
func (a *Authorizer) Enforce(ctx context.Context, values ...string) (core.Decision, error) {
	if err := ctx.Err(); err != nil {
		return core.Decision{}, err
	}
	s := a.current.Load()
	if len(values) != len(s.schema.request) {
		return core.Decision{}, fmt.Errorf("casbinrules: the request has %d values, and the model defines %d", len(values), len(s.schema.request))
	}
	q := question{ctx: ctx, attributes: make([]typedValue, len(s.schema.attributes))}
	for i, field := range s.schema.request {
		switch field {
		case fieldSubject:
			q.subject = values[i]
		case fieldTenant:
			q.tenant = values[i]
		case fieldObject:
			q.object = values[i]
		case fieldAction:
			q.action = values[i]
		default:
			v, err := a.config.typed(s.schema.attributes[field-fieldAttribute], values[i])
			if err != nil {
				return core.Decision{}, fmt.Errorf("casbinrules: %w", err)
			}
			q.attributes[field-fieldAttribute] = v
		}
	}
	got, err := s.engine.decide(&q)
	if err != nil {
		return core.Decision{}, fmt.Errorf("casbinrules: %w", err)
	}
	v := verdict{got, ReasonNoRule}
	return v.decision(), nil
}
