package core_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// byBrowser is a scheme whose credentials browsers send by themselves.
type byBrowser struct{ *scheme }

func (b byBrowser) Scheme() core.Scheme {
	s := b.scheme.Scheme()
	s.Sender = core.SentByBrowser
	return s
}

// F10, G15: a middleware between two gates that overrides the method cannot turn a safe
// request into an unsafe one.
func TestMethodOverriddenBetweenGates(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{byBrowser{newScheme(t, "Basic")}, newScheme(t, "Bearer")})
	one, two := mounted(t)(g.Authenticate()), mounted(t)(g.Require(allowing()))
	for _, tt := range []struct {
		scheme, site, method string
		passes               bool
	}{
		{"Basic", "cross-site", http.MethodPost, false},
		{"Basic", "cross-site", http.MethodHead, true},
		{"Basic", "same-origin", http.MethodPost, true},
		{"Bearer", "cross-site", http.MethodPost, true},
	} {
		r := get("/", "Authorization: "+tt.scheme+" alice", "Sec-Fetch-Site: "+tt.site)
		first := one.Check(t.Context(), r)
		if first.Response != nil {
			t.Fatalf("%+v: gate one answered %d", tt, first.Response.Status)
		}
		v := two.Check(first.Context, r.with(tt.method))
		if passes := v.Response == nil; passes != tt.passes {
			t.Errorf("%+v: passes %v", tt, passes)
		}
		if e := o.last(t); !tt.passes && (e.Status != http.StatusForbidden || e.Reason != core.ReasonCrossSite) {
			t.Errorf("%+v: event %+v", tt, e)
		}
	}
}

// A request that passes as anonymous because its credentials have expired is treated like
// one without credentials, whichever site it comes from.
func TestMethodOverriddenOfExpired(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{byBrowser{newScheme(t, "Basic")}})
	gate := mounted(t)(g.Optional(core.WithExpiredAsAnonymous()))
	r := get("/", "Authorization: Basic expired", "Sec-Fetch-Site: cross-site")
	first := gate.Check(t.Context(), r)
	for what, v := range map[string]core.Verdict{
		"the first":  gate.Check(t.Context(), r.with(http.MethodPost)),
		"one behind": gate.Check(first.Context, r.with(http.MethodPost)),
		"a safe one": first,
	} {
		if v.Response != nil {
			t.Errorf("%s: answered %d", what, v.Response.Status)
		}
	}
}

// panicking panics in the method of that name.
type panicking struct {
	*scheme
	in string
}

func (p panicking) panics(where string) {
	if p.in == where {
		panic("secret detail")
	}
}

func (p panicking) Scheme() core.Scheme {
	s := p.scheme.Scheme()
	s.Attempt, s.Inform = p.attempt, p.inform
	return s
}

func (p panicking) attempt(core.Request) (string, bool) {
	p.panics("Attempt")
	return "alice", true
}

func (p panicking) inform(_ core.Request, who *core.Principal, _ error) []core.Field {
	if who != nil {
		p.panics("Inform")
	} else {
		p.panics("Inform on a refusal")
	}
	return nil
}

func (p panicking) Allow(context.Context, core.Request, string) error {
	p.panics("Allow")
	return nil
}

func (p panicking) Report(context.Context, core.Request, string, error) { p.panics("Report") }

func (p panicking) RolesOf(context.Context, *core.Principal) ([]string, error) {
	p.panics("RolesOf")
	return nil, nil
}

// H03: nothing that an extension does opens a gate.
func TestPanicsOfHooksAre500(t *testing.T) {
	for _, in := range []string{"Attempt", "Inform", "Inform on a refusal", "Allow", "Report", "RolesOf"} {
		p := panicking{newScheme(t, "Basic"), in}
		g, o := newGuard(t, []core.Authenticator{p}, core.WithAttemptLimiter(p), core.WithRoles(p))
		credentials := "alice"
		if in == "Inform on a refusal" {
			credentials = "expired"
		}
		for name, gate := range map[string]*core.Gate{
			"authenticate": mounted(t)(g.Authenticate()),
			"optional":     mounted(t)(g.Optional()),
			"require":      mounted(t)(g.Require(allowing())),
		} {
			v := gate.Check(t.Context(), get("/", "Authorization: Basic "+credentials))
			if v.Response == nil || v.Response.Status != http.StatusInternalServerError {
				t.Errorf("%s, %s: %+v", in, name, v.Response)
			}
			if _, ok := core.PrincipalFrom(v.Context); ok {
				t.Errorf("%s, %s: a principal is in the context", in, name)
			}
			if e := o.last(t); e.Reason != core.ReasonPanic {
				t.Errorf("%s, %s: event %+v", in, name, e)
			}
		}
	}
}

// hostless is a request without Host, as HTTP/1.0 allows.
type hostless struct{ *request }

func (hostless) Host() string { return "" }

// F10: an origin without a host is not that of a request without one.
func TestOriginWithoutHostIsForeign(t *testing.T) {
	for _, origin := range []string{"https://", "http://", "https:///", "null", ""} {
		if err := core.CrossSite(hostless{get("/", "Origin: "+origin).with(http.MethodPost)}); err == nil {
			t.Errorf("%q passes", origin)
		}
	}
}
