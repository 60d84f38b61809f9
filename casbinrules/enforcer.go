package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/casbin/casbin/v2"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/enforcer"
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// EnforcerAuthorizer decides gate two with a Casbin enforcer that the application
// has created and configured. It is safe for concurrent use. Create it with
// [FromEnforcer].
type EnforcerAuthorizer struct {
	config config
	lock   *sync.RWMutex
	// synced reports that the lock is the enforcer's own.
	synced   bool
	enforcer *enforcer.Enforcer
}

// The interfaces that a guard uses.
var (
	_ core.AnonymousAuthorizer = (*EnforcerAuthorizer)(nil)
	_ core.MethodAuthorizer    = (*EnforcerAuthorizer)(nil)
	_ core.RoleSource          = (*EnforcerAuthorizer)(nil)
)

// FromEnforcer decides with e: its Enforce receives the request fields that its
// model defines, which are sub, obj, act, dom (or tenant, domain) and those that
// [WithAttribute] fills. Its policy is read at each decision, so changes need no
// reload; a decision takes at least as long as Casbin's, which grows with the number
// of rules. There are no findings and no explanations. For these, and for speed,
// pass the adapter of e to [FromAdapter].
//
// The additions that [Authorizer] makes to Casbin's decisions also hold here, as far
// as they can be read from the policy of e. An ID that a g line assigns as a role is
// granted nothing. HEAD is treated as GET unless a rule has the word HEAD, and an
// unusual method is allowed only by a rule that has it as a word, both in the field
// act if rules have one. The roles of credentials cannot be linked for one request
// in a policy that others share, so a model with g needs [WithoutTokenRoles].
// [WithCasbinSemantics] turns the additions off.
//
// A [casbin.SyncedEnforcer], and what Casbin builds on it, is used with its own
// lock, and others may use and change it. Any other enforcer belongs to the
// EnforcerAuthorizer from now on: change and reload it only in
// [EnforcerAuthorizer.Update], not in a watcher or goroutine of its own. With either
// kind, do not afterwards replace the model, enable or disable enforcing, or switch
// to requests in JSON.
//
// Of the other options, [WithAnonymous], [WithRouteAsObject] and [WithRolePrefix]
// work here, and so does [WithAttributeType] with [Number], which Casbin receives as
// a float64, and with [IPAddress]. All others are refused because they would have no
// effect. Also refused are an enforcer that allows what none of its rules allows,
// such as one that is disabled, and, without [WithCasbinSemantics], a matcher that
// compares texts by order.
func FromEnforcer(e casbin.IEnforcer, opts ...Option) (*EnforcerAuthorizer, error) {
	if isNil(e) {
		return nil, errors.New("casbinrules: the enforcer is nil")
	}
	return FromBridgedEnforcer(casbinv2.Enforcer(e), opts...)
}

// FromBridgedEnforcer is [FromEnforcer] for an enforcer of another major version of
// Casbin, adapted by its bridge.
func FromBridgedEnforcer(e bridge.Enforcer, opts ...Option) (*EnforcerAuthorizer, error) {
	if isNil(e) {
		return nil, errors.New("casbinrules: the enforcer is nil")
	}
	a := &EnforcerAuthorizer{config: newConfig(), lock: e.Lock()}
	if a.synced = a.lock != nil; !a.synced {
		a.lock = new(sync.RWMutex)
	}
	if err := option.Apply(&a.config, opts); err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	if err := a.check(e); err != nil {
		return nil, fmt.Errorf("casbinrules: enforcer: %w", err)
	}
	return a, nil
}

// check refuses options and enforcers that are not supported.
func (a *EnforcerAuthorizer) check(e bridge.Enforcer) error {
	c := &a.config
	switch {
	case c.watching, c.updates != nil, c.observers != nil, c.pseudonyms != nil, c.EmptyPolicy:
		return errors.New("the enforcer loads its own policy: remove the options for loading one")
	case c.Casbin != casbinv2.Casbin:
		return errors.New("the enforcer already determines the major version: remove WithCasbin")
	case c.RolePatterns != nil || c.TenantPatterns != nil:
		return errors.New("give patterns to the enforcer with its AddNamedMatchingFunc and AddNamedDomainMatchingFunc")
	case c.DefaultRole != "":
		return errors.New("roles of requests cannot be added to the enforcer's policy: remove WithDefaultRole")
	case c.ofObject != nil:
		return errors.New("an enforcer cannot use attributes of objects: remove WithObjectAttribute, or use Open or FromAdapter")
	case c.LinkConditions != nil:
		return errors.New("give conditions to the enforcer with its AddNamedLinkConditionFunc: remove WithLinkCondition")
	case c.Clock != nil:
		return errors.New("the enforcer uses its own clock: remove WithClock")
	case c.Functions != nil || c.Aliases != nil:
		return errors.New("give functions to the enforcer with its AddFunction")
	}
	for field, t := range c.AttributeTypes {
		if t == TimeOfDay || t == Date {
			return fmt.Errorf("attribute %s: Casbin compares no times and dates: declare a number, such as minutes or days", field)
		}
	}
	a.lock.RLock()
	defer a.lock.RUnlock()
	var err error
	a.enforcer, err = enforcer.New(e, &c.Settings)
	return err
}

// Update calls change, which may change the enforcer, for example with LoadPolicy or
// AddPolicy, while no decision is made, and returns its error. change must not call
// this authorizer. A synced enforcer takes its own lock for each of its calls.
func (a *EnforcerAuthorizer) Update(change func() error) error {
	if change == nil {
		return errors.New("casbinrules: update: the function is nil")
	}
	if !a.synced {
		a.lock.Lock()
		defer a.lock.Unlock()
	}
	return change()
}

// Authorize decides with the enforcer. Decision.Rule is the line that decided, such
// as "p, editor, /reports, GET". The error is a [*core.InternalError] if Casbin
// fails, that of an attribute, or that of ctx.
func (a *EnforcerAuthorizer) Authorize(ctx context.Context, p *core.Principal, access core.Access) (core.Decision, error) {
	// The subject may turn out to be that, which no attribute may equal.
	q := engine.Request{Subject: engine.Unmatchable, Tenant: p.Tenant(), DefaultReason: ReasonNoRule}
	return a.decide(ctx, &q, p, access)
}

// AuthorizeAnonymous decides for the subject "anonymous" if [WithAnonymous] was
// given, and refuses otherwise. A model with tenants always refuses.
func (a *EnforcerAuthorizer) AuthorizeAnonymous(ctx context.Context, access core.Access) (core.Decision, error) {
	if !a.config.Anonymous {
		return core.Decision{Reason: core.ReasonNoCredentials}, nil
	}
	return a.decide(ctx, &engine.Request{Subject: policy.Anonymous, DefaultReason: ReasonNoRule}, nil, access)
}

// JudgesMethod reports whether method is unusual and a word in a rule.
func (a *EnforcerAuthorizer) JudgesMethod(method string) bool {
	a.lock.RLock()
	defer a.lock.RUnlock()
	return !policy.IsUsual(method) && method != "*" && a.enforcer.SomeRuleNames(method)
}

// RolesOf returns the roles that the enforcer's g lines assign to p, as
// [Authorizer.RolesOf] does.
func (a *EnforcerAuthorizer) RolesOf(_ context.Context, p *core.Principal) ([]string, error) {
	a.lock.RLock()
	defer a.lock.RUnlock()
	return a.enforcer.RolesOf(p.ID(), p.Tenant())
}

// decide decides. It fills in attributes before it takes the lock: their functions may
// ask the enforcer themselves, which then must not wait for a change that waits for them.
func (a *EnforcerAuthorizer) decide(ctx context.Context, q *engine.Request, p *core.Principal, access core.Access) (core.Decision, error) {
	if err := ctx.Err(); err != nil {
		return core.Decision{}, err
	}
	attributes := a.config.fill(a.enforcer.Schema, q, p, &access, nil)
	a.lock.RLock()
	defer a.lock.RUnlock()
	if p != nil && a.enforcer.IsRoleName(p.ID()) {
		q.DenyOnlySubject, q.DefaultReason = p.ID(), ReasonSubjectIsRoleName
	} else if p != nil {
		q.Subject = p.ID()
	}
	q.Object, q.Folded = a.config.object(&access.Resource)
	q.Action = access.Action
	q.NamedAction = access.Request != nil && access.Request.Method() != access.Action
	if q.Action == http.MethodHead && !a.config.AsCasbin {
		if q.AsGet = a.enforcer.SomeRuleNames(http.MethodHead); !q.AsGet {
			q.Action = http.MethodGet
		}
	}
	d, err := a.decideFilled(q)
	d.Attributes = attributes
	return d, err
}

// decideFilled decides a request whose attributes are filled in.
func (a *EnforcerAuthorizer) decideFilled(q *engine.Request) (core.Decision, error) {
	switch {
	case a.enforcer.Schema.Tenants && q.Tenant == "":
		return core.Decision{Reason: ReasonNoTenant}, nil
	case q.Object == "":
		return core.Decision{Reason: ReasonNoObject}, nil
	case q.AttributeErr != nil:
		var v engine.Verdict
		err := q.Refuse(&v)
		return v.Decision(), err
	}
	v, err := a.enforcer.EnforceSpellings(q)
	if err != nil {
		return core.Decision{}, err
	}
	if v.Allowed && !a.config.AsCasbin && !q.NamedAction && !policy.IsUsual(q.Action) && (v.Rules == nil || !a.enforcer.Names(v.Rule().Fields(), q.Action)) {
		return core.Decision{Reason: core.ReasonUnknownMethod}, nil
	}
	return v.Decision(), nil
}
