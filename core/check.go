package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/lent"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

// Check decides on one request and tells the observers. It never panics.
//
// A failure while ctx is canceled means that the client hung up, not that a
// dependency is down, and the event says so ([OutcomeClientGone]); so does an
// [UnavailableError] with [ReasonClientGone]. The response is still the one for the
// failure, in case anyone reads it. A deadline, or a cancellation whose cause
// ([context.Cause]) is not [context.Canceled], is attributed to the program itself.
//
// The order is fixed: a CORS preflight is answered (browsers send no credentials
// with it), a path or credentials that can be read two ways get 400, then come gate
// one, the method and the rules.
func (t *Gate) Check(ctx context.Context, r Request) (v Verdict) {
	var e Event // filled in place: it is large
	if !t.guard.countsOnly {
		e.Time = time.Now()
	}
	e.Gate, e.Outcome, e.Status, e.Reason = t.kind, OutcomeAllowed, http.StatusOK, ReasonAllowed
	v.Context = ctx
	if d := t.run(ctx, r, &v, &e); d != nil {
		gone := clientGone(ctx, d)
		if gone {
			d.Reason = ReasonClientGone // no kept denial is a failure's
		}
		v.Context, v.Fields, v.SharedCaching = ctx, nil, false
		v.Denial, v.gate, v.concealed = d, t, t.guard.hides(d)
		if v.concealed {
			v.Response = notFound
		} else {
			v.Response = t.guard.answer(r, d)
			e.challenges = d
		}
		e.Outcome, e.Status, e.Reason, e.Cause = outcomes[d.Kind], v.Response.Status, d.Reason, d.Cause
		if gone {
			e.Outcome, e.Status = OutcomeClientGone, StatusClientGone
		}
	}
	if !t.guard.countsOnly {
		e.Duration = time.Since(e.Time)
	}
	t.guard.observe(v.Context, &e)
	return v
}

// clientGone reports whether d is a failure because the client hung up.
func clientGone(ctx context.Context, d *Denial) bool {
	failed := d.Kind == Unavailable || d.Kind == Faulty && errors.Is(d.Cause, context.Canceled)
	return failed && (d.Reason == ReasonClientGone || context.Cause(ctx) == context.Canceled)
}

// run takes r through the gate's steps and fills in v, which holds the request's
// context, for a request that is not denied. A panic in user code becomes a denial.
func (t *Gate) run(ctx context.Context, r Request, v *Verdict, e *Event) (d *Denial) {
	defer func() {
		if p := recover(); p != nil {
			d = newDenial(Faulty, CodeInternal, ReasonPanic, &PanicError{Value: p, Stack: debug.Stack()})
		}
	}()
	g := t.guard
	e.Method = ownMethod(r.Method())
	if !g.countsOnly {
		e.from(ctx, g, r)
	}
	if e.Method == http.MethodOptions && t.kind != "check" && t.signIn == nil && isPreflight(r) {
		e.Outcome, e.Status, e.Reason = OutcomePreflight, http.StatusNoContent, ReasonPreflight
		v.Response = g.preflight(r)
		if g.hides(nil) { // whatever origin it names, since anyone can name it
			v.Response, v.gate, v.concealed, e.Status = notFound, t, true, notFound.Status
		}
		return nil
	}
	a := Access{Action: cmp.Or(t.action, e.Method), Request: r}
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
	nearest := authContextFrom(ctx)
	e.PassedBefore = nearest != nil && nearest.guard != nil
	if t.signIn != nil {
		return t.signIn.attempt(ctx, g, r, e)
	}

	if before := g.reusable(nearest); before != nil {
		return t.enterAgain(ctx, before, nearest, &a, others, v, e)
	}
	return t.enter(ctx, &a, others, v, e)
}

// enterAgain decides on a request that this guard has already authenticated. nearest is
// the last guard that let it through.
func (t *Gate) enterAgain(ctx context.Context, before, nearest *authContext, a *Access, others []Resource, v *Verdict, e *Event) *Denial {
	e.Reused = true
	if p := before.principal; p != nil {
		e.Scheme, e.PrincipalID = p.Scheme(), p.ID()
	}
	if before.principal != nil && before.scheme.byBrowser && !isSafe(e.Method) { // a middleware may have overridden a safe one
		if d := t.guard.crossSite(a.Request); d != nil {
			return d
		}
	}
	v.SharedCaching = t.guard.sharedCaching
	id := identity{principal: before.principal, admission: before.admission}
	if d := t.decide(ctx, &id, a, others, e); d != nil {
		return d
	}
	kept, d := t.keepOpened(before.opened, a, others)
	if d != nil {
		return d
	}
	// A gate of another guard may come in between, or the tenant may differ.
	if before != nearest || id.principal != before.principal || kept != before.opened {
		again := *before
		again.Context, again.principal, again.admission = ctx, id.principal, before.keeping(kept)
		v.Context = &again
	}
	return nil
}

// enter authenticates a request and decides.
func (t *Gate) enter(ctx context.Context, a *Access, others []Resource, v *Verdict, e *Event) *Denial {
	id := identity{lenient: t.lenient}
	if d := t.guard.identify(ctx, a.Request, &id, e); d != nil {
		return d
	}
	if d := t.decide(ctx, &id, a, others, e); d != nil {
		if len(id.informed) > 0 {
			informed := *d
			informed.fields, informed.answers = slices.Concat(id.informed, d.fields), nil
			d = &informed
		}
		return d
	}
	kept, d := t.keepOpened(nil, a, others)
	if d != nil {
		return d
	}
	var passed *authContext
	passed, v.Context = roomFor(ctx, a.Request)
	passed.principal, passed.admission = id.principal, id.keeping(kept)
	v.Fields, v.SharedCaching = id.fields, t.guard.sharedCaching
	return nil
}

// identity is what gate one found out.
type identity struct {
	principal  *Principal // nil for none
	*admission            // with fields for the response to a request that passes
	informed   []Field    // those of them that the scheme itself asks for
	lenient    bool       // whether lapsed credentials count as none
}

// identify is gate one: it fills in id with the principal, or with none, or
// returns a denial.
func (g *Guard) identify(ctx context.Context, r Request, id *identity, e *Event) *Denial {
	if _, n := lent.Header(r, "Authorization"); n > 1 {
		return g.refuse(r, -1, fmt.Errorf("%w: %d Authorization lines", ErrAmbiguousCredentials, n))
	}
	for i := range g.schemes {
		s := &g.schemes[i]
		e.Scheme = s.name // also when it panics
		account, guess := "", false
		if s.byBrowser || g.limiter != nil { // which alone want to know
			account, guess = s.guess(r)
		}
		if guess && s.byBrowser {
			// This comes before the password is checked: otherwise a page of
			// another site could have failures counted against its visitor, or
			// learn from the response whether a password is right.
			if d := g.crossSite(r); d != nil {
				return d
			}
		}
		p, err := g.attempt(ctx, r, s, account, guess)
		if hasNone(err) {
			e.Scheme = ""
			continue
		}
		err = proves(p, err, "authenticator", s.name)
		if id.lenient && hasLapsed(err) {
			id.setLapsed(r, s, err)
			return nil
		}
		if err != nil {
			return g.refuse(r, i, err)
		}
		return g.admit(ctx, r, s, p, id, e)
	}
	id.admission = &g.nobody
	return nil
}

// hasLapsed reports whether err says that the credentials have lapsed, and nothing
// worse.
func hasLapsed(err error) bool {
	var bad *CredentialError
	if err == nil || !errors.As(err, &bad) || isFailure(err) || errors.Is(err, ErrAmbiguousCredentials) {
		return false
	}
	// A stale proof of possession says nothing about the credentials.
	return bad.Ended || bad.Reason == ReasonExpired && bad.Code != CodeInvalidProof
}

// setLapsed makes id the identity of a request whose credentials of scheme s have
// lapsed.
func (id *identity) setLapsed(r Request, s *scheme, err error) {
	lapsed := s.usual
	lapsed.ended = err
	if s.inform != nil {
		lapsed.fields = slices.Concat(lapsed.fields, s.inform(r, nil, err))
	}
	id.admission = &lapsed
}

// indexOf returns the index of a scheme in the guard, or -1.
func (g *Guard) indexOf(name string) int {
	return slices.IndexFunc(g.schemes, func(s scheme) bool { return strings.EqualFold(name, s.name) })
}

// admit completes a principal that scheme s has authenticated, and fills in id.
func (g *Guard) admit(ctx context.Context, r Request, s *scheme, p *Principal, id *identity, e *Event) *Denial {
	if p.Scheme() == "" {
		p = p.withScheme(s.name)
	}
	e.PrincipalID = p.ID()
	if s.byBrowser {
		if d := g.crossSite(r); d != nil {
			return d
		}
	}
	if g.tenant != nil { // which has a say in the roles
		if p.whole != nil { // another guard's tenant has no say in this one's
			p = p.withScheme(p.Scheme())
		}
	} else if g.roles != nil {
		extra, err := g.roles.RolesOf(ctx, p)
		if err != nil {
			return g.failure(err)
		}
		if len(extra) > 0 {
			p = p.withRoles(extra)
		}
	}
	id.principal, id.admission = p, &s.usual
	if s.inform != nil {
		if id.informed = s.inform(r, p, nil); len(id.informed) > 0 {
			informed := s.usual
			informed.fields = slices.Concat(informed.fields, id.informed)
			id.admission = &informed
		}
	}
	return nil
}

// reuses reports whether a gate of g may rely on what gate one of another
// variant of the same guard found out.
func (g *Guard) reuses(before *authContext) bool {
	switch {
	case before == nil || before.guard == nil || before.guard.root != g.root:
		return false
	case before.guard == g:
		return true
	case before.principal != nil:
		return g.accepts(before.scheme.name)
	}
	for i := range g.schemes {
		if !before.guard.accepts(g.schemes[i].name) {
			return false
		}
	}
	return true
}

// authContextFrom returns the most recent result of an earlier gate that a gate of
// g may rely on, or nil. Results of other guards do not hide it, but a principal
// from [ContextWithPrincipal] does.
func (g *Guard) authContextFrom(ctx context.Context) *authContext {
	return g.reusable(authContextFrom(ctx))
}

// reusable returns the nearest of before and its ancestors that a gate of g may
// rely on.
func (g *Guard) reusable(before *authContext) *authContext {
	for before != nil && before.guard != nil && !g.reuses(before) {
		before = authContextFrom(before.Context)
	}
	if !g.reuses(before) {
		return nil
	}
	return before
}

// decide is gate two. Every resource that the request may be for has to be allowed;
// the event of a refusal names the one that was not.
func (t *Gate) decide(ctx context.Context, id *identity, a *Access, others []Resource, e *Event) *Denial {
	if t.guard.tenant != nil && id.principal != nil {
		if d := t.guard.inTenant(ctx, id, a, others); d != nil {
			e.principal = id.principal
			return d
		}
	}
	e.readings = len(others)
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
	e.Action, e.ResourceName, e.folded = a.Action, a.Resource.Name, a.Resource.Folded
	switch {
	case !g.acceptsMethod(e.Method) && !t.rulesJudge(e.Method):
		dec.Reason = ReasonUnknownMethod
	case t.rules == nil:
		dec.Allowed = p != nil || t.anonymous
	case p != nil:
		dec, err = t.rules.Authorize(ctx, p, *a)
	case t.kind == "authorize" && g.anonymous != nil:
		dec, err = g.anonymous.AuthorizeAnonymous(ctx, *a)
	}
	e.Rule, e.Revision, e.principal, e.attributes = dec.Rule, dec.Revision, p, dec.Attributes
	switch {
	case err != nil:
		return g.failure(err)
	case dec.Allowed:
		e.Reason = cmp.Or(dec.Reason, e.Reason)
		switch {
		case p != nil:
		case id.ended != nil:
			e.Reason, e.Scheme, e.Cause = ReasonExpiredAnonymous, id.scheme.name, id.ended
		case e.Reason == ReasonAllowed:
			e.Reason = ReasonAnonymous
		}
		return nil
	case id.ended != nil:
		e.Scheme = id.scheme.name
		return g.refuse(r, g.indexOf(id.scheme.name), id.ended)
	case p == nil:
		return g.refuse(r, -1, ErrNoCredentials)
	default:
		return g.forbid(r, &dec)
	}
}

// rulesJudge reports whether the gate's own rules decide on method.
func (t *Gate) rulesJudge(method string) bool {
	m, ok := wrapped.As[MethodAuthorizer](t.rules)
	return ok && m.JudgesMethod(method)
}
