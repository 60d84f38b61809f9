package scenario

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

// lifetime is longer than any run takes.
const lifetime = time.Hour

// credentials makes the header fields that prove somebody, or fail to, for the
// scenario's request. probe sends that request with other fields, or none, and
// returns the header of the answer.
type credentials func(ctx context.Context, s Scenario, probe probe) (http.Header, error)

type probe func(ctx context.Context, fields http.Header) (http.Header, error)

// lines are credentials that are always the same: values of one field.
func lines(field string, values ...string) credentials {
	return func(context.Context, Scenario, probe) (http.Header, error) {
		return http.Header{http.CanonicalHeaderKey(field): values}, nil
	}
}

// both are two kinds of credentials in one request.
func both(a, b credentials) credentials {
	return func(ctx context.Context, s Scenario, probe probe) (http.Header, error) {
		one, err := a(ctx, s, probe)
		if err != nil {
			return nil, err
		}
		other, err := b(ctx, s, probe)
		maps.Copy(one, other)
		return one, err
	}
}

// newCredentials are the credentials for each name that scenarios use.
func newCredentials(p *issuer.Provider, keys *keyring) (map[string]credentials, error) {
	const authorization = "Authorization"
	c := map[string]credentials{
		"wrong scheme":       lines(authorization, "Negotiate YQ=="),
		"malformed token":    lines(authorization, "Bearer not!a!token"),
		"no token":           lines(authorization, "Bearer"),
		"victor by password": lines(authorization, password("victor", "victor-pass")),
		"pam by password":    lines(authorization, password("pam", "pam-pass")),
		"wrong password":     lines(authorization, password("victor", "guess")),
		"unknown user":       lines(authorization, password("mallory", "mallory-pass")),
	}
	tokens, err := newTokens(p)
	if err != nil {
		return nil, err
	}
	for name, token := range tokens {
		c[name] = lines(authorization, "Bearer "+token)
	}
	for name, key := range keys.keys {
		c[name] = lines("X-API-Key", key)
	}
	for name, user := range digestUsers() {
		c[name] = user.answer
	}
	c["two lines"] = lines(authorization, "Bearer "+tokens["victor"], "Bearer "+tokens["alice"])
	c["two keys"] = lines("X-API-Key", keys.keys["a build job's key"], keys.keys["erin's key"])
	c["bad token and good key"] = both(c["bad signature"], c["erin's key"])
	c["wrong password and good key"] = both(c["wrong password"], c["erin's key"])
	c["good token and key of another"] = both(c["victor"], c["erin's key"])
	return c, nil
}

// newTokens are the access tokens, JWTs and others.
func newTokens(p *issuer.Provider) (map[string]string, error) {
	stranger, err := issuer.New(p.Name(), p.Audience())
	if err != nil {
		return nil, err
	}
	impostor, err := issuer.New("https://other.example", p.Audience())
	if err != nil {
		return nil, err
	}
	elsewhere := p.For("invoices")
	tokens := map[string]string{"unknown opaque token": "2YotnFZFEjr1zCsicMWpAA"}
	for _, t := range []struct {
		name, subject string
		sign          func(string, time.Duration, map[string]any) (string, error)
		lifetime      time.Duration
		claims        map[string]any
	}{
		{"alice", "alice", p.Token, lifetime, map[string]any{"region": "eu"}},
		{"erin", "erin", p.Token, lifetime, map[string]any{"region": "us", "scope": "openid reports:read"}},
		{"victor", "victor", p.Token, lifetime, map[string]any{"scope": "openid"}},
		{"sam", "sam", p.Token, lifetime, nil},
		{"pam", "pam", p.Token, lifetime, map[string]any{"plan": "pro"}},
		{"carol with roles admin, viewer", "carol", p.Token, lifetime, roles("viewer", "admin")},
		{"a user called admin", "admin", p.Token, lifetime, nil},
		{"a viewer called admin", "admin", p.Token, lifetime, roles("viewer")},
		{"expired token", "alice", p.Token, -lifetime, nil},
		{"bad signature", "alice", stranger.Token, lifetime, nil},
		{"alg none", "alice", p.Unsigned, lifetime, nil},
		{"public key as secret", "alice", p.SignedWithPublicKey, lifetime, nil},
		{"key in the token", "alice", stranger.WithItsOwnKey, lifetime, nil},
		{"key that is not published", "alice", p.WithUnknownKey, lifetime, nil},
		{"other issuer", "alice", impostor.Token, lifetime, nil},
		{"other audience", "alice", elsewhere.Token, lifetime, nil},
		{"roles that are no list", "alice", p.Token, lifetime, map[string]any{"roles": 7}},
		{"erin's opaque token", "erin", p.Opaque, lifetime, map[string]any{"scope": "reports:read"}},
		{"victor's opaque token", "victor", p.Opaque, lifetime, nil},
		{"opaque token not seen before", "victor", p.Opaque, lifetime, nil},
		{"inactive opaque token", "alice", p.Opaque, -lifetime, nil},
	} {
		if tokens[t.name], err = t.sign(t.subject, t.lifetime, t.claims); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

func roles(names ...string) map[string]any { return map[string]any{"roles": names} }

func password(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}
