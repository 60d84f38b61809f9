package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	from "github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/watch"
)

// Option configures an [Authorizer].
type Option func(*config) error

type config struct {
	model.Settings
	logger     *slog.Logger
	watching   bool
	watch      []watch.Option
	updates    Watcher // nil without WithWatcher
	attributes map[string]attribute
	claimed    []string        // fields that a claim fills, whatever the object
	ofObject   map[string]bool // fields that About fills, and whether it must
	observers  []func(context.Context, ReloadEvent)
	shared     from.Source // of OpenSource, or nil
	// sharedStart is the context of the first load, and nil afterwards.
	sharedStart context.Context
	follow      []from.Option
	maxStale    time.Duration // 0 if there is no limit
	staleMode   StaleMode
	pseudonyms  *core.Pseudonyms // for logs; nil if there are none
}

// newConfig returns the configuration without options.
func newConfig() config { return config{Settings: model.Settings{Casbin: casbinv2.Casbin}} }

// setKey sets an option for a key. twice is the error for a key that has one already.
func setKey[T any](options *map[string]T, key string, value T, twice string) error {
	if _, given := (*options)[key]; given {
		return fmt.Errorf(twice, key)
	}
	if *options == nil {
		*options = map[string]T{}
	}
	(*options)[key] = value
	return nil
}

// WithCasbin makes another major version of Casbin, instead of v2, read models and
// decide what the index cannot. Bridges add this option themselves.
func WithCasbin(c bridge.Casbin) Option {
	return func(to *config) error { return option.Set(&to.Casbin, c, "casbin is nil") }
}

// WithAnonymous lets the policy decide requests without credentials, with the
// subject "anonymous". Without it they are all refused. A principal whose ID is
// "anonymous" is granted nothing by that name in either case.
func WithAnonymous() Option { return func(c *config) error { return option.On(&c.Anonymous) } }

// WithEmptyPolicy accepts a policy without a p line, which refuses everything.
// Without it such a policy is an error, since an emptied file is usually an
// accident.
func WithEmptyPolicy() Option { return func(c *config) error { return option.On(&c.EmptyPolicy) } }

// WithClock replaces time.Now for the start and the end of role links, for tests and
// for tools that ask about another time. It is called once for each decision of a
// policy that has such links, and must be safe for concurrent use.
func WithClock(now func() time.Time) Option {
	return func(c *config) error { return option.Set(&c.Clock, now, "clock is nil") }
}

// WithLinkCondition makes role links of a kind, which is "g" or "g2" and so on,
// count only while a condition of the application is true:
//
//	g = _, _, (_, _)
//
// in the model gives each line two more fields, and holds is called with these. A
// line in which all of them are "_" always counts, without a call. Without this
// option the two are a start and an end. In Casbin, AddNamedLinkConditionFunc sets a
// condition for one link. Here it applies to all links of the kind, so that none is
// forgotten; if there are several conditions, let a field say which one applies.
//
// holds must be safe for concurrent use and quick. Each decision calls it anew for
// the links between its subject, or object, and their roles, and once for equal
// fields. It receives the context of the decision, but must not take the subject or
// object from it, since a list is one decision about many objects. An error, except
// that of ctx, refuses the request with 503, whatever other rules say, since it is
// then unknown whether access is allowed; a panic does so with 500. No condition is
// evaluated while a policy is loaded.
//
// In models with tenants Casbin checks only the first link of a chain, so conditions
// on links between roles are findings. Links with a condition cannot have patterns,
// and cannot be combined with eval or subject priority.
func WithLinkCondition(kind string, holds func(ctx context.Context, fields ...string) (bool, error)) Option {
	return func(c *config) error {
		if holds == nil {
			return fmt.Errorf("link condition: the function for %s is nil", kind)
		}
		return setKey(&c.LinkConditions, kind, holds, "link condition: that of %s is given twice")
	}
}

// WithRouteAsObject makes the object the route as registered ("/reports/:id")
// instead of the path. A name given where the gate was mounted takes precedence.
func WithRouteAsObject() Option { return func(c *config) error { return option.On(&c.ObjectRoute) } }

// WithoutTokenRoles ignores the roles of credentials: only the policy's own role
// links count.
func WithoutTokenRoles() Option { return func(c *config) error { return option.On(&c.NoTokenRoles) } }

// WithDefaultRole gives every principal a role, as if its credentials had it,
// whatever its scheme; requests without credentials do not have it. The role is
// spelled as in credentials, without the prefix of [WithRolePrefix], and also counts
// with [WithoutTokenRoles]. A line that denies it something denies it to everybody.
//
// A model in which g does not determine the roles of the subject is refused.
func WithDefaultRole(role string) Option {
	return func(c *config) error {
		if role == "" {
			return errors.New("default role must not be empty")
		}
		if c.DefaultRole != "" {
			return fmt.Errorf("default role: given twice, as %q and %q", c.DefaultRole, role)
		}
		c.DefaultRole = role
		return nil
	}
}

// WithRolePrefix keeps the names of roles apart from the IDs of principals, for
// policies whose roles come from tokens. With WithRolePrefix("role:") the role
// "admin" of the credentials is "role:admin" in the policy, a principal whose ID
// begins with the prefix is granted nothing by it, RolesOf and KnownRoles remove the
// prefix, and a g line that assigns a role without the prefix is an error.
func WithRolePrefix(prefix string) Option {
	return func(c *config) error { return option.SetOnce(&c.RolePrefix, prefix, "role prefix") }
}

// WithCasbinSemantics loads whatever Casbin itself loads, with the meaning it has
// for Casbin, so that an existing policy can be migrated first and cleaned up later.
// Findings about text that Casbin reads differently from how it looks are then
// warnings, as are findings about a matcher that Casbin can parse. What Casbin
// refuses, hangs on or decides at random is still an error. A matcher may then have
// eval; a request that cannot be compared is refused with an error. Role links
// together with eval are left to Casbin, and need [WithoutTokenRoles].
//
// Decisions are then Casbin's own throughout: a principal whose ID is the name of a
// role has what the role has, HEAD is a method like any other, and "*" covers
// methods outside the usual ones, of which a guard still refuses those that no rule
// names.
func WithCasbinSemantics() Option { return func(c *config) error { return option.On(&c.AsCasbin) } }

// WithLogger writes warnings about the policy, and the outcomes of reloads, to l
// instead of slog.Default. Use slog.New(slog.DiscardHandler) to discard them;
// [Authorizer.Warnings] still returns them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error { return option.Set(&c.logger, l, "logger is nil") }
}
