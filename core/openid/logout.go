package openid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// LogoutEndpoint ends the session of a POST request, as LogoutEndpoint of the
// sessions does, and redirects to the provider that the session came from, so that
// the session there ends too (OpenID Connect RP-Initiated Logout 1.0). It sends the
// provider the client ID but no ID token, which would pass through the browser, so
// the provider may ask whether to log out. The provider sends the browser back to
// [WithLogoutRedirect].
//
// If the session does not come from a provider, or the provider has no such page or
// is down, the response is that of the sessions.
func (s *SignIn) LogoutEndpoint() core.Endpoint {
	local := s.sessions.LogoutEndpoint()
	return func(ctx context.Context, r core.Request) core.Response {
		var p *Provider
		if r.Method() == http.MethodPost {
			p = s.providerOf(ctx, r)
		}
		resp := local(ctx, r)
		if p == nil || resp.Status != http.StatusNoContent && resp.Status != http.StatusSeeOther {
			return resp
		}
		m, err := p.discovery.metadata(ctx)
		if err != nil || m.EndSession == "" {
			return resp
		}
		to, err := url.Parse(m.EndSession)
		if err != nil {
			return resp
		}
		query := to.Query()
		query.Set("client_id", p.client)
		query.Set("post_logout_redirect_uri", s.address(s.afterLogout))
		to.RawQuery = query.Encode()
		return seeOther(to.String(), slices.DeleteFunc(slices.Clone(resp.Fields), func(f core.Field) bool {
			return f.Name == "Location" || f.Name == "Cache-Control"
		}))
	}
}

// providerOf returns the provider at which the session of r began, or nil.
func (s *SignIn) providerOf(ctx context.Context, r core.Request) *Provider {
	who, err := s.sessions.Authenticate(ctx, r)
	if err != nil {
		return nil
	}
	iss, _ := who.Claim("iss")
	for _, p := range s.providers {
		if p.issuer == iss {
			return p
		}
	}
	return nil
}

// maxLogoutForm is the maximum size of a logout request in bytes.
const maxLogoutForm = 32 << 10

// maxLeeway is the maximum by which a provider's clock may differ
// ([jwtauth.WithLeeway]): a token may be accepted for that long after it expires.
const maxLeeway = 5 * time.Minute

// BackChannelEndpoint receives logouts from providers (OpenID Connect Back-Channel
// Logout 1.0): mount it with Serve of an adapter, for POST and behind no gate, at
// /openid/logout/ followed by a parameter for the provider's name.
//
// It ends the sessions that began with the sid of the logout token, or if it has
// none, those of its sub, on all servers that share the store, and responds with
// 200. An invalid or reused token gets 400 with "error":"invalid_request". If a
// store or a provider is down, the response is 503, and providers retry.
func (s *SignIn) BackChannelEndpoint() core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		if r.Method() != http.MethodPost {
			return notAllowed(http.MethodPost)
		}
		v := s.sessions.LogoutElsewhere(ctx, r, func(ctx context.Context) (*core.Principal, error) {
			return s.loggedOut(ctx, r)
		})
		switch {
		case v.Response == nil:
			return core.Response{Status: http.StatusOK, Fields: []core.Field{{Name: "Cache-Control", Value: "no-store"}}}
		case v.Denial.Kind == core.Unauthenticated || v.Denial.Kind == core.Ambiguous:
			return core.Response{Status: http.StatusBadRequest, Body: []byte(`{"error":"invalid_request"}`), Fields: []core.Field{
				{Name: "Content-Type", Value: "application/json"}, {Name: "Cache-Control", Value: "no-store"},
			}}
		}
		return *v.Response
	}
}

// loggedOut checks a logout request and ends the sessions it names. The token is
// used up once they have ended.
func (s *SignIn) loggedOut(ctx context.Context, r core.Request) (*core.Principal, error) {
	p := s.provider(lastSegment(r))
	if p == nil {
		return nil, refuse(core.ReasonWrongIssuer, "there is no provider %.64q", lastSegment(r))
	}
	token, err := logoutToken(r)
	if err != nil {
		return nil, err
	}
	t, err := p.logouts.VerifyLogout(ctx, token)
	if err != nil {
		return nil, err
	}
	id, group := p.prefix+t.Subject, p.group("sub", t.Subject)
	if t.SessionID != "" {
		group = p.group("sid", t.SessionID)
	}
	if t.Subject == "" {
		id = "sid:" + t.SessionID
	}
	who, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Scheme: "OpenID"})
	if err != nil {
		return nil, err
	}
	first, err := s.sessions.UseOnce(ctx, "openid logout "+p.issuer+" "+t.ID, t.Expires.Add(maxLeeway), func() error {
		return s.sessions.LogoutGroup(ctx, group)
	})
	switch {
	case err != nil:
		return nil, err
	case !first:
		return nil, refuse(core.ReasonReplayed, "logout token %.128q was used before", t.ID)
	}
	return who, nil
}

// logoutToken returns the token of a logout request (§2.5).
func logoutToken(r core.Request) (string, error) {
	b, ok := r.(core.BodyReader)
	if !ok {
		return "", &core.InternalError{Err: errors.New("openid: the request has no body to read: mount the endpoint with Serve of an adapter")}
	}
	field, _ := r.Header("Content-Type")
	if media, _, err := mime.ParseMediaType(field); err != nil || !strings.EqualFold(media, "application/x-www-form-urlencoded") {
		return "", refuse(core.ReasonMalformed, "Content-Type is not application/x-www-form-urlencoded")
	}
	text, err := io.ReadAll(io.LimitReader(b.Body(), maxLogoutForm+1))
	var cut *http.MaxBytesError // by a middleware
	switch {
	case len(text) > maxLogoutForm || errors.As(err, &cut):
		return "", refuse(core.ReasonMalformed, "the body is too long")
	case err != nil:
		return "", &core.UnavailableError{Reason: core.ReasonClientGone, Err: fmt.Errorf("openid: the body is incomplete: %w", err)}
	}
	form, err := url.ParseQuery(string(text))
	if err != nil || len(form["logout_token"]) != 1 {
		return "", refuse(core.ReasonMalformed, "the form does not have one logout_token")
	}
	return form.Get("logout_token"), nil
}
