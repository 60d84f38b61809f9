// Package openid signs browsers in at OpenID providers, for the sessions of package
// session: the authorization code flow of OpenID Connect Core 1.0 §3.1 with PKCE
// (RFC 7636, S256 only), state, nonce and the issuer in the response (RFC 9207). It
// works with every adapter:
//
//	login := provider + base address + sessions  →  openid.New
//	app.GET("/login", ginauth.Serve(login.SignInEndpoint()))
//	app.GET("/openid/callback/:provider", ginauth.Serve(login.CallbackEndpoint()))
//	app.POST("/logout", ginauth.Serve(login.LogoutEndpoint()))
//	app.POST("/openid/logout/:provider", ginauth.Serve(login.BackChannelEndpoint()))
//
// Neither ID token nor access token is kept or reaches the browser: the ID token's
// claims about the user go into the session, and the tokens are dropped.
//
// A program starts even if a provider is down. Until the provider's metadata is
// known, signing in there gets 503 with Retry-After; users who are signed in stay
// so.
package openid

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/session"
)

// Reasons in events, besides those of package core for ID and logout tokens. The
// Gate of the events is "sign_in", and "logout" for logout tokens.
const (
	// ReasonUnknownSignIn means that the response does not match a sign-in that
	// this browser has under way. The cookie or the state is missing, forged or
	// from another sign-in, the sign-in took longer than [FlowLifetime], or the
	// response has been used before.
	ReasonUnknownSignIn core.Reason = "unknown_sign_in"
	// ReasonRefused means that the provider says the user did not sign in or did
	// not consent.
	ReasonRefused core.Reason = "sign_in_refused"
	// ReasonBadCode means that the provider rejects the code, which may have been
	// used before or belong to another client.
	ReasonBadCode core.Reason = "bad_code"
	// ReasonWrongNonce means that the ID token was issued for another sign-in.
	ReasonWrongNonce core.Reason = "wrong_nonce"
)

// FlowLifetime is how long a user may take at the provider.
const FlowLifetime = 10 * time.Minute

// defaultPath is what the addresses of callback and back-channel logout begin
// with.
const defaultPath = "/openid/"

// SignIn signs users in at one or several providers. It is safe for concurrent use.
type SignIn struct {
	settings
	sessions  *session.Manager
	base      *url.URL
	providers []*Provider
	page      *page
}

// Ready waits until the metadata and the keys of every provider are known, or ctx
// ends. It is for programs that would rather fail to start than answer 503.
func (s *SignIn) Ready(ctx context.Context) error {
	for _, p := range s.providers {
		if err := p.keys.Ready(ctx); err != nil {
			return fmt.Errorf("openid: provider %s: %w", p.name, err)
		}
		if _, err := p.discovery.metadata(ctx); err != nil {
			return err
		}
	}
	return nil
}

// settings holds what the options set.
type settings struct {
	now         func() time.Time
	afterLogout string
	path        string
	template    *template.Template
}

// Option configures a [SignIn].
type Option func(*settings) error

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use. Providers have a clock of their own.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error { return option.Set(&s.now, now, "clock is nil") }
}

// WithLogoutRedirect sets the page of the application to which a provider sends the
// browser back after a logout; "/" by default. Providers require its full address
// to be registered, as post_logout_redirect_uri.
func WithLogoutRedirect(path string) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.afterLogout, path, !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`),
			"logout redirect %q: begin with one slash", path)
	}
}

// WithPath sets the prefix of the paths of the callback and of logouts, for an
// application that uses the default, "/openid/", for something else. It begins and
// ends with a slash. The path of the redirect address to register with a provider
// is then prefix, "callback/" and the provider's name; mount the endpoints there.
func WithPath(prefix string) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.path, prefix, !strings.HasPrefix(prefix, "/") || prefix == "/" || path.Clean(prefix)+"/" != prefix || strings.ContainsFunc(prefix, isUnsafeInPath),
			"path %q: must begin and end with a slash, such as %s", prefix, defaultPath)
	}
}

// isUnsafeInPath reports whether a character of a path would have to be escaped, or
// means something to a router.
func isUnsafeInPath(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/-_.", r))
}

// Path returns the prefix of the paths of the callback and of logouts.
func (s *SignIn) Path() string { return s.path }

// WithTemplate sets the sign-in page; it is executed with a [Page].
func WithTemplate(t *template.Template) Option {
	return func(s *settings) error { return option.Set(&s.template, t, "template is nil") }
}

// New returns the sign-in for sessions at providers. base is the address of the
// application as browsers see it, such as "https://shop.example.com", with a path
// if the application shares the host. It must be https, unless the host is this
// machine and the sessions have [session.WithPlainHTTPForDevelopment]. The path is
// where a proxy mounts the application; cookies and addresses to return to apply to
// the whole host.
//
// The redirect address to register with a provider is base followed by
// /openid/callback/ and the provider's name, unless [WithPath] changes it. The
// sessions must have a sign-in page ([session.WithSignInPage]), where
// [SignIn.SignInEndpoint] is usually mounted, and a cookie that browsers send when
// they come from another site.
func New(sessions *session.Manager, base string, providers []*Provider, opts ...Option) (*SignIn, error) {
	s := &SignIn{settings: settings{now: time.Now, afterLogout: "/", path: defaultPath}, sessions: sessions, providers: slices.Clone(providers)}
	if err := option.Apply(&s.settings, opts); err != nil {
		return nil, fmt.Errorf("openid: %w", err)
	}
	if err := s.check(base); err != nil {
		return nil, fmt.Errorf("openid: %w", err)
	}
	var err error
	if s.page, err = newPage(s.template); err != nil {
		return nil, fmt.Errorf("openid: %w", err)
	}
	return s, nil
}

// check refuses a configuration that cannot work.
func (s *SignIn) check(base string) (err error) {
	if s.sessions == nil {
		return errors.New("no sessions: make them with session.New")
	}
	cookie := s.sessions.Cookie()
	switch {
	case s.sessions.SignInPage() == "":
		return errors.New("the sessions have no page to sign in on: give session.New the option WithSignInPage (sign_in_page)")
	case cookie.SameSite != 0 && strings.Contains(cookie.String(), "SameSite=Strict"):
		return errors.New("the sessions' cookie is SameSite=Strict, which browsers do not send when they return from the provider: remove session.WithStrictSameSite (strict_same_site)")
	}
	if s.base, err = parseAddress(base, !cookie.Secure); err != nil {
		return fmt.Errorf("base address: %w", err)
	}
	return s.checkProviders()
}

// checkProviders requires names and prefixes that tell providers apart: a subject
// is unique only within its issuer.
func (s *SignIn) checkProviders() error {
	if len(s.providers) == 0 {
		return errors.New("no provider: nobody could sign in")
	}
	names, prefixes, issuers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, p := range s.providers {
		switch {
		case p == nil || p.tokens == nil:
			return fmt.Errorf("provider %d is nil or was not made by NewProvider", i+1)
		case names[p.name]:
			return fmt.Errorf("two providers are called %q: name them with WithName (name)", p.name)
		case prefixes[p.prefix]:
			return fmt.Errorf("two providers have the prefix %q, so users of one could be taken for users of the other: give each its own with WithIDPrefix (id_prefix)", p.prefix)
		case issuers[p.issuer]:
			return fmt.Errorf("two providers have the issuer %q", p.issuer)
		}
		names[p.name], prefixes[p.prefix], issuers[p.issuer] = true, true, true
	}
	return nil
}

// Close stops the providers' background fetches, as [Provider.Close] does.
func (s *SignIn) Close() {
	for _, p := range s.providers {
		p.Close()
	}
}

// provider returns the named provider, or nil.
func (s *SignIn) provider(name string) *Provider {
	for _, p := range s.providers {
		if p.name == name {
			return p
		}
	}
	return nil
}

// address returns the address of a path of the application.
func (s *SignIn) address(path string) string {
	return strings.TrimSuffix(s.base.String(), "/") + path
}

// parseAddress parses the address of an application or an issuer, which has neither
// query nor fragment, and is https or, if plain is true, on this machine.
func parseAddress(address string, plain bool) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%.256q: must be like https://shop.example.com, without user, query and fragment", address)
	case u.Scheme == "https", u.Scheme == "http" && plain && isLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil, fmt.Errorf("%.256q is not https: on this machine, give session.New the option WithPlainHTTPForDevelopment (plain_http_for_development)", address)
	}
	return nil, fmt.Errorf("%.256q: must begin with https://", address)
}

// isLoopback reports whether host is this machine.
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// lastSegment returns the last segment of the request path, which is the provider's
// name, however a router writes parameters and whatever prefix a proxy has
// stripped.
func lastSegment(r core.Request) string {
	path, _, _ := strings.Cut(r.Target(), "?")
	return path[strings.LastIndexByte(path, '/')+1:]
}
