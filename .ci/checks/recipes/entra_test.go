package recipes

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func entra() (core.Authenticator, error) {
	keys, err := jwtauth.Fetch("https://login.microsoftonline.com/common/discovery/v2.0/keys",
		jwtauth.WithKeySetOptions(jwtauth.WithRSAAlgorithm("RS256")))
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuerTemplate("https://login.microsoftonline.com/{tid}/v2.0"),
		jwtauth.WithAudience("b14a7505-96e9-4927-91e8-0601d0fc9caa"),
		jwtauth.WithTenant("tid"),
		jwtauth.WithID("oid"),
		jwtauth.WithScopes("scp"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func TestEntra(t *testing.T) {
	const tenant = "fa15d692-e9c7-4460-a743-29f2956fd429"
	const keys = "https://login.microsoftonline.com/common/discovery/v2.0/keys"
	rc := recipe{
		page: "provider-entra.md", scheme: entra, source: "entra_test.go",
		header: members{"typ": "JWT", "x5t": kid},
		id:     "690222be-ff1a-4d56-abd1-7e4f7d38e474",
		publish: func(t *testing.T) {
			const all = "https://login.microsoftonline.com/{tenantid}/v2.0"
			publish(t, keys, keySet(t, members{"x5t": kid, "issuer": all}))
			publish(t, "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration", metadata(all, keys))
		},
		errors: []firstError{
			{
				name: "version 1", change: func(c members) {
					c["iss"], c["ver"], c["appid"] = "https://sts.windows.net/"+tenant+"/", "1.0", c["azp"]
					delete(c, "azp")
				},
				status: 401, reason: core.ReasonWrongIssuer,
				cause: `iss is "https://sts.windows.net/` + tenant + `/", not "https://login.microsoftonline.com/` + tenant + `/v2.0"`,
			},
			{
				name: "the application ID URI", change: func(c members) { c["aud"] = "api://b14a7505-96e9-4927-91e8-0601d0fc9caa" },
				status: 401, reason: core.ReasonWrongAudience,
				cause: `aud is "api://b14a7505-96e9-4927-91e8-0601d0fc9caa" and contains none of`,
			},
			{
				// What is signed has another nonce in the header than what is sent.
				name: "for Microsoft Graph", token: func(t *testing.T, header, claims members) string {
					claims["aud"] = "00000003-0000-0000-c000-000000000000"
					header["nonce"] = "signed"
					token := sign(t, header, claims)
					signed := part(t, header)
					header["nonce"] = "sent"
					return part(t, header) + token[len(signed):]
				},
				status: 401, reason: core.ReasonBadSignature,
			},
			{
				name: "no algorithm", file: [2]string{"  rsa_algorithm: RS256\n", ""},
				status: 503, reason: core.ReasonUnavailable, cause: "RSA key needs one of the algorithms",
			},
			{
				name: "common", file: [2]string{
					"issuer_template: https://login.microsoftonline.com/{tid}/v2.0\n  jwks: " + keys, "issuer: https://login.microsoftonline.com/common/v2.0",
				},
				status: 503, reason: core.ReasonUnavailable,
				cause: `issuer is "https://login.microsoftonline.com/{tenantid}/v2.0", not "https://login.microsoftonline.com/common/v2.0"`,
			},
			{
				name: "another tenant", change: func(c members) {
					c["tid"] = "9f8e7d6c-0000-4000-8000-000000000001"
					c["iss"] = "https://login.microsoftonline.com/9f8e7d6c-0000-4000-8000-000000000001/v2.0"
				},
				status: 403, reason: "no_rule_matched",
			},
		},
	}
	rc.follow(t)

	t.Run("no app role", func(t *testing.T) {
		s, err := rc.fromFile(t, firstError{})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := s.get(t, rc.token(t, firstError{change: func(c members) { delete(c, "roles") }})); status != 403 {
			t.Errorf("%d", status)
		}
	})
	t.Run("one tenant alone", func(t *testing.T) {
		const issuer = "https://login.microsoftonline.com/" + tenant + "/v2.0"
		publish(t, issuer+"/.well-known/openid-configuration", metadata(issuer, keys))
		s, err := rc.fromFile(t, firstError{file: [2]string{
			"issuer_template: https://login.microsoftonline.com/{tid}/v2.0\n  jwks: " + keys, "issuer: " + issuer,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := s.get(t, rc.token(t, firstError{})); status != 200 || body != rc.id {
			t.Errorf("the tenant: %d %s", status, body)
		}
		if status, _ := s.get(t, rc.token(t, rc.errors[5])); status != 401 || s.events.Last(t).Reason != core.ReasonWrongIssuer {
			t.Errorf("another tenant: %d %s", status, s.events.Last(t).Reason)
		}
	})
	t.Run("the key of another tenant", func(t *testing.T) {
		publish(t, keys, keySet(t, members{"issuer": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"}))
		s, err := rc.fromFile(t, firstError{})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := s.get(t, rc.token(t, firstError{})); status != 401 || s.events.Last(t).Reason != core.ReasonWrongIssuer {
			t.Errorf("%d %s", status, s.events.Last(t).Reason)
		}
	})
}
