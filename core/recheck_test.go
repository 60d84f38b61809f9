package core_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// kept is a request that can be kept.
type kept struct{ *request }

func (k kept) Detach() core.Request { return k }

// guessed is a scheme whose credentials can be guessed.
type guessed struct{ *scheme }

func (g guessed) Scheme() core.Scheme {
	s := g.scheme.Scheme()
	s.Attempt = func(core.Request) (string, bool) { return "alice", true }
	return s
}

// attempts counts attempts.
type attempts struct{ made int }

func (a *attempts) Allow(context.Context, core.Request, string) error { a.made++; return nil }
func (*attempts) Report(context.Context, core.Request, string, error) {}

// policyRoles are the roles that a policy gives everyone.
type policyRoles []string

func (r *policyRoles) RolesOf(context.Context, *core.Principal) ([]string, error) { return *r, nil }

func denialOf(t testing.TB, err error) *core.Denial {
	t.Helper()
	var d *core.Denial
	if err != nil && !errors.As(err, &d) {
		t.Fatalf("%T is no denial", err)
	}
	return d
}

// TestRecheck: a recheck finds everything that gates one and two would find for a new
// request, and counts nothing.
func TestRecheck(t *testing.T) {
	s, limiter, fromPolicy := newScheme(t, "Bearer"), new(attempts), &policyRoles{"viewer"}
	g, o := newGuard(t, []core.Authenticator{guessed{s}}, core.WithRecheck(), core.WithAttemptLimiter(limiter), core.WithRoles(fromPolicy))
	viewers := rule(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		return core.Decision{Allowed: slices.Contains(slices.Collect(p.Roles()), "viewer"), Reason: core.ReasonMissingRole}, nil
	})
	alice := s.answers["alice"]
	bare := answer{p: newPrincipal(t, core.PrincipalInfo{ID: "alice"})}
	s.answers["alice"] = bare
	first := mounted(t)(g.Authenticate()).Check(t.Context(), kept{get("/live", "Authorization: Bearer alice")})
	second := mounted(t)(g.Require(viewers)).Check(first.Context, kept{get("/live")}) // a middleware has removed the field
	if second.Response != nil {
		t.Fatalf("%+v", second.Denial)
	}
	ctx := second.Context
	for _, tt := range []struct {
		name   string
		answer answer
		roles  policyRoles
		kind   core.Kind
		reason core.Reason
	}{
		{"good", bare, policyRoles{"viewer"}, 0, ""},
		{"role of the policy gone", bare, nil, core.Forbidden, core.ReasonMissingRole},
		{"role of the credentials", alice, nil, 0, ""},
		{"expired", s.answers["expired"], policyRoles{"viewer"}, core.Unauthenticated, core.ReasonExpired},
		{"somebody else", answer{p: newPrincipal(t, core.PrincipalInfo{ID: "bob"})}, policyRoles{"viewer"}, core.Unauthenticated, core.ReasonOtherPrincipal},
		{"no credentials", answer{err: core.ErrNoCredentials}, policyRoles{"viewer"}, core.Unauthenticated, core.ReasonNoCredentials},
		{"nobody", answer{}, policyRoles{"viewer"}, core.Faulty, core.ReasonInternal},
		{"down", s.answers["down"], policyRoles{"viewer"}, core.Unavailable, core.ReasonUnavailable},
		{"good again", bare, policyRoles{"viewer"}, 0, ""},
	} {
		s.answers["alice"], *fromPolicy = tt.answer, tt.roles
		before := len(o.events)
		d := denialOf(t, core.Recheck(ctx))
		switch {
		case tt.kind == 0 && (d != nil || len(o.events) != before):
			t.Errorf("%s: %v, events %+v", tt.name, d, o.events[before:])
		case tt.kind == 0:
		case d == nil || d.Kind != tt.kind || d.Reason != tt.reason:
			t.Errorf("%s: %+v", tt.name, d)
		case len(o.events) != before+1 || o.last(t).Gate != "recheck" || o.last(t).Reason != tt.reason || o.last(t).Method != "GET" || o.last(t).Resource != "/live":
			t.Errorf("%s: events %+v", tt.name, o.events[before:])
		}
	}
	if limiter.made != 1 {
		t.Errorf("%d attempts were counted, want that of gate one", limiter.made)
	}
	if d := denialOf(t, core.Recheck(ctx, allowing(), answering(core.Decision{Reason: "not_owner"}, nil))); d == nil || d.Reason != "not_owner" {
		t.Errorf("a rule of the handler: %+v", d)
	}
	if d := denialOf(t, core.Recheck(ctx, nil)); d == nil || d.Kind != core.Faulty {
		t.Errorf("a nil rule: %+v", d)
	}
}

// TestRecheckNeedsAKeptRequest: a request that cannot be rechecked is refused at the gate
// that knows it.
func TestRecheckNeedsAKeptRequest(t *testing.T) {
	s := newScheme(t, "Bearer")
	g, _ := newGuard(t, []core.Authenticator{s})
	variant, err := g.With(core.WithRecheck())
	if err != nil {
		t.Fatal(err)
	}
	r := get("/live", "Authorization: Bearer alice")
	if v := mounted(t)(variant.Authenticate()).Check(t.Context(), r); v.Denial == nil || v.Denial.Kind != core.Faulty || !strings.Contains(v.Denial.Cause.Error(), "Detach") {
		t.Errorf("a request that cannot be kept: %+v", v.Denial)
	}
	passed := mounted(t)(g.Authenticate()).Check(t.Context(), kept{r})
	for name, ctx := range map[string]context.Context{
		"no gate": t.Context(), "no option": passed.Context,
		"somebody's word": core.ContextWithPrincipal(mounted(t)(variant.Authenticate()).Check(t.Context(), kept{r}).Context, s.answers["alice"].p),
	} {
		if d := denialOf(t, core.Recheck(ctx)); d == nil || d.Kind != core.Faulty {
			t.Errorf("%s: %+v", name, d)
		}
	}
	again := mounted(t)(variant.Authenticate()).Check(passed.Context, kept{r})
	if err := core.Recheck(again.Context); err != nil || s.asked != 4 {
		t.Errorf("behind the gate of a variant: %v, asked %d times", err, s.asked)
	}
}

// TestRecheckOfNobody: a request that passed without credentials stays anonymous, and ends
// when anonymous requests are no longer allowed.
func TestRecheckOfNobody(t *testing.T) {
	open := true
	s := newScheme(t, "Bearer")
	g, _ := newGuard(t, []core.Authenticator{s}, core.WithRecheck(), core.WithAuthorizer(anonymousFunc(func() bool { return open })))
	v := mounted(t)(g.Authorize()).Check(t.Context(), kept{get("/live")})
	if err := core.Recheck(v.Context); err != nil || s.asked != 1 {
		t.Errorf("%v, asked %d times", err, s.asked)
	}
	open = false
	if d := denialOf(t, core.Recheck(v.Context)); d == nil || d.Kind.CloseCode() != 4000+http.StatusUnauthorized {
		t.Errorf("%+v", d)
	}
}

// anonymousFunc lets everyone pass while it returns true.
type anonymousFunc func() bool

func (f anonymousFunc) Authorize(context.Context, *core.Principal, core.Access) (core.Decision, error) {
	return core.Decision{Allowed: f()}, nil
}

func (f anonymousFunc) AuthorizeAnonymous(context.Context, core.Access) (core.Decision, error) {
	return core.Decision{Allowed: f()}, nil
}

// TestContextWhileGood: it ends when credentials expire, without waiting for the next
// recheck, and with its parent.
func TestContextWhileGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, s := time.Now(), newScheme(t, "Bearer")
		s.answers["alice"] = answer{p: newPrincipal(t, core.PrincipalInfo{ID: "alice", Expires: began.Add(time.Minute)})}
		g, _ := newGuard(t, []core.Authenticator{s}, core.WithRecheck())
		v := mounted(t)(g.Authenticate()).Check(t.Context(), kept{get("/live", "Authorization: Bearer alice")})
		s.answers["alice"] = s.answers["expired"]
		live, cancel := core.ContextWhileGood(v.Context, time.Hour, 0)
		defer cancel()
		<-live.Done()
		if took := time.Since(began); took < time.Minute || took > 61*time.Second {
			t.Errorf("ended after %v", took)
		}
		if d := denialOf(t, context.Cause(live)); d.Kind != core.Unauthenticated || d.Reason != core.ReasonExpired {
			t.Errorf("%+v", d)
		}
		if code := core.CloseCode(live); code != 4401 {
			t.Errorf("closed with %d", code)
		}
		over, stop := core.ContextWhileGood(v.Context, time.Hour, 0)
		if stop(); context.Cause(over) != context.Canceled || core.CloseCode(over) != 1001 {
			t.Errorf("stopped: %v, closed with %d", context.Cause(over), core.CloseCode(over))
		}
		for _, wrong := range [][2]time.Duration{{0, 0}, {-1, 0}, {time.Hour, -1}} {
			live, cancel := core.ContextWhileGood(v.Context, wrong[0], wrong[1])
			if d := denialOf(t, context.Cause(live)); d == nil || d.Kind != core.Faulty {
				t.Errorf("%v: %+v", wrong, d)
			}
			cancel()
		}
	})
}

// The caller may reuse its slice of rules afterwards.
func TestContextWhileGoodCopiesRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Bearer")}, core.WithRecheck())
		v := mounted(t)(g.Authenticate()).Check(t.Context(), kept{get("/live", "Authorization: Bearer alice")})
		rules := []core.Authorizer{answering(core.Decision{}, nil)}
		live, cancel := core.ContextWhileGood(v.Context, time.Second, 0, rules...)
		defer cancel()
		rules[0] = allowing()
		time.Sleep(2 * time.Second)
		if live.Err() == nil || denialOf(t, context.Cause(live)).Kind != core.Forbidden {
			t.Errorf("the rule that was given does not count: %v", context.Cause(live))
		}
	})
}

// If a rule ignores its context, the connection still ends, and the rule is not asked again
// while it hangs.
func TestRecheckThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScheme(t, "Bearer")
		g, _ := newGuard(t, []core.Authenticator{s}, core.WithRecheck())
		v := mounted(t)(g.Authenticate()).Check(t.Context(), kept{get("/live", "Authorization: Bearer alice")})
		let, asked := make(chan struct{}), 0
		hangs := anonymousFunc(func() bool {
			asked++
			<-let
			return true
		})
		live, cancel := core.ContextWhileGood(v.Context, time.Second, 12*time.Second, hangs)
		defer cancel()
		<-live.Done()
		if d := denialOf(t, context.Cause(live)); d.Kind != core.Unavailable {
			t.Errorf("%+v", d)
		}
		close(let)
		synctest.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// attached is a scheme whose credentials belong to the connection.
type attached struct{ *scheme }

func (a attached) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	return a.answers["alice"].p, a.answers["alice"].err
}

// Two gates of one guard that do not accept each other's credentials are both rechecked.
func TestRecheckOfVariants(t *testing.T) {
	device, user := newScheme(t, "Device"), newScheme(t, "Bearer")
	g, _ := newGuard(t, []core.Authenticator{attached{device}, user}, core.WithRecheck())
	must := func(g *core.Guard, err error) *core.Guard {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	outer := mounted(t)(must(g.With(core.WithSchemes("Device"))).Authenticate())
	inner := mounted(t)(must(g.With(core.WithSchemes("Bearer"))).Authenticate())
	r := kept{get("/live", "Authorization: Bearer alice")}
	v := outer.Check(t.Context(), r)
	v = inner.Check(v.Context, r)
	if err := core.Recheck(v.Context); err != nil {
		t.Fatal(err)
	}
	device.answers["alice"] = device.answers["expired"]
	if d := denialOf(t, core.Recheck(v.Context)); d == nil || d.Kind != core.Unauthenticated {
		t.Errorf("%+v", d)
	}
}
