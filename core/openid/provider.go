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

// Provider is an OpenID provider and what this application is to it. It is safe
// for concurrent use, and is for one [SignIn].
type Provider struct {
	providerSettings
	issuer, client string
	keys           *jwtauth.RemoteKeys
	tokens         *jwtauth.Verifier
	logouts        *jwtauth.LogoutVerifier
	discovery      *discovery
	exchanges      chan struct{} // holds one for each exchange of a code under way
}

// maxExchanges is how many codes a provider is asked about at the same time.
const maxExchanges = 64

// providerSettings are what the options set.
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

// WithName sets what the provider is called in addresses, such as "google": 1 to
// 32 small letters, digits and hyphens; "default" by default.
func WithName(name string) ProviderOption {
	return func(s *providerSettings) error {
		if name == "" || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("name %q: must be 1 to 32 small letters, digits and hyphens", name)
		}
		s.name = name
		return nil
	}
}

// WithLabel sets what the provider is called on the sign-in page, such as
// "Google"; the host of the issuer by default.
func WithLabel(label string) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.label, label, "label is empty") }
}

// WithClientSecret sets the secret by which the provider knows this application.
// It is sent in the way that the provider's metadata names. Without it the
// application is a public client, which has PKCE alone.
func WithClientSecret(secret string) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.secret, secret, "client secret is empty") }
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

// WithIDPrefix sets what stands before the IDs of the provider's people, such as
// "google:"; nothing by default. Several providers need different ones, since a
// subject is unique at its issuer only. So do an application's own accounts
// beside a provider.
func WithIDPrefix(prefix string) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.prefix, prefix, "ID prefix is empty") }
}

// WithClaims says how ID tokens are read, in the words of package jwtauth:
// [jwtauth.WithRoles] names the claim with the roles, [jwtauth.WithID] another ID
// than sub, [jwtauth.WithLeeway] how far clocks may differ. Issuer and audience are
// set.
func WithClaims(opts ...jwtauth.Option) ProviderOption {
	return func(s *providerSettings) error {
		s.claims = append(s.claims, opts...)
		return nil
	}
}

// WithPrincipalLookup has lookup decide what a person who has signed in is here: it
// is given the principal that the ID token makes, with all its claims, and returns
// that one or another one, such as the account of the application's own
// database. A [core.CredentialError] refuses the sign-in, any other error is 503.
func WithPrincipalLookup(lookup func(context.Context, *core.Principal) (*core.Principal, error)) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.lookup, lookup, "lookup is nil") }
}

// WithTransport sets how the provider is reached. By default it is reached as the
// environment says (HTTPS_PROXY) and by TLS 1.2 at least.
func WithTransport(t http.RoundTripper) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.transport, t, "transport is nil") }
}

// WithTimeout bounds one request to the provider; 5 s by default, at most 1
// minute. A sign-in makes two of them, one after the other, and three at first.
func WithTimeout(d time.Duration) ProviderOption {
	return func(s *providerSettings) error {
		if d <= 0 || d > time.Minute {
			return fmt.Errorf("timeout %v: must be above 0 and at most 1m", d)
		}
		s.timeout = d
		return nil
	}
}

// WithProviderClock sets where the time comes from that tokens are judged by;
// [time.Now] by default. It must be safe for concurrent use.
func WithProviderClock(now func() time.Time) ProviderOption {
	return func(s *providerSettings) error { return option.Set(&s.now, now, "clock is nil") }
}

// NewProvider makes a provider from its issuer, which is exactly what its metadata
// and tokens say, and the ID that this application has there. The issuer must be
// https, unless it is on this machine.
//
// Its keys are fetched in the background, and its metadata when somebody first
// signs in. Close ends that.
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
	p.label = cmp.Or(p.label, hostOf(u))
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
	p.tokens, err = jwtauth.New(keys, append([]jwtauth.Option{
		jwtauth.WithIssuer(p.issuer), jwtauth.WithAudience(p.client), jwtauth.WithIDTokens(), jwtauth.WithCacheSize(0),
	}, common...)...)
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

// Close ends fetching keys.
func (p *Provider) Close() { p.keys.Close() }

// maxAnswer is how many bytes of an answer of a provider are read.
const maxAnswer = 1 << 20

// newClient asks one provider. It follows no redirects: the addresses are
// configured or come from the metadata, and a code or a secret is in what is sent.
func newClient(p *Provider) *http.Client {
	t := p.transport
	if t == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxResponseHeaderBytes, own.MaxIdleConnsPerHost = 64<<10, 4
		t = own
	}
	return &http.Client{
		Transport:     boundedTransport{t},
		Timeout:       p.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// boundedTransport is one whose answers end in an error after [maxAnswer] bytes.
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
