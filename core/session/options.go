package session

import (
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// Option configures a [Manager].
type Option func(*settings) error

// settings holds what the options set.
type settings struct {
	backend      Store
	storeTimeout time.Duration
	idle         time.Duration
	absolute     time.Duration
	now          func() time.Time
	realm        string
	loginPage    string
	cookieName   string
	strict       bool
	persistent   bool
	insecure     bool
	afterLogin   string
	afterLogout  string
	origins      []string
	answers      []core.Option
	revocations  revoke.Checker
}

func defaults() settings {
	return settings{
		storeTimeout: 2 * time.Second,
		idle:         30 * time.Minute,
		absolute:     12 * time.Hour,
		now:          time.Now,
		realm:        "restricted",
		cookieName:   "session",
		afterLogin:   "/",
	}
}

// WithStore sets where sessions are kept. The default is the memory of this
// process, which forgets them when it ends.
//
// Any [Store] will do, such as those of github.com/alexedwards/scs. It must not
// drop entries that have not expired: a server that evicts when memory is full
// could forget that somebody was logged out everywhere.
func WithStore(s Store) Option {
	return func(o *settings) error { return option.Set(&o.backend, s, "store is nil") }
}

// WithStoreTimeout bounds one call to the store; 2 s by default, from 10 ms to 1
// minute. A request makes at most three calls, and one more for each group
// ([WithGroup]), one after the other. A call that takes too long is a failure and
// results in 503.
func WithStoreTimeout(d time.Duration) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.storeTimeout, d, d < 10*time.Millisecond || d > time.Minute, "store timeout %v: must be from 10ms to 1m", d)
	}
}

// WithRevocation asks c, commonly a [revoke.Follower], about the session of each
// request: with the principal's ID as the subject, the time of the login as the
// time of issue, and the claim iss as the issuer. If the claim sub, of somebody who
// has signed in at a provider, is not the ID, c is asked a second time, about that
// subject. An entry for a subject thus ends the sessions that began before it,
// wherever they are kept, as it ends tokens. A revoked session gets 401 with reason
// revoked; an error of c results in 503.
func WithRevocation(c revoke.Checker) Option {
	return func(o *settings) error { return option.SetOnce(&o.revocations, c, "revocation checker") }
}

// WithIdleTimeout sets how long a session may go without a request before it ends;
// 30 minutes by default, at least 1 second. Use is recorded once in a twentieth of
// that, or in a minute if that is less, so a session may end early by that much,
// but never late.
func WithIdleTimeout(d time.Duration) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.idle, d, d < time.Second, "idle timeout %v: must be at least 1s", d)
	}
}

// WithAbsoluteTimeout sets how long after login a session ends, however much it
// is used; 12 hours by default, at least 1 second.
func WithAbsoluteTimeout(d time.Duration) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.absolute, d, d < time.Second, "absolute timeout %v: must be at least 1s", d)
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use. The store of [WithStore] has its own clock, by which it drops
// expired entries.
func WithClock(now func() time.Time) Option {
	return func(o *settings) error { return option.Set(&o.now, now, "clock is nil") }
}

// WithRealm sets the realm that challenges name; "restricted" by default.
func WithRealm(realm string) Option {
	return func(o *settings) error { return option.Set(&o.realm, realm, "realm is empty") }
}

// WithSignInPage names the page where users sign in, such as "/login".
// [Manager.LoginEndpoint] redirects there after a wrong password, and challenges
// have a parameter that tells scripts about it. Other redirects are up to a
// responder.
func WithSignInPage(path string) Option {
	return func(o *settings) (err error) {
		o.loginPage = path
		return checkPath(path)
	}
}

// WithSignInRedirect sets the page to which [Manager.LoginEndpoint] redirects users
// who did not come from a page of the application; "/" by default.
func WithSignInRedirect(path string) Option {
	return func(o *settings) error {
		o.afterLogin = path
		return checkPath(path)
	}
}

// WithLogoutRedirect makes [Manager.LogoutEndpoint] redirect to a page of the
// application, such as "/", with 303 in place of 204.
func WithLogoutRedirect(path string) Option {
	return func(o *settings) error {
		o.afterLogout = path
		return checkPath(path)
	}
}

// checkPath requires a path of the application itself: browsers take "//" and "/\"
// for the beginning of a host.
func checkPath(path string) error {
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c > '~' || c == '\\' {
			return fmt.Errorf("path %q: percent-encode what is not printable ASCII", path)
		}
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return fmt.Errorf("path %q: begin with one slash", path)
	}
	return nil
}

// WithCookieName sets the name of the cookie, without the prefix "__Host-", which
// is added; "session" by default. Two managers in one application need different
// names.
func WithCookieName(name string) Option {
	return func(o *settings) error {
		return option.SetUnless(&o.cookieName, name, name == "" || strings.HasPrefix(name, "__"),
			"cookie name %q: give it a name that does not begin with __", name)
	}
}

// WithStrictSameSite keeps browsers from sending the cookie with any request that
// another site caused, including a followed link: a user who follows a link seems
// signed out on the first page. Without it the cookie is SameSite=Lax.
// SameSite=None is not supported.
func WithStrictSameSite() Option { return func(o *settings) error { return option.On(&o.strict) } }

// WithPersistentCookie lets browsers keep the cookie after they are closed, until
// the session's absolute timeout.
func WithPersistentCookie() Option {
	return func(o *settings) error { return option.On(&o.persistent) }
}

// WithTrustedOrigins names origins, besides the request's own, whose pages may log
// in and out, as [core.WithTrustedOrigins] does for a guard. An identity provider
// that posts its response as a form must be among them.
func WithTrustedOrigins(origins ...string) Option {
	return func(o *settings) error {
		o.origins = append(o.origins, origins...)
		return nil
	}
}

// WithAnswers sets how [Manager.SignIn], [Manager.Refuse], [Manager.LoginEndpoint]
// and [Manager.LogoutEndpoint] respond and whom they tell: a responder and
// observers, commonly those of the guard, as well as its [core.WithCORS] and
// [core.WithClientAddress], and the limiter of sign-ins
// ([core.WithAttemptLimiter]). Set trusted origins with [WithTrustedOrigins].
func WithAnswers(opts ...core.Option) Option {
	return func(o *settings) error {
		o.answers = append(o.answers, opts...)
		return nil
	}
}

// WithPlainHTTPForDevelopment makes sessions work over http:// on the developer's
// own machine: the cookie lacks Secure and the prefix __Host-, so anyone on the
// network can read it and any neighbouring subdomain can set it. Login returns an
// error for requests to hosts other than localhost and loopback addresses. Never
// deploy it.
func WithPlainHTTPForDevelopment() Option {
	return func(o *settings) error { return option.On(&o.insecure) }
}
