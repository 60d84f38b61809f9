package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

const (
	basicRealm  = `Basic realm="test"`
	bearerRealm = `Bearer realm="test"`
)

// The verdict table: what each kind of request is answered at a gate that
// demands the role "viewer" (allowed) or "admin" (refused).
func TestVerdicts(t *testing.T) {
	tests := []struct {
		name          string
		authorization []string
		role          string // none: gate one alone
		status        int
		outcome       core.Outcome
		reason        core.Reason
		code          string
		challenges    []string
	}{
		{"A01 no credentials", nil, "", 401, core.OutcomeUnauthenticated, core.ReasonNoCredentials, "authentication_required", []string{basicRealm, bearerRealm}},
		{"A05 no credentials, role needed", nil, "admin", 401, core.OutcomeUnauthenticated, core.ReasonNoCredentials, "authentication_required", []string{basicRealm, bearerRealm}},
		{"A15 a scheme not supported", []string{"Digest alice"}, "", 401, core.OutcomeUnauthenticated, core.ReasonNoCredentials, "authentication_required", []string{basicRealm, bearerRealm}},
		{"A02 wrong credentials, without a code", []string{"Basic wrong"}, "", 401, core.OutcomeUnauthenticated, core.ReasonWrongSecret, "invalid_credentials", []string{basicRealm, bearerRealm}},
		{"B03 expired: the code is in the scheme's own challenge alone", []string{"Bearer expired"}, "", 401, core.OutcomeUnauthenticated, core.ReasonExpired, "invalid_token", []string{basicRealm, bearerRealm + `, error="invalid_token"`}},
		{"A02 expired, role needed: who you are comes first", []string{"Bearer expired"}, "admin", 401, core.OutcomeUnauthenticated, core.ReasonExpired, "invalid_token", []string{basicRealm, bearerRealm + `, error="invalid_token"`}},
		{"B05 ambiguous credentials", []string{"Bearer ambiguous"}, "", 400, core.OutcomeBadRequest, core.ReasonAmbiguous, "invalid_request",
			[]string{basicRealm + `, error="invalid_request"`, bearerRealm + `, error="invalid_request"`}},
		{"A14 two Authorization lines", []string{"Basic alice", "Bearer alice"}, "", 400, core.OutcomeBadRequest, core.ReasonAmbiguous, "invalid_request",
			[]string{basicRealm + `, error="invalid_request"`, bearerRealm + `, error="invalid_request"`}},
		{"A14 the same line twice", []string{"Basic alice", "Basic alice"}, "viewer", 400, core.OutcomeBadRequest, core.ReasonAmbiguous, "invalid_request",
			[]string{basicRealm + `, error="invalid_request"`, bearerRealm + `, error="invalid_request"`}},
		{"a dependency down", []string{"Bearer down"}, "", 503, core.OutcomeUnavailable, core.ReasonUnavailable, "temporarily_unavailable", nil},
		{"a dependency that is not down", []string{"Bearer soon"}, "", 503, core.OutcomeUnavailable, core.ReasonUnknownKey, "temporarily_unavailable", nil},
		{"a fault of the program", []string{"Bearer broken"}, "", 500, core.OutcomeError, core.ReasonInternal, "internal_error", nil},
		{"neither principal nor error", []string{"Bearer nothing"}, "", 500, core.OutcomeError, core.ReasonInternal, "internal_error", nil},
		{"a principal that names nobody", []string{"Bearer nobody"}, "", 500, core.OutcomeError, core.ReasonInternal, "internal_error", nil},
		{"a verifier that makes a principal without ID", []string{"Bearer nameless"}, "", 500, core.OutcomeError, core.ReasonInternal, "internal_error", nil},
		{"a panic in the authenticator", []string{"Bearer panic"}, "", 500, core.OutcomeError, core.ReasonPanic, "internal_error", nil},
		{"A03 known and refused", []string{"Basic alice"}, "admin", 403, core.OutcomeForbidden, core.ReasonMissingRole, "forbidden", nil},
		{"known", []string{"Basic alice"}, "", 200, core.OutcomeAllowed, core.ReasonAllowed, "", nil},
		{"known and allowed", []string{"Bearer alice"}, "viewer", 200, core.OutcomeAllowed, core.ReasonAllowed, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic"), newScheme(t, "Bearer")})
			gate := mounted(t)(g.Authenticate())
			if tt.role != "" {
				gate = mounted(t)(g.Require(needs{tt.role}))
			}
			r := get("/reports/7/", "X-Request-Id: r-1", "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
			r.route.Pattern = "/reports/:id"
			r.headers["Authorization"] = tt.authorization
			v := gate.Check(t.Context(), r)

			e := o.last(t)
			if len(o.events) != 1 || e.Outcome != tt.outcome || e.Status != tt.status || e.Reason != tt.reason {
				t.Errorf("%d events, the last %+v", len(o.events), e)
			}
			if e.Method != "GET" || e.Route != "/reports/:id" || e.Resource != "/reports/7" || e.RequestID != "r-1" ||
				e.TraceID != "4bf92f3577b34da6a3ce929d0e0e4736" || e.Time.IsZero() || e.Duration < 0 {
				t.Errorf("event %+v", e)
			}
			p, known := core.PrincipalFrom(v.Context)
			if tt.status == 200 {
				if v.Response != nil || v.Denial != nil || !known || p.ID() != "alice" || e.PrincipalID != "alice" || e.Scheme != p.Scheme() || e.Scheme == "" {
					t.Errorf("%+v with %v, event %+v", v, p, e)
				}
				wantFields(t, v.Fields, "Vary", "Authorization")
				return
			}
			if v.Response == nil || v.Denial == nil || v.Response.Status != tt.status || v.Denial.Code != tt.code || v.Denial.Reason != tt.reason {
				t.Fatalf("response %+v, denial %+v", v.Response, v.Denial)
			}
			if known && tt.status != 403 {
				t.Errorf("the refused request's context holds %v", p)
			}
			wantFields(t, v.Response.Fields, "WWW-Authenticate", tt.challenges...)
			wantFields(t, v.Response.Fields, "Cache-Control", "no-store") // A21
			wantFields(t, v.Response.Fields, "Vary", "Authorization")
			wantFields(t, v.Response.Fields, "Content-Type", "application/problem+json")
			body := string(v.Response.Body)
			if !strings.Contains(body, `"error":"`+tt.code+`"`) || !strings.Contains(body, core.Messages()[tt.code]) {
				t.Errorf("body %s", body)
			}
			for _, secret := range []string{"secret", "refused", "alice", "admin", "goroutine"} { // invariant 6
				if strings.Contains(body, secret) {
					t.Errorf("the body tells %q: %s", secret, body)
				}
			}
		})
	}
}

// The cause goes to the observer, and only there.
func TestTheCauseReachesTheObserver(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Bearer")})
	gate := mounted(t)(g.Authenticate())
	for credentials, want := range map[string]string{
		"expired": "expired: secret detail", "ambiguous": "two tokens: ambiguous credentials", "down": errDown.Error(),
		"broken": "internal error: secret detail", "panic": "panic: authenticator: secret detail",
		"nothing": "internal error: authenticator Bearer returned neither principal nor error",
	} {
		v := gate.Check(t.Context(), get("/", "Authorization: Bearer "+credentials))
		if e := o.last(t); e.Cause == nil || e.Cause.Error() != want || v.Denial.Cause != e.Cause {
			t.Errorf("%s: %+v", credentials, e)
		}
	}
	gate.Check(t.Context(), get("/", "Authorization: Bearer panic"))
	var p *core.PanicError
	if !errors.As(o.last(t).Cause, &p) || !strings.Contains(string(p.Stack), "fake_test.go") {
		t.Errorf("no stack in %v", o.last(t).Cause)
	}
}

// Invariant 4: what failed counts for more than what it made of the
// credentials. A key server that is down logs nobody out.
func TestAFailureAnywhereInAnErrorIsNeverA401(t *testing.T) {
	bad := &core.CredentialError{Reason: core.ReasonUnknownKey, Code: core.CodeInvalidToken}
	down := &core.UnavailableError{Err: errDown}
	for _, tt := range []struct {
		name   string
		err    error
		status int
	}{
		{"bad credentials because of an outage", &core.CredentialError{Reason: core.ReasonUnknownKey, Err: down}, 503},
		{"an outage that mentions bad credentials", &core.UnavailableError{Err: bad}, 503},
		{"two verifiers, one of them down", errors.Join(bad, down), 503},
		{"a fault that mentions bad credentials", &core.InternalError{Err: bad}, 500},
		{"bad credentials because of a fault", fmt.Errorf("bearer: %w", &core.CredentialError{Err: &core.InternalError{Err: errDown}}), 500},
		{"an outage that mentions ambiguity", &core.UnavailableError{Err: core.ErrAmbiguousCredentials}, 503},
		{"an outage that mentions no credentials", errors.Join(core.ErrNoCredentials, down), 503},
		{"bad credentials, whatever the cause", &core.CredentialError{Reason: core.ReasonUnknownKey, Err: errDown}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScheme(t, "Bearer")
			s.answers["x"] = answer{err: tt.err}
			g, _ := newGuard(t, []core.Authenticator{s})
			v := mounted(t)(g.Optional()).Check(t.Context(), get("/", "Authorization: Bearer x"))
			if v.Response == nil || v.Response.Status != tt.status {
				t.Errorf("%+v", v.Response)
			}
		})
	}
}

func TestA401HasAChallengeEvenIfTheSchemeNamesNone(t *testing.T) {
	s := newScheme(t, "Quiet")
	s.challenges = func(error) []challenge.Challenge { return nil }
	g, _ := newGuard(t, []core.Authenticator{s})
	gate := mounted(t)(g.Authenticate())
	for _, r := range []*request{get("/"), get("/", "Authorization: Quiet wrong")} {
		wantFields(t, gate.Check(t.Context(), r).Response.Fields, "WWW-Authenticate", `Quiet realm="restricted"`)
	}
}

func TestTheFirstSchemeThatFindsItsCredentialsDecides(t *testing.T) {
	first, second := newScheme(t, "Basic"), newScheme(t, "Bearer")
	g, _ := newGuard(t, []core.Authenticator{first, second})
	gate := mounted(t)(g.Authenticate())
	if v := gate.Check(t.Context(), get("/", "Authorization: Basic wrong")); v.Denial == nil || second.asked != 0 {
		t.Errorf("%+v, the second scheme asked %d times", v.Denial, second.asked)
	}
	gate.Check(t.Context(), get("/", "Authorization: Bearer alice"))
	if first.asked != 2 || second.asked != 1 {
		t.Errorf("asked %d and %d times", first.asked, second.asked)
	}
}

func TestAPrincipalKeepsItsOwnScheme(t *testing.T) {
	s := newScheme(t, "Bearer")
	s.answers["own"] = answer{p: newPrincipal(t, core.PrincipalInfo{ID: "alice", Scheme: "Introspection"})}
	g, o := newGuard(t, []core.Authenticator{s})
	gate := mounted(t)(g.Authenticate())
	for credentials, want := range map[string]string{"own": "Introspection", "alice": "Bearer"} {
		v := gate.Check(t.Context(), get("/", "Authorization: Bearer "+credentials))
		if p, _ := core.PrincipalFrom(v.Context); p.Scheme() != want {
			t.Errorf("scheme %q, want %q", p.Scheme(), want)
		}
		if o.last(t).Scheme != "Bearer" {
			t.Errorf("event %+v", o.last(t))
		}
	}
	if p := s.answers["alice"].p; p.Scheme() != "" {
		t.Error("the authenticator's principal was written to")
	}
}

func TestDecisions(t *testing.T) {
	scoped := core.Decision{Reason: core.ReasonMissingScope, Rule: "r", Scopes: []string{"a", "b"}}
	for _, tt := range []struct {
		name       string
		d          core.Decision
		err        error
		status     int
		reason     core.Reason
		code       string
		challenges []string
	}{
		{"the zero decision denies", core.Decision{}, nil, 403, core.ReasonDenied, "forbidden", nil},
		{"a reason of its own", core.Decision{Reason: "no_rule_matched", Rule: "r"}, nil, 403, "no_rule_matched", "forbidden", nil},
		{"a public code", core.Decision{Code: "plan_required", Message: "Upgrade."}, nil, 403, core.ReasonDenied, "plan_required", nil},
		{"B10 a missing scope", scoped, nil, 403, core.ReasonMissingScope, "insufficient_scope", []string{basicRealm + `, error="insufficient_scope", scope="a b"`}},
		{"H03 an error", core.Decision{Allowed: true, Rule: "r"}, errDown, 503, core.ReasonUnavailable, "temporarily_unavailable", nil},
		{"H03 an error about credentials is no 401 here", core.Decision{}, &core.CredentialError{Reason: core.ReasonExpired}, 503, core.ReasonUnavailable, "temporarily_unavailable", nil},
		{"H03 no credentials is no 401 here", core.Decision{}, core.ErrNoCredentials, 503, core.ReasonUnavailable, "temporarily_unavailable", nil},
		{"a cancelled context", core.Decision{}, context.Canceled, 503, core.ReasonUnavailable, "temporarily_unavailable", nil},
		{"a fault of the program", core.Decision{}, &core.InternalError{Err: errDown}, 500, core.ReasonInternal, "internal_error", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAuthorizer(answering(tt.d, tt.err)))
			r := get("/", "Authorization: Basic alice")
			for _, v := range []core.Verdict{
				mounted(t)(g.Authorize()).Check(t.Context(), r),
				mounted(t)(g.Require(allowing(), answering(tt.d, tt.err), answering(core.Decision{}, errors.New("not asked")))).Check(t.Context(), r),
				g.CheckNow(t.Context(), r, answering(tt.d, tt.err)),
			} {
				if v.Response == nil || v.Response.Status != tt.status || v.Denial.Code != tt.code || v.Denial.Reason != tt.reason {
					t.Fatalf("%+v", v.Denial)
				}
				if tt.d.Message != "" && v.Denial.Message != tt.d.Message || v.Denial.Message == "" {
					t.Errorf("message %q", v.Denial.Message)
				}
				wantFields(t, v.Response.Fields, "WWW-Authenticate", tt.challenges...)
			}
			if e := o.last(t); len(o.events) != 3 || e.Rule != tt.d.Rule || e.PrincipalID != "alice" {
				t.Errorf("%d events, %+v", len(o.events), e)
			}
		})
	}
}

func TestAnAllowedEventNamesTheRule(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")},
		core.WithAuthorizer(answering(core.Decision{Allowed: true, Reason: "owner", Rule: "policy.csv:9"}, nil)))
	mounted(t)(g.Authorize()).Check(t.Context(), get("/", "Authorization: Basic alice"))
	if e := o.last(t); e.Rule != "policy.csv:9" || e.Reason != "owner" || e.Gate != "authorize" {
		t.Errorf("%+v", e)
	}
}

func TestAPanicInARuleIs500(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	gate := mounted(t)(g.Require(rule(func(*core.Principal, core.Access) (core.Decision, error) { panic("secret detail") })))
	v := gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
	if v.Response == nil || v.Response.Status != 500 || strings.Contains(string(v.Response.Body), "secret") {
		t.Errorf("%+v", v.Response)
	}
	if e := o.last(t); e.Reason != core.ReasonPanic || e.PrincipalID != "alice" || e.Resource != "/" || e.Cause.Error() != "panic: secret detail" {
		t.Errorf("%+v", e)
	}
}
