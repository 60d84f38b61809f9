package model

import (
	"context"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// fills reports whether a request field of that name is accepted.
func (c *Settings) fills(field string) bool {
	return c.Filled[field] || c.AnyAttribute && IsWord(field)
}

// Settings are the options that say what a model and its policy mean.
type Settings struct {
	Casbin       bridge.Casbin
	Anonymous    bool
	EmptyPolicy  bool
	ObjectRoute  bool
	NoTokenRoles bool
	RolePrefix   string
	// DefaultRole is that of everybody with credentials, as these spell it, or "".
	DefaultRole string
	AsCasbin    bool
	// Edited says that the policy is read again and again for what there is to say
	// about it, notes and errors among that.
	Edited bool
	// RolePatterns are the functions by which names in role links are patterns, by
	// the kind of links; TenantPatterns are the kinds whose tenants are patterns.
	RolePatterns   map[string]string
	TenantPatterns map[string]bool
	// Filled are the request fields that options fill; with AnyAttribute all
	// others are filled, too.
	Filled       map[string]bool
	AnyAttribute bool
	// AttributeTypes are those declared; the others are texts.
	AttributeTypes map[string]AttributeType
	Functions      map[string]MatcherFunction
	Aliases        map[string]string // names of functions to Casbin's own
	Pace           *pace.Pace        // of a load beside requests
	Clock          func() time.Time  // time.Now where it is nil
	// LinkConditions say when role links count, by the kind of links.
	LinkConditions map[string]LinkCondition
}

// LinkCondition says whether a role link with these fields counts now.
type LinkCondition func(ctx context.Context, fields ...string) (bool, error)

// Now is the time by which role links are judged.
func (c *Settings) Now() time.Time {
	if c.Clock == nil {
		return time.Now()
	}
	return c.Clock()
}
