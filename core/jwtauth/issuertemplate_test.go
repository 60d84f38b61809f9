package jwtauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

const tenantTemplate = "https://login.example/{tid}/v2.0"

func tenantVerifier(t testing.TB, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	return must(jwtauth.New(hmacSet(t, "", "HS256"), append([]jwtauth.Option{
		jwtauth.Audience("reports"), jwtauth.Clock(func() time.Time { return noon }),
	}, opts...)...))
}

// B14, E12: one set of keys, an issuer for each tenant.
func TestIssuerTemplate(t *testing.T) {
	v := tenantVerifier(t, jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.Tenant("tid"))
	for members, reason := range map[string]core.Reason{
		`"iss":"https://login.example/aaaa/v2.0"|"tid":"aaaa"`:         "",
		`"iss":"https://login.example/a-b.c_d~/v2.0"|"tid":"a-b.c_d~"`: "",
		`"iss":"https://login.example/aaaa/v2.0"|"tid":"bbbb"`:         core.ReasonWrongIssuer,
		`"iss":"https://login.example/aaaa/v2.0"|"x":1`:                core.ReasonWrongIssuer,
		`"iss":"https://login.example/AAAA/v2.0"|"tid":"aaaa"`:         core.ReasonWrongIssuer,
		`"iss":"https://login.example//v2.0"|"tid":""`:                 core.ReasonWrongIssuer,
		`"iss":"https://login.example/../v2.0"|"tid":".."`:             core.ReasonWrongIssuer,
		`"iss":"https://login.example/a/b/v2.0"|"tid":"a/b"`:           core.ReasonWrongIssuer,
		`"iss":"https://login.example/a%2Fb/v2.0"|"tid":"a%2Fb"`:       core.ReasonWrongIssuer,
		`"iss":"https://login.example/{tid}/v2.0"|"tid":"{tid}"`:       core.ReasonWrongIssuer,
		`"iss":"https://login.example/7/v2.0"|"tid":7`:                 core.ReasonWrongIssuer,
		`"iss":"https://login.example/a/v2.0"|"tid":["a"]`:             core.ReasonWrongIssuer,
		`"iss":"https://login.example/aaaa/v2.0/"|"tid":"aaaa"`:        core.ReasonWrongIssuer,
		`"iss":["https://login.example/aaaa/v2.0"]|"tid":"aaaa"`:       core.ReasonBadClaim,
	} {
		t.Run(members, func(t *testing.T) { wantReason(t, v, hs256(t, with(strings.Split(members, "|")...)), reason) })
	}
	p, err := v.VerifyToken(context.Background(), hs256(t, with(`"iss":"https://login.example/aaaa/v2.0"`, `"tid":"aaaa"`)))
	if err != nil || p.Tenant() != "aaaa" {
		t.Errorf("principal %v, error %v", p, err)
	}
}

func TestIssuerTemplateBesideIssuers(t *testing.T) {
	tenants := tenantVerifier(t, jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.Tenant("tid"))
	one := tenantVerifier(t, jwtauth.Issuer("https://login.example/ours/v2.0"), jwtauth.Roles("own"))
	other := tenantVerifier(t, jwtauth.WithIssuerTemplate("https://login.example/{org}/v2.0"))
	all := must(jwtauth.NewIssuers(tenants, one, other))
	for _, tc := range []struct {
		iss, claim string
		tenant     string
		reason     core.Reason
	}{
		{"https://login.example/aaaa/v2.0", `"tid":"aaaa"`, "aaaa", ""},
		{"https://login.example/ours/v2.0", `"tid":"ours"`, "", ""}, // its own verifier, which reads no tenant
		{"https://login.example/bbbb/v2.0", `"org":"bbbb"`, "", ""},
		{"https://login.example/aaaa/v2.0", `"tid":"bbbb"`, "", core.ReasonWrongIssuer},
		{"https://login.example/cccc/v2.0", `"tid":"cccc","org":"cccc"`, "", core.ReasonWrongIssuer}, // two would take it
		{tenantTemplate, `"tid":"{tid}"`, "", core.ReasonWrongIssuer},
	} {
		p, err := all.VerifyToken(context.Background(), hs256(t, with(`"iss":"`+tc.iss+`"`, tc.claim)))
		switch {
		case tc.reason == "" && (err != nil || p.Tenant() != tc.tenant):
			t.Errorf("%s, %s: principal %v, error %v", tc.iss, tc.claim, p, err)
		case tc.reason != "" && (err == nil || !strings.Contains(err.Error(), string(tc.reason))):
			t.Errorf("%s, %s: error %v", tc.iss, tc.claim, err)
		}
	}
	if _, err := jwtauth.NewIssuers(tenants, tenantVerifier(t, jwtauth.WithIssuerTemplate(tenantTemplate))); err == nil {
		t.Error("a template twice was accepted")
	}
}

func TestOptionsGivenTwice(t *testing.T) {
	now := jwtauth.Clock(func() time.Time { return noon })
	for name, opts := range map[string][]jwtauth.Option{
		"template and issuer":     {jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.Issuer("i")},
		"template and any issuer": {jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithoutIssuer()},
		"template twice":          {jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithIssuerTemplate(tenantTemplate)},
		"template without claim":  {jwtauth.WithIssuerTemplate("https://login.example/v2.0")},
		"template, empty claim":   {jwtauth.WithIssuerTemplate("https://login.example/{}")},
		"template, two claims":    {jwtauth.WithIssuerTemplate("https://{a}.example/{b}")},
		"template, nothing else":  {jwtauth.WithIssuerTemplate("{iss}")},
		"issuer":                  {jwtauth.Issuer("i"), jwtauth.Issuer("j")},
		"scopes":                  {jwtauth.Issuer("i"), jwtauth.Scopes("a"), jwtauth.ScopeArray("b")},
		"tenant":                  {jwtauth.Issuer("i"), jwtauth.Tenant("a"), jwtauth.Tenant("b")},
		"ID":                      {jwtauth.Issuer("i"), jwtauth.WithID("a"), jwtauth.WithID("b")},
		"clients":                 {jwtauth.Issuer("i"), jwtauth.ClientPrefix("a"), jwtauth.WithClientsAsUsers()},
		"leeway":                  {jwtauth.Issuer("i"), jwtauth.Leeway(0), jwtauth.Leeway(time.Second)},
		"lifetime":                {jwtauth.Issuer("i"), jwtauth.MaxLifetime(1), jwtauth.MaxLifetime(2)},
		"size":                    {jwtauth.Issuer("i"), jwtauth.MaxTokenSize(1), jwtauth.MaxTokenSize(2)},
		"cache":                   {jwtauth.Issuer("i"), jwtauth.CacheSize(1), jwtauth.CacheSize(0)},
		"clock":                   {jwtauth.Issuer("i"), now, now},
	} {
		if _, err := jwtauth.New(hmacSet(t, "", "HS256"), append(opts, jwtauth.Audience("a"))...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.Audience("b"), jwtauth.Algorithms("ES256"), jwtauth.Algorithms("HS256"),
		jwtauth.Roles("a"), jwtauth.Roles("b.c"), jwtauth.WithRolesFromKeys("d"))
	p, err := v.VerifyToken(context.Background(), hs256(t, with(`"aud":"b"`, `"a":"x"`, `"b":{"c":["y"]}`, `"d":{"z":{}}`)))
	if err != nil || !p.HasRole("x") || !p.HasRole("y") || !p.HasRole("z") {
		t.Errorf("what adds up: principal %v, error %v", p, err)
	}
}
