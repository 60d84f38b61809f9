package setup

import (
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// issuerOptions returns the options of a verifier that a file can set.
func issuerOptions(c *issuerConfig, maxSize int) []jwtauth.Option {
	opts := options[jwtauth.Option]{jwtauth.WithLeeway(c.Leeway), jwtauth.WithMaxLifetime(c.MaxLifetime), jwtauth.WithMaxTokenSize(maxSize)}
	opts.text(c.Issuer, jwtauth.WithIssuer)
	opts.text(c.Template, jwtauth.WithIssuerTemplate)
	opts.texts(c.Audience, jwtauth.WithAudience)
	opts.on(c.AnyAudience, jwtauth.WithoutAudience)
	opts.texts(c.Algorithms, jwtauth.WithAlgorithms)
	opts.on(c.AccessToken, jwtauth.WithAccessTokenProfile)
	opts.on(c.IDTokens, jwtauth.WithIDTokens)
	opts.on(c.Development == "anywhere", jwtauth.WithDevelopmentKeysAnywhere)
	return append(opts, principalOptions(&c.principalConfig, mapping[jwtauth.Option]{
		jwtauth.WithAuthorizedClients, jwtauth.WithNonce, jwtauth.WithoutClients, jwtauth.WithClientsAsUsers, jwtauth.WithClientPrefix, jwtauth.WithIDPrefix,
		jwtauth.WithID, jwtauth.WithRoles, jwtauth.WithRolesFromKeys, jwtauth.WithScopes, jwtauth.WithTenant,
	})...)
}

// introspectionOptions returns the options of a client of an issuer.
func introspectionOptions(c *introspectionConfig) []introspect.Option {
	opts := options[introspect.Option]{
		introspect.WithLeeway(c.Leeway), introspect.WithTimeout(c.Timeout),
		introspect.WithCacheTTL(c.CacheTTL), introspect.WithCacheSize(c.CacheSize),
	}
	opts.on(c.PlainHTTP, introspect.WithPlainHTTP)
	opts.text(c.Issuer, introspect.WithIssuer)
	opts.on(c.Issuer == "", introspect.WithoutIssuer)
	opts.on(c.AnyAud, introspect.WithoutAudience)
	opts.texts(c.Audience, introspect.WithAudience)
	return append(opts, principalOptions(&c.principalConfig, mapping[introspect.Option]{
		introspect.WithAuthorizedClients, introspect.WithNonce, introspect.WithoutClients, introspect.WithClientsAsUsers, introspect.WithClientPrefix, introspect.WithIDPrefix,
		introspect.WithID, introspect.WithRoles, introspect.WithRolesFromKeys, introspect.WithScopes, introspect.WithTenant,
	})...)
}

// mapping are the options of a package that map claims to a principal.
type mapping[O any] struct {
	authorizedClients                     func(...string) O
	nonce, withoutClients, clientsAsUsers func() O
	clientPrefix, idPrefix                func(string) O
	id, roles, rolesFromKeys              func(string) O
	scope, tenant                         func(string) O
}

// principalOptions returns those that a file sets.
func principalOptions[O any](c *principalConfig, with mapping[O]) []O {
	var opts options[O]
	opts.texts(c.Only, with.authorizedClients)
	opts.on(c.Nonce, with.nonce)
	opts.on(c.Clients == "refused", with.withoutClients)
	opts.on(c.Clients == "as_users", with.clientsAsUsers)
	opts.text(c.Prefix, with.clientPrefix)
	opts.text(c.IDPrefix, with.idPrefix)
	if m := c.Claims; m != nil {
		opts.text(m.ID, with.id)
		opts.text(m.Scopes, with.scope)
		opts.text(m.Tenant, with.tenant)
		for _, claim := range m.Roles {
			opts.text(claim, with.roles)
		}
		for _, claim := range m.RolesKeys {
			opts.text(claim, with.rolesFromKeys)
		}
	}
	return opts
}
