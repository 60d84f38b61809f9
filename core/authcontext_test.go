package core_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// A gate behind an optional one still requires an identity, without authenticating again.
func TestAnAnonymousContextIsNoIdentity(t *testing.T) {
	s := newScheme(t, "Basic")
	g, _ := newGuard(t, []core.Authenticator{s}, core.WithAuthorizer(allowing()))
	v := mounted(t)(g.Optional()).Check(t.Context(), get("/"))
	for name, gate := range map[string]*core.Gate{
		"authenticate": mounted(t)(g.Authenticate()), "authorize": mounted(t)(g.Authorize()), "require": mounted(t)(g.Require(allowing())),
	} {
		if w := gate.Check(v.Context, get("/")); w.Response == nil || w.Response.Status != 401 {
			t.Errorf("%s: %+v", name, w.Response)
		}
	}
	if w := g.CheckNow(v.Context, get("/"), allowing()); w.Response == nil || w.Response.Status != 401 {
		t.Errorf("check: %+v", w.Response)
	}
	if s.asked != 1 {
		t.Errorf("asked %d times", s.asked)
	}
}

func TestASecondGateReusesGateOne(t *testing.T) {
	s := newScheme(t, "Basic")
	g, o := newGuard(t, []core.Authenticator{s})
	r := get("/", "Authorization: Basic alice")
	first := mounted(t)(g.Authenticate()).Check(t.Context(), r)
	// Middleware between the gates may wrap the context.
	between, cancel := context.WithTimeout(first.Context, time.Hour)
	defer cancel()
	second := mounted(t)(g.Require(needs{"viewer"})).Check(between, r)
	if s.asked != 1 || second.Response != nil || second.Context != between || len(second.Fields) != 0 {
		t.Errorf("asked %d times, %+v", s.asked, second)
	}
	if e := o.last(t); e.PrincipalID != "alice" || e.Scheme != "Basic" {
		t.Errorf("%+v", e)
	}
	if v := g.CheckNow(between, r, needs{"admin"}); v.Response == nil || v.Response.Status != 403 || s.asked != 1 {
		t.Errorf("asked %d times, %+v", s.asked, v.Response)
	}
}

func TestAnotherGuardsContextIsNoProof(t *testing.T) {
	mine, other := newScheme(t, "Basic"), newScheme(t, "Basic")
	other.answers = nil
	g, _ := newGuard(t, []core.Authenticator{mine})
	h, _ := newGuard(t, []core.Authenticator{other})
	r := get("/", "Authorization: Basic alice")
	v := mounted(t)(g.Authenticate()).Check(t.Context(), r)
	if w := mounted(t)(h.Require(allowing())).Check(v.Context, r); w.Response == nil || w.Response.Status != 401 || other.asked != 1 {
		t.Errorf("asked %d times, %+v", other.asked, w.Response)
	}
	// A guard finds its own state behind that of another guard, and its principal becomes
	// the request's.
	nested := mounted(t)(h.Optional()).Check(v.Context, r)
	w := mounted(t)(g.Authenticate()).Check(nested.Context, r)
	if p, ok := core.PrincipalFrom(w.Context); w.Response != nil || mine.asked != 1 || !ok || p.ID() != "alice" {
		t.Errorf("asked %d times, %+v, %v", mine.asked, w.Response, p)
	}
	if p, ok := h.PrincipalFrom(w.Context); ok {
		t.Errorf("the other guard has let %v pass", p)
	}
	// A principal that no gate has verified hides it.
	root := core.ContextWithPrincipal(v.Context, newPrincipal(t, core.PrincipalInfo{ID: "root"}))
	if p, ok := g.PrincipalFrom(root); ok {
		t.Errorf("the guard takes %v for proved", p)
	}
}

func TestContextWithPrincipalIsNoProof(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAuthorizer(allowing()))
	root := newPrincipal(t, core.PrincipalInfo{ID: "root", Roles: []string{"admin"}})
	ctx := core.ContextWithPrincipal(t.Context(), root)
	for name, v := range map[string]core.Verdict{
		"authenticate": mounted(t)(g.Authenticate()).Check(ctx, get("/")),
		"authorize":    mounted(t)(g.Authorize()).Check(ctx, get("/")),
		"require":      mounted(t)(g.Require(needs{"admin"})).Check(ctx, get("/")),
		"check":        g.CheckNow(ctx, get("/"), needs{"admin"}),
	} {
		if v.Response == nil || v.Response.Status != 401 {
			t.Errorf("%s: %+v", name, v.Response)
		}
	}
	alice := get("/", "Authorization: Basic alice")
	for _, v := range []core.Verdict{mounted(t)(g.Authenticate()).Check(ctx, alice), g.CheckNow(ctx, alice, allowing())} {
		if p, _ := core.PrincipalFrom(v.Context); p == nil || p.ID() != "alice" {
			t.Errorf("got %v", p)
		}
	}
}

func TestACheckThatCannotWorkIs500(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithRoles(&roles{known: []string{"viewer"}}), core.WithWarningsAsErrors())
	r := get("/", "Authorization: Basic alice")
	for want, v := range map[string]core.Verdict{
		"no rule":       g.CheckNow(t.Context(), r),
		"rule 2 is nil": g.CheckNow(t.Context(), r, allowing(), nil),
		`role "amdin"`:  g.CheckNow(t.Context(), r, needs{"amdin"}),
	} {
		if v.Response == nil || v.Response.Status != 500 || !strings.Contains(v.Denial.Cause.Error(), want) {
			t.Errorf("%s: %+v", want, v.Denial)
		}
	}
	if len(o.events) != 3 {
		t.Errorf("%d events", len(o.events))
	}
	// An unknown client is still told to sign in first.
	if v := g.CheckNow(t.Context(), get("/")); v.Response == nil || v.Response.Status != 401 {
		t.Errorf("%+v", v.Response)
	}
}

func TestRequireKeepsItsRules(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	rules := []core.Authorizer{needs{"admin"}}
	gate := mounted(t)(g.Require(rules...))
	rules[0] = allowing()
	if v := gate.Check(t.Context(), get("/", "Authorization: Basic alice")); v.Response == nil || v.Response.Status != 403 {
		t.Errorf("the rules changed with the caller's slice: %+v", v)
	}
}

// What gate one has added to the response, and why credentials have lapsed, is still known
// behind a gate that has kept the request, and to one that hides its route.
func TestGateOneIsRememberedBehindAnother(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{informing{newScheme(t, "Basic")}})
	keeping, err := g.With(core.WithRecheck())
	if err != nil {
		t.Fatal(err)
	}
	hiding, err := keeping.With(core.WithConcealment(nil))
	if err != nil {
		t.Fatal(err)
	}
	for credentials, reason := range map[string]core.Reason{
		"Authorization: Basic alice": core.ReasonDenied, "Authorization: Basic expired": core.ReasonExpired, "X-Other: 1": core.ReasonNoCredentials,
	} {
		r := kept{get("/", credentials)}
		first := mounted(t)(g.Optional(core.WithExpiredAsAnonymous())).Check(t.Context(), r)
		second := mounted(t)(keeping.Optional()).Check(first.Context, r)
		if len(first.Fields) == 0 || second.Response != nil {
			t.Fatalf("%s: %+v, %+v", credentials, first, second)
		}
		for what, ctx := range map[string]context.Context{"gate one": first.Context, "a gate behind it": second.Context} {
			last := mounted(t)(hiding.Require(answering(core.Decision{}, nil))).Check(ctx, r)
			if _, undo, ok := last.Concealed(); !ok || !reflect.DeepEqual(undo, first.Fields) {
				t.Errorf("%s, behind %s: concealed %v, without %+v, want %+v", credentials, what, ok, undo, first.Fields)
			}
			if last.Denial == nil || last.Denial.Reason != reason {
				t.Errorf("%s, behind %s: %+v, want %s", credentials, what, last.Denial, reason)
			}
		}
	}
}
