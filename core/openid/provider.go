package openid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/option"
)

// Provider is an OpenID provider, with this application's registration there. It is
// safe for concurrent use, and is for one [SignIn].
type Provider struct {
	providerSettings
	issuer, client string
	keys           *jwtauth.RemoteKeys
	tokens         *jwtauth.Verifier
	logouts        *jwtauth.LogoutVerifier
	discovery      *discovery
	exchanges      chan struct{} // holds one for each exchange of a code under way
}

// maxExchanges is the number of codes that are exchanged with a provider at the
// same time.
const maxExchanges = 64

// providerSettings holds what the options set.
type providerSettings struct {
	name, label, prefix string
	secret              string
	scopes              []string
	claims              []jwtauth.Option
	lookup              func(context.Context, *core.Principal) (*core.Principal, error)
	transport           http.RoundTripper
	timeout             time.Duration
	now                 func() time.Time
}

// ProviderOption configures a [Provider].
type ProviderOption func(*providerSettings) error

// WithName sets the provider's name in addresses, such as "google": 1 to 32
// lower-case letters, digits and hyphens; "default" by default.
func WithName(name string) ProviderOption {
	return func(s *providerSettings) error {
		return option.SetUnless(&s.name, name, name == "" || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "",
			"name %q: must be 1 to 32 lower-case letters, digits and hyphens", name)
	}
}

// WithLabel sets the provider's name on the sign-in page, such as "Google"; the
// host of the issuer by default.
func WithLabel(label string) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.label, label, "label is empty") }
}

// WithClientSecret sets the secret with which this application authenticates to the
// provider. It is sent as the provider's metadata says. Without it the application
// is a public client, which has only PKCE.
func WithClientSecret(secret string) ProviderOption {
	return func(s *providerSettings) error { return option.SetOnce(&s.secret, secret, "client secret") }
}

// WithScopes adds scopes to "openid", such as "profile", "email" or "groups".
func WithScopes(scopes ...string) ProviderOption {
	return func(s *providerSettings) error {
		for _, scope := range scopes {
			if scope == "" || strings.ContainsAny(scope, " \t\r\n\"\\") {
				return fmt.Errorf("scope %q: must be one word", scope)
			}
			if !slices.Contains(s.scopes, scope) {
				s.scopes = append(s.scopes, scope)
			}
		}
		return nil
	}
}

// WithIDPrefix sets a prefix for the IDs of the provider's users, such as
// "google:"; none by default. Several providers need different prefixes, since a
// subject is unique only within its issuer, and so does a provider next to the
// application's own accounts.
func WithIDPrefix(prefix string) ProviderOption {
	return func(s *providerSettings) error { return option.SetOnce(&s.prefix, prefix, "ID prefix") }
}

// WithClaims sets how ID tokens are read, with options of package jwtauth:
// [jwtauth.WithRoles] names the claim with the roles, [jwtauth.WithID] an ID other
// than sub, [jwtauth.WithLeeway] how far clocks may differ. Issuer and audience are
// set already.
func WithClaims(opts ...jwtauth.Option) ProviderOption {
	return func(s *providerSettings) error {
		s.claims = append(s.claims, opts...)
		return nil
	}
}

// WithPrincipalLookup calls lookup to map a user who has signed in to a principal
// of this application: it gets the principal of the ID token, with all its claims,
// and returns that one or another, such as an account in the application's
// database. A [core.CredentialError] refuses the sign-in; any other error results
// in 503.
func WithPrincipalLookup(lookup func(context.Context, *core.Principal) (*core.Principal, error)) ProviderOption {
	return func(s *providerSettings) error { return option.SetOnce(&s.lookup, lookup, "principal lookup") }
}

// WithTransport sets the transport for requests to the provider. The default honors
// the environment (HTTPS_PROXY) and requires at least TLS 1.2.
func WithTransport(t http.RoundTripper) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.transport, t, "transport is nil") }
}

// WithTimeout bounds one request to the provider; 5 s by default, at most 1 minute.
// A sign-in makes two requests, one after the other, and the first one three.
func WithTimeout(d time.Duration) ProviderOption {
	return func(s *providerSettings) error {
		return option.SetUnless(&s.timeout, d, d <= 0 || d > time.Minute, "timeout %v: must be above 0 and at most 1m", d)
	}
}

// WithProviderClock sets the clock by which tokens are verified, for tests;
// [time.Now] by default. It must be safe for concurrent use.
func WithProviderClock(now func() time.Time) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.now, now, "clock is nil") }
}

// NewProvider returns a provider with the given issuer, exactly as in its metadata
// and tokens, and the client ID that this application has there. The issuer must be
// https, unless it is on this machine.
//
// Its keys are fetched in the background until Close, and its metadata when a user
// first signs in.
func NewProvider(issuer, client string, opts ...ProviderOption) (*Provider, error) {
	p := &Provider{
		providerSettings: providerSettings{name: "default", scopes: []string{"openid"}, timeout: 5 * time.Second, now: time.Now},
		issuer:           issuer, client: client, exchanges: make(chan struct{}, maxExchanges),
	}
	if err := option.Apply(&p.providerSettings, opts); err != nil {
		return nil, fmt.Errorf("openid: %w", err)
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("openid: %w", err)
	}
	return p, nil
}

func (p *Provider) finish() error {
	u, err := parseAddress(p.issuer, true)
	switch {
	case err != nil:
		return fmt.Errorf("issuer: %w", err)
	case p.client == "":
		return errors.New("client ID is empty: it is what the provider calls this application")
	}
	p.label = cmp.Or(p.label, u.Hostname())
	p.discovery = newDiscovery(p)
	remote := []jwtauth.RemoteOption{jwtauth.WithTimeout(p.timeout)}
	if p.transport != nil {
		remote = append(remote, jwtauth.WithTransport(p.transport))
	}
	keys, err := jwtauth.Discover(p.issuer, remote...)
	if err != nil {
		return err
	}
	common := append([]jwtauth.Option{jwtauth.WithClock(p.now)}, p.claims...)
	ours := append([]jwtauth.Option{
		jwtauth.WithIssuer(p.issuer), jwtauth.WithAudience(p.client), jwtauth.WithIDTokens(), jwtauth.WithCacheSize(0),
	}, common...)
	if p.prefix != "" {
		ours = append(ours, jwtauth.WithIDPrefix(p.prefix))
	}
	p.tokens, err = jwtauth.New(keys, ours...)
	if err == nil {
		p.logouts, err = jwtauth.NewLogoutVerifier(keys, p.issuer, p.client, common...)
	}
	if err != nil {
		keys.Close()
		return err
	}
	p.keys = keys
	return nil
}

// Close stops fetching keys and closes idle connections.
func (p *Provider) Close() {
	p.keys.Close()
	p.discovery.client.CloseIdleConnections()
}

// maxAnswer is the maximum number of bytes that are read of a provider's response.
const maxAnswer = 1 << 20

// newClient returns the client for one provider. It follows no redirects: the
// addresses are configured or come from the metadata, and requests carry a code or
// a secret.
func newClient(p *Provider) *http.Client {
	t := p.transport
	if t == nil {
		t = jwtauth.NewTransport()
	}
	return &http.Client{
		Transport:     boundedTransport{t},
		Timeout:       p.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// boundedTransport is a transport whose responses end in an error after [maxAnswer]
// bytes.
type boundedTransport struct{ http.RoundTripper }

func (b boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{&limited{resp.Body, maxAnswer}, resp.Body}
	}
	return resp, err
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (b boundedTransport) CloseIdleConnections() {
	if c, ok := b.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type limited struct {
	io.Reader
	left int
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("answer longer than %d bytes", maxAnswer)
	}
	n, err := l.Reader.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}
