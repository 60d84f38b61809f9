package session

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/internal/signinform"
	"github.com/sallyport-go/sallyport/core/respond"
)

// ErrorParam is the query parameter by which [Manager.LoginEndpoint] tells the
// sign-in page that user or password was wrong. Its value is
// [core.CodeInvalidCredentials].
const ErrorParam = "error"

// LoginEndpoint takes the form of a sign-in page, has users verify the password and
// begins a session; mount it with Serve of an adapter, for POST and behind no gate.
// The fields are user, password and, to lead back, return_to, of 16 KiB at most.
//
// Who has signed in goes on with 303 to return_to, as far as [respond.ReturnTo] lets
// it count, or else to the page of [WithSignInRedirect]. A wrong user or password
// leads back with 303 to the page of [WithSignInPage], which keeps return_to and has
// [ErrorParam] in its query; without such a page it is 401.
//
// A script may send the same fields as JSON: the answer is then 204, or 401. Both
// get 403 for a page of another site, 429 for too many guesses, 503 for an outage
// or a body that has not come whole, and 401 for what cannot be read. Observers are
// told of every attempt, as of [Manager.SignIn].
//
// Like the functions that mount gates it panics when it cannot work, which is when
// users is nil or hides what it wraps, so that a mistake shows at start-up.
func (m *Manager) LoginEndpoint(users basic.Verifier) core.Endpoint {
	if err := basic.CheckVerifier(users); err != nil {
		panic("session: " + err.Error())
	}
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		form, unread := signinform.Read(r, signinform.User, signinform.Password, respond.ReturnToParam)
		if unread != nil {
			form = &signinform.Form{JSON: true} // there is nowhere to lead to
		}
		account, verify := form.Login(users, unread)
		_, fields, err := m.SignIn(ctx, r, account, verify)
		var wrong *core.CredentialError
		switch {
		case err == nil && form.JSON:
			return core.Response{Status: http.StatusNoContent, Fields: fields}
		case err == nil:
			return seeOther(m.afterSignIn(form.Get(respond.ReturnToParam)), fields)
		case errors.As(err, &wrong) && m.loginPage != "" && !form.JSON:
			return seeOther(m.onceMore(form.Get(respond.ReturnToParam)), []core.Field{noStore})
		}
		return m.Refuse(err)(ctx, r)
	})
}

// afterSignIn is the page to go on with.
func (m *Manager) afterSignIn(returnTo string) string {
	if to := respond.ReturnTo(returnTo); to != "/" {
		return to
	}
	return m.afterLogin
}

// onceMore is the sign-in page, for another try.
func (m *Manager) onceMore(returnTo string) string {
	page, err := url.Parse(m.loginPage)
	if err != nil {
		return m.loginPage
	}
	query := page.Query()
	query.Set(ErrorParam, core.CodeInvalidCredentials)
	if to := respond.ReturnTo(returnTo); to != "/" {
		query.Set(respond.ReturnToParam, to)
	}
	page.RawQuery = query.Encode()
	return page.String()
}

// noStore keeps an answer out of caches.
var noStore = core.Field{Name: "Cache-Control", Value: "no-store"}

// seeOther leads on with GET.
func seeOther(to string, fields []core.Field) core.Response {
	return core.Response{Status: http.StatusSeeOther, Fields: append(fields, core.Field{Name: "Location", Value: to})}
}
