package rule

import (
	"context"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// Claim allows a principal whose claim called name is one of the allowed values, or
// an array that contains one of them: a plan, a region, an entitlement.
//
// Only strings match. A claim of another type (a number, a boolean, an object)
// never does, and a string is never split at spaces.
//
// It panics if the name is empty, no value is given, or a value is empty or given
// twice.
func Claim(name string, allowed ...string) core.Authorizer {
	if name == "" {
		panic("rule.Claim: the claim name must not be empty")
	}
	return &claim{
		name:    name,
		allowed: list("Claim", "value", allowed),
		label:   newLabel("Claim", append([]string{name}, allowed...)...),
	}
}

type claim struct {
	label
	name    string
	allowed []string
}

func (c *claim) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	value, _ := p.Claim(c.name)
	if c.matches(value) {
		return core.Decision{Allowed: true, Rule: c.String()}, nil
	}
	return core.Decision{Reason: core.ReasonMissingEntitlement, Rule: c.String()}, nil
}

func (c *claim) matches(value any) bool {
	switch value := value.(type) {
	case string:
		return slices.Contains(c.allowed, value)
	case []string:
		return slices.ContainsFunc(value, func(s string) bool { return slices.Contains(c.allowed, s) })
	case []any:
		return slices.ContainsFunc(value, func(v any) bool {
			s, ok := v.(string)
			return ok && slices.Contains(c.allowed, s)
		})
	default:
		return false
	}
}
