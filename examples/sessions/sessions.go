// Package sessions shows a sign-in with cookies on Gin, Fiber, Echo and net/http,
// with the sessions of all of them in one Redis.
package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/session"
)

// Connect makes a client that fails fast, so that an outage of Redis is a 503
// and no pile of waiting requests.
func Connect(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:                  addr,
		DialTimeout:           500 * time.Millisecond,
		ReadTimeout:           500 * time.Millisecond,
		WriteTimeout:          500 * time.Millisecond,
		ContextTimeoutEnabled: true,
		MaxRetries:            1,
		DialerRetries:         1,
	})
}

// Site is what the apps of this package share.
type Site struct {
	Sessions *session.Manager
	Guard    *core.Guard
	// Passwords is who may sign in, such as a password file of core/htpasswd.
	Passwords basic.Verifier
}

// New makes a site whose sessions are in Redis. The prefix keeps them apart from
// what else is there.
func New(client *redis.Client, passwords basic.Verifier, opts ...session.Option) (*Site, error) {
	opts = append([]session.Option{
		session.WithStore(goredisstore.NewWithPrefix(client, "shop:session:")),
		session.WithStoreTimeout(time.Second),
		session.WithSignInPage("/login"),
	}, opts...)
	manager, err := session.New(opts...)
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{manager})
	if err != nil {
		return nil, err
	}
	return &Site{Sessions: manager, Guard: guard, Passwords: passwords}, nil
}

// SignIn checks what the form of the sign-in page sent and begins a session. It
// returns the fields for the response; ok is false for a wrong user or password.
func (s *Site) SignIn(ctx context.Context, r core.Request, user, password string) (fields []core.Field, ok bool, err error) {
	_, fields, err = s.Sessions.SignIn(ctx, r, user, func(ctx context.Context) (*core.Principal, error) {
		p, err := s.Passwords.VerifyPassword(ctx, user, password)
		switch {
		case errors.Is(err, basic.ErrUnknownUser):
			return nil, &core.CredentialError{Reason: core.ReasonUnknownPrincipal, Err: err}
		case errors.Is(err, basic.ErrWrongPassword):
			return nil, &core.CredentialError{Reason: core.ReasonWrongSecret, Err: err}
		}
		return p, err
	})
	var wrong *core.CredentialError
	if errors.As(err, &wrong) {
		return nil, false, nil
	}
	return fields, err == nil, err
}

// SignOutEverywhere ends the sessions of whoever asks, this one included.
func (s *Site) SignOutEverywhere(ctx context.Context, r core.Request, p *core.Principal) ([]core.Field, error) {
	if err := s.Sessions.LogoutEverywhere(ctx, p.ID()); err != nil {
		return nil, err
	}
	return s.Sessions.Logout(ctx, r)
}

// wrong is the answer to a wrong user or password.
const wrong = "Wrong user or password.\n"
