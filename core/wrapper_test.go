package core_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// Policies that can do one thing beside Authorize, or all.
type (
	rolePolicy  struct{ rule }
	listPolicy  struct{ rule }
	davPolicy   struct{ rule }
	openPolicy  struct{ rule }
	wholePolicy struct {
		rolePolicy
		listPolicy
		davPolicy
		openPolicy
		rule
	}
	hidingPolicy struct{ core.Authorizer }
	fieldPolicy  struct {
		rule
		inner []core.Authorizer
	}
	shownPolicy  struct{ core.Authorizer }
	closedPolicy struct{ core.Authorizer }
)

func (rolePolicy) RolesOf(context.Context, *core.Principal) ([]string, error) {
	return []string{"banned"}, nil
}
func (listPolicy) KnownRoles() []string           { return []string{"banned"} }
func (davPolicy) JudgesMethod(method string) bool { return method == "PROPFIND" }
func (openPolicy) AuthorizeAnonymous(context.Context, core.Access) (core.Decision, error) {
	return core.Decision{Allowed: true}, nil
}
func (w wholePolicy) Authorize(ctx context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return w.rule.Authorize(ctx, p, a)
}
func (s shownPolicy) Unwrap() core.Authorizer  { return s.Authorizer }
func (c closedPolicy) Unwrap() core.Authorizer { return c.Authorizer }
func (closedPolicy) AuthorizeAnonymous(context.Context, core.Access) (core.Decision, error) {
	return core.Decision{}, nil
}

// TestNoWrapperHidesWhatAPolicyCan tries every ability of an authorizer with
// every way to wrap it.
func TestNoWrapperHidesWhatAPolicyCan(t *testing.T) {
	schemes := []core.Authenticator{newScheme(t, "Basic")}
	for able, inner := range map[string]core.Authorizer{
		"RolesOf": rolePolicy{allowing()}, "KnownRoles": listPolicy{allowing()},
		"JudgesMethod": davPolicy{allowing()}, "AuthorizeAnonymous": openPolicy{allowing()}, "": allowing(),
	} {
		for way, w := range map[string]struct {
			wrapper core.Authorizer
			shows   bool // by Unwrap
		}{
			"embedded":          {hidingPolicy{inner}, false},
			"embedded, pointer": {&hidingPolicy{inner}, false},
			"field":             {fieldPolicy{allowing(), []core.Authorizer{inner}}, false},
			"twice":             {shownPolicy{hidingPolicy{inner}}, false},
			"Unwrap":            {shownPolicy{inner}, true},
			"Unwrap twice":      {shownPolicy{&shownPolicy{inner}}, true},
		} {
			_, err := core.NewGuard(schemes, core.WithAuthorizer(w.wrapper))
			fine := able == "" || w.shows && able != "AuthorizeAnonymous"
			if fine != (err == nil) || !fine && !strings.Contains(err.Error(), able) {
				t.Errorf("%s, %s: error %v", way, able, err)
			}
			g, _ := newGuard(t, schemes, core.WithRoles(rolePolicy{}))
			if _, err := g.Require(allowing(), w.wrapper); fine != (err == nil) {
				t.Errorf("%s, %s: require: %v", way, able, err)
			}
		}
	}
}

// A wrapper that shows what it wraps keeps its roles and methods, and decides
// itself about requests without credentials.
func TestAWrappedPolicyIsWhole(t *testing.T) {
	p := wholePolicy{rule: func(p *core.Principal, _ core.Access) (core.Decision, error) {
		return core.Decision{Allowed: !p.HasRole("banned")}, nil
	}}
	for name, tt := range map[string]struct {
		a         core.Authorizer
		anonymous int
	}{"bare": {p, 0}, "wrapped": {closedPolicy{p}, http.StatusUnauthorized}} {
		g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAuthorizer(tt.a))
		gate := mounted(t)(g.Authorize())
		for _, method := range []string{http.MethodGet, "PROPFIND"} {
			v := gate.Check(t.Context(), get("/", "Authorization: Basic alice").with(method))
			if v.Response == nil || v.Response.Status != http.StatusForbidden || v.Denial.Reason == core.ReasonUnknownMethod {
				t.Errorf("%s: %s: %+v", name, method, v.Denial)
			}
		}
		status := 0
		if v := gate.Check(t.Context(), get("/")); v.Response != nil {
			status = v.Response.Status
		}
		if status != tt.anonymous {
			t.Errorf("%s: anonymous %d", name, status)
		}
	}
}

func TestRolesOfARuleThatTheGuardDoesNotKnow(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	for _, r := range []core.Authorizer{rolePolicy{allowing()}, shownPolicy{rolePolicy{allowing()}}} {
		if _, err := g.Require(allowing(), r); err == nil || !strings.Contains(err.Error(), "rule 2: core_test.rolePolicy adds roles") {
			t.Errorf("%T: error %v", r, err)
		}
	}
}
