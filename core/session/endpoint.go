package session

import (
	"context"
	"errors"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/signinform"
)

// LogoutEndpoint ends the session of a POST request and responds with 204, or with
// 303 to the page of [WithLogoutRedirect]; mount it with Serve of an adapter,
// behind no gate. A client that is not signed in gets the same response.
//
// A request that another site caused gets 403, and other methods get 405. A 503
// means that the session may still be alive.
func (m *Manager) LogoutEndpoint() core.Endpoint {
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		if v := m.exit.Check(ctx, r); v.Response != nil {
			return *v.Response
		}
		fields, err := m.Logout(ctx, r)
		if err != nil {
			return m.Refuse(err)(ctx, r)
		}
		resp := core.Response{Status: http.StatusNoContent, Fields: fields}
		if m.afterLogout != "" {
			resp.Status = http.StatusSeeOther
			resp.Fields = append(resp.Fields, core.Field{Name: "Location", Value: m.afterLogout})
		}
		return resp
	})
}

// Refuse returns an endpoint that answers an error of [Manager.SignIn],
// [Manager.Login], [Manager.Rotate] or [Manager.Logout] as a guard would, and tells
// the observers, unless SignIn has: 503 for a failing store, 403 for another site's
// request, 400 for two cookies, 401 for an ended session or a wrong password, 429
// for too many attempts. A handler calls it through Serve of its adapter.
func (m *Manager) Refuse(err error) core.Endpoint {
	if err == nil {
		err = &core.InternalError{Err: errors.New("session: refused without an error")}
	}
	if told, ok := errtype.As[*refusedSignIn](err); ok {
		return func(context.Context, core.Request) core.Response { return told.answer }
	}
	return func(ctx context.Context, r core.Request) core.Response {
		v := m.refusal.Check(context.WithValue(ctx, refusedKey{}, err), r)
		if v.Response == nil { // WithAnswers trusts an origin that Login did not
			return core.Response{Status: http.StatusInternalServerError}
		}
		return *v.Response
	}
}

type refusedKey struct{}

// finishAnswers makes the gates that answer refusals of login and logout.
func (m *Manager) finishAnswers() error {
	opts := m.answers
	if len(m.origins) > 0 {
		opts = append(opts[:len(opts):len(opts)], core.WithTrustedOrigins(m.origins...))
	}
	leave, err := core.NewGuard([]core.Authenticator{leaving{m}}, opts...)
	if err != nil {
		return err
	}
	if m.exit, err = signinform.Exit(leave); err != nil {
		return err
	}
	if m.answering, err = core.NewGuard([]core.Authenticator{refusing{m}}, opts...); err != nil {
		return err
	}
	m.refusal, err = m.answering.Authenticate()
	return err
}

// refusing is the scheme for logins. It has the outcome of one that was refused.
type refusing struct{ *Manager }

func (refusing) Authenticate(ctx context.Context, _ core.Request) (*core.Principal, error) {
	err, ok := ctx.Value(refusedKey{}).(error)
	var foreign *crossSiteError
	switch {
	case !ok:
		return nil, core.ErrNoCredentials
	case errors.As(err, &foreign):
		return foreign.who, nil // the guard refuses it for the same reason
	}
	return nil, err
}

// leaving is the scheme for logging out.
type leaving struct{ *Manager }

// Scheme implements [core.Authenticator].
func (l leaving) Scheme() core.Scheme {
	s := l.Manager.Scheme()
	s.Attempt = signinform.Leaving
	return s
}

// Authenticate treats a session that has ended, or cannot be read, as no
// credentials.
func (l leaving) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	p, err := l.Manager.Authenticate(ctx, r)
	if errtype.In[*core.CredentialError](err) || errtype.In[*core.InternalError](err) {
		return nil, core.ErrNoCredentials
	}
	return p, err
}
