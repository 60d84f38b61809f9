package setup

import (
	"errors"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// bearer is the scheme of access tokens.
func (a *assembly) bearer() (core.Authenticator, error) {
	c := a.config.Bearer
	tokens, err := a.tokens(c)
	if err != nil {
		return nil, err
	}
	opts := []bearer.Option{bearer.WithMaxTokenSize(int(c.MaxTokenSize))}
	if c.Cookie != "" {
		opts = append(opts, bearer.WithCookie(c.Cookie))
	}
	return bearer.New(a.config.Realm, tokens, opts...)
}

// tokens verifies those of one issuer, or of several.
func (a *assembly) tokens(c *bearerConfig) (bearer.TokenVerifier, error) {
	if len(c.Issuers) == 0 {
		return a.issuer(&c.issuerConfig, int(c.MaxTokenSize), &c.Issuer, &a.config.Bearer)
	}
	if a.doc.Has(&c.Issuer) || a.doc.Has(&c.Audience) || a.doc.Has(&c.JWKS) {
		return nil, a.doc.Wrap(errors.New("issuers beside issuer, audience or jwks: put all into the list"), &c.Issuers)
	}
	verifiers := make([]*jwtauth.Verifier, len(c.Issuers))
	for i := range c.Issuers {
		one := &c.Issuers[i]
		v, err := a.issuer(one, int(c.MaxTokenSize), &one.Issuer, one)
		if err != nil {
			return nil, err
		}
		verifiers[i] = v
	}
	return jwtauth.NewIssuers(verifiers...)
}

// issuer verifies the tokens of one. Errors stand at the first of fields that
// the file has.
func (a *assembly) issuer(c *issuerConfig, maxSize int, fields ...any) (*jwtauth.Verifier, error) {
	switch {
	case c.Issuer == "":
		return nil, a.doc.Wrap(errors.New("issuer is missing: what the claim iss of tokens must be, exactly"), fields...)
	case len(c.Audience) == 0:
		return nil, a.doc.Wrap(errors.New("audience is missing: what the claim aud of tokens must have, commonly the name of this API at the issuer"), fields...)
	}
	keys, err := a.keys(c)
	if err != nil {
		return nil, a.doc.Wrap(err, append([]any{&c.JWKS}, fields...)...)
	}
	v, err := jwtauth.New(keys, issuerOptions(c, maxSize)...)
	return v, a.doc.Wrap(err, fields...)
}

// keys are in a file, at a URL, or where the issuer's metadata says.
func (a *assembly) keys(c *issuerConfig) (jwtauth.KeySource, error) {
	var set []jwtauth.KeySetOption
	if c.RSA != "" {
		set = append(set, jwtauth.WithRSAAlgorithm(c.RSA))
	}
	if c.JWKS != "" && !c.JWKS.Remote() {
		file := jwtauth.NewKeyFile(set...)
		return file, a.load(string(c.JWKS), file)
	}
	opts := []jwtauth.RemoteOption{jwtauth.WithKeySetOptions(set...), jwtauth.WithRefreshObserver(a.refreshed)}
	var keys *jwtauth.RemoteKeys
	var err error
	if c.JWKS != "" {
		keys, err = jwtauth.Fetch(string(c.JWKS), opts...)
	} else {
		keys, err = jwtauth.Discover(c.Issuer, opts...)
	}
	if err != nil {
		return nil, err
	}
	a.closes(func() error { keys.Close(); return nil })
	return keys, nil
}

// refreshed logs how a fetch of keys ended.
func (a *assembly) refreshed(r jwtauth.Refresh) {
	if r.Err != nil {
		a.settings.log.Error("keys not fetched", "error", r.Err)
	}
}

// issuerOptions are those of a verifier that a file can say.
func issuerOptions(c *issuerConfig, maxSize int) []jwtauth.Option {
	opts := []jwtauth.Option{
		jwtauth.WithIssuer(c.Issuer), jwtauth.WithAudience(c.Audience...),
		jwtauth.WithLeeway(c.Leeway), jwtauth.WithMaxTokenSize(maxSize),
	}
	add := func(on bool, option func() jwtauth.Option) {
		if on {
			opts = append(opts, option())
		}
	}
	add(len(c.Algorithms) > 0, func() jwtauth.Option { return jwtauth.WithAlgorithms(c.Algorithms...) })
	add(c.AccessToken, jwtauth.WithAccessTokenProfile)
	add(c.IDTokens, jwtauth.WithIDTokens)
	add(c.Clients == "refused", jwtauth.WithoutClients)
	add(c.Clients == "as_users", jwtauth.WithClientsAsUsers)
	add(c.Prefix != "", func() jwtauth.Option { return jwtauth.WithClientPrefix(c.Prefix) })
	add(c.MaxLifetime != 0, func() jwtauth.Option { return jwtauth.WithMaxLifetime(c.MaxLifetime) })
	if m := c.Claims; m != nil {
		add(m.ID != "", func() jwtauth.Option { return jwtauth.WithID(m.ID) })
		add(m.Scopes != "", func() jwtauth.Option { return jwtauth.WithScopes(m.Scopes) })
		add(m.Tenant != "", func() jwtauth.Option { return jwtauth.WithTenant(m.Tenant) })
		for _, claim := range m.Roles {
			opts = append(opts, jwtauth.WithRoles(claim))
		}
		for _, claim := range m.RolesKeys {
			opts = append(opts, jwtauth.WithRolesFromKeys(claim))
		}
	}
	return opts
}
