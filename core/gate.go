package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	lenient   bool       // lapsed credentials count as none
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
		return option.Set(&t.name, name, "resource name must not be empty: without WithResourceName the path is used")
	}
}

// WithAction gives the action behind the gate a name in place of the method. It
// must not be empty, and should have a lower-case letter: tools that judge a policy
// without the gate, such as the command sallyport, take any other for a method.
func WithAction(action string) GateOption {
	return func(t *Gate) error {
		return option.Set(&t.action, action, "action must not be empty: without WithAction the method is used")
	}
}

// WithExpiredAsAnonymous lets a request with lapsed credentials pass an Optional
// gate as anonymous. Credentials have lapsed if they were good and have expired or
// ended ([ReasonExpired], [CredentialError.Ended]), such as the token or cookie of
// a visitor who returns after a week. An Authorize gate with this option asks the
// authorizer as it does for a request without credentials. The event has the reason
// [ReasonExpiredAnonymous] and the cause. Credentials with any other defect, such
// as a bad signature, a wrong password or a malformed token, are refused as always.
//
// Users who think they are signed in are then served as guests without being told:
// a cart may look empty, a draft may be saved for nobody, and a client that
// refreshes its token on 401 does not refresh it. Use the option on public pages,
// and not where a request changes anything. Later gates that need a principal
// answer 401 with the reason, as they do without it.
func WithExpiredAsAnonymous() GateOption { return func(t *Gate) error { return option.On(&t.lenient) } }

// Authenticate is gate one: it lets a request with a usable identity pass.
func (g *Guard) Authenticate(opts ...GateOption) (*Gate, error) {
	return g.gate("authenticate", opts)
}

// Optional lets a request without credentials pass as anonymous. Credentials that
// are sent must still be valid, unless [WithExpiredAsAnonymous] is given.
func (g *Guard) Optional(opts ...GateOption) (*Gate, error) {
	t, err := g.gate("optional", opts)
	if err == nil {
		t.anonymous = true
	}
	return t, err
}

// Authorize is gate two: it asks the guard's authorizer. It first runs gate one if
// the request has not passed it yet.
func (g *Guard) Authorize(opts ...GateOption) (*Gate, error) {
	t, err := g.gate("authorize", opts)
	if err == nil && g.authorizer == nil {
		err = errors.New("authorize: the guard has no authorizer; give NewGuard one with WithAuthorizer, or the configuration a policy")
	}
	if err != nil {
		return nil, err
	}
	t.rules = g.authorizer
	return t, nil
}

// Require is gate two with rules in place of the policy, all of which must allow.
// It first runs gate one if the request has not passed it yet.
func (g *Guard) Require(rules ...Authorizer) (*Gate, error) {
	return g.require("require", rules)
}

// CheckNow is gate two inside a handler, for rules that need the object the handler
// has loaded. All rules must allow. An anonymous request never passes, and a check
// that cannot work (no rules, a nil rule) is answered with 500.
//
// Who the request is from is for gates to say: behind one, of whatever guard, the
// verdict's context is ctx.
func (g *Guard) CheckNow(ctx context.Context, r Request, rules ...Authorizer) Verdict {
	t, err := g.require("check", rules)
	if err != nil {
		t = &Gate{guard: g, kind: "check", rules: broken{err}}
	}
	v := t.Check(ctx, r)
	if at := authContextFrom(ctx); at != nil && at.guard != nil { // not of ContextWithPrincipal
		v.Context = ctx
	}
	return v
}

// broken is the rule of a check that cannot work; it returns err.
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
			continue // a warning for every request would be noise
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

// Verdict is what a gate decides on one request.
type Verdict struct {
	// Context is the context for the rest of the request. It carries the principal.
	Context context.Context
	// Fields lists the header fields to add to the response of a request that
	// passes.
	Fields []Field
	// Response, if not nil, is the response to a request that does not pass: the
	// adapter writes it, or what [Verdict.Concealed] says, and no handler runs. It
	// may be shared with other requests and must not be modified.
	Response *Response
	// Denial says why the request was refused; nil for a request that passes and
	// for a preflight.
	Denial *Denial

	// SharedCaching reports that the guard leaves Cache-Control to handlers that
	// set it ([WithSharedCaching]), even if earlier gates did not. If it is false,
	// adapters call KeepFields of package adapter.
	SharedCaching bool

	concealed bool  // whether Response stands for the answer to an unknown path
	gate      *Gate // that refused
}

// WroteAfter logs a warning with the guard's logger that something wrote to the
// response after v had refused the request, as a handler that forgets to return
// does, and that none of it was sent. It is for adapters, which call it once per
// request.
func (v Verdict) WroteAfter(ctx context.Context, r Request) {
	if v.gate == nil || v.Denial == nil {
		return
	}
	rt, _ := r.Route() // only for the log
	method, reason := v.gate.guard.logged(r.Method(), v.Denial.Reason)
	v.gate.guard.log(ctx, slog.LevelWarn, "a handler wrote after a refusal; nothing of it was sent",
		"gate", v.gate.kind, "status", v.Response.Status, "reason", reason, "method", method, "route", printable(rt.Pattern))
}

// allOf allows what all of its rules allow; the first refusal is its decision. If
// all allow, it returns the decision of a policy, if one is among them, so that
// events name the line and the revision.
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
