package session

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
)

// refusedSignIn is a sign-in that was refused and whose observers have been told.
type refusedSignIn struct {
	answer core.Response
	cause  error
}

func (e *refusedSignIn) Error() string { return fmt.Sprintf("session: sign-in refused: %v", e.cause) }
func (e *refusedSignIn) Unwrap() error { return e.cause }

// SignIn judges the credentials of a sign-in form and begins a session for whom
// they prove, as [Manager.Login] does. It goes the way of [core.Guard.SignIn],
// which fixes the order: a form of another site is refused unseen, then the
// limiter is asked for account, the name that was typed, then verify is called.
// Limiter, responder and observers are those of [WithAnswers]; observers are told
// of every attempt, with Gate "sign_in".
//
// verify returns a [core.CredentialError] for a wrong user or password. It is in
// the error of SignIn, for [errors.As], so that a handler can show the form again;
// every other error is for [Manager.Refuse]. The principal and the fields for the
// response are there when the error is nil.
func (m *Manager) SignIn(ctx context.Context, r core.Request, account string,
	verify func(context.Context) (*core.Principal, error)) (*core.Principal, []core.Field, error) {
	p, v := m.answering.SignIn(ctx, r, account, verify)
	if v.Response != nil {
		cause := v.Denial.Cause
		if cause == nil {
			cause = core.ErrNoCredentials
		}
		return nil, nil, &refusedSignIn{answer: *v.Response, cause: cause}
	}
	fields, err := m.Login(ctx, r, p)
	if err != nil {
		return nil, nil, err
	}
	return p, fields, nil
}
