package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// The functions in this file are for packages that sign users in at another server,
// such as an OpenID provider.

// SignInElsewhere completes a sign-in at another server: it checks the request with
// which the browser comes back, as [core.Guard.SignInElsewhere] does, starts a
// session as [Manager.Login] does with the options that verify returns, and
// responds.
//
// A user who is signed in is redirected with 303 to returnTo, if [respond.ReturnTo]
// accepts it, and otherwise to the page of [WithSignInRedirect]. If verify returns
// a [core.CredentialError], the response is 303 to the page of [WithSignInPage],
// with [ErrorParam]; any other error is answered as by [Manager.Refuse]. Observers
// are told once, of the final result.
func (m *Manager) SignInElsewhere(ctx context.Context, r core.Request, returnTo string,
	verify func(context.Context) (*core.Principal, []LoginOption, error)) core.Response {
	if r.Method() != http.MethodGet {
		return core.Response{Status: http.StatusMethodNotAllowed, Fields: []core.Field{{Name: "Allow", Value: http.MethodGet}, noStore}}
	}
	var fields []core.Field
	_, v := m.answering.SignInElsewhere(ctx, r, func(ctx context.Context) (*core.Principal, error) {
		p, opts, err := verify(ctx)
		if err == nil {
			fields, err = m.Login(ctx, r, p, opts...)
		}
		return p, err
	})
	switch {
	case v.Response == nil:
		return seeOther(m.afterSignIn(returnTo), fields)
	case v.Denial.Kind == core.Unauthenticated && m.loginPage != "":
		return seeOther(m.signInRetry(returnTo), []core.Field{noStore})
	}
	return *v.Response
}

// LogoutElsewhere checks the request by which another server ends sessions here, as
// [core.Guard.LogoutElsewhere] does. verify ends them, with [Manager.LogoutGroup],
// and returns the user they belong to. A verdict without a Response means that they
// have ended. Otherwise the Response may be sent, or replaced by one that the other
// server understands.
func (m *Manager) LogoutElsewhere(ctx context.Context, r core.Request, verify func(context.Context) (*core.Principal, error)) core.Verdict {
	return m.answering.LogoutElsewhere(ctx, r, verify)
}

// UseOnce reports whether it is called for the first time with name, and makes the
// store remember name until the given time. It is for things that must not be used
// twice, such as the identifier of a logout token. The first call runs do, which
// may be nil, before it writes to the store; after an error UseOnce may be called
// again. Of concurrent calls in one process only one is the first: if do is given,
// the others get an unavailable error, since do may fail, and otherwise they are
// told that they are not the first. Two processes could both be first until one has
// written.
func (m *Manager) UseOnce(ctx context.Context, name string, until time.Time, do func() error) (first bool, err error) {
	if name == "" {
		return false, &core.InternalError{Err: errors.New("session: UseOnce: the name must not be empty")}
	}
	k := onceKey(name)
	if _, busy := m.using.LoadOrStore(k, nil); busy {
		if do == nil {
			return false, nil
		}
		return false, &core.UnavailableError{Err: errors.New("session: UseOnce: another request is using the name")}
	}
	defer m.using.Delete(k)
	if _, used, err := m.store.Find(ctx, k); used || err != nil {
		return false, err
	}
	if do != nil {
		if err := do(); err != nil {
			return false, err
		}
	}
	err = m.store.Commit(context.WithoutCancel(ctx), k, []byte("used"), until)
	return err == nil, err
}

// SignInPage returns the page of [WithSignInPage], or "".
func (m *Manager) SignInPage() string { return m.loginPage }

// Cookie returns the session cookie without a value: its name and attributes.
func (m *Manager) Cookie() http.Cookie { return m.cookie.Cookie }
