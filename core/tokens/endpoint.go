package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/signinform"
)

// fieldRefresh is the field of a refresh token in the body of a request.
const fieldRefresh = "refresh_token"

// LoginEndpoint accepts a user and a password and responds with tokens; mount it
// with Serve of an adapter, for POST and behind no gate. The body is JSON or a form
// with the fields user and password, of 16 KiB at most. If they are right, the
// response is 200 with, in JSON, access_token, token_type, expires_in and
// refresh_token as in RFC 6749 §5.1; with [WithCookies] the JSON has only
// expires_in, and the tokens are in cookies. The family of a refresh token in the
// request's cookie ends.
//
// Wrong or malformed credentials get 401, and the response does not reveal whether
// the user exists. A page of another site gets 403 and a client that has guessed
// too often 429, both unchecked. A 503, for instance for an incomplete body, means
// that nobody was logged in. Observers are told of every attempt, with Gate
// "sign_in".
//
// Like the functions that mount gates it panics if it cannot work, that is, if
// users is nil or hides an optional interface of what it wraps, so that a mistake
// shows at start-up.
func (m *Manager) LoginEndpoint(users basic.Verifier) core.Endpoint {
	if err := basic.CheckVerifier(users); err != nil {
		panic("tokens: " + err.Error())
	}
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		form, unread := signinform.Read(r, signinform.User, signinform.Password)
		account, verify := form.Login(users, unread)
		return m.login(ctx, r, account, verify)
	})
}

// LoginAs returns an endpoint that logs in p, which a handler has authenticated in
// another way, and responds as [Manager.LoginEndpoint] does. The handler calls it
// through Serve of its adapter. Access tokens have p's roles, scopes and tenant,
// and the claims of [WithClaims]; the family ends at p's Expires at the latest.
func (m *Manager) LoginAs(p *core.Principal) core.Endpoint {
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		account := ""
		if p != nil {
			account = p.ID()
		}
		return m.login(ctx, r, account, func(context.Context) (*core.Principal, error) { return p, nil })
	})
}

func (m *Manager) login(ctx context.Context, r core.Request, account string, verify func(context.Context) (*core.Principal, error)) core.Response {
	var out *pair
	_, v := m.guard.SignIn(ctx, r, account, func(ctx context.Context) (*core.Principal, error) {
		p, err := verify(ctx)
		if err != nil || p == nil {
			return nil, err
		}
		if out, err = m.begin(ctx, p); err == nil {
			err = m.leave(ctx, r)
		}
		if err != nil {
			return nil, err
		}
		return out.principal, nil
	})
	if v.Response != nil {
		return *v.Response
	}
	return m.answer(out)
}

// leave ends the family of the browser's current cookie, which the next cookie
// replaces.
func (m *Manager) leave(ctx context.Context, r core.Request) error {
	if m.cookies == nil {
		return nil
	}
	text, err := m.cookies.value(r)
	if errors.Is(err, core.ErrAmbiguousCredentials) {
		return err
	}
	f, err := m.presented(ctx, text)
	if err != nil || f == nil {
		return err
	}
	return m.end(ctx, f)
}

// presented returns the family of a refresh token, or nil for an invalid or expired
// one. A family that has ended may have to be ended again.
func (m *Manager) presented(ctx context.Context, text string) (*family, error) {
	t, err := parse(text)
	if err != nil {
		return nil, nil
	}
	f, err := m.find(ctx, t)
	if errtype.In[*core.CredentialError](err) || errtype.In[*core.InternalError](err) {
		return nil, nil
	}
	return f, err
}

// RefreshEndpoint exchanges a refresh token for an access token and the next
// refresh token; mount it with Serve of an adapter, for POST and behind no gate.
// The token is in the field refresh_token of a JSON object or form or, with
// [WithCookies], in its cookie.
//
// The response is that of [Manager.LoginEndpoint]. An ended, reused or invalid
// token gets 401: the client should discard its tokens and ask for a login. After a
// 503 they are still valid. Observers are told of every refresh, with Gate
// "refresh".
func (m *Manager) RefreshEndpoint() core.Endpoint {
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		text, unread := m.read(r)
		var out *pair
		var cause error
		_, v := m.guard.Refresh(ctx, r, func(ctx context.Context) (p *core.Principal, err error) {
			if cause = unread; cause == nil {
				out, cause = m.rotate(ctx, text)
			}
			if cause != nil {
				return nil, cause
			}
			return out.principal, nil
		})
		if v.Response == nil {
			return m.answer(out)
		}
		resp := *v.Response
		if m.cookies != nil && resp.Status == http.StatusUnauthorized && errtype.In[*core.CredentialError](cause) {
			resp.Fields = slices.Concat(resp.Fields, m.cookies.end(m.strict))
		}
		return resp
	})
}

// read returns the refresh token of a request.
func (m *Manager) read(r core.Request) (string, error) {
	if m.cookies != nil {
		return m.cookies.value(r)
	}
	form, err := signinform.Read(r, fieldRefresh)
	if err != nil {
		return "", err
	}
	if text := form.Get(fieldRefresh); text != "" {
		return text, nil
	}
	return "", core.ErrNoCredentials
}

// LogoutEndpoint ends the family of a refresh token, which it reads like
// [Manager.RefreshEndpoint], and responds with 204; mount it with Serve of an
// adapter, for POST and behind no gate. Cookies are deleted in the browser. A
// client without a token, or with one that has ended, gets the same response.
//
// A request that another site caused gets 403, and a malformed body 401. A 503
// means that the family may still be alive.
func (m *Manager) LogoutEndpoint() core.Endpoint {
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		logout := &logoutRequest{}
		logout.text, logout.err = m.read(r)
		if v := m.exit.Check(context.WithValue(ctx, logoutRequestKey{}, logout), r); v.Response != nil {
			return *v.Response
		}
		if logout.family != nil {
			if logout.err = m.end(ctx, logout.family); logout.err != nil {
				v := m.exit.Check(context.WithValue(ctx, logoutRequestKey{}, logout), r)
				return *v.Response
			}
		}
		resp := core.Response{Status: http.StatusNoContent, Fields: []core.Field{{Name: "Cache-Control", Value: "no-store"}}}
		if m.cookies != nil {
			resp.Fields = append(resp.Fields, m.cookies.end(m.strict)...)
		}
		return resp
	})
}

// logoutRequest holds what is known about a request that logs out.
type logoutRequest struct {
	text   string
	err    error
	family *family
}

type logoutRequestKey struct{}

// leaving is the scheme for logging out. Its challenges are also in the responses
// to logins and refreshes. They have no error code: invalid_token is about access
// tokens, and makes clients refresh (RFC 6750 §3.1).
type leaving struct {
	m          *Manager
	challenges []challenge.Challenge
}

// Scheme implements [core.Authenticator].
func (l leaving) Scheme() core.Scheme {
	s := core.Scheme{Name: schemeName, Sender: core.SentByBrowser, Attempt: signinform.Leaving}
	if l.m.cookies != nil {
		s.Vary = []string{"Cookie"}
	}
	return s
}

// Authenticate implements [core.Authenticator]. An ended token counts as none.
func (l leaving) Authenticate(ctx context.Context, _ core.Request) (*core.Principal, error) {
	logout, ok := ctx.Value(logoutRequestKey{}).(*logoutRequest)
	if !ok {
		return nil, core.ErrNoCredentials
	}
	if logout.err != nil {
		return nil, logout.err
	}
	f, err := l.m.presented(ctx, logout.text)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, core.ErrNoCredentials
	}
	logout.family = f
	return f.principal()
}

// Challenges implements [core.Authenticator].
func (l leaving) Challenges(_ core.Request, err error) []challenge.Challenge {
	if errors.Is(err, core.ErrNoCredentials) || errtype.In[*core.CredentialError](err) {
		return l.challenges
	}
	return nil
}

// answer returns the response with tokens, by RFC 6749 §5.1.
func (m *Manager) answer(p *pair) core.Response {
	left := max(1, int64(p.expires.Sub(m.now())/time.Second))
	resp := core.Response{Status: http.StatusOK, Fields: []core.Field{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
	if m.cookies != nil {
		resp.Fields = append(resp.Fields, m.cookies.issue(p, m)...)
		resp.Body = []byte(`{"expires_in":` + strconv.FormatInt(left, 10) + "}")
		return resp
	}
	resp.Body, _ = json.Marshal(struct { //nolint:gosec // texts, which the client is to get, and a number
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		RefreshToken string `json:"refresh_token"`
	}{p.access, schemeName, left, p.refresh})
	return resp
}
