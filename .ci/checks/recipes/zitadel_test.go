package recipes

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func zitadel() (core.Authenticator, error) {
	const issuer = "https://acme-x1y2z3.zitadel.cloud"
	keys, err := jwtauth.Discover(issuer)
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuer(issuer),
		jwtauth.WithAudience("165233214870683905"),
		jwtauth.WithRolesFromKeys("urn:zitadel:iam:org:project:165233214870683905:roles"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func zitadelOpaque() (core.Authenticator, error) {
	const issuer = "https://acme-x1y2z3.zitadel.cloud"
	tokens, err := introspect.New(issuer+"/oauth/v2/introspect",
		introspect.Secret("165233302141566211@reports", os.Getenv("INTROSPECTION_SECRET")),
		introspect.WithIssuer(issuer),
		introspect.WithAudience("165233214870683905"),
		introspect.WithRolesFromKeys("urn:zitadel:iam:org:project:165233214870683905:roles"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

const (
	zitadelIssuer  = "https://acme-x1y2z3.zitadel.cloud"
	zitadelRoles   = "urn:zitadel:iam:org:project:165233214870683905:roles"
	zitadelClient  = "165233302141566211@reports"
	zitadelOfErin  = "163840776835432705"
	zitadelNoRoles = "token-without-roles"
)

func TestZITADEL(t *testing.T) {
	rc := recipe{
		page: "provider-zitadel.md", name: "jwt", scheme: zitadel, source: "zitadel_test.go",
		header: members{"typ": "JWT"}, id: zitadelOfErin,
		publish: func(t *testing.T) {
			keys := zitadelIssuer + "/oauth/v2/keys"
			publish(t, zitadelIssuer+"/.well-known/openid-configuration", metadata(zitadelIssuer, keys))
			publish(t, keys, keySet(t, members{"alg": "RS256"}))
		},
		errors: []firstError{
			{
				name:   "an opaque token",
				token:  func(*testing.T, members, members) string { return "dsWk1QBn0pC6qS4ZpH0tq7fJ2" },
				status: 401, reason: core.ReasonMalformed, cause: "token does not have three parts",
			},
			{
				name: "no audience", change: func(c members) { c["aud"] = []any{"165233302141435139"} },
				status: 401, reason: core.ReasonWrongAudience,
				cause: `aud is "165233302141435139" and contains none of "165233214870683905"`,
			},
			{
				name: "roles as names", file: [2]string{"roles_from_keys", "roles"},
				status: 401, reason: core.ReasonBadClaim, cause: "is neither an array of strings nor a string",
			},
			{
				name: "no roles", change: func(c members) { delete(c, zitadelRoles) },
				status: 403, reason: "no_rule_matched",
			},
			{
				name: "digits", file: [2]string{`audience: "165233214870683905"`, "audience: 165233214870683905"},
				cause: "audience: 165233214870683905 is not text",
			},
		},
	}
	rc.follow(t)
}

func TestZITADELOpaque(t *testing.T) {
	t.Setenv("INTROSPECTION_SECRET", "not told")
	t.Setenv("WRONG_SECRET", "another")
	rc := recipe{
		page: "provider-zitadel.md", name: "opaque", scheme: zitadelOpaque, source: "zitadel_test.go",
		id: zitadelOfErin,
	}
	rc.publish = func(t *testing.T) { rc.introspection(t) }
	opaque := func(token string) func(*testing.T, members, members) string {
		return func(*testing.T, members, members) string { return token }
	}
	rc.errors = []firstError{
		{
			name: "wrong secret", file: [2]string{"${INTROSPECTION_SECRET}", "${WRONG_SECRET}"},
			status: 503, reason: core.ReasonUnavailable, cause: "401",
		},
		{name: "expired", token: opaque("expired"), status: 401, reason: introspect.ReasonInactive},
		{name: "no roles", token: opaque(zitadelNoRoles), status: 403, reason: "no_rule_matched"},
	}
	rc.follow(t)
}

// introspection answers as the page shows. What is no JWT of the test's is
// inactive.
func (rc *recipe) introspection(t *testing.T) {
	active, bare := fresh(t, rc.block(t, "json", "claims")), fresh(t, rc.block(t, "json", "claims"))
	delete(bare, zitadelRoles)
	answer(t, zitadelIssuer+"/oauth/v2/introspect", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); (user != zitadelClient && user != "165233302141566211%40reports") || password != "not told" && password != "not+told" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		said := members{"active": false}
		switch token := r.PostFormValue("token"); {
		case token == zitadelNoRoles:
			said = bare
		case token != "expired":
			said = active
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(said)
	})
}
