package jwtauth_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func TestPrincipalOfAToken(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithTenant("org.id"))
	p, err := v.VerifyToken(context.Background(), hs256(t, with(
		`"roles":["editor","viewer"]`, `"scope":"reports:read  reports:write"`, `"org":{"id":"acme"}`,
		`"auth_time":1799999000.5`, `"exp":1800000060.25`, `"plan":"pro"`, `"level":3`, `"account":9007199254740993`)))
	if err != nil {
		t.Fatal(err)
	}
	if p.ID() != "alice" || p.Scheme() != "Bearer" || p.Tenant() != "acme" {
		t.Errorf("ID %q, scheme %q, tenant %q", p.ID(), p.Scheme(), p.Tenant())
	}
	if got := slices.Collect(p.Roles()); !slices.Equal(got, []string{"editor", "viewer"}) {
		t.Errorf("roles %q", got)
	}
	if got := slices.Collect(p.Scopes()); !slices.Equal(got, []string{"reports:read", "reports:write"}) {
		t.Errorf("scopes %q", got)
	}
	if want := time.Unix(1799999000, 500e6); !p.AuthTime().Equal(want) {
		t.Errorf("auth time %v, want %v", p.AuthTime(), want)
	}
	if want := time.Unix(1800000060, 250e6); !p.Expires().Equal(want) {
		t.Errorf("expires %v, want %v", p.Expires(), want)
	}
	for name, want := range map[string]any{
		"plan": "pro", "level": 3.0, "account": json.Number("9007199254740993"), "iss": "https://issuer.example",
	} {
		if got, _ := p.Claim(name); got != want {
			t.Errorf("claim %s is %#v, want %#v", name, got, want)
		}
	}
}

func TestPrincipalOfAShortToken(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithoutExpiry(), jwtauth.WithTenant("tenant"))
	p, err := v.VerifyToken(context.Background(), hs256(t, without("exp")))
	if err != nil {
		t.Fatal(err)
	}
	if len(slices.Collect(p.Roles())) != 0 || len(slices.Collect(p.Scopes())) != 0 || p.Tenant() != "" {
		t.Errorf("roles, scopes or tenant without claims")
	}
	if !p.AuthTime().IsZero() || !p.Expires().IsZero() {
		t.Errorf("auth time %v, expires %v", p.AuthTime(), p.Expires())
	}
}

func TestMappedClaimOfWrongTypeIsRefused(t *testing.T) { // E28
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithTenant("tenant"))
	for claim, values := range map[string][]string{
		"sub":    {`""`, `null`, `7`, `true`, `["alice"]`, `{}`, `"a\u0000"`, `"a\nb"`, `"a\u007f"`, `"a\u0085"`},
		"roles":  {`7`, `true`, `{"admin":true}`, `"a\u0000"`, `["admin",7]`, `["admin",null]`, `[["admin"]]`, `[""]`, `["a\r\nb"]`},
		"scope":  {`null`, `7`, `["read write"]`, `["read",7]`, `[""]`, `["lösen"]`, `{}`, `"read\twrite"`, `"read\nwrite"`, `"lösen"`, `"a\"b"`, `"a\\b"`},
		"tenant": {`null`, `7`, `["acme", 7]`, `[""]`, `{}`, `"a\u0000"`},
	} {
		for _, value := range values {
			t.Run(claim+" "+value, func(t *testing.T) {
				wantReason(t, v, hs256(t, with(`"`+claim+`":`+value)), core.ReasonBadClaim)
			})
		}
	}
	wantReason(t, v, hs256(t, without("sub")), core.ReasonBadClaim)
	wantReason(t, v, hs256(t, with(`"roles":[]`, `"scope":""`)), "")
}

func TestClaimMapping(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	for _, tc := range []struct {
		name, claim  string
		opt          jwtauth.Option
		roles, scope []string
		reason       core.Reason
	}{
		{name: "path", claim: `"realm_access":{"roles":["a"]}`, opt: jwtauth.WithRoles("realm_access.roles"), roles: []string{"a"}},
		{name: "path ends early", claim: `"realm_access":{}`, opt: jwtauth.WithRoles("realm_access.roles")},
		{name: "path is not there", claim: `"x":1`, opt: jwtauth.WithRoles("realm_access.roles")},
		{name: "path leads through a string", claim: `"realm_access":"roles"`, opt: jwtauth.WithRoles("realm_access.roles"), reason: core.ReasonBadClaim},
		{name: "path leads through null", claim: `"realm_access":null`, opt: jwtauth.WithRoles("realm_access.roles")},
		{name: "dots are no literal name", claim: `"realm_access.roles":["a"]`, opt: jwtauth.WithRoles("realm_access.roles")},
		{name: "URL is a literal name", claim: `"https://example.com/roles":["a"]`, opt: jwtauth.WithRoles("https://example.com/roles"), roles: []string{"a"}},
		{name: "another claim is not read", claim: `"roles":["a"]`, opt: jwtauth.WithRoles("groups")},
		{name: "B12 scp is not read by itself", claim: `"scp":["read"]`, opt: jwtauth.WithLeeway(0)},
		{name: "B12 scp array", claim: `"scp":["read","write"]`, opt: jwtauth.WithScopes("scp"), scope: []string{"read", "write"}},
		{name: "B12 scope is not read beside scp", claim: `"scope":"read"`, opt: jwtauth.WithScopes("scp")},
		{name: "B12 scp string by the option's other name", claim: `"scp":"read"`, opt: jwtauth.WithScopes("scp"), scope: []string{"read"}},
		{name: "B12 scp array by WithScopes", claim: `"scp":["read","write"]`, opt: jwtauth.WithScopes("scp"), scope: []string{"read", "write"}},
		{name: "B12 two scopes in one element", claim: `"scp":["read write"]`, opt: jwtauth.WithScopes("scp"), reason: core.ReasonBadClaim},
		{name: "B12 scp string", claim: `"scp":"read write"`, opt: jwtauth.WithScopes("scp"), scope: []string{"read", "write"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVerifier(t, keys, tc.opt)
			token := hs256(t, with(tc.claim))
			wantReason(t, v, token, tc.reason)
			if tc.reason != "" {
				return
			}
			p, err := v.VerifyToken(context.Background(), token)
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Collect(p.Roles()); !slices.Equal(got, tc.roles) {
				t.Errorf("roles %q, want %q", got, tc.roles)
			}
			if got := slices.Collect(p.Scopes()); !slices.Equal(got, tc.scope) {
				t.Errorf("scopes %q, want %q", got, tc.scope)
			}
		})
	}
}
