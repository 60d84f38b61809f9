package tokens

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/session"
)

// Option configures a [Manager].
type Option func(*settings) error

// settings holds what the options set.
type settings struct {
	backend      session.Store
	storeTimeout time.Duration
	idle         time.Duration
	absolute     time.Duration
	now          func() time.Time
	realm        string
	cookies      *cookies // nil for tokens in bodies
	strict       bool
	persistent   bool
	claims       []string
	reload       Reload
	revocations  Revocations
	answers      []core.Option
}

func defaults() settings {
	const day = 24 * time.Hour
	return settings{
		storeTimeout: 2 * time.Second,
		idle:         7 * day,
		absolute:     30 * day,
		now:          time.Now,
		realm:        "restricted",
	}
}

// WithStore sets where families are kept. The default is the memory of this
// process, which forgets them when it ends. The package comment says what a store
// must guarantee.
func WithStore(s session.Store) Option {
	return func(o *settings) error { return option.Set(&o.backend, s, "store is nil") }
}

// WithStoreTimeout bounds one call to the store; 2 s by default, from 10 ms to 1
// minute. A refresh makes four reads and two writes, one after the other. A call
// that takes too long is a failure and results in 503.
func WithStoreTimeout(d time.Duration) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.storeTimeout, d, d < 10*time.Millisecond || d > time.Minute, "store timeout %v: must be from 10ms to 1m", d)
	}
}

// WithIdleTimeout sets how long a family may go without a refresh before it ends; 7
// days by default, at least a minute and the lifetime of access tokens.
func WithIdleTimeout(d time.Duration) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.idle, d, d < time.Minute, "idle timeout %v: must be at least 1m", d)
	}
}

// WithAbsoluteTimeout sets how long after the login a family ends, however much it
// is used; 30 days by default, at least a minute.
func WithAbsoluteTimeout(d time.Duration) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.absolute, d, d < time.Minute, "absolute timeout %v: must be at least 1m", d)
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use. Signer, verifier and the store of [WithStore] have clocks of
// their own.
func WithClock(now func() time.Time) Option {
	return func(o *settings) error { return option.Set(&o.now, now, "clock is nil") }
}

// WithRealm sets the realm of challenges, which should be that of the Bearer
// scheme; "restricted" by default.
func WithRealm(realm string) Option {
	return func(o *settings) error { return option.Set(&o.realm, realm, "realm is empty") }
}

// WithCookies keeps tokens out of the reach of scripts: they are sent in the
// cookies with the names access and refresh and never in a body, and the refresh
// token is read only from its cookie. Both names must begin with __Host-. Pass
// access to bearer.WithCookie as well, so that it authenticates requests:
//
//	Set-Cookie: __Host-token=…; Path=/; HttpOnly; Secure; SameSite=Lax
//	Set-Cookie: __Host-refresh=…; Path=/; HttpOnly; Secure; SameSite=Strict
func WithCookies(access, refresh string) Option {
	return func(o *settings) (err error) {
		o.cookies, err = newCookies(access, refresh)
		return err
	}
}

// WithStrictSameSite makes the cookie of the access token SameSite=Strict too: a
// user who follows a link from another site then seems signed out on the first
// page.
func WithStrictSameSite() Option { return func(o *settings) error { return option.On(&o.strict) } }

// WithPersistentCookie lets browsers keep the cookies after they are closed: the
// access token's until it expires, the refresh token's as long as the family may be
// idle.
func WithPersistentCookie() Option {
	return func(o *settings) error { return option.On(&o.persistent) }
}

// ownClaims lists the claims that access tokens always have, and nbf, which would
// be that of other credentials.
var ownClaims = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "roles", "scope", claimAuthTime, claimTenant}

// WithClaims names claims of the principal to copy into access tokens. By default
// these have its roles, its scopes, auth_time, which is the time of the login, and
// tenant, if it has one, or an array of several. Anyone who holds an access token
// can read it.
func WithClaims(names ...string) Option {
	return func(o *settings) error {
		for _, name := range names {
			if name == "" || slices.Contains(ownClaims, name) {
				return fmt.Errorf("claim %q: access tokens already have it, or it is empty: use another name", name)
			}
		}
		o.claims = append(o.claims, names...)
		return nil
	}
}

// Reload returns the current state of a principal, in place of its state at login.
// The result has the same ID.
//
// A [core.CredentialError] means that the user no longer exists: the response is
// 401, and the family ends. Any other error means that the lookup failed: the
// response is 503, and no token is used up. It must be safe for concurrent use.
type Reload func(ctx context.Context, p *core.Principal) (*core.Principal, error)

// WithReload makes each refresh reload the principal, so that a change of roles
// reaches the next access token. Without it, access tokens reflect the state at the
// last login.
func WithReload(f Reload) Option {
	return func(o *settings) error { return option.SetOnce(&o.reload, f, "reload") }
}

// WithRevocation makes everything that ends a family (a logout, the reuse of a
// refresh token, [Manager.LogoutEverywhere]) also revoke its access tokens, by
// entries in l, commonly a revoke.List, revoke.File or revoke.Follower. The
// verifier must ask [Manager.Revocation]. A list in memory works for one process
// only.
//
// Refresh tokens are looked up in l as well: an entry for a subject, or for all,
// added by anyone else ends the families that began before it.
func WithRevocation(l Revocations) Option {
	return func(o *settings) error { return option.SetOnce(&o.revocations, l, "revocation list") }
}

// WithAnswers sets how the endpoints respond, whom they trust and whom they tell: a
// responder and observers, commonly those of the guard; the limiter of sign-ins
// ([core.WithAttemptLimiter]), without which passwords can be guessed;
// [core.WithClientAddress] behind a proxy; and [core.WithTrustedOrigins] and
// [core.WithCORS] for a front end on another origin.
func WithAnswers(opts ...core.Option) Option {
	return func(o *settings) error {
		o.answers = append(o.answers, opts...)
		return nil
	}
}
