package casbinrules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// WithObjectAttribute declares a field of the request definition for a fact about
// the object that a handler has loaded, such as its owner:
//
//	r = sub, obj, act, owner
//	m = (p.sub != "owner" && g(r.sub, p.sub) || p.sub == "owner" && r.sub == r.owner) && …
//
// Without p.sub != "owner", anybody with the ID or a role "owner" would pass for the
// owner of every object.
//
// [Authorizer.About] provides the value, and [WithAttributeType] may declare its
// type. A request without the value, such as at a gate in front of the handler, is
// refused with [ReasonNoAttribute], whatever the policy says.
func WithObjectAttribute(field string) Option {
	return objectAttribute(field, true, func() (string, error) {
		return "", fmt.Errorf("About has no value for it: %w", ErrNoAttribute)
	})
}

// WithObjectAttributeOr is [WithObjectAttribute] with a default value, such as "",
// so that one policy can be used at gates as well. Consider how the policy treats
// that value: with r.sub == r.owner nobody owns an object whose owner is "", so no
// line denies anything to owners there, and with r.sub != r.owner everybody passes.
func WithObjectAttributeOr(field, otherwise string) Option {
	return objectAttribute(field, false, func() (string, error) { return otherwise, nil })
}

func objectAttribute(field string, required bool, missing func() (string, error)) Option {
	return func(c *config) error {
		if err := WithAttribute(field, func(*core.Principal, core.Access) (string, error) { return missing() })(c); err != nil {
			return err
		}
		if c.ofObject == nil {
			c.ofObject = map[string]bool{}
		}
		c.ofObject[field] = required
		return nil
	}
}

// About returns the policy for one object whose fields of [WithObjectAttribute] have
// these values. It is for the adapters' Check, in a handler that has loaded the
// object:
//
//	if err := ginauth.Check(c, guard, policy.About(map[string]string{"owner": doc.Owner})); err != nil {
//		return
//	}
//
// The values must come from the same place as the object, not from the request. They
// must not be changed while the result is used, which is safe for concurrent use and
// decides by the policy in force at that time. If values contain a name that is not
// such a field, Authorize returns a [*core.InternalError]. Requests without
// credentials are always refused.
func (a *Authorizer) About(values map[string]string) core.Authorizer {
	return aboutObject{a, values, a.config.checkAbout(values)}
}

func (c *config) checkAbout(values map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := c.ofObject[name]; !ok {
			return &core.InternalError{Err: fmt.Errorf("casbinrules: about: %q is not a field of WithObjectAttribute: those are %s",
				name, strings.Join(slices.Sorted(maps.Keys(c.ofObject)), ", "))}
		}
	}
	return nil
}

// aboutObject is the policy for one object.
type aboutObject struct {
	policy *Authorizer
	values map[string]string
	wrong  error
}

// Authorize implements [core.Authorizer].
func (o aboutObject) Authorize(ctx context.Context, p *core.Principal, access core.Access) (d core.Decision, err error) {
	if o.wrong != nil {
		return d, o.wrong
	}
	err = o.policy.decide(ctx, p, &access, o.values, &d)
	return d, err
}

// Unwrap returns the policy.
func (o aboutObject) Unwrap() core.Authorizer { return o.policy }
