package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/session"
)

// SignInEndpoint serves the sign-in page, for GET: mount it with Serve of an
// adapter at the page of [session.WithSignInPage], behind no gate. With one
// provider it redirects there at once, with several it shows a page with a link for
// each, and after a failed sign-in it always shows the page, so that there is no
// redirect loop.
//
// The query parameter provider selects one by its name, and return_to is where the
// browser goes afterwards, if [respond.ReturnTo] accepts it; a path longer than 1
// KiB is ignored. The response is 503 while the provider is down and has never been
// reached.
func (s *SignIn) SignInEndpoint() core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		if m := r.Method(); m != http.MethodGet && m != http.MethodHead {
			return notAllowed("GET, HEAD")
		}
		returnTo, _ := r.Query(respond.ReturnToParam)
		failed, _ := r.Query(session.ErrorParam)
		name, chosen := r.Query("provider")
		p := s.provider(name)
		if chosen == 0 && failed == "" && len(s.providers) == 1 {
			p = s.providers[0]
		}
		if p == nil {
			return s.page.show(s, respond.ReturnTo(returnTo), failed != "")
		}
		return s.begin(ctx, r, p, returnTo)
	}
}

// begin redirects the browser to a provider.
func (s *SignIn) begin(ctx context.Context, r core.Request, p *Provider, returnTo string) core.Response {
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return s.sessions.Refuse(err)(ctx, r)
	}
	f := newFlow(p, returnTo, s.now())
	state, err := f.state()
	if err != nil {
		return s.sessions.Refuse(&core.InternalError{Err: err})(ctx, r)
	}
	to := s.config(p, m).AuthCodeURL(state,
		oauth2.SetAuthURLParam("nonce", f.nonce()), oauth2.S256ChallengeOption(f.verifier()))
	return seeOther(to, s.begun(r, f))
}

// config returns the configuration for package oauth2.
func (s *SignIn) config(p *Provider, m *metadata) *oauth2.Config {
	endpoint := m.endpoint()
	if p.secret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams // client_id (RFC 6749 §3.2.1)
	}
	return &oauth2.Config{
		ClientID: p.client, ClientSecret: p.secret, Endpoint: endpoint,
		RedirectURL: s.address(s.path + "callback/" + p.name), Scopes: p.scopes,
	}
}

// CallbackEndpoint receives browsers that providers send back: mount it with Serve
// of an adapter, for GET and behind no gate, at /openid/callback/ followed by a
// parameter for the provider's name.
//
// A user who has signed in gets a new session and a 303 to where they came from. A
// failed sign-in gets a 303 to the sign-in page; the event says what went wrong. If
// the provider is down, or busy with 64 codes for longer than one of its responses
// may take, the response is 503. With a limiter in [session.WithAnswers], an
// address that has sent too many codes that the provider rejects gets 429, and the
// provider is not asked.
func (s *SignIn) CallbackEndpoint() core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		f, flowErr := s.flowOf(r)
		returnTo := ""
		if flowErr == nil {
			returnTo = f.ReturnTo
		}
		resp := s.sessions.SignInElsewhere(ctx, r, returnTo, func(ctx context.Context) (*core.Principal, []session.LoginOption, error) {
			if flowErr != nil {
				return nil, nil, flowErr
			}
			return s.finish(ctx, r, f)
		})
		if flowErr == nil && resp.Status == http.StatusSeeOther {
			resp.Fields = append(slices.Clone(resp.Fields), s.cookie(f.id, ""))
		}
		return resp
	}
}

// finish checks the response to f: first who it is from, then what it says. A
// response with a code is used up before the provider is asked, whatever the
// result.
func (s *SignIn) finish(ctx context.Context, r core.Request, f *flow) (*core.Principal, []session.LoginOption, error) {
	p := s.provider(f.Provider)
	if p == nil || lastSegment(r) != p.name {
		return nil, nil, unknown("response at the path of %.64q to a sign-in that was started at %.64q", lastSegment(r), f.Provider)
	}
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := checkIssuer(r, p, m); err != nil {
		return nil, nil, err
	}
	code, err := codeOf(r)
	if err != nil {
		return nil, nil, err
	}
	done, err := p.wait(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	first, err := s.sessions.UseOnce(ctx, f.usedName(), time.Unix(f.Begun, 0).Add(FlowLifetime+time.Minute), nil)
	switch {
	case err != nil:
		return nil, nil, err
	case !first:
		return nil, nil, unknown("the sign-in has been answered before")
	}
	token, err := p.exchange(ctx, s.config(p, m), code, f.verifier())
	if err != nil {
		return nil, nil, err
	}
	return s.principal(ctx, p, f, token)
}

// wait waits until the provider may be asked about one more code, for at most as
// long as one of its responses may take: without the limit of [maxExchanges] a
// flood of codes would hit the provider. Call done after asking.
func (p *Provider) wait(ctx context.Context) (done func(), err error) {
	done = func() { <-p.exchanges }
	select {
	case p.exchanges <- struct{}{}:
		return done, nil
	default:
	}
	patience := time.NewTimer(p.timeout)
	defer patience.Stop()
	select {
	case p.exchanges <- struct{}{}:
		return done, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-patience.C:
		err = fmt.Errorf("%d exchanges of codes are in progress", maxExchanges)
	}
	return nil, &core.UnavailableError{RetryAfter: p.timeout, Err: fmt.Errorf("openid: token endpoint of %s: %w", p.issuer, err)}
}

// checkIssuer requires the response to be from the provider that was asked, so that
// no other provider gets its code (RFC 9207 §2.4).
func checkIssuer(r core.Request, p *Provider, m *metadata) error {
	iss, n := r.Query("iss")
	switch {
	case n == 0 && !m.NamesIssuer:
		return nil
	case n == 0:
		return refuse(core.ReasonWrongIssuer, "the answer does not name its issuer, as those of %s do", p.issuer)
	case n > 1 || iss != p.issuer:
		return refuse(core.ReasonWrongIssuer, "the answer is from issuer %.256q, not %q", iss, p.issuer)
	}
	return nil
}

// codeOf returns the code of a response. A response with an error has none (RFC
// 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
func codeOf(r core.Request) (string, error) {
	code, codes := r.Query("code")
	failure, failures := r.Query("error")
	switch {
	case codes+failures != 1:
		return "", refuse(core.ReasonMalformed, "%d parameters code and %d error", codes, failures)
	case codes == 1 && code != "" && len(code) <= maxState:
		return code, nil
	case codes == 1:
		return "", refuse(core.ReasonMalformed, "code of %d bytes", len(code))
	}
	switch failure {
	case "access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required":
		return "", refuse(ReasonRefused, "the provider answers %s", failure)
	}
	text, _ := r.Query("error_description")
	return "", &core.UnavailableError{Err: fmt.Errorf("openid: the provider answers %.64q: %.256q", failure, text)}
}

// exchange exchanges a code for the ID token at the provider.
func (p *Provider) exchange(ctx context.Context, c *oauth2.Config, code, verifier string) (string, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.discovery.client)
	t, err := c.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode == "invalid_grant":
		return "", refuse(ReasonBadCode, "the provider rejects the code: %.256q", refused.ErrorDescription)
	case errors.As(err, &refused): // its Error holds the whole response
		return "", &core.UnavailableError{Err: fmt.Errorf("openid: token endpoint of %s: %s: %.64q", p.issuer, refused.Response.Status, refused.ErrorCode)}
	case err != nil:
		return "", &core.UnavailableError{Err: fmt.Errorf("openid: token endpoint of %s: %w", p.issuer, err)}
	}
	token, ok := t.Extra("id_token").(string)
	if !ok || token == "" {
		return "", &core.UnavailableError{Err: fmt.Errorf("openid: token endpoint of %s: no ID token in the answer", p.issuer)}
	}
	return token, nil
}

// principal returns the principal of an ID token (OpenID Connect Core 1.0
// §3.1.3.7).
func (s *SignIn) principal(ctx context.Context, p *Provider, f *flow, token string) (*core.Principal, []session.LoginOption, error) {
	proved, err := p.tokens.VerifyToken(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	claim := func(name string) string {
		v, _ := proved.Claim(name)
		text, _ := v.(string)
		return text
	}
	azp, named := proved.Claim("azp")
	switch {
	case claim("nonce") != f.nonce():
		return nil, nil, refuse(ReasonWrongNonce, "the ID token has another nonce")
	case named && azp != p.client, !named && hasSeveral(proved, "aud"):
		return nil, nil, refuse(core.ReasonWrongAudience, "the ID token was issued to client %.256q", azp)
	case claim("sub") == "":
		return nil, nil, refuse(core.ReasonBadClaim, "the ID token has no sub")
	case slices.ContainsFunc(clientClaims, func(name string) bool { return claim(name) == claim("sub") }):
		return nil, nil, refuse(core.ReasonBadClaim, "sub is the name of a client")
	case proved.Expires().IsZero():
		return nil, nil, refuse(core.ReasonBadClaim, "the ID token has no exp")
	}
	who, err := s.own(p, proved)
	if err == nil && p.lookup != nil {
		who, err = p.lookup(ctx, who)
	}
	if err != nil {
		return nil, nil, err
	}
	opts := []session.LoginOption{
		session.WithAuthenticatedAt(proved.AuthTime()), // when the user authenticated, which may be long ago
		session.WithGroup(p.group("sub", claim("sub"))),
	}
	if sid := claim("sid"); sid != "" {
		opts = append(opts, session.WithFinalGroup(p.group("sid", sid)))
	}
	return who, opts, nil
}

// clientClaims name the client of a token. If the client is also the subject, the
// token is the client's own, and clients do not sign in with a browser.
var clientClaims = []string{"client_id", "azp", "cid", "appid"}

func hasSeveral(p *core.Principal, name string) bool {
	v, _ := p.Claim(name)
	all, _ := v.([]any)
	return len(all) > 1
}

// dropped lists claims that are about the token rather than the user.
var dropped = []string{"nonce", "at_hash", "c_hash", "s_hash", "exp", "nbf", "iat", "jti"}

// own returns the principal of an ID token for this application: with the
// provider's prefix, and without the token's expiry.
func (s *SignIn) own(p *Provider, proved *core.Principal) (*core.Principal, error) {
	info := core.PrincipalInfo{
		ID: proved.ID(), Scheme: "OpenID", Tenant: proved.Tenant(), AuthTime: proved.AuthTime(), Claims: map[string]any{},
		Roles: slices.Collect(proved.CredentialRoles()), Scopes: slices.Collect(proved.Scopes()), Tenants: slices.Collect(proved.Tenants()),
	}
	for _, other := range s.providers {
		if len(other.prefix) > len(p.prefix) && strings.HasPrefix(info.ID, other.prefix) {
			return nil, refuse(core.ReasonBadClaim, "the ID begins like those of provider %s", other.name)
		}
	}
	for name := range proved.Claims() {
		if !slices.Contains(dropped, name) {
			info.Claims[name], _ = proved.Claim(name)
		}
	}
	return core.NewPrincipal(info)
}

// group names the group of sessions that a logout token refers to by the claim
// name.
func (p *Provider) group(name, value string) string {
	return "openid " + name + " " + p.issuer + " " + value
}

func notAllowed(allow string) core.Response {
	return core.Response{Status: http.StatusMethodNotAllowed, Fields: []core.Field{
		{Name: "Allow", Value: allow}, {Name: "Cache-Control", Value: "no-store"},
	}}
}

// seeOther redirects with GET. It keeps the provider's address out of caches, and
// this page out of Referer.
func seeOther(to string, fields []core.Field) core.Response {
	return core.Response{Status: http.StatusSeeOther, Fields: append(slices.Clone(fields),
		core.Field{Name: "Location", Value: to},
		core.Field{Name: "Cache-Control", Value: "no-store"},
		core.Field{Name: "Referrer-Policy", Value: "no-referrer"},
	)}
}
