package core

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
	"github.com/sallyport-go/sallyport/core/option"
)

// Gate is one mounted step of a [Guard]: what an adapter wraps as middleware.
// It is safe for concurrent use.
type Gate struct {
	guard     *Guard
	kind      string
	anonymous bool       // a request without credentials may pass
	lenient   bool       // credentials that are over are none
	rules     Authorizer // nil: identity is enough
	name      string
	action    string
	signIn    *signIn // nil: credentials are those of the guard's schemes
}

// GateOption configures one mounted gate.
type GateOption func(*Gate) error

// WithResourceName gives the resource behind the gate a name, which policies may use in
// place of its path.
func WithResourceName(name string) GateOption {
	return func(t *Gate) error {
		t.name = name
		return nil
	}
}

// WithAction gives the action behind the gate a name in place of the method.
func WithAction(action string) GateOption {
	return func(t *Gate) error {
		t.action = action
		return nil
	}
}

// WithExpiredAsAnonymous lets a request whose credentials are over pass an
// Optional gate as anonymous, such as one with the token or the cookie of a
// visitor who returns after a week: [ReasonExpired] or [CredentialError.Ended].
// At an Authorize gate it asks the authorizer as for a request without
// credentials. The event has the reason [ReasonExpiredAnonymous] and the cause.
// Whatever else is wrong with credentials is refused as always, such as a bad
// signature, a wrong password or what cannot be read.
//
// Who believes to be signed in is then served as a guest and not told: a cart
// may look empty, a draft may be saved for nobody, and a client that refreshes
// its token on 401 does not. Use it on public pages, and not where a request
// changes anything. Gates behind it that need a principal answer 401 with the
// reason, as without it.
func WithExpiredAsAnonymous() GateOption {
	return func(t *Gate) error {
		t.lenient = true
		return nil
	}
}

// Authenticate is gate one: it lets a request with a usable identity pass.
func (g *Guard) Authenticate(opts ...GateOption) (*Gate, error) {
	return g.gate("authenticate", nil, opts)
}

// Optional lets a request without credentials pass as anonymous. Credentials
// that are sent must be good all the same, unless [WithExpiredAsAnonymous] is
// given.
func (g *Guard) Optional(opts ...GateOption) (*Gate, error) {
	t, err := g.gate("optional", nil, opts)
	if err == nil {
		t.anonymous = true
	}
	return t, err
}

// Authorize is gate two: it asks the guard's authorizer, after gate one, which
// it runs itself if the request has not passed it yet.
func (g *Guard) Authorize(opts ...GateOption) (*Gate, error) {
	t, err := g.gate("authorize", nil, opts)
	if err == nil && g.authorizer == nil {
		err = errors.New("authorize: the guard has no authorizer; give NewGuard one with WithAuthorizer")
	}
	if err != nil {
		return nil, err
	}
	t.rules = g.authorizer
	return t, nil
}

// Require is gate two with rules in place of the policy: all of them must
// allow. It runs gate one itself if the request has not passed it yet.
func (g *Guard) Require(rules ...Authorizer) (*Gate, error) {
	return g.require("require", rules)
}

// CheckNow is gate two inside a handler, for rules that need the object the
// handler has loaded. All must allow; it never lets an anonymous request pass,
// and a check that cannot work (no rule, a nil one) is answered with 500.
func (g *Guard) CheckNow(ctx context.Context, r Request, rules ...Authorizer) Verdict {
	t, err := g.require("check", rules)
	if err != nil {
		t = &Gate{guard: g, kind: "check", rules: broken{err}}
	}
	return t.Check(ctx, r)
}

// broken is the rule of a check that cannot work.
type broken struct{ err error }

func (b broken) Authorize(context.Context, *Principal, Access) (Decision, error) {
	return Decision{}, &InternalError{b.err}
}

func (g *Guard) require(kind string, rules []Authorizer) (*Gate, error) {
	t, err := g.gate(kind, nil, nil)
	if err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("%s: no rule: without one it would only authenticate", kind)
	}
	for i, rule := range rules {
		if isnil.Value(rule) {
			return nil, fmt.Errorf("%s: rule %d is nil", kind, i+1)
		}
		if kind == "check" && !g.strict {
			continue // a warning at every request would be noise
		}
		if kind != "check" {
			if err := g.checkRule(rule); err != nil {
				return nil, fmt.Errorf("%s: rule %d: %w", kind, i+1, err)
			}
		}
		if err := g.checkRoles(rule); err != nil {
			return nil, fmt.Errorf("%s: rule %d: %w", kind, i+1, err)
		}
	}
	t.rules = allOf(slices.Clone(rules))
	return t, nil
}

func (g *Guard) gate(kind string, rules Authorizer, opts []GateOption) (*Gate, error) {
	if g == nil || len(g.schemes) == 0 {
		return nil, fmt.Errorf("%s: the guard was not made by NewGuard", kind)
	}
	t := &Gate{guard: g, kind: kind, rules: rules}
	if err := option.Apply(t, opts); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return t, nil
}

// RoleNamer is a rule that names roles, so that a role the policy does not
// know is reported at assembly.
type RoleNamer interface{ RoleNames() []string }

// RoleLister is an authorizer or role source that knows all roles there are.
// An empty list means that it does not know.
type RoleLister interface{ KnownRoles() []string }

func (g *Guard) checkRoles(rule Authorizer) error {
	lister, known := wrapped.As[RoleLister](g.roles)
	if !known || rule == nil {
		return nil
	}
	roles := lister.KnownRoles()
	if len(roles) == 0 {
		return nil
	}
	for _, role := range wrapped.Gather(rule, RoleNamer.RoleNames) {
		if slices.Contains(roles, role) {
			continue
		}
		err := fmt.Errorf("role %q is not one of the policy's roles (%s)", role, nearestNames(role, roles))
		if g.strict {
			return err
		}
		g.logger.Warn("a rule needs an unknown role", "error", err.Error())
	}
	return nil
}

// Verdict is what a gate says of one request.
type Verdict struct {
	// Context is to be the request's context from here on. It carries the
	// principal.
	Context context.Context
	// Fields are to be added to the response of a request that passes.
	Fields []Field
	// SharedCaching says that the guard leaves Cache-Control to handlers that
	// set it ([WithSharedCaching]), also for what gates before this one gave
	// out. Where it is not set, adapters see to [KeepFields].
	SharedCaching bool
	// Response, when not nil, is the answer: the adapter writes it, or what
	// [Verdict.Concealed] says, and no handler runs. Other requests may get the same one: it is not changed.
	Response *Response
	// Denial is why; nil for a request that passes and for a preflight.
	Denial *Denial

	gate      *Gate // that refused
	concealed bool  // Response is for adapters that know nothing of Concealed
}

// WroteAfter warns the guard's logger that something wrote to the response after
// v had refused the request, which a handler does that forgets to return, and
// that nothing of it was sent. It is for adapters, which tell it once a request.
func (v Verdict) WroteAfter(ctx context.Context, r Request) {
	if v.gate == nil || v.Denial == nil {
		return
	}
	rt, _ := r.Route() // only for the log
	method, reason := v.gate.guard.logged(r.Method(), v.Denial.Reason)
	v.gate.guard.logger.WarnContext(ctx, "a handler wrote after a refusal; nothing of it was sent",
		"gate", v.gate.kind, "status", v.Response.Status, "reason", reason, "method", method, "route", printable(rt.Pattern))
}

// clientGone reports whether d is a failure because the client hung up.
func clientGone(ctx context.Context, d *Denial) bool {
	failed := d.Kind == Unavailable || d.Kind == Faulty && errors.Is(d.Cause, context.Canceled)
	return failed && context.Cause(ctx) == context.Canceled
}

// Check judges one request and tells the observers. It never panics.
//
// A failure while ctx is cancelled is no outage but a client that hung up, and
// the event says so ([OutcomeClientGone]). The answer is that to the failure,
// should anybody still read it. A deadline, and a cancellation whose cause
// ([context.Cause]) is not [context.Canceled], are the program's own.
//
// The order is fixed: a CORS preflight is answered (browsers send no
// credentials on it), a path or credentials that can be read two ways are 400,
// then gate one, then the method, then the rules.
func (t *Gate) Check(ctx context.Context, r Request) (v Verdict) {
	var e Event // filled in place: it is large
	e.Time = time.Now()
	e.Gate, e.Outcome, e.Status, e.Reason = t.kind, OutcomeAllowed, http.StatusOK, ReasonAllowed
	v.Context = ctx
	if d := t.judge(ctx, r, &v, &e); d != nil {
		gone := clientGone(ctx, d)
		if gone {
			d.Reason = ReasonClientGone // no kept denial is a failure's
		}
		v = Verdict{Context: ctx, Denial: d, gate: t, concealed: t.guard.hides(d)}
		if v.concealed {
			v.Response = notFound
		} else {
			v.Response = t.guard.answer(r, d)
		}
		e.Outcome, e.Status, e.Reason, e.Cause = outcomes[d.Kind], v.Response.Status, d.Reason, d.Cause
		if gone {
			e.Outcome, e.Status = OutcomeClientGone, StatusClientGone
		}
	}
	e.Duration = time.Since(e.Time)
	t.guard.observe(v.Context, &e)
	return v
}

// judge runs the gate's steps and fills in v, with the request's context in it,
// for a request that is not denied. A panic in anything a user wrote is a
// denial.
func (t *Gate) judge(ctx context.Context, r Request, v *Verdict, e *Event) (d *Denial) {
	defer func() {
		if p := recover(); p != nil {
			d = newDenial(Faulty, CodeInternal, ReasonPanic, &PanicError{Value: p, Stack: debug.Stack()})
		}
	}()
	g := t.guard
	e.Method = r.Method()
	e.RequestID, _ = r.Header("X-Request-Id")
	e.client = g.clientOf(r)
	if tp, _ := r.Header("Traceparent"); tp != "" {
		e.TraceID = traceID(tp)
	}
	if e.Method == http.MethodOptions && t.kind != "check" && t.signIn == nil && isPreflight(r) {
		e.Outcome, e.Status, e.Reason = OutcomePreflight, http.StatusNoContent, ReasonPreflight
		v.Response = g.preflight(r)
		if g.hides(nil) { // whatever origin it names, since anyone can name it
			v.Response, v.gate, v.concealed, e.Status = notFound, t, true, notFound.Status
		}
		return nil
	}
	a := Access{Action: t.action, Request: r}
	if a.Action == "" {
		a.Action = e.Method
	}
	others, err := t.locate(r, &a.Resource)
	if err != nil {
		if errors.Is(err, errPathTooLong) {
			return newDenial(Ambiguous, CodePathTooLong, ReasonPathTooLong, err)
		}
		if errors.Is(err, ErrAmbiguousPath) {
			return newDenial(Ambiguous, CodeAmbiguousPath, ReasonAmbiguousPath, err)
		}
		return newDenial(Faulty, CodeInternal, ReasonInternal, err)
	}
	e.Route, e.Resource = a.Resource.Route, a.Resource.Path
	if t.signIn != nil {
		return t.signIn.attempt(ctx, g, r, e)
	}

	if pass := passageFrom(ctx); g.reuses(pass) {
		if p := pass.principal; p != nil {
			e.Scheme, e.PrincipalID = p.Scheme(), p.ID()
		}
		if pass.byBrowser && e.Method != pass.method { // a middleware has overridden it
			if d := g.crossSite(r); d != nil {
				return d
			}
		}
		v.SharedCaching = g.sharedCaching
		id := identity{principal: pass.principal, scheme: pass.scheme, ended: pass.ended}
		return t.decide(ctx, &id, &a, others, e)
	}
	id := identity{lenient: t.lenient}
	if d := g.identify(ctx, r, &id, e); d != nil {
		return d
	}
	if d := t.decide(ctx, &id, &a, others, e); d != nil {
		if len(id.informed) > 0 {
			informed := *d
			informed.fields, informed.answers = slices.Concat(id.informed, d.fields), nil
			d = &informed
		}
		return d
	}
	v.Context, v.Fields, v.SharedCaching = id.passage(ctx, g, e.Method), id.fields, g.sharedCaching
	return nil
}

// decide is gate two. Of the resources that the request may be for, each has to
// be allowed; the event of a refusal is about the one that was not.
func (t *Gate) decide(ctx context.Context, id *identity, a *Access, others []Resource, e *Event) *Denial {
	d := t.decideOne(ctx, id, a, e)
	if d != nil || len(others) == 0 || t.rules == nil {
		return d
	}
	allowed := *e
	for _, a.Resource = range others {
		e.Route, e.Resource = a.Resource.Route, a.Resource.Path
		if d := t.decideOne(ctx, id, a, e); d != nil {
			return d
		}
	}
	*e = allowed
	return nil
}

func (t *Gate) decideOne(ctx context.Context, id *identity, a *Access, e *Event) *Denial {
	g, r, p := t.guard, a.Request, id.principal
	var dec Decision
	var err error
	switch {
	case !g.judgesMethod(e.Method) && !t.judges(e.Method):
		dec.Reason = ReasonUnknownMethod
	case t.rules == nil:
		dec.Allowed = p != nil || t.anonymous
	case p != nil:
		dec, err = t.rules.Authorize(ctx, p, *a)
	case t.kind == "authorize" && g.anonymous != nil:
		dec, err = g.anonymous.AuthorizeAnonymous(ctx, *a)
	}
	e.Rule, e.Revision, e.principal = dec.Rule, dec.Revision, p
	switch {
	case err != nil:
		return g.failure(err)
	case dec.Allowed:
		if dec.Reason != "" {
			e.Reason = dec.Reason
		}
		switch {
		case p != nil:
		case id.ended != nil:
			e.Reason, e.Scheme, e.Cause = ReasonExpiredAnonymous, id.scheme, id.ended
		case e.Reason == ReasonAllowed:
			e.Reason = ReasonAnonymous
		}
		return nil
	case id.ended != nil:
		e.Scheme = id.scheme
		return g.refuse(r, g.indexOf(id.scheme), id.ended)
	case p == nil:
		return g.refuse(r, -1, ErrNoCredentials)
	default:
		return g.forbid(r, &dec)
	}
}

// judges reports whether the gate's own rules judge method.
func (t *Gate) judges(method string) bool {
	m, ok := wrapped.As[MethodAuthorizer](t.rules)
	return ok && m.JudgesMethod(method)
}

// allOf allows what each of its rules allows; the first to refuse is the
// decision.
type allOf []Authorizer

func (rules allOf) Authorize(ctx context.Context, p *Principal, a Access) (Decision, error) {
	var dec Decision
	for _, rule := range rules {
		var err error
		if dec, err = rule.Authorize(ctx, p, a); err != nil || !dec.Allowed {
			return dec, err
		}
	}
	return dec, nil
}
