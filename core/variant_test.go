package core_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// Invariants 1 and 8: what gate one found out for one variant is not taken for what
// another would find out.
func TestVariantsRelyOnNoOther(t *testing.T) {
	schemes := []core.Authenticator{byBrowser{newScheme(t, "Basic")}}
	editor := needs{"editor"}
	roles := &roles{of: map[string][]string{"alice": {"editor"}}}
	plain := get("/", "Authorization: Basic alice")
	foreign := get("/", "Authorization: Basic alice", "Origin: https://front.example").with(http.MethodPost)
	north := get("/", "Authorization: Basic alice", "X-Tenant: north")
	for _, tt := range []struct {
		name         string
		of           []core.Option // of the guard
		opts         []core.Option // of the variant
		variantFirst bool
		rules        core.Authorizer
		request      *request
		status       int // 0 for a request that passes both
		reason       core.Reason
		tenant       string
	}{
		{name: "roles of its own", opts: []core.Option{core.WithRoles(roles)}, rules: editor, request: plain},
		{name: "the guard lacks these roles", opts: []core.Option{core.WithRoles(roles)}, variantFirst: true, rules: editor, request: plain, status: 403, reason: core.ReasonMissingRole},
		{name: "a policy with roles", opts: []core.Option{core.WithAuthorizer(roleAuthorizer{roles, allowing()})}, rules: editor, request: plain},
		{name: "F10 an origin that the guard does not trust", opts: []core.Option{core.WithTrustedOrigins("https://front.example")}, variantFirst: true, rules: allowing(), request: foreign, status: 403, reason: core.ReasonCrossSite},
		{name: "tenants of its own", of: []core.Option{core.WithRoles(roles)}, opts: []core.Option{core.WithTenant(core.TenantFromHeader("X-Tenant"))}, rules: editor, request: north, tenant: "north"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, o := newGuard(t, schemes, tt.of...)
			v, err := g.With(tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			first, second := g, v
			if tt.variantFirst {
				first, second = v, g
			}
			one := mounted(t)(first.Authenticate()).Check(t.Context(), tt.request)
			if one.Response != nil {
				t.Fatalf("gate one: %+v", one.Denial)
			}
			two := mounted(t)(second.Require(tt.rules)).Check(one.Context, tt.request)
			if tt.status != 0 {
				if two.Response == nil || two.Response.Status != tt.status || o.last(t).Reason != tt.reason {
					t.Errorf("%+v, %+v", two.Response, two.Denial)
				}
				return
			}
			if two.Response != nil {
				t.Fatalf("%+v", two.Denial)
			}
			if p, _ := core.PrincipalFrom(two.Context); p.Tenant() != tt.tenant {
				t.Errorf("tenant %q", p.Tenant())
			}
		})
	}
}

// Two variants of one guard do not change each other, nor the guard.
func TestVariantsShareNothing(t *testing.T) {
	g, _ := newGuard(t, []core.Authenticator{byBrowser{newScheme(t, "Basic")}},
		core.WithTrustedOrigins("https://a.example"), core.WithTrustedOrigins("https://b.example"), core.WithTrustedOrigins("https://c.example"),
		core.WithCORS("https://a.example"), core.WithCORS("https://b.example"), core.WithCORS("https://c.example"),
		core.WithMethods("A"), core.WithMethods("B"), core.WithMethods("C"))
	guards := map[string]*core.Guard{"": g}
	for _, name := range []string{"one", "two"} {
		v, err := g.With(core.WithTrustedOrigins("https://"+name+".example"), core.WithCORS("https://"+name+".example"), core.WithMethods(name), core.WithoutPrompts())
		if err != nil {
			t.Fatal(err)
		}
		guards[name] = v
	}
	for own, g := range guards {
		gate := mounted(t)(g.Authenticate())
		for _, name := range []string{"one", "two"} {
			origin := "Origin: https://" + name + ".example"
			if v := gate.Check(t.Context(), get("/", "Authorization: Basic alice", origin).with(http.MethodPost)); (v.Response == nil) != (own == name) {
				t.Errorf("%q: origin of %s: %+v", own, name, v.Denial)
			}
			if v := gate.Check(t.Context(), get("/", "Authorization: Basic alice").with(name)); (v.Response == nil) != (own == name) {
				t.Errorf("%q: method of %s: %+v", own, name, v.Denial)
			}
			if allowed := values(gate.Check(t.Context(), get("/", origin)).Response.Fields, "Access-Control-Allow-Origin"); (len(allowed) == 1) != (own == name) {
				t.Errorf("%q: origin of %s may read %q", own, name, allowed)
			}
		}
		vary := []string{"Authorization, Sec-Fetch-Mode"}
		if own == "" {
			vary = []string{"Authorization"}
		}
		wantFields(t, gate.Check(t.Context(), get("/", "Authorization: Basic alice")).Fields, "Vary", vary...)
	}
}

// A variant with an observer tells that one alone.
func TestObserversOfVariants(t *testing.T) {
	g, o := newGuard(t, []core.Authenticator{newScheme(t, "Basic")})
	own := &observer{}
	v, err := g.With(core.WithObserver(own))
	if err != nil {
		t.Fatal(err)
	}
	mounted(t)(v.Authenticate()).Check(t.Context(), get("/"))
	if len(o.events) != 0 || len(own.events) != 1 {
		t.Errorf("%d events at the guard's, %d at the variant's", len(o.events), len(own.events))
	}
}

// handsOn is a scheme whose credentials are what another guard found out.
type handsOn struct{ *scheme }

func (handsOn) Authenticate(ctx context.Context, _ core.Request) (*core.Principal, error) {
	p, _ := core.PrincipalFrom(ctx)
	return p, nil
}

// A guard asks its own source of roles about a principal that another guard has put into
// the same tenant.
func TestTenantOfAnotherGuard(t *testing.T) {
	tenant := core.WithTenant(core.TenantFromHeader("X-Tenant"))
	first, _ := newGuard(t, []core.Authenticator{newScheme(t, "Basic")}, tenant, core.WithRoles(&roles{of: map[string][]string{"alice": {"reader"}}}))
	second, _ := newGuard(t, []core.Authenticator{handsOn{newScheme(t, "Basic")}}, tenant, core.WithRoles(&roles{of: map[string][]string{"alice": {"editor"}}}))
	r := get("/", "Authorization: Basic alice", "X-Tenant: north")
	one := mounted(t)(first.Authenticate()).Check(t.Context(), r)
	if one.Response != nil {
		t.Fatal(one.Denial)
	}
	if two := mounted(t)(second.Require(needs{"editor"})).Check(one.Context, r); two.Response != nil {
		t.Errorf("%+v", two.Denial)
	}
}
