package proxies_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// page is one path of an app, for every method.
type page struct {
	path   string
	guard  *core.Guard // nil for a public page
	serve  core.Endpoint
	hidden bool
}

// gates is the guard of p. A hidden page is like one that is not there, for
// which the app has the handler native.
func (p page) gates(t testing.TB, native any) *core.Guard {
	if !p.hidden {
		return p.guard
	}
	g, err := p.guard.With(core.WithConcealment(native))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// frameworks serve pages and return the address. What is not there is not to be
// kept: it may be a hidden page.
var frameworks = map[string]func(testing.TB, []page) string{
	"gin": func(t testing.TB, pages []page) string {
		app := gin.New()
		var notFound gin.HandlerFunc = func(c *gin.Context) {
			c.Header("Cache-Control", "no-store")
			c.String(http.StatusNotFound, "nothing here")
		}
		app.NoRoute(notFound)
		for _, p := range pages {
			handlers := []gin.HandlerFunc{ginauth.Serve(p.serve)}
			if p.guard != nil {
				handlers = append([]gin.HandlerFunc{ginauth.Authorize(p.gates(t, notFound))}, handlers...)
			}
			app.Any(p.path, handlers...)
		}
		return serve(t, app)
	},
	"echo": func(t testing.TB, pages []page) string {
		app := echo.New()
		var notFound echo.HandlerFunc = func(c echo.Context) error {
			c.Response().Header().Set("Cache-Control", "no-store")
			return c.String(http.StatusNotFound, "nothing here")
		}
		app.RouteNotFound("/*", notFound)
		for _, p := range pages {
			var gates []echo.MiddlewareFunc
			if p.guard != nil {
				gates = append(gates, echoauth.Authorize(p.gates(t, notFound)))
			}
			app.Any(p.path, echoauth.Serve(p.serve), gates...)
		}
		return serve(t, app)
	},
	"echo5": serveEcho5,
	"net_http": func(t testing.TB, pages []page) string {
		mux := http.NewServeMux()
		var notFound http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "nothing here", http.StatusNotFound)
		}
		mux.Handle("/", notFound)
		for _, p := range pages {
			h := httpauth.Serve(p.serve)
			if p.guard != nil {
				h = httpauth.Authorize(p.gates(t, notFound))(h)
			}
			mux.Handle(p.path, h)
		}
		return serve(t, mux)
	},
	"fiber":  serveFiber,
	"fiber3": serveFiber3,
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func serveFiber(t testing.TB, pages []page) string {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	var notFound fiber.Handler = func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "no-store")
		return c.Status(http.StatusNotFound).SendString("nothing here")
	}
	for _, p := range pages {
		if p.guard != nil {
			app.All(p.path, fiberauth.Authorize(p.gates(t, notFound)), fiberauth.Serve(p.serve))
		} else {
			app.All(p.path, fiberauth.Serve(p.serve))
		}
	}
	app.Use(notFound)
	return serving.Start(t, app.Listener, app.ShutdownWithTimeout)
}

// site is who may sign in, and how: alice, bob and root by each scheme.
type site struct {
	guard    *core.Guard
	sessions *session.Manager
	keys     map[string]string
	served   atomic.Int64 // public pages
	left     atomic.Bool  // whether the token "leaver" is over
}

func newSite(t testing.TB, opts ...core.Option) *site {
	t.Helper()
	s := &site{keys: map[string]string{}}
	var err error
	if s.sessions, err = session.New(session.WithPlainHTTPForDevelopment()); err != nil {
		t.Fatal(err)
	}
	file, text := new(apikey.File), []byte(nil)
	for _, owner := range []string{"alice", "bob", "root"} {
		key, id, hash := apikey.Generate()
		s.keys[owner] = key
		if text, err = apikey.Append("keys", text, apikey.Info{ID: id, Hash: hash, Owner: owner}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Load("keys", text); err != nil {
		t.Fatal(err)
	}
	tokens, err := bearer.New("reports", tokens{s})
	if err != nil {
		t.Fatal(err)
	}
	passwords, err := basic.New("reports", basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if password != user+"!" {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := apikey.New("reports", file)
	if err != nil {
		t.Fatal(err)
	}
	opts = append([]core.Option{core.WithAuthorizer(policy{}), core.WithAttemptLimiter(limiter{})}, opts...)
	if s.guard, err = core.NewGuard([]core.Authenticator{tokens, passwords, keys, s.sessions}, opts...); err != nil {
		t.Fatal(err)
	}
	return s
}

// policy lets everybody in, and root alone to /admin and /hidden.
type policy struct{}

func (policy) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	path := a.Resource.Path
	closed := path == "/hidden" || path == "/admin" || strings.HasPrefix(path, "/admin/")
	return core.Decision{Allowed: p.ID() == "root" || !closed}, nil
}

// tokens takes a token for the name of whom it belongs to.
type tokens struct{ *site }

func (t tokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	if token == "leaver" && t.left.Load() {
		token = "expired"
	}
	switch token {
	case "down":
		return nil, errors.New("the key server is down")
	case "expired":
		return nil, &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken}
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: token})
}

// limiter lets nobody try to be "locked".
type limiter struct{}

func (limiter) Allow(_ context.Context, _ core.Request, account string) error {
	if account == "locked" {
		return &core.LimitError{RetryAfter: time.Minute, Err: errors.New("locked")}
	}
	return nil
}
func (limiter) Report(context.Context, core.Request, string, error) {}

// pages are those of an app that leaves as much as possible to the cache.
func (s *site) pages() []page {
	public := func(ctx context.Context, _ core.Request) core.Response {
		return text(fmt.Sprintf("public %d", s.served.Add(1)), "Cache-Control", "public, max-age=60")
	}
	fixed := func(body string) core.Endpoint {
		return func(context.Context, core.Request) core.Response { return text(body) }
	}
	return []page{
		{path: "/public", serve: public},
		{path: "/robots.txt", serve: fixed("User-agent: *\nDisallow:\n")},
		{path: "/.well-known/security.txt", serve: fixed("Contact: mailto:security@example.org\n")},
		{path: "/login", serve: s.login},
		{path: "/report", guard: s.guard, serve: report()},
		{path: "/shared", guard: s.guard, serve: report("Cache-Control", "max-age=60")},
		{path: "/careless", guard: s.guard, serve: report("Cache-Control", "public, s-maxage=600", "X-Accel-Expires", "600")},
		{path: "/admin", guard: s.guard, serve: report()},
		{path: "/hidden", guard: s.guard, hidden: true, serve: report()},
	}
}

// login signs in whom the query names.
func (s *site) login(ctx context.Context, r core.Request) core.Response {
	user, _ := r.Query("user")
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user})
	if err != nil {
		return core.Response{Status: http.StatusUnprocessableEntity}
	}
	fields, err := s.sessions.Login(ctx, r, p)
	if err != nil {
		return s.sessions.Refuse(err)(ctx, r)
	}
	return core.Response{Status: http.StatusNoContent, Fields: fields}
}

// report answers with the name of whoever asks, or 304 where the client has it.
func report(pairs ...string) core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		p, ok := core.PrincipalFrom(ctx)
		if !ok {
			return core.Response{Status: http.StatusInternalServerError}
		}
		resp := text("report for "+p.ID(), append(pairs, "ETag", `"`+p.ID()+`"`)...)
		if tag, _ := r.Header("If-None-Match"); tag == `"`+p.ID()+`"` {
			resp.Status, resp.Body = http.StatusNotModified, nil
		}
		return resp
	}
}

func text(body string, pairs ...string) core.Response {
	resp := core.Response{Status: http.StatusOK, Body: []byte(body), Fields: []core.Field{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}}
	for i := 0; i < len(pairs); i += 2 {
		resp.Fields = append(resp.Fields, core.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return resp
}

// credentials are header lines that prove user by each scheme.
func (s *site) credentials(t *testing.T, addr, user string) map[string]string {
	t.Helper()
	a := ask(t, addr, "POST", "/login?user="+user, "Content-Length: 0")
	cookie, _, ok := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	if a.Status != http.StatusNoContent || !ok {
		t.Fatalf("login as %s: %d %v", user, a.Status, a.Header)
	}
	return map[string]string{
		"Bearer":  "Authorization: Bearer " + user,
		"Basic":   "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+user+"!")),
		"key":     apikey.DefaultHeader + ": " + s.keys[user],
		"session": "Cookie: " + cookie,
	}
}
