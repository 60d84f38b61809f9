package core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

func TestOptional(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	gate := mounted(t)(g.Optional())
	for _, tt := range []struct {
		authorization string
		status        int
		reason        core.Reason
	}{
		{"", 200, core.ReasonAnonymous},
		{"Digest x", 200, core.ReasonAnonymous}, // A15
		{"Basic alice", 200, core.ReasonAllowed},
		{"Basic wrong", 401, core.ReasonWrongSecret},
		{"Basic ambiguous", 400, core.ReasonAmbiguous},
		{"Basic down", 503, core.ReasonUnavailable},
	} {
		r := get("/")
		if tt.authorization != "" {
			r = get("/", "Authorization: "+tt.authorization)
		}
		v := gate.Check(t.Context(), r)
		if e := o.last(t); e.Status != tt.status || e.Reason != tt.reason || (v.Response == nil) != (tt.status == 200) {
			t.Errorf("%q: %+v", tt.authorization, e)
		}
	}
}

// anonymousRule decides about requests without credentials.
type anonymousRule struct {
	rule
	d   core.Decision
	err error
}

func (r anonymousRule) AuthorizeAnonymous(context.Context, core.Access) (core.Decision, error) {
	return r.d, r.err
}

// A05.
func TestAnonymousAuthorizer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy core.Authorizer
		status int
		reason core.Reason
	}{
		{"lets it pass", anonymousRule{allowing(), core.Decision{Allowed: true, Rule: "policy.csv:3"}, nil}, 200, core.ReasonAnonymous},
		{"lets it pass, saying why", anonymousRule{allowing(), core.Decision{Allowed: true, Reason: "public"}, nil}, 200, "public"},
		{"refuses", anonymousRule{allowing(), core.Decision{Code: "x", Scopes: []string{"s"}}, nil}, 401, core.ReasonNoCredentials},
		{"fails", anonymousRule{allowing(), core.Decision{Allowed: true}, errDown}, 503, core.ReasonUnavailable},
		{"is none", allowing(), 401, core.ReasonNoCredentials},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAuthorizer(tt.policy))
			v := mounted(t)(g.Authorize()).Check(t.Context(), get("/"))
			if e := o.last(t); e.Status != tt.status || e.Reason != tt.reason || (v.Response == nil) != (tt.status == 200) {
				t.Errorf("%+v", e)
			}
			// Bad credentials are not anonymous.
			if w := mounted(t)(g.Authorize()).Check(t.Context(), get("/", "Authorization: Basic wrong")); w.Response == nil || w.Response.Status != 401 {
				t.Errorf("bad credentials: %+v", w.Response)
			}
			// Require requires an identity, whatever its rules are.
			if w := mounted(t)(g.Require(tt.policy)).Check(t.Context(), get("/")); w.Response == nil || w.Response.Status != 401 {
				t.Errorf("require: %+v", w.Response)
			}
		})
	}
}

func TestAnAmbiguousPathIs400BeforeAnythingElse(t *testing.T) {
	s := newScheme(t, "Basic")
	g, o := newGuard(t, []core.Authenticator{s}, core.WithAuthorizer(allowing()))
	disagree := get("/a")
	disagree.err = fmt.Errorf("router: %w", core.ErrAmbiguousPath)
	for _, r := range []*request{get("/a//b", "Authorization: Basic wrong"), get("/a/%61"), disagree} {
		v := mounted(t)(g.Authorize()).Check(t.Context(), r)
		if v.Response == nil || v.Response.Status != 400 || v.Denial.Code != "ambiguous_path" {
			t.Errorf("%+v", v.Denial)
		}
		wantFields(t, v.Response.Fields, "WWW-Authenticate")
		if e := o.last(t); e.Reason != core.ReasonAmbiguousPath || e.Resource != "" || e.Outcome != core.OutcomeBadRequest {
			t.Errorf("%+v", e)
		}
	}
	if s.asked != 0 {
		t.Error("credentials were looked at")
	}
	broken := get("/a")
	broken.err = errors.New("no router")
	if v := mounted(t)(g.Authorize()).Check(t.Context(), broken); v.Response == nil || v.Response.Status != 500 {
		t.Errorf("a route that cannot be found out: %+v", v.Response)
	}
}

// davRule decides about PROPFIND itself.
type davRule struct{ rule }

func (davRule) JudgesMethod(method string) bool { return method == "PROPFIND" }

// G14.
func TestMethods(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method string
		policy core.Authorizer
		opts   []core.Option
		want   int
	}{
		{"known", "PATCH", allowing(), nil, 200},
		{"OPTIONS that is no preflight", "OPTIONS", allowing(), nil, 200},
		{"TRACE", "TRACE", allowing(), nil, 403},
		{"CONNECT", "CONNECT", allowing(), nil, 403},
		{"lower case", "get", allowing(), nil, 403},
		{"unknown", "PROPFIND", allowing(), nil, 403},
		{"empty", " ", allowing(), nil, 403},
		{"named by an option", "PROPFIND", allowing(), []core.Option{core.WithMethods("MKCOL", "PROPFIND")}, 200},
		{"named by an option, in another letter case", "PROPFIND", allowing(), []core.Option{core.WithMethods("propfind")}, 403},
		{"named by the policy", "PROPFIND", davRule{allowing()}, nil, 200},
		{"not the one the policy names", "MKCOL", davRule{allowing()}, nil, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, append(tt.opts, core.WithAuthorizer(tt.policy))...)
			gate := mounted(t)(g.Authorize())
			known := gate.Check(t.Context(), get("/", "Authorization: Basic alice").with(tt.method))
			if e := o.last(t); e.Status != tt.want || e.Method != tt.method || tt.want == 403 && e.Reason != core.ReasonUnknownMethod {
				t.Errorf("known: %+v", e)
			}
			if (known.Response == nil) != (tt.want == 200) {
				t.Errorf("known: %+v", known.Response)
			}
			if anonymous := gate.Check(t.Context(), get("/").with(tt.method)); anonymous.Response == nil || anonymous.Response.Status != 401 {
				t.Errorf("anonymous: %+v", anonymous.Response)
			}
		})
	}
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	if v := mounted(t)(g.Authenticate()).Check(t.Context(), get("/", "Authorization: Basic alice").with("BREW")); v.Response == nil || v.Response.Status != 403 {
		t.Errorf("gate one alone lets an unknown method pass: %+v", v)
	}
	if v := mounted(t)(g.Optional()).Check(t.Context(), get("/").with("BREW")); v.Response == nil || v.Response.Status != 401 {
		t.Errorf("an optional gate lets an unknown method pass: %+v", v)
	}
}

// A17 and invariant 10.
func TestPreflight(t *testing.T) {
	const origin, wants = "Origin: https://app.example", "Access-Control-Request-Method: PUT"
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	for _, gate := range []*core.Gate{mounted(t)(g.Authenticate()), mounted(t)(g.Require(needs{"admin"}))} {
		v := gate.Check(t.Context(), get("/a//b", origin, wants).with(http.MethodOptions))
		if v.Response == nil || v.Response.Status != 204 || v.Denial != nil || len(v.Response.Body) != 0 {
			t.Errorf("%+v", v)
		}
		if e := o.last(t); e.Outcome != core.OutcomePreflight || e.Status != 204 || e.Reason != core.ReasonPreflight {
			t.Errorf("%+v", e)
		}
		for name, r := range map[string]*request{
			"no origin":       get("/", wants).with(http.MethodOptions),
			"no method":       get("/", origin).with(http.MethodOptions),
			"two origins":     get("/", origin, origin, wants).with(http.MethodOptions),
			"two methods":     get("/", origin, wants, wants).with(http.MethodOptions),
			"another method":  get("/", origin, wants),
			"lower case":      get("/", origin, wants).with("options"),
			"plain preflight": get("/").with(http.MethodOptions),
		} {
			if v := gate.Check(t.Context(), r); v.Response == nil || v.Response.Status != 401 {
				t.Errorf("%s: %+v", name, v.Response)
			}
		}
	}
	// A running handler has passed a gate, so a preflight gets no special treatment there.
	if v := g.CheckNow(t.Context(), get("/", origin, wants).with(http.MethodOptions), allowing()); v.Response == nil || v.Response.Status != 401 {
		t.Errorf("check: %+v", v.Response)
	}
}

func TestWhatAnAuthorizerIsAsked(t *testing.T) {
	var asked core.Access
	var who *core.Principal
	g, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAuthorizer(rule(func(p *core.Principal, a core.Access) (core.Decision, error) {
		asked, who = a, p
		return core.Decision{Allowed: true}, nil
	})))
	r := get("/reports/7/", "Authorization: Basic alice").with("PUT")
	r.route.Pattern = "/reports/:id"
	for _, tt := range []struct {
		opts []core.GateOption
		want core.Access
	}{
		{nil, core.Access{Action: "PUT", Resource: core.Resource{Route: "/reports/:id", Path: "/reports/7"}, Request: r}},
		{[]core.GateOption{core.WithResourceName("report"), core.WithAction("publish")},
			core.Access{Action: "publish", Resource: core.Resource{Route: "/reports/:id", Path: "/reports/7", Name: "report"}, Request: r}},
	} {
		mounted(t)(g.Authorize(tt.opts...)).Check(t.Context(), r)
		if asked != tt.want || who.ID() != "alice" {
			t.Errorf("asked %+v for %v, want %+v", asked, who, tt.want)
		}
	}
}

// If the router cannot tell which handler will run, each possible resource must be allowed,
// and the event of a refusal names the one that was not.
func TestAlternatives(t *testing.T) {
	ways := []core.Route{{Path: "/files/x"}, {Pattern: "/*", Path: "/FILES/x"}, {Pattern: "/*", Path: "/files/x"}}
	for _, tt := range []struct {
		name   string
		denied core.Resource
		status int
		about  core.Resource
		asked  int
	}{
		{"all allowed", core.Resource{}, 200, core.Resource{Route: "/*", Path: "/files/x"}, 3},
		{"the first refused", core.Resource{Route: "/*", Path: "/files/x"}, 403, core.Resource{Route: "/*", Path: "/files/x"}, 1},
		{"another path refused", core.Resource{Route: "/*", Path: "/FILES/x"}, 403, core.Resource{Route: "/*", Path: "/FILES/x"}, 3},
		{"no route refused", core.Resource{Path: "/files/x"}, 403, core.Resource{Path: "/files/x"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, core.WithAuthorizer(rule(func(_ *core.Principal, a core.Access) (core.Decision, error) {
				asked++
				return core.Decision{Allowed: a.Resource != tt.denied, Rule: a.Resource.Path}, nil
			})))
			r := get("/", "Authorization: Basic alice")
			r.route = core.Route{Pattern: "/*", Path: "/files/x", Alternatives: ways}
			v := mounted(t)(g.Authorize()).Check(t.Context(), r)
			e := o.last(t)
			if e.Status != tt.status || (v.Response == nil) != (tt.status == 200) || asked != tt.asked {
				t.Errorf("asked %d times: %+v", asked, e)
			}
			if e.Route != tt.about.Route || e.Resource != tt.about.Path || e.Rule != tt.about.Path {
				t.Errorf("the event is about %q %q, rule %q", e.Route, e.Resource, e.Rule)
			}
			// Gate one asks no rules, and an ambiguous path is refused whichever reading it
			// is.
			if w := mounted(t)(g.Authenticate()).Check(t.Context(), r); w.Response != nil {
				t.Errorf("gate one: %+v", w.Response)
			}
			r.route.Alternatives = append(ways[:len(ways):len(ways)], core.Route{Path: "/files//x"})
			if w := mounted(t)(g.Authorize()).Check(t.Context(), r); w.Response == nil || w.Response.Status != 400 {
				t.Errorf("an ambiguous alternative: %+v", w.Response)
			}
		})
	}
}

// B20: a proof that is too old says nothing about the token, which has not lapsed.
func TestStaleProofIsNotLapsed(t *testing.T) {
	s := newScheme(t, "DPoP")
	for code, passes := range map[string]bool{core.CodeInvalidProof: false, core.CodeInvalidToken: true} {
		s.answers["old"] = answer{err: &core.CredentialError{Reason: core.ReasonExpired, Code: code}}
		g, _ := newGuard(t, []core.Authenticator{s})
		v := mounted(t)(g.Optional(core.WithExpiredAsAnonymous())).Check(t.Context(), get("/", "Authorization: DPoP old"))
		if (v.Response == nil) != passes {
			t.Errorf("%s: %+v", code, v.Denial)
		}
	}
}
