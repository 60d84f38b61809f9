package setup

import (
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// issuerOptions returns the options of a verifier that a file can set.
func issuerOptions(c *issuerConfig, maxSize int) []jwtauth.Option {
	opts := []jwtauth.Option{jwtauth.WithLeeway(c.Leeway), jwtauth.WithMaxTokenSize(maxSize)}
	add := func(on bool, option func() jwtauth.Option) {
		if on {
			opts = append(opts, option())
		}
	}
	add(c.Issuer != "", func() jwtauth.Option { return jwtauth.WithIssuer(c.Issuer) })
	add(c.Template != "", func() jwtauth.Option { return jwtauth.WithIssuerTemplate(c.Template) })
	add(len(c.Audience) > 0, func() jwtauth.Option { return jwtauth.WithAudience(c.Audience...) })
	add(c.AnyAudience, jwtauth.WithoutAudience)
	add(len(c.Algorithms) > 0, func() jwtauth.Option { return jwtauth.WithAlgorithms(c.Algorithms...) })
	add(c.AccessToken, jwtauth.WithAccessTokenProfile)
	add(c.IDTokens, jwtauth.WithIDTokens)
	add(c.Development == "anywhere", jwtauth.WithDevelopmentKeysAnywhere)
	add(c.MaxLifetime != 0, func() jwtauth.Option { return jwtauth.WithMaxLifetime(c.MaxLifetime) })
	return append(opts, principalOptions(&c.principalConfig, mapping[jwtauth.Option]{
		jwtauth.WithAuthorizedClients, jwtauth.WithNonce, jwtauth.WithoutClients, jwtauth.WithClientsAsUsers, jwtauth.WithClientPrefix, jwtauth.WithIDPrefix,
		jwtauth.WithID, jwtauth.WithRoles, jwtauth.WithRolesFromKeys, jwtauth.WithScopes, jwtauth.WithTenant,
	})...)
}

// introspectionOptions returns the options of a client of an issuer.
func introspectionOptions(c *introspectionConfig) []introspect.Option {
	opts := []introspect.Option{
		introspect.WithLeeway(c.Leeway), introspect.WithTimeout(c.Timeout),
		introspect.WithCacheTTL(c.CacheTTL), introspect.WithCacheSize(c.CacheSize),
	}
	if c.PlainHTTP {
		opts = append(opts, introspect.WithPlainHTTP())
	}
	if c.Issuer != "" {
		opts = append(opts, introspect.WithIssuer(c.Issuer))
	} else {
		opts = append(opts, introspect.WithoutIssuer())
	}
	if c.AnyAud {
		opts = append(opts, introspect.WithoutAudience())
	} else {
		opts = append(opts, introspect.WithAudience(c.Audience...))
	}
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
	var opts []O
	add := func(value string, option func(string) O) {
		if value != "" {
			opts = append(opts, option(value))
		}
	}
	if len(c.Only) > 0 {
		opts = append(opts, with.authorizedClients(c.Only...))
	}
	if c.Nonce {
		opts = append(opts, with.nonce())
	}
	switch c.Clients {
	case "refused":
		opts = append(opts, with.withoutClients())
	case "as_users":
		opts = append(opts, with.clientsAsUsers())
	}
	add(c.Prefix, with.clientPrefix)
	add(c.IDPrefix, with.idPrefix)
	if m := c.Claims; m != nil {
		add(m.ID, with.id)
		add(m.Scopes, with.scope)
		add(m.Tenant, with.tenant)
		for _, claim := range m.Roles {
			add(claim, with.roles)
		}
		for _, claim := range m.RolesKeys {
			add(claim, with.rolesFromKeys)
		}
	}
	return opts
}
