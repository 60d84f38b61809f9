package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
)

// TestLoginSchemeIsNotATokenClaim: a provider may let its users choose claims, none of
// which may determine the scheme of a login.
func TestLoginSchemeIsNotATokenClaim(t *testing.T) {
	b := newBench(t)
	claims := map[string]any{session.ClaimLoginScheme: "ClientCertificate", "plan": "pro"}
	for scheme, want := range map[string]any{"": nil, "OpenID": "OpenID"} {
		cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice", Scheme: scheme, Claims: claims}), "")
		p, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := p.Claim(session.ClaimLoginScheme)
		if plan, _ := p.Claim("plan"); got != want || plan != "pro" {
			t.Errorf("a login by %q is one by %v, with plan %v", scheme, got, plan)
		}
	}
}

// policyRoles is a policy that gives everyone one role.
type policyRoles struct{ role string }

func (p policyRoles) RolesOf(context.Context, *core.Principal) ([]string, error) {
	return []string{p.role}, nil
}

// TestPolicyRolesAreNotKept: roles that a policy revokes must not live on in sessions.
func TestPolicyRolesAreNotKept(t *testing.T) {
	b := newBench(t)
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice", Roles: []string{"user"}}), "")
	guard, err := core.NewGuard([]core.Authenticator{b.manager}, core.WithRoles(policyRoles{"editor"}))
	if err != nil {
		t.Fatal(err)
	}
	before := cookie
	app := httpauth.Authenticate(guard)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !httpauth.Principal(r).HasRole("editor") {
			t.Error("the policy's role is missing")
		}
		cookie = b.login(httpauth.Principal(r), cookie)
	}))
	r := httptest.NewRequest(http.MethodGet, "http://app.example/", nil)
	r.Header.Set("Cookie", cookie)
	app.ServeHTTP(httptest.NewRecorder(), r)
	p, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
	if err != nil || cookie == before || !slices.Equal(slices.Collect(p.Roles()), []string{"user"}) {
		t.Errorf("%v, %v", p, err)
	}
	if scheme, ok := p.Claim(session.ClaimLoginScheme); ok {
		t.Errorf("a session was proved by %v", scheme)
	}
}

func TestRotationKeepsTheRest(t *testing.T) {
	for _, again := range []bool{false, true} {
		testRotation(t, again)
	}
}

// testRotation rotates a session twice; with again, a session that began as another
// principal.
func testRotation(t *testing.T, again bool) {
	b := newBench(t)
	cookie := b.login(principal(t, core.PrincipalInfo{ID: "alice", Scheme: "Form", Roles: []string{"user"}}), "")
	if again {
		p, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
		if err != nil {
			t.Fatal(err)
		}
		cookie = b.login(p, cookie)
	}
	start := b.clock.Now()
	b.clock.Advance(10 * time.Minute)
	p, err := b.manager.Authenticate(t.Context(), request("GET", cookie))
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []*core.Principal{p, principal(t, core.PrincipalInfo{ID: "alice", Roles: []string{"admin"}})} {
		fields, err := b.manager.Rotate(t.Context(), request("POST", cookie), next)
		if err != nil {
			t.Fatal(err)
		}
		cookie = cookieFrom(t, fields)
		p, err = b.manager.Authenticate(t.Context(), request("GET", cookie))
		if err != nil {
			t.Fatal(err)
		}
		scheme, _ := p.Claim(session.ClaimLoginScheme)
		if !p.AuthTime().Equal(start) || !p.Expires().Equal(start.Add(12*time.Hour)) || scheme != "Form" {
			t.Errorf("authenticated %v by %v until %v", p.AuthTime(), scheme, p.Expires())
		}
	}
	if !p.HasRole("admin") || p.HasRole("user") {
		t.Errorf("roles %q", slices.Collect(p.Roles()))
	}
	var internal *core.InternalError
	if _, err = b.manager.Rotate(t.Context(), request("POST", cookie), principal(t, core.PrincipalInfo{ID: "bob"})); !errors.As(err, &internal) {
		t.Errorf("rotated into another principal: %v", err)
	}
	if _, err = b.manager.Rotate(t.Context(), request("POST", ""), p); !errors.Is(err, core.ErrNoCredentials) {
		t.Errorf("rotated without a session: %v", err)
	}
}
