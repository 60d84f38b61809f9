package recipes

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func auth0() (core.Authenticator, error) {
	const issuer = "https://acme.eu.auth0.com/" // with the slash at its end
	keys, err := jwtauth.Discover(issuer)
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuer(issuer),
		jwtauth.WithAudience("https://reports.example/api"),
		jwtauth.WithRoles("permissions"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func TestAuth0(t *testing.T) {
	const issuer = "https://acme.eu.auth0.com/"
	rc := recipe{
		page: "provider-auth0.md", scheme: auth0, source: "auth0_test.go",
		header: members{"typ": "JWT"},
		id:     "auth0|6553da60a54af58e29493993",
		publish: func(t *testing.T) {
			keys := issuer + ".well-known/jwks.json"
			publish(t, issuer+".well-known/openid-configuration", metadata(issuer, keys))
			publish(t, keys, keySet(t, members{"alg": "RS256"}))
		},
		errors: []firstError{
			{
				name: "no audience asked for",
				token: func(*testing.T, members, members) string {
					return "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..nonce.text.tag"
				},
				status: 401, reason: core.ReasonMalformed, cause: "token does not have three parts",
			},
			{
				name: "no slash", file: [2]string{"auth0.com/", "auth0.com"},
				status: 503, reason: core.ReasonUnavailable,
				cause: `issuer is "https://acme.eu.auth0.com/", not "https://acme.eu.auth0.com"`,
			},
			{
				name: "a custom domain", change: func(c members) { c["iss"] = "https://login.acme.example/" },
				status: 401, reason: core.ReasonWrongIssuer,
				cause: `iss is "https://login.acme.example/", not "https://acme.eu.auth0.com/"`,
			},
			{
				name: "an ID token", change: func(c members) { c["aud"] = "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja" },
				status: 401, reason: core.ReasonWrongAudience,
				cause: `aud is "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja" and contains none of "https://reports.example/api"`,
			},
			{
				name: "HS256", token: func(t *testing.T, _, claims members) string {
					return sign(t, members{"alg": "HS256", "typ": "JWT"}, claims) // signed by whatever
				},
				status: 401, reason: core.ReasonBadAlgorithm, cause: "no key is for algorithm HS256",
			},
			{
				name: "no permission", change: func(c members) { delete(c, "permissions") },
				status: 403, reason: "no_rule_matched",
			},
		},
	}
	rc.follow(t)

	t.Run("other tokens that are good", func(t *testing.T) {
		s, err := rc.fromFile(t, firstError{})
		if err != nil {
			t.Fatal(err)
		}
		machine := func(c members) {
			c["sub"], c["gty"], c["aud"] = "awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients", "client-credentials", "https://reports.example/api"
			c["azp"] = "awZfdIir8YFdGZWkvCejDoUb7SjTDicx"
		}
		if status, body := s.get(t, rc.token(t, firstError{change: machine})); status != 200 || body != "awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients" {
			t.Errorf("a machine: %d %s", status, body)
		}
		rc.header = members{"typ": "at+jwt"}
		profile := func(c members) {
			c["client_id"], c["jti"] = c["azp"], "73WakrfVbNJBaAmhQtEeDv"
			delete(c, "azp")
		}
		if status, body := s.get(t, rc.token(t, firstError{change: profile})); status != 200 || body != rc.id {
			t.Errorf("the profile of RFC 9068: %d %s", status, body)
		}
	})
}
