package core

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"
)

// WithRecheck lets handlers ask again, while a connection stays open, whether the
// request that opened it would still pass: with [Recheck] and
// [ContextWhileGood]. It is for WebSockets, server-sent events and whatever else
// outlives the moment in which it was allowed.
//
// Each gate of the guard then keeps a copy of the request, its credentials
// included, in the context, for as long as that is in use. Give the option to a
// variant ([Guard.With]) for the routes that need it, and to all gates on their
// way: what the gates of another guard have asked is not asked again.
//
// Where an adapter cannot copy its requests, those gates answer with 500.
func WithRecheck() Option {
	return func(g *Guard) error {
		g.rechecks = true
		return nil
	}
}

// Detacher is a [Request] that can be kept. The requests of all adapters are;
// gates of guards with [WithRecheck] alone ask for it.
type Detacher interface {
	Request
	// Detach copies the request as it is now, without its body. The copy says the
	// same after the request has ended, whatever the framework reuses and
	// handlers change, and is safe for concurrent use.
	Detach() Request
}

// opened is what a guard with [WithRecheck] keeps of a request. It is not changed.
type opened struct {
	guard   *Guard
	request Request // with the credentials
	gates   []passedGate
	first   *opened // of the same gates
}

// passedGate is a gate and what it has asked.
type passedGate struct {
	gate   *Gate
	access Access
	others []Resource
}

// keep is before, nil for none, and what t lets pass now; nil where nobody may
// ask again.
func (t *Gate) keep(before *opened, a *Access, others []Resource) (*opened, *Denial) {
	if before == nil && !t.guard.rechecks || t.kind == "check" {
		return before, nil
	}
	r, ok := a.Request.(Detacher)
	if !ok {
		return nil, newDenial(Faulty, CodeInternal, ReasonInternal,
			errors.New("recheck: the adapter's request has no method Detach() core.Request, so that it cannot be kept (core.Detacher)"))
	}
	o := &opened{guard: t.guard, request: r.Detach()}
	o.first = o
	passed := passedGate{gate: t, access: *a, others: others}
	passed.access.Request = o.request
	if before != nil {
		o.request = before.request
		o.gates, o.first = before.gates, before.first
	}
	o.gates = append(slices.Clip(o.gates), passed)
	return o, nil
}

type recheckKey struct{}

// IsRecheck reports whether an authenticator that is given ctx judges the
// credentials of a request again ([Recheck]). One whose requests carry something
// for single use beside the credentials, such as a proof of possession, must then
// not ask whether that is fresh or unused, and what counts requests must not count.
func IsRecheck(ctx context.Context) bool {
	again, _ := ctx.Value(recheckKey{}).(bool)
	return again
}

// Recheck judges the request whose context ctx is, or descends from, once more:
// also when it has ended and its framework uses it for something else. All gates
// on its way that belong to guards with [WithRecheck] are asked:
//
//   - The credentials are authenticated again, by the scheme that they passed with:
//     whether they have expired or been revoked, whether key, account and
//     session are still there, and which roles there are now. They must still prove
//     the same principal. What was for one request alone is not judged again: the
//     DPoP proof (RFC 9449 §4.3) or the nonce of Digest (RFC 7616 §3.3) beside
//     them.
//   - Tenant, policy and rules judge what they get now, about the method, the route
//     and the path of then. A request that has passed without credentials stays
//     anonymous.
//
// Rules that the handler has asked with an adapter's Check are no gates: give
// them as rules. They judge the principal that passed the last gate.
//
// The result is nil while all of it passes, and else a *[Denial]: its Kind says
// whether the credentials are over (Unauthenticated), a right is gone
// (Forbidden) or nobody could find out (Unavailable), and [Kind.CloseCode] with which code
// to close a WebSocket. Without [WithRecheck] it is Faulty. It
// never panics and is safe for concurrent use.
//
// Observers are told of refusals alone, with Gate "recheck". A recheck is no
// attempt to sign in ([AttemptLimiter]) and no use of a session: one that is idle
// for too long ends what it has opened as well. What caches of authenticators
// keep, they also answer here with.
//
// Failures are judged by ctx: where the framework cancels the context of a
// request when its handler returns, give a connection that outlives the handler
// [context.WithoutCancel]. On Fiber ctx is what UserContext (v2) or Context (v3) returns,
// taken in the handler.
func Recheck(ctx context.Context, rules ...Authorizer) error {
	var asked []*opened
	for at := authContextFrom(ctx); at != nil; at = authContextFrom(at.Context) {
		if at.guard == nil {
			return notKept(ctx) // somebody's word, which nobody can judge again
		}
		if at.opened == nil || slices.Contains(asked, at.opened.first) {
			continue
		}
		if len(asked) > 0 {
			rules = nil
		}
		asked = append(asked, at.opened.first)
		if d := at.recheck(ctx, rules); d != nil {
			return d
		}
	}
	if len(asked) == 0 {
		return notKept(ctx)
	}
	return nil
}

// notKept is the denial for a request that nobody can judge again.
func notKept(ctx context.Context) *Denial {
	g, err := new(Guard), errors.New("recheck: no gate has kept the request: give core.WithRecheck to the guard whose gates stand in front of the handler, and the context of the request to Recheck")
	if at := authContextFrom(ctx); at != nil && at.guard != nil {
		at.guard.logger.ErrorContext(ctx, "access", "error", err.Error())
	}
	return g.failure(&InternalError{err})
}

// recheck asks the gates that have kept the request, and rules, and tells the
// observers of a refusal.
func (before *authContext) recheck(ctx context.Context, rules []Authorizer) *Denial {
	g, r := before.opened.guard, before.opened.request
	e := Event{Time: time.Now(), Gate: "recheck", PassedBefore: true, Method: before.method}
	if before.scheme != nil {
		e.Scheme = before.scheme.name
	}
	e.from(g, r)
	last := before.opened.gates[len(before.opened.gates)-1].access.Resource
	e.Route, e.Resource = last.Route, last.Path
	e.RequestID, _ = r.Header("X-Request-Id")
	e.TraceID = g.traceOf(ctx, r)
	d := before.judgeAgain(ctx, rules, &e)
	if d == nil {
		return nil
	}
	e.Outcome, e.Status = outcomes[d.Kind], d.Kind.Status()
	if clientGone(ctx, d) {
		d.Reason = ReasonClientGone
		e.Outcome, e.Status = OutcomeClientGone, StatusClientGone
	}
	e.Reason, e.Cause = d.Reason, d.Cause
	e.Duration = time.Since(e.Time)
	g.observe(ctx, &e)
	return d
}

func (before *authContext) judgeAgain(ctx context.Context, rules []Authorizer, e *Event) (d *Denial) {
	defer func() {
		if p := recover(); p != nil {
			d = newDenial(Faulty, CodeInternal, ReasonPanic, &PanicError{Value: p, Stack: debug.Stack()})
		}
	}()
	o := before.opened
	id := identity{scheme: before.scheme, ended: before.ended}
	if before.principal != nil {
		if d := o.guard.identifyAgain(ctx, before, &id, e); d != nil {
			return d
		}
	}
	gates := o.gates
	if len(rules) > 0 {
		t, err := o.guard.require("check", rules)
		if err != nil {
			t = &Gate{guard: o.guard, kind: "check", rules: broken{err}}
		}
		own := gates[len(gates)-1]
		own.gate = t
		gates = append(slices.Clip(gates), own)
	}
	for i := range gates {
		p := gates[i] // a copy, which decide may change
		e.Method = p.access.Request.Method()
		e.Route, e.Resource = p.access.Resource.Route, p.access.Resource.Path
		own := id
		if d := p.gate.decide(ctx, &own, &p.access, p.others, e); d != nil {
			return d
		}
	}
	return nil
}

// errOther is why credentials that are good for somebody else are refused.
var errOther = errors.New("recheck: the credentials prove another principal than when the connection was opened")

// identifyAgain is gate one for a request that has passed it.
func (g *Guard) identifyAgain(ctx context.Context, before *authContext, id *identity, e *Event) *Denial {
	r, i := before.opened.request, g.indexOf(before.scheme.name)
	if i < 0 {
		return g.failure(&InternalError{errors.New("recheck: the guard no longer has scheme " + before.scheme.name)})
	}
	s := &g.schemes[i]
	e.PrincipalID = before.principal.ID()
	p, err := s.Authenticate(context.WithValue(ctx, recheckKey{}, true), r)
	if err = proves(p, err, "authenticator", s.name); err != nil {
		return g.refuse(r, i, err)
	}
	if p.ID() != before.principal.ID() {
		return g.refuse(r, i, &CredentialError{Reason: ReasonOtherPrincipal, Code: CodeInvalidCredentials, Err: errOther})
	}
	return g.admit(ctx, r, s, p, id, e)
}

// CloseCode is the status code to close a WebSocket with that a denial of the kind
// ends: 4000 and the HTTP status, such as 4401 for credentials that are over and
// 4403 for a right that is gone. Codes from 4000 on are an application's own (RFC
// 6455 §7.4.2).
func (k Kind) CloseCode() int { return 4000 + k.Status() }
