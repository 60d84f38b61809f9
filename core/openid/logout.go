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
// sessions does, and leads on to the provider that the session came from, so that
// it ends the one there too (OpenID Connect RP-Initiated Logout 1.0). The provider
// is told the client and no ID token, which would pass through the browser; so it
// may ask whether to log out. It sends the browser back to [WithLogoutRedirect].
//
// Where the session is of no provider, or the provider has no such page or is
// down, the answer is that of the sessions.
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

// providerOf is the provider at which the session of r began, or nil.
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

// maxLogoutForm is how many bytes a logout request may have.
const maxLogoutForm = 32 << 10

// maxLeeway is the longest that a provider's clock may differ
// ([jwtauth.WithLeeway]): for that long a token may be good after it expires.
const maxLeeway = 5 * time.Minute

// BackChannelEndpoint is where providers say that somebody has logged out (OpenID
// Connect Back-Channel Logout 1.0): mount it with Serve of an adapter, for POST
// and behind no gate, at /openid/logout/ followed by a parameter for the
// provider's name.
//
// The sessions that began with the sid of the logout token end, or those of its
// sub where it has none, on all servers that share the store. The answer is then
// 200. A token that is not good, or was used before, is 400 with
// "error":"invalid_request"; a store or a provider that is down is 503, which
// providers repeat.
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

// loggedOut judges a logout request and ends the sessions that it means. The token
// is used up when they have ended.
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

// logoutToken is the one of a logout request (§2.5).
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
		return "", refuse(core.ReasonMalformed, "the body is longer than it may be")
	case err != nil:
		return "", &core.UnavailableError{Reason: core.ReasonClientGone, Err: fmt.Errorf("openid: the body has not come whole: %w", err)}
	}
	form, err := url.ParseQuery(string(text))
	if err != nil || len(form["logout_token"]) != 1 {
		return "", refuse(core.ReasonMalformed, "the form does not have one logout_token")
	}
	return form.Get("logout_token"), nil
}
