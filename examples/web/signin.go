package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/respond"
)

// Form gives the field called name of a form that was sent in the body of a
// request, or "".
type Form func(name string) string

// afterSignIn is where people go who came from nowhere.
const afterSignIn = "/app"

const wrongPassword = "Wrong user or password."

// maxTyped is how long a user's name may be that the form shows again, in bytes.
const maxTyped = 256

// SignInPage shows the form. It stands behind no gate, so that those whose
// session has ended see it too, and tells those who are signed in as whom.
func (s *site) SignInPage(ctx context.Context, r core.Request) core.Response {
	from, _ := r.Query(respond.ReturnToParam)
	return s.signInPage(ctx, r, http.StatusOK, page{ReturnTo: from})
}

func (s *site) signInPage(ctx context.Context, r core.Request, status int, shown page) core.Response {
	if p, err := s.sessions.Authenticate(ctx, r); err == nil {
		shown.User = p.ID()
	}
	shown.ReturnTo = returnTo(shown.ReturnTo)
	return s.pages.private(status, "login", shown)
}

// returnTo is where to go after the sign-in: where the visitor came from, if
// that is a page of this site.
func returnTo(from string) string {
	if to := respond.ReturnTo(from); to != "/" {
		return to
	}
	return afterSignIn
}

// SignIn is the endpoint of the form. It leads back to where the visitor came
// from; a wrong password shows the form again with the user's name, with status
// 422. Another site's form is refused with 403, and too many wrong passwords
// with 429.
func (s *site) SignIn(form Form) core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		_, fields, err := s.signIn(ctx, r, form)
		switch {
		case isWrong(err):
			return s.signInPage(ctx, r, http.StatusUnprocessableEntity,
				page{ReturnTo: form(respond.ReturnToParam), Message: wrongPassword, Typed: s.typed(form("user"))})
		case err != nil:
			return s.sessions.Refuse(err)(ctx, r)
		}
		return core.Response{
			Status: http.StatusSeeOther, // the browser goes on with GET
			Fields: append(fields, core.Field{Name: "Location", Value: returnTo(form(respond.ReturnToParam))}),
		}
	}
}

// SignInByScript is [site.SignIn] for the dialog of a page that is open already:
// it answers in JSON, with who has signed in.
func (s *site) SignInByScript(form Form) core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		p, fields, err := s.signIn(ctx, r, form)
		switch {
		case isWrong(err):
			return problem(http.StatusUnprocessableEntity, wrongPassword)
		case err != nil:
			return s.sessions.Refuse(err)(ctx, r)
		}
		return object(map[string]string{"user": p.ID()}, fields...)
	}
}

// signIn begins a session for whoever the form proves. The manager logs the
// attempt, without the user: people type passwords where their names belong.
func (s *site) signIn(ctx context.Context, r core.Request, form Form) (*core.Principal, []core.Field, error) {
	user, password := form("user"), form("password")
	return s.sessions.SignIn(ctx, r, basic.FormAccount(s.passwords, user), func(ctx context.Context) (*core.Principal, error) {
		return basic.VerifyForm(ctx, s.passwords, user, password)
	})
}

func isWrong(err error) bool {
	var bad *core.CredentialError
	return errors.As(err, &bad)
}

// typed is a user name to show in the form again, or "" for what is none. The
// password is not shown again: it would stand in the page's source.
func (s *site) typed(user string) string {
	if len(user) > maxTyped || basic.FormAccount(s.passwords, user) == "" {
		return ""
	}
	return user
}
