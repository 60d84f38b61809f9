package core

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core/internal/isnil"
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
// place of its path. It must not be empty.
func WithResourceName(name string) GateOption {
	return func(t *Gate) error {
		return option.Set(&t.name, name, "resource name is empty: leave WithResourceName out for the path alone")
	}
}

// WithAction gives the action behind the gate a name in place of the method. It
// must not be empty.
func WithAction(action string) GateOption {
	return func(t *Gate) error {
		return option.Set(&t.action, action, "action is empty: leave WithAction out for the method")
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
	return g.gate("authenticate", opts)
}

// Optional lets a request without credentials pass as anonymous. Credentials
// that are sent must be good all the same, unless [WithExpiredAsAnonymous] is
// given.
func (g *Guard) Optional(opts ...GateOption) (*Gate, error) {
	t, err := g.gate("optional", opts)
	if err == nil {
		t.anonymous = true
	}
	return t, err
}

// Authorize is gate two: it asks the guard's authorizer, after gate one, which
// it runs itself if the request has not passed it yet.
func (g *Guard) Authorize(opts ...GateOption) (*Gate, error) {
	t, err := g.gate("authorize", opts)
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
	t, err := g.gate(kind, nil)
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

func (g *Guard) gate(kind string, opts []GateOption) (*Gate, error) {
	if g == nil {
		return nil, fmt.Errorf("%s: the guard is nil: the error of NewGuard says why", kind)
	}
	if len(g.schemes) == 0 {
		return nil, fmt.Errorf("%s: the guard was not made by NewGuard", kind)
	}
	t := &Gate{guard: g, kind: kind}
	if err := option.Apply(t, opts); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return t, nil
}

// Verdict is what a gate says of one request.
type Verdict struct {
	// Context is to be the request's context from here on. It carries the
	// principal.
	Context context.Context
	// Fields are to be added to the response of a request that passes.
	Fields []Field
	// Response, when not nil, is the answer: the adapter writes it, or what
	// [Verdict.Concealed] says, and no handler runs. Other requests may get the
	// same one: it is not changed.
	Response *Response
	// Denial is why; nil for a request that passes and for a preflight.
	Denial *Denial

	// SharedCaching says that the guard leaves Cache-Control to handlers that
	// set it ([WithSharedCaching]), also for what gates before this one gave
	// out. Where it is not set, adapters see to KeepFields of package adapter.
	SharedCaching bool

	concealed bool  // whether Response stands for the answer to an unknown path
	gate      *Gate // that refused
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

// allOf allows what each of its rules allows; the first to refuse is the
// decision. Where all allow it is that of a policy, if one is among them, so that
// events say by which line of which revision.
type allOf []Authorizer

func (rules allOf) Authorize(ctx context.Context, p *Principal, a Access) (Decision, error) {
	var said Decision
	for _, rule := range rules {
		dec, err := rule.Authorize(ctx, p, a)
		if err != nil || !dec.Allowed {
			return dec, err
		}
		if said.Revision == "" {
			said = dec
		}
	}
	return said, nil
}
