package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// What is in this file is for packages by which people sign in at another server,
// such as an OpenID provider.

// SignInElsewhere ends a sign-in that another server has proved: it judges the
// request to which the browser was sent back, as [core.Guard.SignInElsewhere]
// does, begins a session as [Manager.Login] does with the options that verify
// returns, and answers.
//
// Who is signed in goes on with 303 to returnTo, as far as [respond.ReturnTo] lets
// it count, or else to the page of [WithSignInRedirect]. When verify returns a
// [core.CredentialError] the answer is 303 to the page of [WithSignInPage], with
// [ErrorParam]; any other error is answered as [Manager.Refuse] does. Observers are told once, of how all of
// it has ended.
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
		return seeOther(m.onceMore(returnTo), []core.Field{noStore})
	}
	return *v.Response
}

// LogoutElsewhere judges the request by which another server ends sessions here,
// as [core.Guard.LogoutElsewhere] does. verify ends them, with
// [Manager.LogoutGroup], and returns whom they belong to. A verdict without a
// Response says that they have ended. Otherwise it may be sent, or replaced by
// what that server understands.
func (m *Manager) LogoutElsewhere(ctx context.Context, r core.Request, verify func(context.Context) (*core.Principal, error)) core.Verdict {
	return m.answering.LogoutElsewhere(ctx, r, verify)
}

// UseOnce reports whether it is called for the first time with name, and has the
// store keep that until a time: for what must not be used twice, such as the
// identifier of a logout token. The first call does what do says, nil for nothing,
// before the store is told; after an error it may be called again. In one process
// only one of several calls at the same time is the first: where do is given, the
// others are told that it is unavailable, since it may fail, and otherwise that
// they are not the first. Two processes could both be while neither has written.
func (m *Manager) UseOnce(ctx context.Context, name string, until time.Time, do func() error) (first bool, err error) {
	if name == "" {
		return false, &core.InternalError{Err: errors.New("session: use once without a name")}
	}
	k := onceKey(name)
	if _, busy := m.using.LoadOrStore(k, nil); busy {
		if do == nil {
			return false, nil
		}
		return false, &core.UnavailableError{Err: errors.New("session: it is being used by another request")}
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

// SignInPage is the page of [WithSignInPage], or "".
func (m *Manager) SignInPage() string { return m.loginPage }

// Cookie is the session cookie without a value: its name and attributes.
func (m *Manager) Cookie() http.Cookie { return m.cookie.Cookie }
