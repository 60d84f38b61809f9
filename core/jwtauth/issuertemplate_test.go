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
		jwtauth.WithAudience("reports"), jwtauth.WithClock(func() time.Time { return noon }),
	}, opts...)...))
}

// B14, E12: one key set, an issuer for each tenant.
func TestIssuerTemplate(t *testing.T) {
	v := tenantVerifier(t, jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithTenant("tid"))
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

// A key that names a tenant signs for that tenant alone, also after a set was marshalled.
func TestKeyOfOneTenant(t *testing.T) {
	text := string(must(verificationKey(t, "k1", "ES256").MarshalJSON()))
	set := func(issuer string) (*jwtauth.KeySet, error) {
		return jwtauth.KeySetFromJWKS("keys.json", []byte(`{"keys":[{"issuer":`+issuer+`,`+text[1:]+`]}`))
	}
	token := sign(t, "ES256", signers()["ES256"], headerOf("ES256", "k1"), with(`"iss":"https://login.example/aaaa/v2.0"`, `"tid":"aaaa"`))
	for issuer, reason := range map[string]core.Reason{
		`"https://login.example/{tenantid}/v2.0"`: "",
		`"https://login.example/aaaa/v2.0"`:       "",
		`"https://login.example/bbbb/v2.0"`:       core.ReasonWrongIssuer,
	} {
		keys := must(set(issuer))
		again := must(jwtauth.KeySetFromJWKS("again.json", must(keys.MarshalJSON())))
		for _, keys := range []*jwtauth.KeySet{keys, again} {
			v := must(jwtauth.New(keys, jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithAudience("reports"),
				jwtauth.WithClock(func() time.Time { return noon })))
			wantReason(t, v, token, reason)
		}
	}
	for _, issuer := range []string{"7", `""`, "null"} {
		if _, err := set(issuer); err == nil {
			t.Errorf("issuer %s was accepted", issuer)
		}
	}
}

func TestIssuerTemplateBesideIssuers(t *testing.T) {
	tenants := tenantVerifier(t, jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithTenant("tid"))
	one := tenantVerifier(t, jwtauth.WithIssuer("https://login.example/ours/v2.0"), jwtauth.WithRoles("own"))
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
		t.Error("two equal templates were accepted")
	}
}

func TestOptionsGivenTwice(t *testing.T) {
	now := jwtauth.WithClock(func() time.Time { return noon })
	for name, opts := range map[string][]jwtauth.Option{
		"template and issuer":     {jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithIssuer("i")},
		"template and any issuer": {jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithoutIssuer()},
		"template twice":          {jwtauth.WithIssuerTemplate(tenantTemplate), jwtauth.WithIssuerTemplate(tenantTemplate)},
		"template without claim":  {jwtauth.WithIssuerTemplate("https://login.example/v2.0")},
		"template, empty claim":   {jwtauth.WithIssuerTemplate("https://login.example/{}")},
		"template, two claims":    {jwtauth.WithIssuerTemplate("https://{a}.example/{b}")},
		"template, nothing else":  {jwtauth.WithIssuerTemplate("{iss}")},
		"issuer":                  {jwtauth.WithIssuer("i"), jwtauth.WithIssuer("j")},
		"scopes":                  {jwtauth.WithIssuer("i"), jwtauth.WithScopes("a"), jwtauth.WithScopes("b")},
		"tenant":                  {jwtauth.WithIssuer("i"), jwtauth.WithTenant("a"), jwtauth.WithTenant("b")},
		"ID":                      {jwtauth.WithIssuer("i"), jwtauth.WithID("a"), jwtauth.WithID("b")},
		"clients":                 {jwtauth.WithIssuer("i"), jwtauth.WithClientPrefix("a"), jwtauth.WithClientsAsUsers()},
		"leeway":                  {jwtauth.WithIssuer("i"), jwtauth.WithLeeway(0), jwtauth.WithLeeway(time.Second)},
		"lifetime":                {jwtauth.WithIssuer("i"), jwtauth.WithMaxLifetime(1), jwtauth.WithMaxLifetime(2)},
		"size":                    {jwtauth.WithIssuer("i"), jwtauth.WithMaxTokenSize(1), jwtauth.WithMaxTokenSize(2)},
		"cache":                   {jwtauth.WithIssuer("i"), jwtauth.WithCacheSize(1), jwtauth.WithCacheSize(0)},
		"clock":                   {jwtauth.WithIssuer("i"), now, now},
	} {
		if _, err := jwtauth.New(hmacSet(t, "", "HS256"), append(opts, jwtauth.WithAudience("a"))...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	v := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithAudience("b"), jwtauth.WithAlgorithms("ES256"), jwtauth.WithAlgorithms("HS256"),
		jwtauth.WithRoles("a"), jwtauth.WithRoles("b.c"), jwtauth.WithRolesFromKeys("d"))
	p, err := v.VerifyToken(context.Background(), hs256(t, with(`"aud":"b"`, `"a":"x"`, `"b":{"c":["y"]}`, `"d":{"z":{}}`)))
	if err != nil || !p.HasRole("x") || !p.HasRole("y") || !p.HasRole("z") {
		t.Errorf("what adds up: principal %v, error %v", p, err)
	}
}
