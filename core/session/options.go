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

// settings are what the options set.
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

// WithStore sets where sessions are kept; by default in the memory of this
// process, which forgets them when it ends.
//
// Any [Store] will do, such as those of github.com/alexedwards/scs. It must not
// drop what has not expired: a server that evicts at its limit of memory could forget that
// somebody was logged out everywhere.
func WithStore(s Store) Option {
	return func(o *settings) error { return option.Set(&o.backend, s, "store is nil") }
}

// WithStoreTimeout sets how long the store has for one answer; 2 s by default,
// from 10 ms to 1 minute. A request asks it three questions at most, and one more for each group ([WithGroup]), one after
// the other. One that is late is a failure, 503.
func WithStoreTimeout(d time.Duration) Option {
	return func(o *settings) error {
		if d < 10*time.Millisecond || d > time.Minute {
			return fmt.Errorf("store timeout %v: must be from 10ms to 1m", d)
		}
		o.storeTimeout = d
		return nil
	}
}

// WithRevocation asks c about a session at each request, commonly a
// [revoke.Follower]: by the principal's ID as the subject, the time of the login as
// that of issue, and no issuer. So an entry for a subject ends the sessions that have
// begun before it, wherever they are kept, as it ends tokens. A session that was
// revoked is 401, reason revoked; an error of c is 503.
func WithRevocation(c revoke.Checker) Option {
	return func(o *settings) error { return option.Set(&o.revocations, c, "revocations are nil") }
}

// WithIdleTimeout sets after how long without a request a session ends; 30
// minutes by default, at least 1 second. Use is noted once in a twentieth of
// that, or a minute if that is less, so a session ends that much early at most
// and never late.
func WithIdleTimeout(d time.Duration) Option {
	return func(o *settings) error {
		if d < time.Second {
			return fmt.Errorf("idle timeout %v: must be at least 1s", d)
		}
		o.idle = d
		return nil
	}
}

// WithAbsoluteTimeout sets how long after login a session ends, however much it
// is used; 12 hours by default, at least 1 second.
func WithAbsoluteTimeout(d time.Duration) Option {
	return func(o *settings) error {
		if d < time.Second {
			return fmt.Errorf("absolute timeout %v: must be at least 1s", d)
		}
		o.absolute = d
		return nil
	}
}

// WithClock sets where the time comes from; [time.Now] by default. It must be
// safe for concurrent use. A store that was set has a clock of its own and
// drops what has expired by that.
func WithClock(now func() time.Time) Option {
	return func(o *settings) error { return option.Set(&o.now, now, "clock is nil") }
}

// WithRealm sets the realm that challenges name; "restricted" by default.
func WithRealm(realm string) Option {
	return func(o *settings) error { return option.Set(&o.realm, realm, "realm is empty") }
}

// WithSignInPage names the page where people sign in, such as "/login".
// [Manager.LoginEndpoint] leads there after a wrong password, and challenges have a
// parameter that tells scripts of it. It redirects nobody else; that is a
// responder's part.
func WithSignInPage(path string) Option {
	return func(o *settings) (err error) {
		o.loginPage = path
		return checkPath(path)
	}
}

// WithSignInRedirect sets the page to which [Manager.LoginEndpoint] leads who did not
// come from one of the application; "/" by default.
func WithSignInRedirect(path string) Option {
	return func(o *settings) error {
		o.afterLogin = path
		return checkPath(path)
	}
}

// WithLogoutRedirect makes [Manager.LogoutEndpoint] lead to a page of the
// application, such as "/", with 303 in place of 204.
func WithLogoutRedirect(path string) Option {
	return func(o *settings) error {
		o.afterLogout = path
		return checkPath(path)
	}
}

// checkPath wants a path of the application itself: browsers take "//" and "/\"
// for the beginning of a host.
func checkPath(path string) error {
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c > '~' || c == '\\' {
			return fmt.Errorf("path %q: write what is not printable ASCII percent-encoded", path)
		}
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return fmt.Errorf("path %q: begin with one slash", path)
	}
	return nil
}

// WithCookieName sets the name of the cookie, without the prefix "__Host-" that
// is put before it; "session" by default. Two managers in one application need
// two names.
func WithCookieName(name string) Option {
	return func(o *settings) error {
		if name == "" || strings.HasPrefix(name, "__") {
			return fmt.Errorf("cookie name %q: give it a name that does not begin with __", name)
		}
		o.cookieName = name
		return nil
	}
}

// WithStrictSameSite keeps browsers from sending the cookie with any request
// that another site caused, following a link included: who comes by a link seems
// signed out on the first page. Without it the cookie is SameSite=Lax.
// There is no way to SameSite=None.
func WithStrictSameSite() Option {
	return func(o *settings) error {
		o.strict = true
		return nil
	}
}

// WithPersistentCookie lets browsers keep the cookie when they are closed, until
// the session's absolute timeout.
func WithPersistentCookie() Option {
	return func(o *settings) error {
		o.persistent = true
		return nil
	}
}

// WithTrustedOrigins names origins, besides the request's own, whose pages may
// log in and out, as [core.WithTrustedOrigins] does for a guard. An identity
// provider that answers with a form needs to be among them.
func WithTrustedOrigins(origins ...string) Option {
	return func(o *settings) error {
		o.origins = append(o.origins, origins...)
		return nil
	}
}

// WithAnswers sets how [Manager.SignIn], [Manager.Refuse], [Manager.LoginEndpoint]
// and [Manager.LogoutEndpoint] answer and who is told: a responder and observers,
// commonly those of the guard, and the limiter of sign-ins
// ([core.WithAttemptLimiter]). Trusted origins go to [WithTrustedOrigins].
func WithAnswers(opts ...core.Option) Option {
	return func(o *settings) error {
		o.answers = append(o.answers, opts...)
		return nil
	}
}

// WithPlainHTTPForDevelopment makes sessions work over http:// on the
// developer's own machine: the cookie lacks Secure and the prefix __Host-, so
// whoever is on the network can read it and any neighbouring subdomain can set
// it. Login refuses, with an error, requests to a host other than localhost and
// loopback addresses. Never deploy it.
func WithPlainHTTPForDevelopment() Option {
	return func(o *settings) error {
		o.insecure = true
		return nil
	}
}
