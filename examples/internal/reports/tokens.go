package reports

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/examples/internal/issuer"
)

// tokens is whose access tokens are accepted.
type tokens struct {
	verifier bearer.TokenVerifier
	// own is the issuer that the server brings along, nil when it was given
	// another one's keys.
	own *issuer.Issuer
	// fetched are keys that are had over HTTP, or nil.
	fetched *jwtauth.RemoteKeys
}

// newTokens reads the claims sub, roles and scope, and keeps all others, such
// as plan and region, for rules.
func newTokens(c config, f *files) (*tokens, error) {
	t := new(tokens)
	keys, err := t.keys(&c, f)
	if err != nil {
		return nil, err
	}
	jwts, err := jwtauth.New(keys, jwtauth.Issuer(c.issuer), jwtauth.Audience(c.audience))
	if err == nil && c.introspectURL != "" {
		t.verifier, err = withIntrospection(c, jwts)
	} else {
		t.verifier = jwts
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// keys is where the keys of tokens come from. Without any in c it makes an
// issuer and completes c with its names.
func (t *tokens) keys(c *config, f *files) (jwtauth.KeySource, error) {
	switch {
	case isURL(c.jwks):
		var err error
		t.fetched, err = fetchKeys(c.jwks, f.log)
		return t.fetched, err
	case c.jwks != "":
		keys := jwtauth.NewKeyFile(jwtauth.RSAAlgorithm(rsaAlgorithm))
		return keys, f.load(c.jwks, keys)
	}
	c.issuer, c.audience = cmp.Or(c.issuer, "https://issuer.example"), cmp.Or(c.audience, "reports")
	var err error
	if t.own, err = issuer.New(c.issuer, c.audience); err != nil {
		return nil, err
	}
	set, err := t.own.KeySet()
	if err != nil {
		return nil, err
	}
	return jwtauth.KeySetFromJWKS("own key", set)
}

// withIntrospection asks the issuer about tokens that are no JWTs.
func withIntrospection(c config, jwts bearer.TokenVerifier) (bearer.TokenVerifier, error) {
	text, err := os.ReadFile(c.introspectSecret)
	if err != nil {
		return nil, fmt.Errorf("secret of the introspection client: %w", err)
	}
	secret, _, _ := strings.Cut(string(text), "\n")
	client := introspect.Secret(c.introspectID, strings.TrimSuffix(secret, "\r"))
	opaque, err := introspect.New(c.introspectURL, client, introspect.Issuer(c.issuer), introspect.Audience(c.audience))
	if err != nil {
		return nil, err
	}
	return jwtauth.ByForm(jwts, opaque)
}

// close ends the fetching of keys.
func (t *tokens) close() {
	if t.fetched != nil {
		t.fetched.Close()
	}
}
