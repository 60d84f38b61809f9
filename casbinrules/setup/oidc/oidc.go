// Package oidc adds the sign-in at OpenID providers to package setup. Import it only
// for that:
//
//	import _ "github.com/sallyport-go/sallyport/casbinrules/setup/oidc"
//
// A configuration file then has the kind oidc below session.sign_in:
//
//	session:
//	  sign_in_page: /login
//	  sign_in:
//	    oidc:
//	      address: https://shop.example.com
//	      providers: [{issuer: "https://id.example.com", client: shop, secret: "${CLIENT_SECRET}"}]
package oidc

import (
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/session"
)

func init() { setup.RegisterSignIn("oidc", open) }

// settings are the keys below oidc.
type settings struct {
	Address   string     `key:"address" required:"true" doc:"the address of the application for browsers, such as https://shop.example.com"`
	Providers []provider `key:"providers" required:"true" doc:"where people sign in, one or several"`
	Path      string     `key:"path" default:"/openid/" doc:"what the paths of the callback and of logouts begin with"`
	Redirect  string     `key:"logout_redirect" default:"/" doc:"path of the page to which a provider sends people back after they have logged out there"`
}

// provider is one entry of the list providers.
type provider struct {
	Issuer  string        `key:"issuer" required:"true" doc:"the provider, exactly as the claim iss of its tokens"`
	Client  string        `key:"client" required:"true" doc:"ID of this application there"`
	Secret  setup.Secret  `key:"secret" doc:"its secret; none for a public client"`
	Name    string        `key:"name" default:"default" doc:"the provider's name in addresses"`
	Label   string        `key:"label" doc:"its name on the sign-in page; the host of the issuer by default"`
	Prefix  string        `key:"id_prefix" doc:"prefix of the IDs of its users; several providers need different ones"`
	Scopes  []string      `key:"scopes" doc:"what is requested besides openid, such as profile and email"`
	Claims  *claims       `key:"claims" doc:"which claims of ID tokens make a principal"`
	Leeway  time.Duration `key:"leeway" default:"30s" doc:"how far its clock may differ from ours"`
	Timeout time.Duration `key:"timeout" default:"5s" doc:"how long each of its answers may take"`
}

// claims are the names of claims, with dots for members of objects.
type claims struct {
	ID        string   `key:"id" doc:"the user's ID; sub by default"`
	Roles     []string `key:"roles" doc:"the roles; roles by default, with dots for objects"`
	RolesKeys []string `key:"roles_from_keys" doc:"objects whose keys are roles"`
	Tenant    string   `key:"tenant" doc:"the tenant; none by default"`
}

// open creates the sign-in. It does not contact any provider.
func open(s *settings, sessions *session.Manager) (setup.SignIn, func() error, error) {
	var providers []*openid.Provider
	closeAll := func() error {
		for _, p := range providers {
			p.Close()
		}
		return nil
	}
	for i := range s.Providers {
		p, err := s.Providers[i].open()
		if err != nil {
			_ = closeAll() // never fails
			return nil, nil, fmt.Errorf("provider %d: %w", i+1, err)
		}
		providers = append(providers, p)
	}
	signIn, err := openid.New(sessions, s.Address, providers, openid.WithPath(s.Path), openid.WithLogoutRedirect(s.Redirect))
	if err != nil {
		_ = closeAll() // never fails
		return nil, nil, err
	}
	return signIn, closeAll, nil
}

func (p *provider) open() (*openid.Provider, error) {
	opts := []openid.ProviderOption{openid.WithName(p.Name), openid.WithScopes(p.Scopes...), openid.WithTimeout(p.Timeout),
		openid.WithClaims(jwtauth.WithLeeway(p.Leeway))}
	for _, o := range []struct {
		value string
		with  func(string) openid.ProviderOption
	}{
		{p.Secret.Reveal(), openid.WithClientSecret}, {p.Label, openid.WithLabel}, {p.Prefix, openid.WithIDPrefix},
	} {
		if o.value != "" {
			opts = append(opts, o.with(o.value))
		}
	}
	if c := p.Claims; c != nil {
		opts = append(opts, openid.WithClaims(c.options()...))
	}
	return openid.NewProvider(p.Issuer, p.Client, opts...)
}

// options returns the options for the keys that are set.
func (c *claims) options() []jwtauth.Option {
	var opts []jwtauth.Option
	add := func(with func(string) jwtauth.Option, names ...string) {
		for _, name := range names {
			if name != "" {
				opts = append(opts, with(name))
			}
		}
	}
	add(jwtauth.WithID, c.ID)
	add(jwtauth.WithTenant, c.Tenant)
	add(jwtauth.WithRoles, c.Roles...)
	add(jwtauth.WithRolesFromKeys, c.RolesKeys...)
	return opts
}
