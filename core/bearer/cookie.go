package bearer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/tokenscheme"
)

const hostPrefix = "__Host-"

// WithCookie also reads the token from the named cookie. The name must begin with
// __Host-: browsers accept such a cookie only over HTTPS and only for this host,
// and let no subdomain set it (RFC 6265bis §4.1.3.2). The issuer of the token sets
// the cookie, with Path=/, Secure, HttpOnly and SameSite=Lax or Strict.
//
// A browser adds a cookie by itself, whichever page causes the request, so the
// scheme then has [core.SentByBrowser]: unsafe requests from pages of other sites
// get 403, even if they carry the token in Authorization. See
// [core.WithTrustedOrigins] for a front end with an origin of its own. Programs are
// not affected, since they send neither Origin nor Sec-Fetch-Site.
//
// A token in both places, or in two such cookies, is ambiguous and refused with
// 400: a client must not use more than one method to send its token (RFC 6750 §2).
func WithCookie(name string) Option {
	return func(a *Authenticator) error {
		if a.cookie != "" {
			return errors.New("two cookies: choose one for the token")
		}
		if err := checkCookieName(name); err != nil {
			return fmt.Errorf("cookie %q: %w", name, err)
		}
		a.cookie = name
		return nil
	}
}

func checkCookieName(name string) error {
	rest, ok := strings.CutPrefix(name, hostPrefix)
	if !ok || rest == "" {
		return errors.New("the name must begin with __Host-, so that no subdomain and no plain HTTP response can set it")
	}
	return (&http.Cookie{Name: name}).Valid()
}

// token returns the token that r carries, in either place.
func (a *Authenticator) token(r core.Request) (string, error) {
	inField := tokenscheme.Token
	if a.lends {
		inField = tokenscheme.LentToken
	}
	if a.cookie == "" {
		return inField(r, schemeName, a.maxSize)
	}
	value, n := r.Cookie(a.cookie)
	switch {
	case n == 0:
		return inField(r, schemeName, a.maxSize)
	case n > 1:
		return "", fmt.Errorf("bearer: %w: %d cookies called %s", core.ErrAmbiguousCredentials, n, a.cookie)
	case tokenscheme.Sent(r, schemeName):
		return "", fmt.Errorf("bearer: %w: a token in Authorization and one in cookie %s", core.ErrAmbiguousCredentials, a.cookie)
	}
	return tokenscheme.Check(value, a.maxSize)
}

// attempt reports whether r carries a token. An unverified token names no account.
func (a *Authenticator) attempt(r core.Request) (account string, ok bool) {
	if a.cookie != "" {
		if _, n := r.Cookie(a.cookie); n > 0 {
			return "", true
		}
	}
	return "", tokenscheme.Sent(r, schemeName)
}
