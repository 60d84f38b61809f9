package recipes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/proxy"
	"github.com/sallyport-go/sallyport/fiberauth"
	fiber3auth "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// The fields that the proxy sets.
const (
	userField   = "X-Forwarded-User"
	groupsField = "X-Forwarded-Groups"
)

// ProxyIdentity is the scheme of people whom a proxy has signed in.
type ProxyIdentity struct {
	proxies    *proxy.Trust
	challenges []challenge.Challenge
}

// NewProxyIdentity makes the scheme for a realm and the proxies that are
// believed.
func NewProxyIdentity(realm string, proxies *proxy.Trust) (*ProxyIdentity, error) {
	if proxies == nil {
		return nil, errors.New("proxy identity: no proxy is named, so that nobody could be signed in")
	}
	c, err := challenge.New("Proxy", challenge.Param{Name: "realm", Value: realm})
	if err != nil {
		return nil, fmt.Errorf("proxy identity: %w", err)
	}
	return &ProxyIdentity{proxies, []challenge.Challenge{c}}, nil
}

// Scheme says that browsers send the credentials by themselves: the proxy goes
// by a cookie. So unsafe requests that another site causes are 403.
func (s *ProxyIdentity) Scheme() core.Scheme {
	return core.Scheme{
		Name:    "Proxy",
		Sender:  core.SentByBrowser,
		Vary:    []string{"Cookie", userField, groupsField},
		Attempt: core.Unguessable, // the proxy's business
	}
}

// Authenticate believes the fields on a connection from a proxy, and nothing on
// any other.
func (s *ProxyIdentity) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	user, users := r.Header(userField)
	groups, lines := r.Header(groupsField)
	switch {
	case !s.proxies.PeerTrusted(r), users == 0:
		return nil, core.ErrNoCredentials
	case users > 1 || lines > 1:
		return nil, fmt.Errorf("proxy identity: %w: a field is there twice, so that one may be the client's", core.ErrAmbiguousCredentials)
	case user == "":
		return nil, &core.CredentialError{Reason: core.ReasonMalformed, Code: core.CodeInvalidCredentials, Err: errors.New("proxy identity: the user is empty")}
	}
	info := core.PrincipalInfo{ID: user}
	for group := range strings.SplitSeq(groups, ",") {
		if group = strings.TrimSpace(group); group != "" {
			info.Roles = append(info.Roles, group)
		}
	}
	return core.NewPrincipal(info)
}

// Challenges is the same wherever the answer is 401.
func (s *ProxyIdentity) Challenges(core.Request, error) []challenge.Challenge { return s.challenges }

// behindOAuth2Proxy names the proxies by their addresses, and by nobody else's.
func behindOAuth2Proxy() (*core.Guard, *proxy.Trust, error) {
	proxies, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.0.3.7/32")})
	if err != nil {
		return nil, nil, err
	}
	scheme, err := NewProxyIdentity("reports", proxies)
	if err != nil {
		return nil, nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithClientAddress(proxies.Client))
	return guard, proxies, err
}

// WithoutForgedIdentity removes the fields from requests that no proxy has sent.
func WithoutForgedIdentity(proxies *proxy.Trust, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !proxies.PeerTrusted(httpauth.Request(r)) {
			for name := range r.Header {
				if isIdentity(name) {
					delete(r.Header, name)
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isIdentity is whether a field says who somebody is, or may be taken for one
// that does: some servers and libraries read X_Forwarded_User as the same field.
func isIdentity(name string) bool {
	plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	return strings.HasPrefix(plain, "x-forwarded-") && plain != "x-forwarded-for" && plain != "x-forwarded-proto"
}

// FiberWithoutForgedIdentity does the same as the first handler of an app.
func FiberWithoutForgedIdentity(proxies *proxy.Trust) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !proxies.PeerTrusted(fiberauth.Request(c)) {
			for name := range c.GetReqHeaders() {
				if isIdentity(name) {
					c.Request().Header.Del(name)
				}
			}
		}
		return c.Next()
	}
}

// fiber3WithoutForgedIdentity is what the page says of Fiber v3.
func fiber3WithoutForgedIdentity(proxies *proxy.Trust) fiber3.Handler {
	return func(c fiber3.Ctx) error {
		if !proxies.PeerTrusted(fiber3auth.Request(c)) {
			for name := range c.GetReqHeaders() {
				if isIdentity(name) {
					c.Request().Header.Del(name)
				}
			}
		}
		return c.Next()
	}
}

// TestProxyIdentityInFront: on each framework handlers see the fields from the
// proxy, and no others, however they are spelt.
func TestProxyIdentityInFront(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	names := func(header map[string][]string) string {
		return strings.ToLower(strings.Join(slices.Sorted(maps.Keys(header)), " "))
	}
	apps := map[string]func(*proxy.Trust) func(*testing.T, *http.Request) string{
		"gin": func(proxies *proxy.Trust) func(*testing.T, *http.Request) string {
			app := gin.New()
			app.GET("/", func(c *gin.Context) { c.String(200, names(c.Request.Header)) })
			return served(WithoutForgedIdentity(proxies, app))
		},
		"echo4": func(proxies *proxy.Trust) func(*testing.T, *http.Request) string {
			app := echo.New()
			app.GET("/", func(c echo.Context) error { return c.String(200, names(c.Request().Header)) })
			return served(WithoutForgedIdentity(proxies, app))
		},
		"echo5": func(proxies *proxy.Trust) func(*testing.T, *http.Request) string {
			app := echo5.New()
			app.GET("/", func(c *echo5.Context) error { return c.String(200, names(c.Request().Header)) })
			return served(WithoutForgedIdentity(proxies, app))
		},
		"fiber2": func(proxies *proxy.Trust) func(*testing.T, *http.Request) string {
			app := fiber.New()
			app.Use(FiberWithoutForgedIdentity(proxies))
			app.Get("/", func(c *fiber.Ctx) error { return c.SendString(names(c.GetReqHeaders())) })
			return func(t *testing.T, r *http.Request) string { return bodyOf(t)(app.Test(r, -1)) }
		},
		"fiber3": func(proxies *proxy.Trust) func(*testing.T, *http.Request) string {
			app := fiber3.New()
			app.Use(fiber3WithoutForgedIdentity(proxies))
			app.Get("/", func(c fiber3.Ctx) error { return c.SendString(names(c.GetReqHeaders())) })
			return func(t *testing.T, r *http.Request) string {
				return bodyOf(t)(app.Test(r, fiber3.TestConfig{}))
			}
		},
	}
	for name, build := range apps {
		for peer, want := range map[string]bool{"0.0.0.0/32": true, "10.0.3.7/32": false} { // Fiber's Test comes from 0.0.0.0
			proxies, err := proxy.New([]netip.Prefix{netip.MustParsePrefix(peer)})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
			r.RemoteAddr = "0.0.0.0:0"
			for _, field := range []string{userField, "X_Forwarded_User", "x-forwarded_email", "X-Forwarded-For"} {
				r.Header[field] = []string{"192.0.2.7"}
			}
			body := build(proxies)(t, r)
			for _, field := range []string{"x-forwarded-user", "x_forwarded_user", "x-forwarded_email"} {
				if strings.Contains(body, field) != want {
					t.Errorf("%s: a handler sees %s: %v, want %v; it sees %s", name, field, !want, want, body)
				}
			}
			if !strings.Contains(body, "x-forwarded-for") {
				t.Errorf("%s: a handler sees no X-Forwarded-For: %s", name, body)
			}
		}
	}
}

// served sends requests to a handler and returns what it answers.
func served(h http.Handler) func(*testing.T, *http.Request) string {
	return func(_ *testing.T, r *http.Request) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
}

// bodyOf reads what Fiber's Test returns.
func bodyOf(t *testing.T) func(*http.Response, error) string {
	return func(resp *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// TestProxyIdentity runs docs/proxy-identity.md.
func TestProxyIdentity(t *testing.T) {
	checkSource(t, "proxy-identity.md", "proxyidentity_test.go")
	guard, proxies, err := behindOAuth2Proxy()
	if err != nil {
		t.Fatal(err)
	}
	events := new(authtest.Recorder)
	if guard, err = guard.With(core.WithObserver(events)); err != nil {
		t.Fatal(err)
	}
	var seen http.Header
	app := WithoutForgedIdentity(proxies, httpauth.Optional(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		p := httpauth.Principal(r)
		if p == nil {
			return
		}
		_, _ = fmt.Fprint(w, p.ID(), slices.Collect(p.Roles()))
	})))
	const fromProxy, stranger = "10.0.3.7:1234", "10.0.3.8:1234"
	for name, tc := range map[string]struct {
		method, peer string
		header       []string
		status       int
		body         string
	}{
		"a user":           {"GET", fromProxy, []string{userField, "erin", groupsField, "editor, auditor"}, 200, "erin[editor auditor]"},
		"without groups":   {"GET", fromProxy, []string{userField, "erin"}, 200, "erin[]"},
		"nobody":           {"GET", fromProxy, nil, 200, ""},
		"a stranger":       {"GET", stranger, []string{userField, "erin", groupsField, "editor"}, 200, ""},
		"underscores":      {"GET", stranger, []string{"X_Forwarded_User", "erin", "X_FORWARDED_EMAIL", "erin@acme.example"}, 200, ""},
		"user twice":       {"GET", fromProxy, []string{userField, "sam", userField, "erin"}, 400, ""},
		"groups twice":     {"GET", fromProxy, []string{userField, "sam", groupsField, "a", groupsField, "editor"}, 400, ""},
		"an empty user":    {"GET", fromProxy, []string{userField, ""}, 401, ""},
		"its own site":     {"POST", fromProxy, []string{userField, "erin", "Sec-Fetch-Site", "same-origin"}, 200, "erin[]"},
		"another site":     {"POST", fromProxy, []string{userField, "erin", "Sec-Fetch-Site", "cross-site"}, 403, ""},
		"its IPv6 mapping": {"GET", "[::ffff:10.0.3.7]:1234", []string{userField, "erin"}, 200, "erin[]"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, "/reports", nil)
		r.RemoteAddr = tc.peer
		for i := 0; i < len(tc.header); i += 2 {
			r.Header[tc.header[i]] = append(r.Header[tc.header[i]], tc.header[i+1])
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != tc.status || tc.status == 200 && w.Body.String() != tc.body {
			t.Errorf("%s: %d %s, want %d %s; reason %s", name, w.Code, w.Body, tc.status, tc.body, events.Last(t).Reason)
		}
		if tc.peer == stranger && len(seen) > 0 {
			t.Errorf("%s: the handler sees %v", name, seen)
		}
	}
	if _, err := NewProxyIdentity("reports", nil); err == nil {
		t.Error("no proxy was accepted")
	}
}
