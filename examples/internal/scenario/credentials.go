package scenario

import (
	"encoding/base64"
	"time"

	"github.com/sallyport-go/sallyport/examples/internal/issuer"
)

// lifetime is longer than any run takes.
const lifetime = time.Hour

// newCredentials are the Authorization lines for each name that scenarios use.
func newCredentials(own *issuer.Issuer) (map[string][]string, error) {
	stranger, err := issuer.New(own.Name(), own.Audience())
	if err != nil {
		return nil, err
	}
	elsewhere := own.For("invoices")
	c := map[string][]string{
		"wrong scheme":       {`Digest username="victor"`},
		"malformed token":    {"Bearer not-a-token"},
		"no token":           {"Bearer"},
		"victor by password": {password("victor", "victor-pass")},
		"pam by password":    {password("pam", "pam-pass")},
		"wrong password":     {password("victor", "guess")},
		"unknown user":       {password("mallory", "mallory-pass")},
	}
	for _, t := range []struct {
		name, subject string
		sign          func(string, time.Duration, map[string]any) (string, error)
		lifetime      time.Duration
		claims        map[string]any
	}{
		{"alice", "alice", own.Token, lifetime, map[string]any{"region": "eu"}},
		{"erin", "erin", own.Token, lifetime, map[string]any{"region": "us", "scope": "openid reports:read"}},
		{"victor", "victor", own.Token, lifetime, map[string]any{"scope": "openid"}},
		{"sam", "sam", own.Token, lifetime, nil},
		{"pam", "pam", own.Token, lifetime, map[string]any{"plan": "pro"}},
		{"carol with roles admin, viewer", "carol", own.Token, lifetime, roles("viewer", "admin")},
		{"a user called admin", "admin", own.Token, lifetime, nil},
		{"a viewer called admin", "admin", own.Token, lifetime, roles("viewer")},
		{"expired token", "alice", own.Token, -lifetime, nil},
		{"bad signature", "alice", stranger.Token, lifetime, nil},
		{"alg none", "alice", own.Unsigned, lifetime, nil},
		{"other audience", "alice", elsewhere.Token, lifetime, nil},
	} {
		token, err := t.sign(t.subject, t.lifetime, t.claims)
		if err != nil {
			return nil, err
		}
		c[t.name] = []string{"Bearer " + token}
	}
	c["two lines"] = []string{c["victor"][0], c["alice"][0]}
	return c, nil
}

func roles(names ...string) map[string]any { return map[string]any{"roles": names} }

func password(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}
