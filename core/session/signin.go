package session

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
)

// refusedSignIn is the error of a refused sign-in that observers have been told of.
type refusedSignIn struct {
	answer core.Response
	cause  error
}

func (e *refusedSignIn) Error() string { return fmt.Sprintf("session: sign-in refused: %v", e.cause) }
func (e *refusedSignIn) Unwrap() error { return e.cause }

// SignIn checks the credentials of a sign-in form and starts a session for the
// principal, as [Manager.Login] does. [core.Guard.SignIn] fixes the order: a form
// of another site is refused unchecked, then the limiter is asked for account, the
// name that was typed, then verify is called. Limiter, responder and observers are
// those of [WithAnswers]; observers are told of every attempt, with Gate "sign_in".
//
// verify returns a [core.CredentialError] for a wrong user or password. The error
// of SignIn wraps it, for [errors.As], so that a handler can show the form again;
// answer any other error with [Manager.Refuse]. If the error is nil, SignIn returns
// the principal and the fields for the response.
func (m *Manager) SignIn(ctx context.Context, r core.Request, account string,
	verify func(context.Context) (*core.Principal, error)) (*core.Principal, []core.Field, error) {
	p, v := m.answering.SignIn(ctx, r, account, verify)
	if v.Response != nil {
		return nil, nil, &refusedSignIn{answer: *v.Response, cause: cmp.Or(v.Denial.Cause, core.ErrNoCredentials)}
	}
	fields, err := m.Login(ctx, r, p)
	if err != nil {
		return nil, nil, err
	}
	return p, fields, nil
}
