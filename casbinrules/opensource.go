package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
	from "github.com/sallyport-go/sallyport/core/source"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
)

// OpenSource reads model and policy from a source that several instances share, and
// follows it: each new revision takes effect automatically, whole or not at all,
// after the same checks as in [Open]. An invalid policy changes only
// [Authorizer.Status]. [Authorizer.Close] stops following; the source itself is left
// open.
//
// The paths of a [ModelFile] and of policies are names of files in the source; a
// folder stands for the .csv files in it, and no policies for all .csv files in the
// source. Other files are ignored. Decisions contain the revision that made them, a
// decimal number, in core.Decision and core.Event.
//
// ctx applies only to the first load. Unlike with files, a revision may be far
// smaller than the one before, since it cannot be half written.
func OpenSource(ctx context.Context, src from.Source, m Model, policies []string, opts ...Option) (*Authorizer, error) {
	if isNil(src) {
		return nil, errors.New("casbinrules: the source is nil")
	}
	names := source.Sources{FS: source.Host{}, Model: m.of, Policies: slices.Clone(policies), Shared: true}
	return assemble(names, append(slices.Clone(opts), func(c *config) error {
		c.shared, c.sharedStart = src, ctx
		return nil
	}))
}

// WithSourceOptions sets how [OpenSource] follows its source: how often it is
// polled, its timeout, and where the last good content is stored. Use
// [WithMaxStaleness] instead of source.WithMaxStaleness, and [WithReloadObserver]
// instead of source.WithStatusObserver, which is refused.
func WithSourceOptions(opts ...from.Option) Option {
	return func(c *config) error {
		c.follow = append(c.follow, opts...)
		return nil
	}
}

// StaleMode says how requests are decided once a source has not confirmed the policy
// in force for too long.
type StaleMode string

// The modes.
const (
	// StaleServe continues to decide by the policy in force; it is the default.
	// [Status] and a [ReloadStale] event report it.
	StaleServe StaleMode = "serve"
	// StaleUnavailable answers 503 with [ReasonPolicyStale].
	StaleUnavailable StaleMode = "unavailable"
	// StaleKnownOnly allows what the policy in force allows and has allowed before,
	// while it was confirmed: the same principal with the same roles and tenant, the
	// same object and action, and the same values of all attributes. An attribute
	// that always changes, such as the time, therefore prevents any match. Anything
	// else that the policy would allow is 503 with [ReasonPolicyStale]; what it
	// denies is still denied. Known requests are remembered as hashes in 1 MiB, in
	// which newer ones may replace others.
	StaleKnownOnly StaleMode = "known_only"
)

// ReasonPolicyStale says that the policy has not been confirmed for too long to
// decide the request; see [WithMaxStaleness].
const ReasonPolicyStale core.Reason = "policy_stale"

// WithMaxStaleness limits how long the policy in force decides without its source
// confirming that it is the newest, and says how requests are decided afterwards. It
// applies only to [OpenSource]. As soon as the source is back, decisions are as
// before.
func WithMaxStaleness(d time.Duration, then StaleMode) Option {
	return func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("staleness %v: must be above 0", d)
		}
		if then != StaleServe && then != StaleUnavailable && then != StaleKnownOnly {
			return fmt.Errorf("stale mode %q: want %s, %s or %s", then, StaleServe, StaleUnavailable, StaleKnownOnly)
		}
		if c.maxStale != 0 {
			return errors.New("staleness: the option is given twice")
		}
		c.maxStale, c.staleMode = d, then
		return nil
	}
}

// checkShared returns an error for options that need a source if there is none, and
// for options for files if there is one.
func (c *config) checkShared() error {
	switch {
	case c.shared == nil && (c.maxStale != 0 || len(c.follow) > 0):
		return errors.New("staleness and source options are for policies of a source: use OpenSource")
	case c.shared != nil && c.watching:
		return errors.New("watch: the policy is not in a file: OpenSource follows its source by itself")
	case c.shared != nil && c.updates != nil:
		return errors.New("watcher: OpenSource follows its source by itself")
	}
	return nil
}

// follow opens the policy of a source and follows it.
func (a *Authorizer) follow() error {
	c := &a.config
	opts := append(slices.Clone(c.follow), from.WithStatusObserver(a.sourceStatus))
	if c.maxStale != 0 {
		opts = append(opts, from.WithMaxStaleness(c.maxStale, nil))
		if c.staleMode == StaleKnownOnly {
			a.remembered = newRemembered()
		}
	}
	f, err := from.Follow(c.sharedStart, c.shared, a.published, opts...)
	if err != nil {
		return err
	}
	a.follower.Store(f)
	c.sharedStart = nil
	return nil
}

// published puts a revision into force, including the first.
func (a *Authorizer) published(ctx context.Context, content *from.Content) error {
	started := time.Now()
	in, err := a.sources.TakeContent(content)
	if err == nil && a.current.Load() == nil {
		return a.startWith(in)
	}
	if err != nil {
		if a.current.Load() != nil {
			a.reject(ctx, ReloadEvent{Time: started, Outcome: ReloadRejected, Err: err})
		}
		return err
	}
	old := a.current.Load()
	if in.HashAt(pace.New(started)) == old.version.Hash && in.Revision != old.version.Revision {
		// Only files that are not used here have changed.
		next := *old
		next.version.Revision = in.Revision
		a.current.Store(&next)
	}
	changed, err := a.apply(ctx, started, in)
	if err == nil && !changed {
		a.unchanged(ctx, started, a.last.Load())
	}
	return err
}

// sourceStatus calls observers when the source fails, becomes stale, or is back, and
// when its content cannot be stored, or can again.
func (a *Authorizer) sourceStatus(s from.Status) {
	mode := a.config.staleMode
	a.refusing.Store(s.Stale && mode != StaleServe && mode != "")
	if a.current.Load() == nil {
		return // the caller of OpenSource gets the error
	}
	failing := s.Err != nil && s.Latest == s.Revision // and not a rejected revision
	was, wasStale, wasUnkept := a.failing.Swap(failing), a.stale.Swap(s.Stale), a.unkept.Swap(s.FileErr != nil)
	v := a.Version()
	e := ReloadEvent{Time: time.Now(), Old: v, New: v, Err: s.Err}
	switch {
	case s.Stale && !wasStale:
		e.Outcome = ReloadStale
		if e.Err == nil {
			e.Err = fmt.Errorf("the source has not answered since %s", s.Confirmed.Format(time.RFC3339))
		}
	case failing && !was:
		e.Outcome = ReloadFailed
	case s.FileErr != nil && !wasUnkept:
		e.Outcome, e.Err = ReloadNotKept, s.FileErr
	case !failing && was, !s.Stale && wasStale, s.FileErr == nil && wasUnkept:
		e.Outcome = ReloadUnchanged
	default:
		return
	}
	a.tell(context.Background(), e)
}

// WaitFor returns nil once decisions use a revision of the source that is at least
// r, so that the publisher of r knows when it is in force. If r, or a later
// revision, was rejected, the error says so at once; otherwise it is that of ctx, or
// source.ErrClosed.
func (a *Authorizer) WaitFor(ctx context.Context, r from.Revision) error {
	f := a.follower.Load()
	if f == nil {
		return errors.New("casbinrules: wait for a revision: the policy has no numbered revisions; use OpenSource")
	}
	if err := f.WaitFor(ctx, r); err != nil {
		return fmt.Errorf("casbinrules: wait for revision %d: %w", r, err)
	}
	return nil
}

// shared is the part of an Authorizer that only a source needs.
type shared struct {
	follower   atomic.Pointer[from.Follower] // nil without a source
	refusing   atomic.Bool                   // because of WithMaxStaleness
	remembered *remembered                   // nil unless StaleKnownOnly
	failing    atomic.Bool                   // observers have been called about it
	stale      atomic.Bool
	unkept     atomic.Bool
}

// bound restricts a decision of a policy that may be older than WithMaxStaleness
// allows. It is only called if there may be a restriction. Object and action are
// those that the policy decided, in which HEAD is GET.
func (a *Authorizer) bound(p *core.Principal, object, action string, d *core.Decision) error {
	refusing := a.refusing.Load()
	if a.remembered != nil {
		if !d.Allowed {
			return nil
		}
		question := a.remembered.question(p, a.config.NoTokenRoles, object, action, d.Attributes)
		if !refusing {
			a.remembered.add(question)
			return nil
		}
		if a.remembered.has(question) {
			return nil
		}
		// The policy in force would allow it. That it is unconfirmed is an outage,
		// not a lack of permission.
	} else if !refusing {
		return nil
	}
	*d = core.Decision{Reason: ReasonPolicyStale, Revision: d.Revision}
	return errStale
}

var errStale error = &core.UnavailableError{
	Reason: ReasonPolicyStale,
	Err:    errors.New("the source of the policy has not confirmed it for longer than WithMaxStaleness (max_staleness) allows"),
}
