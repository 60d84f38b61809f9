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

// SignInEndpoint is the page to sign in on, for GET: mount it with Serve of an
// adapter at the page of [session.WithSignInPage], behind no gate. With one
// provider it leads there at once, with several it shows a page with a link for
// each, and after a sign-in that failed it shows the page in any case, so that
// nobody is led in a circle.
//
// The query parameter provider chooses one by its name, and return_to is where
// the browser goes afterwards, as far as [respond.ReturnTo] lets it count; a path
// longer than 1 KiB does not. The answer is 503 while the provider is down and has
// not been reached before.
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

// begin leads the browser to a provider.
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

// config is what package oauth2 needs to know.
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

// CallbackEndpoint is where providers send browsers back: mount it with Serve of
// an adapter, for GET and behind no gate, at /openid/callback/ followed by a
// parameter for the provider's name.
//
// Who has signed in gets a new session and goes on with 303 to where they came
// from. A sign-in that failed leads with 303 to the page to sign in on; what has
// gone wrong is in the event. A provider that is down is 503, and so is one that is
// asked about 64 codes already, for longer than one of its answers may take. With a
// limiter in [session.WithAnswers], an address that has sent too many codes that the
// provider does not take gets 429, and the provider is not asked.
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

// finish judges the answer to f: whose it is first, then what it says. One with a
// code is used up before the provider is asked, and whatever comes of that.
func (s *SignIn) finish(ctx context.Context, r core.Request, f *flow) (*core.Principal, []session.LoginOption, error) {
	p := s.provider(f.Provider)
	if p == nil || lastSegment(r) != p.name {
		return nil, nil, unknown("the answer of %.64q to a sign-in that was begun at %.64q", lastSegment(r), f.Provider)
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

// wait waits until the provider may be asked about one more code, for as long as one
// of its answers may take: beyond [maxExchanges] at a time it would be the one that is
// attacked. done says that it was asked.
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
		err = fmt.Errorf("%d sign-ins are being asked about", maxExchanges)
	}
	return nil, &core.UnavailableError{RetryAfter: p.timeout, Err: fmt.Errorf("openid: token endpoint of %s: %w", p.issuer, err)}
}

// checkIssuer wants the answer to be from the provider that was asked, so that no
// other one gets its code (RFC 9207 §2.4).
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

// codeOf is the code of an answer. One with an error has none (RFC 6749 §4.1.2.1,
// OpenID Connect Core 1.0 §3.1.2.6).
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

// exchange has the provider give the ID token for a code.
func (p *Provider) exchange(ctx context.Context, c *oauth2.Config, code, verifier string) (string, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.discovery.client)
	t, err := c.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode == "invalid_grant":
		return "", refuse(ReasonBadCode, "the provider does not take the code: %.256q", refused.ErrorDescription)
	case errors.As(err, &refused): // whose Error has the whole answer
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

// principal is whom an ID token names (OpenID Connect Core 1.0 §3.1.3.7).
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
		session.WithAuthenticatedAt(proved.AuthTime()), // when the provider has asked, which may be long ago
		session.WithGroup(p.group("sub", claim("sub"))),
	}
	if sid := claim("sid"); sid != "" {
		opts = append(opts, session.WithFinalGroup(p.group("sid", sid)))
	}
	return who, opts, nil
}

// clientClaims name the client of a token. One with the name of its subject is a
// client's own, and clients do not sign in by a browser.
var clientClaims = []string{"client_id", "azp", "cid", "appid"}

func hasSeveral(p *core.Principal, name string) bool {
	v, _ := p.Claim(name)
	all, _ := v.([]any)
	return len(all) > 1
}

// dropped are claims about a token and not about a person.
var dropped = []string{"nonce", "at_hash", "c_hash", "s_hash", "exp", "nbf", "iat", "jti"}

// own is the principal of an ID token as it is here: with the prefix of its
// provider, and for as long as sessions last.
func (s *SignIn) own(p *Provider, proved *core.Principal) (*core.Principal, error) {
	info := core.PrincipalInfo{
		ID: p.prefix + proved.ID(), Scheme: "OpenID", Tenant: proved.Tenant(), AuthTime: proved.AuthTime(), Claims: map[string]any{},
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

// group is the sessions that a logout token means by the claim name.
func (p *Provider) group(name, value string) string {
	return "openid " + name + " " + p.issuer + " " + value
}

func notAllowed(allow string) core.Response {
	return core.Response{Status: http.StatusMethodNotAllowed, Fields: []core.Field{
		{Name: "Allow", Value: allow}, {Name: "Cache-Control", Value: "no-store"},
	}}
}

// seeOther leads on with GET. The address of a provider is in no cache, and this
// page in no Referer.
func seeOther(to string, fields []core.Field) core.Response {
	return core.Response{Status: http.StatusSeeOther, Fields: append(slices.Clone(fields),
		core.Field{Name: "Location", Value: to},
		core.Field{Name: "Cache-Control", Value: "no-store"},
		core.Field{Name: "Referrer-Policy", Value: "no-referrer"},
	)}
}
