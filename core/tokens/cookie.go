package tokens

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// maxCookie is the maximum length in bytes of a cookie's name and value together
// (draft-ietf-httpbis-rfc6265bis §5.6).
const maxCookie = 4096

const hostPrefix = "__Host-"

// cookies holds the names of both cookies.
type cookies struct{ access, refresh string }

func newCookies(access, refresh string) (*cookies, error) {
	for _, name := range []string{access, refresh} {
		rest, ok := strings.CutPrefix(name, hostPrefix)
		if !ok || rest == "" {
			return nil, fmt.Errorf("cookie %q: the name must begin with __Host-, so that no subdomain and no plain HTTP response can set it", name)
		}
		if err := (&http.Cookie{Name: name}).Valid(); err != nil {
			return nil, fmt.Errorf("cookie %q: %w", name, err)
		}
	}
	if access == refresh {
		return nil, errors.New("both cookies have the same name")
	}
	return &cookies{access, refresh}, nil
}

// value returns the refresh token of a request.
func (c *cookies) value(r core.Request) (string, error) {
	value, n := r.Cookie(c.refresh)
	switch n {
	case 0:
		return "", core.ErrNoCredentials
	case 1:
		return value, nil
	}
	return "", fmt.Errorf("%w: %d cookies called %s", core.ErrAmbiguousCredentials, n, c.refresh)
}

// both returns the cookies without their values. Links from elsewhere never need
// the cookie of the refresh token.
func (c *cookies) both(strict bool) (access, refresh http.Cookie) {
	access = http.Cookie{Name: c.access, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if strict {
		access.SameSite = http.SameSiteStrictMode
	}
	refresh = access
	refresh.Name, refresh.SameSite = c.refresh, http.SameSiteStrictMode
	return access, refresh
}

// issue returns the fields that give a browser both tokens.
func (c *cookies) issue(p *pair, m *Manager) []core.Field {
	access, refresh := c.both(m.strict)
	access.Value, refresh.Value = p.access, p.refresh
	if m.persistent {
		access.MaxAge, refresh.MaxAge = seconds(p.expires.Sub(m.now())), seconds(p.last.Sub(m.now()))
	}
	return fields(access, refresh)
}

func seconds(d time.Duration) int { return max(1, int(d/time.Second)) }

// end returns the fields that delete both cookies in a browser.
func (c *cookies) end(strict bool) []core.Field {
	access, refresh := c.both(strict)
	for _, cookie := range []*http.Cookie{&access, &refresh} {
		cookie.MaxAge, cookie.Expires = -1, time.Unix(0, 0)
	}
	return fields(access, refresh)
}

func fields(access, refresh http.Cookie) []core.Field {
	return []core.Field{{Name: "Set-Cookie", Value: access.String()}, {Name: "Set-Cookie", Value: refresh.String()}}
}
