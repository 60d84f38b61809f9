package session

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/loopback"
)

// idBytes is the number of random bytes of an id, and idLength its length as text.
const idBytes, idLength = 32, 43

// cookie is the cookie that carries ids (draft-ietf-httpbis-rfc6265bis §4.1).
type cookie struct {
	http.Cookie // all but the value
	persistent  bool
	insecure    bool
	now         func() time.Time
}

func newCookie(s settings) (cookie, error) {
	c := cookie{
		Cookie:     http.Cookie{Name: "__Host-" + s.cookieName, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode},
		persistent: s.persistent,
		insecure:   s.insecure,
		now:        s.now,
	}
	if s.strict {
		c.SameSite = http.SameSiteStrictMode
	}
	if s.insecure {
		c.Name, c.Secure = s.cookieName, false
	}
	if err := c.Valid(); err != nil {
		return cookie{}, fmt.Errorf("cookie name %q: %w", s.cookieName, err)
	}
	return c, nil
}

// newID returns 256 random bits. Without a source of randomness the program
// crashes.
func newID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:]) // never fails: it crashes the program
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// value returns the id that r carries, which is well-formed.
func (c *cookie) value(r core.Request) (string, error) {
	value, n := r.Cookie(c.Name)
	switch {
	case n == 0:
		return "", core.ErrNoCredentials
	case n > 1:
		return "", fmt.Errorf("%w: %d cookies called %s", core.ErrAmbiguousCredentials, n, c.Name)
	case !isID(value):
		return "", &core.CredentialError{
			Reason: core.ReasonMalformed, Code: core.CodeInvalidCredentials,
			Err: fmt.Errorf("cookie %s of %d bytes is not a session id: %w", c.Name, len(value), errEnded),
		}
	}
	return value, nil
}

// isID reports whether s has the form of an id.
func isID(s string) bool {
	if len(s) != idLength {
		return false
	}
	var b [idBytes]byte
	n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(s))
	return err == nil && n == idBytes
}

// issue returns the field that sets id in a browser, until deadline.
func (c *cookie) issue(id string, deadline time.Time) core.Field {
	out := c.Cookie
	out.Value = id
	if c.persistent {
		out.MaxAge = max(1, int(deadline.Sub(c.now())/time.Second))
	}
	return core.Field{Name: "Set-Cookie", Value: out.String()}
}

// end returns the field that deletes the cookie in a browser.
func (c *cookie) end() core.Field {
	out := c.Cookie
	out.MaxAge = -1
	out.Expires = time.Unix(0, 0)
	return core.Field{Name: "Set-Cookie", Value: out.String()}
}

// mayGo refuses to send an insecure cookie over a network.
func (c *cookie) mayGo(r core.Request) error {
	if !c.insecure || loopback.Authority(r.Host()) {
		return nil
	}
	return &core.InternalError{Err: errors.New(
		"session: the insecure cookie is for development on localhost, and the request is to another host: " +
			"remove WithPlainHTTPForDevelopment (plain_http_for_development) and serve HTTPS")}
}
