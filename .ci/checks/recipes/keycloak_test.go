package recipes

import (
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func keycloak() (core.Authenticator, error) {
	const issuer = "https://keycloak.example/realms/acme"
	keys, err := jwtauth.Discover(issuer)
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuer(issuer),
		jwtauth.WithAudience("reports"),
		jwtauth.WithRoles("realm_access.roles"),
		jwtauth.WithRoles("resource_access.reports.roles"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func TestKeycloak(t *testing.T) {
	const issuer = "https://keycloak.example/realms/acme"
	rc := recipe{
		page: "provider-keycloak.md", scheme: keycloak, source: "keycloak_test.go",
		header: members{"typ": "JWT"},
		id:     "7ddaf89f-69eb-4ecf-a9ca-acba11211986",
		publish: func(t *testing.T) {
			keys := issuer + "/protocol/openid-connect/certs"
			publish(t, issuer+"/.well-known/openid-configuration", metadata(issuer, keys))
			publish(t, keys, keySet(t, members{"alg": "RS256"}))
		},
		errors: []firstError{
			{
				name: "no mapper", change: func(c members) { c["aud"] = "account" },
				status: 401, reason: core.ReasonWrongAudience, cause: `aud is "account" and contains none of "reports"`,
			},
			{
				name: "another name", change: func(c members) { c["iss"] = "http://localhost:8080/realms/acme" },
				status: 401, reason: core.ReasonWrongIssuer,
				cause: `iss is "http://localhost:8080/realms/acme", not "https://keycloak.example/realms/acme"`,
			},
			{
				name: "an ID token", change: func(c members) { c["typ"], c["aud"] = "ID", "reports-web" },
				status: 401, reason: core.ReasonWrongType, cause: `typ is "ID": an ID token is not an access token`,
			},
			{
				name:   "a session code",
				token:  func(*testing.T, members, members) string { return "2a88c258-f73a-4103-b862-e1fbd8f4e04e" },
				status: 401, reason: core.ReasonMalformed, cause: "token does not have three parts",
			},
			{
				name: "no role", change: func(c members) { delete(c, "resource_access") },
				status: 403, reason: "no_rule_matched",
			},
			{
				name: "an old path", file: [2]string{"/realms/", "/auth/realms/"},
				status: 503, reason: core.ReasonUnavailable, cause: "metadata: ",
			},
			{
				name: "metadata as issuer", file: [2]string{"realms/acme", "realms/acme/.well-known/openid-configuration"},
				cause: "is the address of metadata: give the issuer",
			},
		},
	}
	rc.follow(t)
}
