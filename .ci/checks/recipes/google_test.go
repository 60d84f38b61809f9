package recipes

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func google() (core.Authenticator, error) {
	const issuer = "https://accounts.google.com"
	keys, err := jwtauth.Discover(issuer)
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuer(issuer),
		jwtauth.WithAudience("1008719970978-hb24n2dstb40o45d4feuo2ukqmcc6381.apps.googleusercontent.com"),
		jwtauth.WithIDTokens(),
		jwtauth.WithTenant("hd"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func TestGoogle(t *testing.T) {
	const issuer = "https://accounts.google.com"
	const id = "110169484474386276334"
	rc := recipe{
		page: "provider-google.md", scheme: google, source: "google_test.go",
		header: members{"typ": "JWT"},
		id:     id,
		publish: func(t *testing.T) {
			keys := "https://www.googleapis.com/oauth2/v3/certs"
			publish(t, issuer+"/.well-known/openid-configuration", metadata(issuer, keys))
			publish(t, keys, keySet(t, members{"alg": "RS256"}))
		},
		errors: []firstError{
			{
				name:   "an access token",
				token:  func(*testing.T, members, members) string { return "ya29.a0AfH6SMBx4kQ" },
				status: 401, reason: core.ReasonMalformed, cause: "token does not have three parts",
			},
			{
				name: "no id_tokens", file: [2]string{"  id_tokens: true\n", ""},
				status: 401, reason: core.ReasonWrongType, cause: "the token has at_hash: an ID token is not an access token",
			},
			{
				name: "another client", change: func(c members) { c["aud"] = "407408718192.apps.googleusercontent.com" },
				status: 401, reason: core.ReasonWrongAudience,
				cause: `aud is "407408718192.apps.googleusercontent.com" and contains none of`,
			},
			{
				name: "the old issuer", change: func(c members) { c["iss"] = "accounts.google.com" },
				status: 401, reason: core.ReasonWrongIssuer, cause: `iss is "accounts.google.com", not "https://accounts.google.com"`,
			},
			{
				name: "another domain", change: func(c members) { c["hd"] = "other.example" },
				status: 403, reason: "no_rule_matched",
			},
		},
	}
	rc.follow(t)

	t.Run("no domain, and service accounts", func(t *testing.T) {
		s, err := rc.fromFile(t, firstError{})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := s.get(t, rc.token(t, firstError{change: func(c members) { delete(c, "hd") }})); status != 403 {
			t.Errorf("an account of no domain: %d %s", status, body)
		}
		account := func(c members) {
			for _, name := range []string{"hd", "at_hash", "name"} {
				delete(c, name)
			}
			c["sub"], c["azp"], c["email"] = "115277301423051234567", "115277301423051234567", "jobs@acme.iam.gserviceaccount.com"
		}
		if status, body := s.get(t, rc.token(t, firstError{change: account})); status != 403 {
			t.Errorf("a service account: %d %s", status, body)
		}
		if id := s.events.Last(t).PrincipalID; id != "client:115277301423051234567" {
			t.Errorf("a service account is %s", id)
		}
	})
}
