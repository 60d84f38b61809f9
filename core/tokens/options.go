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

// settings are what the options set.
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

// WithStore sets where families are kept; by default in the memory of this
// process, which forgets them when it ends. What a store must guarantee is said in
// the comment of the package.
func WithStore(s session.Store) Option {
	return func(o *settings) error { return option.Set(&o.backend, s, "store is nil") }
}

// WithStoreTimeout sets how long the store has for one answer; 2 s by default,
// from 10 ms to 1 minute. A refresh asks it four questions and has it write two
// entries, one after the other. An answer that is late is a failure, 503.
func WithStoreTimeout(d time.Duration) Option {
	return func(o *settings) error {
		if d < 10*time.Millisecond || d > time.Minute {
			return fmt.Errorf("store timeout %v: must be from 10ms to 1m", d)
		}
		o.storeTimeout = d
		return nil
	}
}

// WithIdleTimeout sets after how long without a refresh a family ends; 7 days by
// default, at least a minute and the lifetime of access tokens.
func WithIdleTimeout(d time.Duration) Option {
	return func(o *settings) error {
		if d < time.Minute {
			return fmt.Errorf("idle timeout %v: must be at least 1m", d)
		}
		o.idle = d
		return nil
	}
}

// WithAbsoluteTimeout sets how long after the login a family ends, however much it
// is used; 30 days by default, at least a minute.
func WithAbsoluteTimeout(d time.Duration) Option {
	return func(o *settings) error {
		if d < time.Minute {
			return fmt.Errorf("absolute timeout %v: must be at least 1m", d)
		}
		o.absolute = d
		return nil
	}
}

// WithClock sets where the time comes from; [time.Now] by default. It must be safe
// for concurrent use. Signer, verifier and a store that was set have clocks of
// their own.
func WithClock(now func() time.Time) Option {
	return func(o *settings) error { return option.Set(&o.now, now, "clock is nil") }
}

// WithRealm sets the realm of challenges, which should be that of the Bearer
// scheme; "restricted" by default.
func WithRealm(realm string) Option {
	return func(o *settings) error { return option.Set(&o.realm, realm, "realm is empty") }
}

// WithCookies keeps tokens out of the reach of scripts: they go into the cookies
// called access and refresh and never into a body, and the refresh token is read
// from its cookie alone. Both names must begin with __Host-. Give access to
// bearer.WithCookie as well, so that requests are authenticated by it:
//
//	Set-Cookie: __Host-token=…; Path=/; HttpOnly; Secure; SameSite=Lax
//	Set-Cookie: __Host-refresh=…; Path=/; HttpOnly; Secure; SameSite=Strict
func WithCookies(access, refresh string) Option {
	return func(o *settings) (err error) {
		o.cookies, err = newCookies(access, refresh)
		return err
	}
}

// WithStrictSameSite makes the cookie of the access token SameSite=Strict too: who
// follows a link from another site then seems signed out on the first page.
func WithStrictSameSite() Option {
	return func(o *settings) error {
		o.strict = true
		return nil
	}
}

// WithPersistentCookie lets browsers keep the cookies when they are closed: that of
// the access token until it expires, that of the refresh token as long as the
// family lasts without use.
func WithPersistentCookie() Option {
	return func(o *settings) error {
		o.persistent = true
		return nil
	}
}

// ownClaims are the claims that access tokens have in any case, and nbf, which
// would be that of other credentials.
var ownClaims = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "roles", "scope", claimAuthTime, claimTenant}

// WithClaims names claims of the principal that access tokens repeat. By default
// they have its roles, its scopes, auth_time, which is the time of the login, and
// tenant where it has one, or an array of them where it has several. Whoever holds an access token can read it.
func WithClaims(names ...string) Option {
	return func(o *settings) error {
		for _, name := range names {
			if name == "" || slices.Contains(ownClaims, name) {
				return fmt.Errorf("claim %q: name one that tokens do not have anyway", name)
			}
		}
		o.claims = append(o.claims, names...)
		return nil
	}
}

// Reload gives what is true of a principal now, in place of what was true at the
// login. It returns a principal with the same ID.
//
// A [core.CredentialError] says that there is no such user any more: 401, and the
// family ends. Any other error means that nobody could find out, 503, and uses no
// token up. It must be safe for concurrent use.
type Reload func(ctx context.Context, p *core.Principal) (*core.Principal, error)

// WithReload has each refresh ask for the principal anew, so that a change of roles
// reaches the next access token. Without it, access tokens say until the next
// login what was true at the last one.
func WithReload(f Reload) Option {
	return func(o *settings) error { return option.Set(&o.reload, f, "reload is nil") }
}

// WithRevocation has what ends a family end its access tokens as well, by entries
// in l, commonly a revoke.List, revoke.File or revoke.Follower: a logout, the reuse of
// a refresh token, and [Manager.LogoutEverywhere]. The verifier must ask
// [Manager.Revocation]. A list in memory is that of one process.
//
// Refresh tokens are looked up in l as well: an entry for a subject, or for all, that
// somebody else has added ends the families that have begun before it.
func WithRevocation(l Revocations) Option {
	return func(o *settings) error { return option.Set(&o.revocations, l, "revocation list is nil") }
}

// WithAnswers sets how the endpoints answer, whom they believe and who is told: a
// responder and observers, commonly those of the guard; the limiter of sign-ins
// ([core.WithAttemptLimiter]), without which passwords may be guessed; and
// [core.WithTrustedOrigins] for a front end on another origin.
func WithAnswers(opts ...core.Option) Option {
	return func(o *settings) error {
		o.answers = append(o.answers, opts...)
		return nil
	}
}
