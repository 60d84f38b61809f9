package recipes

import (
	"log/slog"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func scheme() (core.Authenticator, error) {
	const issuer = "https://acme.okta.com/oauth2/default"
	keys, err := jwtauth.Discover(issuer)
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuer(issuer),
		jwtauth.WithAudience("api://default"),
		jwtauth.WithID("uid"),
		jwtauth.WithRoles("groups"),
		jwtauth.WithScopes("scp"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func newGuard() (*core.Guard, error) {
	tokens, err := scheme()
	if err != nil {
		return nil, err
	}
	policy, err := casbinrules.Open(casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		return nil, err
	}
	return core.NewGuard([]core.Authenticator{tokens}, core.WithAuthorizer(policy),
		core.WithObserver(core.LogObserver(slog.Default())))
}

// publishAt puts up metadata, and keys at a path below the issuer.
func publishAt(issuer, keys string) func(t *testing.T) {
	return func(t *testing.T) {
		publish(t, issuer+"/.well-known/openid-configuration", metadata(issuer, issuer+keys))
		publish(t, issuer+keys, keySet(t, members{"alg": "RS256"}))
	}
}

func TestOkta(t *testing.T) {
	rc := recipe{
		page: "provider-any.md", name: "okta", scheme: scheme, source: "any_test.go",
		id: "00u1gju3bBJJ4pYnI0g4", publish: publishAt("https://acme.okta.com/oauth2/default", "/v1/keys"),
		errors: []firstError{
			{
				name: "the org authorization server", change: func(c members) { c["iss"], c["aud"] = "https://acme.okta.com", "https://acme.okta.com" },
				status: 401, reason: core.ReasonWrongIssuer,
				cause: `iss is "https://acme.okta.com", not "https://acme.okta.com/oauth2/default"`,
			},
			{name: "no groups", change: func(c members) { delete(c, "groups") }, status: 403, reason: "no_rule_matched"},
		},
	}
	rc.follow(t)
	rc.program(t)
	rc.client(t, "client:0oa1gjh63g214q0Iq0g4", func(c members) {
		c["sub"] = c["cid"]
		delete(c, "uid")
	})
}

func TestCognito(t *testing.T) {
	rc := recipe{
		page: "provider-any.md", name: "cognito", id: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		publish: publishAt("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1Cd2Ef3", "/.well-known/jwks.json"),
		errors: []firstError{
			{
				name: "an audience", file: [2]string{"any_audience: true", "audience: reports"},
				status: 401, reason: core.ReasonWrongAudience, cause: `aud is "" and contains none of "reports"`,
			},
			{
				name: "another client", change: func(c members) { c["client_id"] = "another" },
				status: 401, reason: core.ReasonWrongAudience,
				cause: `the token was issued to client "another", which is not one of "5example6789abcdefghijklmn"`,
			},
			{
				name: "an ID token", change: func(c members) {
					c["token_use"], c["aud"] = "id", c["client_id"]
					delete(c, "client_id")
				},
				status: 401, reason: core.ReasonWrongType, cause: `token_use is "id": an ID token is not an access token`,
			},
		},
	}
	rc.follow(t)
	rc.client(t, "client:5example6789abcdefghijklmn", func(c members) { c["sub"] = c["client_id"] })
}

func TestHydra(t *testing.T) {
	rc := recipe{
		page: "provider-any.md", name: "hydra", id: "erin", header: members{"typ": "JWT"},
		publish: publishAt("https://hydra.example", "/.well-known/jwks.json"),
		errors: []firstError{
			{
				name: "an opaque token", token: func(*testing.T, members, members) string { return "ory_at_bmV2ZXI.Z29ubmE" },
				status: 401, reason: core.ReasonMalformed, cause: "token does not have three parts",
			},
			{
				name: "no audience", change: func(c members) { c["aud"] = []any{} },
				status: 401, reason: core.ReasonWrongAudience, cause: `aud is "" and contains none of "https://reports.example"`,
			},
			{
				name: "a slash", file: [2]string{"issuer: https://hydra.example", "issuer: https://hydra.example/"},
				status: 503, reason: core.ReasonUnavailable, cause: `issuer is "https://hydra.example", not "https://hydra.example/"`,
			},
		},
	}
	rc.follow(t)
	rc.client(t, "client:reports-web", func(c members) { c["sub"] = c["client_id"] })
}

func TestDex(t *testing.T) {
	rc := recipe{
		page: "provider-any.md", name: "dex", id: "CgZlcmluLTESBGxkYXA",
		publish: publishAt("https://dex.example", "/keys"),
		errors: []firstError{
			{
				name: "no id_tokens", file: [2]string{"  id_tokens: true\n", ""},
				status: 401, reason: core.ReasonWrongType, cause: "the token has at_hash: an ID token is not an access token",
			},
			{
				name: "no audience", change: func(c members) {
					c["aud"] = "reports-web"
					delete(c, "azp")
				},
				status: 401, reason: core.ReasonWrongAudience, cause: `aud is "reports-web" and contains none of "reports"`,
			},
			{name: "no groups", change: func(c members) { delete(c, "groups") }, status: 403, reason: "no_rule_matched"},
		},
	}
	rc.follow(t)
}

// program runs the guard of the page's whole program.
func (rc *recipe) program(t *testing.T) {
	t.Helper()
	checkSource(t, rc.page, rc.source)
	guard, err := newGuard()
	if err != nil {
		t.Fatal(err)
	}
	s := newService(new(authtest.Recorder), guard)
	if status, body := s.get(t, rc.token(t, firstError{})); status != 200 || body != rc.id {
		t.Errorf("the program: %d %s", status, body)
	}
}

// client checks who a client is that has a token for itself.
func (rc *recipe) client(t *testing.T, id string, change func(members)) {
	t.Helper()
	s, err := rc.fromFile(t, firstError{})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := s.get(t, rc.token(t, firstError{change: change})); status != 200 || body != id {
		t.Errorf("a client: %d %s, want 200 %s", status, body, id)
	}
}
