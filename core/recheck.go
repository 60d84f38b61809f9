package core

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/option"
)

// WithRecheck lets handlers ask again, while a connection stays open, whether the
// request that opened it would still pass, with [Recheck] and [ContextWhileGood].
// It is for WebSockets, server-sent events and other long-lived connections.
//
// Each gate of the guard then keeps a copy of the request, including its
// credentials, in the context for as long as the context is in use. Give the option
// to a variant ([Guard.With]) for the routes that need it, and mount that variant
// at all their gates: gates of a guard without the option are not asked again.
//
// If an adapter cannot copy its requests, those gates answer with 500.
func WithRecheck() Option { return func(g *Guard) error { return option.On(&g.rechecks) } }

// Detacher is a [Request] that can be kept. The requests of all adapters implement
// it; only gates of guards with [WithRecheck] need it.
type Detacher interface {
	Request
	// Detach returns a copy of the request as it is now, without its body. The copy
	// stays the same after the request has ended, whatever the framework reuses and
	// handlers change, and is safe for concurrent use.
	Detach() Request
}

// opened is what a guard with [WithRecheck] keeps of a request. It is immutable.
type opened struct {
	guard   *Guard
	request Request // with the credentials
	gates   []passedGate
	first   *opened // of the same gates
}

// passedGate is a gate that the request passed, and what it decided on.
type passedGate struct {
	gate   *Gate
	access Access
	others []Resource
}

// keepOpened adds what t lets pass now to before, which may be nil. It returns nil if no
// recheck is allowed.
func (t *Gate) keepOpened(before *opened, a *Access, others []Resource) (*opened, *Denial) {
	if before == nil && !t.guard.rechecks || t.kind == "check" {
		return before, nil
	}
	r, ok := a.Request.(Detacher)
	if !ok {
		return nil, newDenial(Faulty, CodeInternal, ReasonInternal,
			errors.New("recheck: the adapter's request has no method Detach() core.Request, so it cannot be kept (core.Detacher)"))
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

// IsRecheck reports whether ctx belongs to a [Recheck], which authenticates the
// credentials of an earlier request again. An authenticator must then not ask
// whether something for single use that accompanies the credentials, such as a
// proof of possession, is fresh and unused, and nothing must count the request.
func IsRecheck(ctx context.Context) bool {
	again, _ := ctx.Value(recheckKey{}).(bool)
	return again
}

// Recheck decides again on the request whose context ctx is, or is derived from,
// even if that request has ended and its framework has reused it. It asks all gates
// that the request passed and whose guards have [WithRecheck]:
//
//   - The scheme that accepted the credentials authenticates them again: whether
//     they have expired or been revoked, whether key, account and session still
//     exist, and which roles there are now. They must still prove the same
//     principal. What is valid for a single request is not checked again: the DPoP
//     proof (RFC 9449 §4.3) or the nonce of Digest (RFC 7616 §3.3).
//   - Tenant, policy and rules decide on the principal as it is now, with the
//     method, the route and the path of the original request. A request that passed
//     without credentials stays anonymous.
//
// Rules that the handler asked with an adapter's Check are not gates: pass them as
// rules. They decide on the principal that passed the last gate.
//
// Recheck returns nil if everything still passes, and a *[Denial] otherwise: its
// Kind says whether the credentials are no longer valid (Unauthenticated), a right
// is gone (Forbidden) or it could not be decided (Unavailable), and
// [Kind.CloseCode] is the code to close a WebSocket with. Without [WithRecheck] the
// Kind is Faulty. Recheck never panics and is safe for concurrent use.
//
// Observers are told of refusals only, with Gate "recheck". A recheck does not
// count as an attempt to sign in ([AttemptLimiter]) or as use of a session: a
// session that is idle for too long ends its connections too. Caches of
// authenticators apply here as well.
//
// A failure while ctx is canceled counts as a client that hung up: if the framework
// cancels the context when the handler returns, use [context.WithoutCancel] for a
// connection that outlives the handler. On Fiber ctx is what UserContext (v2) or
// Context (v3) returns in the handler.
func Recheck(ctx context.Context, rules ...Authorizer) error {
	var asked []*opened
	for at := authContextFrom(ctx); at != nil; at = authContextFrom(at.Context) {
		if at.guard == nil {
			return notKept(ctx) // from ContextWithPrincipal: no credentials to check
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

// notKept returns the denial for a request that cannot be rechecked.
func notKept(ctx context.Context) *Denial {
	g, err := new(Guard), errors.New("recheck: no gate has kept the request: use core.WithRecheck for the guard whose gates are in front of the handler, and pass the context of the request to Recheck")
	if at := authContextFrom(ctx); at != nil && at.guard != nil {
		at.guard.log(ctx, slog.LevelError, "access", "error", err.Error())
	}
	return g.failure(&InternalError{err})
}

// recheck asks the gates that have kept the request, then rules, and tells the
// observers of a refusal.
func (before *authContext) recheck(ctx context.Context, rules []Authorizer) *Denial {
	g := before.opened.guard
	e := Event{Time: time.Now(), Gate: "recheck", PassedBefore: true, Method: before.opened.request.Method()}
	if before.scheme != nil {
		e.Scheme = before.scheme.name
	}
	last := before.opened.gates[len(before.opened.gates)-1].access.Resource
	e.Route, e.Resource = last.Route, last.Path
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
	e.from(ctx, o.guard, o.request)
	id := identity{admission: before.admission}
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

// errOther is the cause for refusing credentials that now prove another principal.
var errOther = errors.New("recheck: the credentials now identify another principal than when the connection was opened")

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

// CloseCode returns the status code for closing a WebSocket because of a denial of
// the kind: 4000 plus the HTTP status, such as 4401 for credentials that are no
// longer valid and 4403 for a right that is gone. Codes from 4000 are for private
// use (RFC 6455 §7.4.2).
func (k Kind) CloseCode() int { return 4000 + k.Status() }
