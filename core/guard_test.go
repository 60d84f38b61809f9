package core_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// roles is a role source that can list its roles.
type roles struct {
	of    map[string][]string
	known []string
	err   error
}

func (r *roles) RolesOf(_ context.Context, p *core.Principal) ([]string, error) {
	return r.of[p.ID()], r.err
}
func (r *roles) KnownRoles() []string { return r.known }

// needs is a rule that names roles.
type needs []string

func (n needs) RoleNames() []string { return n }
func (n needs) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	if slices.ContainsFunc(n, p.HasRole) {
		return core.Decision{Allowed: true}, nil
	}
	return core.Decision{Reason: core.ReasonMissingRole}, nil
}

// Invariant 14 and H04: what cannot work fails when it is assembled.
func TestGuardsThatCannotWork(t *testing.T) {
	one := func() []core.Authenticator { return []core.Authenticator{newScheme(t, "Basic")} }
	var (
		noScheme    *scheme
		noRoles     *roles
		noObserver  *observer
		noResponder core.ResponderFunc
		noRule      rule
	)
	tests := []struct {
		name    string
		schemes []core.Authenticator
		opt     core.Option
		want    string
	}{
		{"no authenticator", nil, nil, "no authenticator"},
		{"a nil authenticator", []core.Authenticator{nil}, nil, "authenticator 1: is nil"},
		{"a typed nil authenticator", []core.Authenticator{newScheme(t, "Basic"), noScheme}, nil, "authenticator 2: is nil"},
		{"a scheme twice", []core.Authenticator{newScheme(t, "Basic"), newScheme(t, "Bearer"), newScheme(t, "BASIC")}, nil, "authenticator 3: scheme BASIC is given twice: let one authenticator"},
		{"a scheme that is no token", []core.Authenticator{newScheme(t, "Two Words")}, nil, "challenge: scheme"},
		{"a scheme without a name", []core.Authenticator{newScheme(t, "")}, nil, "challenge: scheme"},
		{"a nil option", one(), core.Option(nil), "option 3 is nil"},
		{"a nil authorizer", one(), core.WithAuthorizer(nil), "authorizer is nil"},
		{"a nil function as authorizer", one(), core.WithAuthorizer(noRule), "authorizer is nil"},
		{"a nil role source", one(), core.WithRoles(nil), "role source is nil"},
		{"a typed nil role source", one(), core.WithRoles(noRoles), "role source is nil"},
		{"a nil responder", one(), core.WithResponder(nil), "responder is nil"},
		{"a typed nil responder", one(), core.WithResponder(noResponder), "responder is nil"},
		{"a nil observer", one(), core.WithObserver(nil), "observer is nil"},
		{"a typed nil observer", one(), core.WithObserver(noObserver), "observer is nil"},
		{"a nil function as observer", one(), core.WithObserver(core.ObserverFunc(nil)), "observer is nil"},
		{"a nil logger", one(), core.WithLogger(nil), "logger is nil"},
		{"no time to wait", one(), core.WithRetryAfter(0), "at least 1s"},
		{"a method that is not a token", one(), core.WithMethods("MKCOL", "get it"), `method "get it" is not a token`},
		{"too short to wait", one(), core.WithRetryAfter(time.Second - 1), "at least 1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, err := core.NewGuard(tt.schemes, core.WithLogger(discard), core.WithWarningsAsErrors(), tt.opt)
			if g != nil || err == nil || !strings.HasPrefix(err.Error(), "guard: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v, want %q", g, err, tt.want)
			}
		})
	}
	if _, err := core.NewGuard(one(), core.WithAuthorizer(allowing()), core.WithAuthorizer(allowing())); err == nil || !strings.Contains(err.Error(), "two authorizers") {
		t.Errorf("two authorizers gave %v", err)
	}
}

func TestGatesThatCannotWork(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	var noGuard *core.Guard
	var noRule *roles2
	for _, tt := range []struct {
		name string
		make func() (*core.Gate, error)
		want string
	}{
		{"a nil guard", func() (*core.Gate, error) { return noGuard.Authenticate() }, "authenticate: the guard is nil"},
		{"an empty guard", func() (*core.Gate, error) { return new(core.Guard).Optional() }, "optional: the guard was not made by NewGuard"},
		{"an empty guard with rules", func() (*core.Gate, error) { return new(core.Guard).Require(allowing()) }, "require: the guard was not made by NewGuard"},
		{"no authorizer", func() (*core.Gate, error) { return g.Authorize() }, "authorize: the guard has no authorizer"},
		{"no rule", func() (*core.Gate, error) { return g.Require() }, "require: no rule"},
		{"a nil rule", func() (*core.Gate, error) { return g.Require(allowing(), nil) }, "require: rule 2 is nil"},
		{"a typed nil rule", func() (*core.Gate, error) { return g.Require(noRule) }, "require: rule 1 is nil"},
		{"an empty resource name", func() (*core.Gate, error) { return g.Authenticate(core.WithResourceName("")) }, "authenticate: resource name must not be empty"},
		{"an empty action", func() (*core.Gate, error) { return g.Authenticate(core.WithAction("")) }, "authenticate: action must not be empty"},
		{"a nil gate option", func() (*core.Gate, error) { return g.Authenticate(core.WithResourceName("x"), nil) }, "authenticate: option 2 is nil"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			gate, err := tt.make()
			if gate != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v, want %q", gate, err, tt.want)
			}
		})
	}
}

// roles2 is a pointer-shaped rule.
type roles2 struct{ needs }

func TestAnUnknownRoleInARuleIsReported(t *testing.T) {
	known := &roles{known: []string{"admin", "viewer"}}
	assemble := func(source core.RoleSource, opts ...core.Option) (string, error) {
		var log bytes.Buffer
		opts = append(opts, core.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		if source != nil {
			opts = append(opts, core.WithRoles(source))
		}
		g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, opts...)
		_, err := g.Require(needs{"viewer", "amdin"})
		return log.String(), err
	}
	if log, err := assemble(known); err != nil || !strings.Contains(log, "amdin") || !strings.Contains(log, "level=WARN") || strings.Contains(log, `"viewer\"`) {
		t.Errorf("logged %q, %v", log, err)
	}
	if _, err := assemble(known, core.WithWarningsAsErrors()); err == nil || !strings.Contains(err.Error(), `require: rule 1: the policy has no user or role "amdin", only admin, viewer`) {
		t.Errorf("strict: %v", err)
	}
	for name, source := range map[string]core.RoleSource{
		"no source": nil, "a source that does not know": &roles{}, "a source that cannot list": rolePolicy{},
	} {
		if log, err := assemble(source, core.WithWarningsAsErrors()); err != nil || log != "" {
			t.Errorf("%s: logged %q, %v", name, log, err)
		}
	}
}

// Rules, handlers and policy see the same roles of a role source.
func TestRoleSource(t *testing.T) {
	shared := append(make([]string, 0, 4), "editor", "viewer", "editor")
	for _, tt := range []struct {
		name string
		opts []core.Option
	}{
		{"an option of its own", []core.Option{core.WithRoles(&roles{of: map[string][]string{"alice": shared}})}},
		{"the authorizer", []core.Option{core.WithAuthorizer(roleAuthorizer{&roles{of: map[string][]string{"alice": shared}}, allowing()})}},
		{"an option before an authorizer without roles", []core.Option{
			core.WithRoles(&roles{of: map[string][]string{"alice": shared}}), core.WithAuthorizer(allowing()),
		}},
		{"an option before an authorizer with other roles", []core.Option{
			core.WithRoles(&roles{of: map[string][]string{"alice": shared}}), core.WithAuthorizer(roleAuthorizer{&roles{}, allowing()}),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, tt.opts...)
			gate := mounted(t)(g.Require(needs{"editor"}))
			v := gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
			p, _ := core.PrincipalFrom(v.Context)
			if v.Denial != nil || p == nil {
				t.Fatalf("%+v", v.Denial)
			}
			if got := slices.Collect(p.Roles()); !slices.Equal(got, []string{"viewer", "editor"}) {
				t.Errorf("roles %q", got)
			}
			if got := slices.Collect(p.CredentialRoles()); !slices.Equal(got, []string{"viewer"}) {
				t.Errorf("roles of the credentials %q", got)
			}
			for role := range p.Roles() {
				if role == "editor" {
					break // an early end inside the added roles must not panic
				}
			}
		})
	}
}

// A variant with its own policy keeps the guard's role source, if one was set.
func TestRoleSourceOfVariants(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithRoles(&roles{of: map[string][]string{"alice": {"clerk"}}}))
	v, err := g.With(core.WithAuthorizer(roleAuthorizer{&roles{of: map[string][]string{"alice": {"editor"}}}, allowing()}))
	if err != nil {
		t.Fatal(err)
	}
	if v := mounted(t)(v.Require(needs{"editor"})).Check(t.Context(), get("/", "Authorization: Basic alice")); v.Denial == nil || v.Denial.Kind != core.Forbidden {
		t.Errorf("the policy's own roles: %+v", v.Denial)
	}
}

// roleAuthorizer is an authorizer that adds roles.
type roleAuthorizer struct {
	*roles
	core.Authorizer
}

// Invariant 4: an outage of a store signs no one out and lets no one in.
func TestARoleSourceThatFails(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithRoles(&roles{
		err: &core.CredentialError{Reason: core.ReasonExpired, Err: errDown},
	}))
	v := mounted(t)(g.Authenticate()).Check(t.Context(), get("/", "Authorization: Basic alice"))
	if v.Response == nil || v.Response.Status != 503 || v.Denial.Kind != core.Unavailable {
		t.Errorf("%+v", v)
	}
	if !errors.Is(o.last(t).Cause, errDown) {
		t.Errorf("cause %v", o.last(t).Cause)
	}
}

// A20 and RFC 9110 §12.5.5.
func TestVaryAndCacheControlOfAllowedAnswers(t *testing.T) {
	alice := map[string]answer{"alice": {p: newPrincipal(t, core.PrincipalInfo{ID: "alice"})}}
	making := func(name string, vary ...string) *scheme {
		return &scheme{name: name, vary: append([]string{}, vary...), answers: alice}
	}
	tests := []struct {
		name          string
		schemes       []core.Authenticator
		authorization string
		vary, cache   []string
	}{
		{"so does the Authorization field: not all caches know it", []core.Authenticator{making("Basic", "authorization")}, "Basic alice", []string{"Authorization"}, []string{"private"}},
		{"a cookie needs private", []core.Authenticator{making("Session", "Cookie")}, "Session alice", []string{"Cookie"}, []string{"private"}},
		{"a cookie beside Authorization needs private", []core.Authenticator{making("Both", "Authorization", "Cookie")}, "Both alice", []string{"Authorization, Cookie"}, []string{"private"}},
		{"no field, such as a TLS certificate, needs private", []core.Authenticator{making("Mutual")}, "Mutual alice", nil, []string{"private"}},
		{"all schemes count for Vary, each once", []core.Authenticator{making("Basic", "Authorization"), making("Session", "cookie"), making("Bearer", "AUTHORIZATION")},
			"Basic alice", []string{"Authorization, Cookie"}, []string{"private"}},
		{"of several schemes", []core.Authenticator{making("Basic", "Authorization"), making("Session", "Cookie")},
			"Session alice", []string{"Authorization, Cookie"}, []string{"private"}},
		{"anonymous", []core.Authenticator{making("Session", "Cookie")}, "", []string{"Cookie"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, _ := newGuard(t, tt.schemes)
			v := mounted(t)(g.Optional()).Check(t.Context(), get("/", "Authorization: "+tt.authorization))
			if v.Denial != nil {
				t.Fatal(v.Denial)
			}
			wantFields(t, v.Fields, "Vary", tt.vary...)
			wantFields(t, v.Fields, "Cache-Control", tt.cache...)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		opts []core.Option
		want string
	}{
		{"by default", errDown, nil, "5"},
		{"as configured", errDown, []core.Option{core.WithRetryAfter(90 * time.Second)}, "90"},
		{"rounded up", errDown, []core.Option{core.WithRetryAfter(1500 * time.Millisecond)}, "2"},
		{"as the failing part says", &core.UnavailableError{RetryAfter: 30 * time.Second, Err: errDown}, []core.Option{core.WithRetryAfter(time.Minute)}, "30"},
		{"never zero", &core.UnavailableError{RetryAfter: time.Nanosecond, Err: errDown}, nil, "1"},
		{"nothing said", &core.UnavailableError{Err: errDown}, nil, "5"},
		{"nonsense said", &core.UnavailableError{RetryAfter: -time.Second, Err: errDown}, nil, "5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScheme(t, "Basic")
			s.answers["down"] = answer{err: tt.err}
			g, _ := newGuard(t, []core.Authenticator{s}, tt.opts...)
			v := mounted(t)(g.Authenticate()).Check(t.Context(), get("/", "Authorization: Basic down"))
			if v.Response == nil || v.Response.Status != 503 {
				t.Fatalf("%+v", v.Response)
			}
			wantFields(t, v.Response.Fields, "Retry-After", tt.want)
			wantFields(t, v.Response.Fields, "WWW-Authenticate")
		})
	}
}
