package recipes

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func githubActions() (core.Authenticator, error) {
	const issuer = "https://token.actions.githubusercontent.com"
	keys, err := jwtauth.Discover(issuer)
	if err != nil {
		return nil, err
	}
	tokens, err := jwtauth.New(keys,
		jwtauth.WithIssuer(issuer),
		jwtauth.WithAudience("https://reports.example"),
		jwtauth.WithTenant("repository_owner_id"))
	if err != nil {
		return nil, err
	}
	return bearer.New("reports", tokens)
}

func TestGitHubActions(t *testing.T) {
	const issuer = "https://token.actions.githubusercontent.com"
	rc := recipe{
		page: "provider-github-actions.md", scheme: githubActions, source: "github_test.go",
		header: members{"typ": "JWT", "x5t": kid},
		id:     "repo:octo-org@65/octo-repo@74:environment:production",
		publish: func(t *testing.T) {
			keys := issuer + "/.well-known/jwks"
			publish(t, issuer+"/.well-known/openid-configuration", metadata(issuer, keys))
			publish(t, keys, keySet(t, members{"alg": "RS256"}))
		},
		errors: []firstError{
			{
				name: "the default audience", change: func(c members) { c["aud"] = "https://github.com/octo-org" },
				status: 401, reason: core.ReasonWrongAudience,
				cause: `aud is "https://github.com/octo-org" and contains none of "https://reports.example"`,
			},
			{
				name: "an earlier step", change: func(c members) { c["exp"] = time.Now().Add(-time.Minute).Unix() },
				status: 401, reason: core.ReasonExpired, cause: "expired at",
			},
			{
				name:   "the job's GITHUB_TOKEN",
				token:  func(*testing.T, members, members) string { return "ghs_16C7e42F292c6912E7710c838347Ae178B4a" },
				status: 401, reason: core.ReasonMalformed, cause: "token does not have three parts",
			},
			{
				name: "a pull request", change: func(c members) { c["sub"] = "repo:octo-org@65/octo-repo@74:pull_request" },
				status: 403, reason: "no_rule_matched",
			},
		},
	}
	rc.follow(t)

	t.Run("strangers", func(t *testing.T) {
		s, err := rc.fromFile(t, firstError{})
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(members){
			"another repository":                 func(c members) { c["sub"] = "repo:octo-org@65/other@75:environment:production" },
			"the name, taken by somebody else":   func(c members) { c["sub"] = "repo:octo-org@66/octo-repo@76:environment:production" },
			"the subject, from another's tenant": func(c members) { c["repository_owner_id"] = "66" },
		} {
			if status, _ := s.get(t, rc.token(t, firstError{change: change})); status != 403 {
				t.Errorf("%s: %d", name, status)
			}
		}
	})
}
