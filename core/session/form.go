package session

import (
	"context"
	"net/http"
	"net/url"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/internal/signinform"
	"github.com/sallyport-go/sallyport/core/respond"
)

// ErrorParam is the query parameter with which [Manager.LoginEndpoint] tells the
// sign-in page that user or password was wrong. Its value is
// [core.CodeInvalidCredentials].
const ErrorParam = "error"

// LoginEndpoint accepts the form of a sign-in page, verifies the password with
// users and starts a session; mount it with Serve of an adapter, for POST and
// behind no gate. The form fields are user, password and, for the page to return
// to, return_to; the body may have 16 KiB.
//
// A successful sign-in is redirected with 303 to return_to, if [respond.ReturnTo]
// accepts it, and otherwise to the page of [WithSignInRedirect]. A wrong user or
// password is redirected with 303 to the page of [WithSignInPage], with return_to
// and [ErrorParam] in its query; without such a page it gets 401.
//
// A script may send the same fields as JSON: the response is then 204, or 401. Both
// get 403 for a page of another site, 429 for too many guesses, 503 for an outage
// or an incomplete body, and 401 for a malformed one. Observers are told of every
// attempt, as with [Manager.SignIn].
//
// Like the functions that mount gates it panics if it cannot work, that is, if
// users is nil or hides an optional interface of what it wraps, so that a mistake
// shows at start-up.
func (m *Manager) LoginEndpoint(users basic.Verifier) core.Endpoint {
	if err := basic.CheckVerifier(users); err != nil {
		panic("session: " + err.Error())
	}
	return signinform.Post(func(ctx context.Context, r core.Request) core.Response {
		form, unread := signinform.Read(r, signinform.User, signinform.Password, respond.ReturnToParam)
		if unread != nil {
			form = &signinform.Form{JSON: true} // there is nowhere to redirect to
		}
		account, verify := form.Login(users, unread)
		_, fields, err := m.SignIn(ctx, r, account, verify)
		switch {
		case err == nil && form.JSON:
			return core.Response{Status: http.StatusNoContent, Fields: fields}
		case err == nil:
			return seeOther(m.afterSignIn(form.Get(respond.ReturnToParam)), fields)
		case errtype.In[*core.CredentialError](err) && m.loginPage != "" && !form.JSON:
			return seeOther(m.signInRetry(form.Get(respond.ReturnToParam)), []core.Field{noStore})
		}
		return m.Refuse(err)(ctx, r)
	})
}

// afterSignIn returns the page to redirect to after signing in.
func (m *Manager) afterSignIn(returnTo string) string {
	if to := respond.ReturnTo(returnTo); to != "/" {
		return to
	}
	return m.afterLogin
}

// signInRetry returns the address of the sign-in page for another try.
func (m *Manager) signInRetry(returnTo string) string {
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

// noStore keeps a response out of caches.
var noStore = core.Field{Name: "Cache-Control", Value: "no-store"}

// seeOther redirects with GET.
func seeOther(to string, fields []core.Field) core.Response {
	return core.Response{Status: http.StatusSeeOther, Fields: append(fields, core.Field{Name: "Location", Value: to})}
}
