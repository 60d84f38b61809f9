package model

import (
	"context"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// provides reports whether an option provides a request field.
func (c *Settings) provides(field string) bool {
	return c.Filled[field] || c.AnyAttribute && IsWord(field)
}

// Settings are the options that determine what a model and its policy mean.
type Settings struct {
	Casbin       bridge.Casbin
	Anonymous    bool
	EmptyPolicy  bool
	ObjectRoute  bool
	NoTokenRoles bool
	RolePrefix   string
	// DefaultRole is the role of everybody with credentials, without the role
	// prefix, or "".
	DefaultRole string
	AsCasbin    bool
	// Edited reports that the policy is being edited: findings are computed again
	// and again, including notes and errors.
	Edited bool
	// RolePatterns are the functions by which names in role links are patterns, by
	// kind of link; TenantPatterns are the kinds whose tenants are patterns.
	RolePatterns   map[string]string
	TenantPatterns map[string]bool
	// Filled are the request fields that options provide; with AnyAttribute all
	// others are provided, too.
	Filled       map[string]bool
	AnyAttribute bool
	// AttributeTypes are the declared types; other attributes are texts.
	AttributeTypes map[string]AttributeType
	Functions      map[string]MatcherFunction
	Aliases        map[string]string // names of functions to Casbin's own
	Pace           *pace.Pace        // throttles a load while requests are served
	Clock          func() time.Time  // nil for time.Now
	// LinkConditions say when role links count, by the kind of links.
	LinkConditions map[string]LinkCondition
}

// LinkCondition reports whether a role link with these fields counts now.
type LinkCondition func(ctx context.Context, fields ...string) (bool, error)

// Now returns the time that determines which role links count.
func (c *Settings) Now() time.Time {
	if c.Clock == nil {
		return time.Now()
	}
	return c.Clock()
}
