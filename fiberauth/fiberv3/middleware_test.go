package fiberauth_test

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cache"
	"github.com/gofiber/fiber/v3/middleware/compress"
	"github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gofiber/fiber/v3/middleware/csrf"
	"github.com/gofiber/fiber/v3/middleware/earlydata"
	"github.com/gofiber/fiber/v3/middleware/encryptcookie"
	"github.com/gofiber/fiber/v3/middleware/envvar"
	"github.com/gofiber/fiber/v3/middleware/etag"
	"github.com/gofiber/fiber/v3/middleware/helmet"
	"github.com/gofiber/fiber/v3/middleware/idempotency"
	"github.com/gofiber/fiber/v3/middleware/limiter"
	"github.com/gofiber/fiber/v3/middleware/logger"
	"github.com/gofiber/fiber/v3/middleware/proxy"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/requestid"
	"github.com/gofiber/fiber/v3/middleware/responsetime"
	"github.com/gofiber/fiber/v3/middleware/session"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// shipped are the middlewares of Fiber that buffer, replace, delay, compress or observe a
// response.
func shipped() map[string]fiber.Handler {
	return map[string]fiber.Handler{
		"none":      goOn,
		"compress":  compress.New(compress.Config{Level: compress.LevelBestSpeed}),
		"cors":      cors.New(),
		"csrf":      csrf.New(),
		"earlydata": earlydata.New(),
		"encryptcookie": func() fiber.Handler {
			encrypt := encryptcookie.New(encryptcookie.Config{Key: encryptcookie.GenerateKey(32)})
			return func(c fiber.Ctx) error {
				c.Cookie(&fiber.Cookie{Name: "seen", Value: "yes"})
				return encrypt(c)
			}
		}(),
		"envvar": func() fiber.Handler { // which answers, and passes nothing on
			vars := envvar.New(envvar.Config{ExportVars: map[string]string{"SECRET": authtest.MiddlewareSecret}})
			return func(c fiber.Ctx) error {
				if err := vars(c); err != nil {
					return err
				}
				return c.Next()
			}
		}(),
		"etag":         etag.New(),
		"helmet":       helmet.New(),
		"idempotency":  idempotency.New(),
		"limiter":      limiter.New(limiter.Config{Max: 1_000_000}),
		"logger":       logger.New(logger.Config{Stream: io.Discard}),
		"recover":      recover.New(),
		"requestid":    requestid.New(),
		"responsetime": responsetime.New(),
		"session":      session.New(),
		"session store": func() fiber.Handler {
			store := session.NewStore()
			return func(c fiber.Ctx) error {
				s, err := store.Get(c)
				if err != nil {
					return err
				}
				defer s.Release()
				s.Set("seen", true)
				err = c.Next()
				if saved := s.Save(); err == nil {
					err = saved
				}
				return err
			}
		}(),
		"timeout": timeout.New(goOn, timeout.Config{Timeout: time.Minute}),
	}
}

// TestMiddlewares: whatever middleware is before or after a gate, and whatever the error
// handler does, a refusal is one answer.
func TestMiddlewares(t *testing.T) {
	handlers := map[string]fiber.ErrorHandler{
		"Fiber's": nil, "own": func(c fiber.Ctx, _ error) error { return c.Status(fiber.StatusTeapot).JSON("own") },
	}
	for name, m := range shipped() {
		for _, order := range []string{"outside", "inside"} {
			for who, handler := range handlers {
				t.Run(fmt.Sprintf("%s %s, %s error handler", name, order, who), func(t *testing.T) {
					authtest.CheckMiddleware(t, "http://"+serveMiddleware(t, m, order, sendSecret, fiber.Config{ErrorHandler: handler}))
				})
			}
		}
	}
}

func sendSecret(c fiber.Ctx) error { return c.SendString(authtest.MiddlewareSecret) }

// serveMiddleware serves the routes of [authtest.CheckMiddleware], which end in
// handler, with m in front of the gates or behind them.
func serveMiddleware(t *testing.T, m fiber.Handler, order string, handler fiber.Handler, cfg fiber.Config) string {
	t.Helper()
	app := fiber.New(cfg)
	addRoutes(t, app, m, order, handler)
	return listen(t, app)
}

func addRoutes(t *testing.T, app *fiber.App, m fiber.Handler, order string, handler fiber.Handler) {
	t.Helper()
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	add := func(path string, gate, handler fiber.Handler) {
		if order == "inside" {
			app.All(path, gate, m, handler)
		} else {
			app.All(path, m, gate, handler)
		}
	}
	add("/gate", fiberauth.Authorize(g), handler)
	add("/check", fiberauth.Optional(g), func(c fiber.Ctx) error {
		if err := fiberauth.Check(c, g, authtest.MiddlewareRule()); err != nil {
			return err
		}
		return handler(c)
	})
	add("/wrong", fiberauth.Optional(g), func(c fiber.Ctx) error {
		_ = fiberauth.Check(c, g, authtest.MiddlewareRule())
		return handler(c)
	})
}

// listen serves app until the test ends.
func listen(t *testing.T, app *fiber.App) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) // ends when the app is shut down
	}()
	t.Cleanup(func() {
		_ = app.ShutdownWithTimeout(time.Second)
		_ = l.Close() // the app may not be listening yet
		<-done
	})
	return l.Addr().String()
}

// goOn is a middleware that only calls the next handler.
func goOn(c fiber.Ctx) error { return c.Next() }

// TestCacheOrder: Fiber's cache obeys the fields that gates set. Before or behind them, all
// principals get their own answers, and no one gets what a handler writes after a refused
// check. docs/fiber3.md says so; if Fiber changes that, the page must.
func TestCacheOrder(t *testing.T) {
	for _, order := range []string{"outside", "inside"} {
		for _, path := range []string{"/gate", "/check", "/wrong"} {
			for _, people := range [][2]string{{"alice", "bob"}, {"bob", "alice"}, {"alice", "alice"}, {"bob", "bob"}} {
				addr := serveMiddleware(t, cache.New(), order, sendSecret, fiber.Config{})
				authtest.Send(t, addr, authtest.Request("GET", path, "Authorization: Name "+people[0]))
				a := authtest.Send(t, addr, authtest.Request("GET", path, "Authorization: Name "+people[1]))
				want := fiber.StatusForbidden
				if people[1] == "alice" {
					want = fiber.StatusOK
				}
				if a.Status != want || (a.Body == authtest.MiddlewareSecret) != (want == fiber.StatusOK) {
					t.Errorf("%s, %s: %s after %s: %d %s, want %d", order, path, people[1], people[0], a.Status, a.Body, want)
				}
			}
		}
	}
}

// TestIdempotencyOrder: Fiber's idempotency middleware before the gates gives one user's
// answer to another who sends the same key. It also does so behind the gates if only a
// check inside the handler distinguishes the two. With the user in the key it does not,
// as docs/fiber3.md says.
func TestIdempotencyOrder(t *testing.T) {
	const key = "X-Idempotency-Key: 00000000-0000-0000-0000-000000000000"
	shared := func() fiber.Handler { return idempotency.New() }
	for _, c := range []struct {
		order, path, first, then string
		m                        func() fiber.Handler
		want                     int // 0: 403 with the secret
	}{
		{"outside", "/gate", "alice", "bob", shared, fiber.StatusOK},
		{"outside", "/gate", "bob", "alice", shared, fiber.StatusForbidden},
		{"inside", "/gate", "alice", "bob", shared, fiber.StatusForbidden},
		{"inside", "/gate", "bob", "alice", shared, fiber.StatusOK},
		{"inside", "/check", "alice", "bob", shared, fiber.StatusOK},
		{"inside", "/check", "alice", "bob", idempotencyByUser, fiber.StatusForbidden},
		{"inside", "/check", "bob", "alice", idempotencyByUser, fiber.StatusOK},
		{"inside", "/check", "bob", "bob", idempotencyByUser, fiber.StatusForbidden},
		{"inside", "/wrong", "bob", "bob", idempotencyByUser, 0}, // what the handler wrote after the refusal
	} {
		addr := serveMiddleware(t, c.m(), c.order, sendSecret, fiber.Config{})
		authtest.Send(t, addr, authtest.Request("POST", c.path, key, "Authorization: Name "+c.first))
		a := authtest.Send(t, addr, authtest.Request("POST", c.path, key, "Authorization: Name "+c.then))
		if want, leaks := cmp.Or(c.want, fiber.StatusForbidden), c.want != fiber.StatusForbidden; a.Status != want || (a.Body == authtest.MiddlewareSecret) != leaks {
			t.Errorf("%s, %s: %s after %s: %d %s, documented as %d", c.order, c.path, c.then, c.first, a.Status, a.Body, c.want)
		}
	}
}

// TestIdempotencyKeysOfOneClient: a client may send one key for several requests, and
// no tenant, method or path gets the answer of another.
func TestIdempotencyKeysOfOneClient(t *testing.T) {
	repeat, answers := idempotencyByUser(), 0
	apps := map[string]*fiber.App{}
	for _, tenant := range []string{"acme", "globex"} {
		app := fiber.New()
		gate := fiberauth.Authenticate(authtest.SignedIn(t, core.PrincipalInfo{ID: "erin", Tenant: tenant}))
		app.All("/orders/:id", gate, repeat, func(c fiber.Ctx) error {
			answers++
			return c.SendString(strconv.Itoa(answers))
		})
		apps[tenant] = app
	}
	for _, c := range []struct{ tenant, method, path, want string }{
		{"acme", "POST", "/orders/1", "1"},
		{"globex", "POST", "/orders/1", "2"},
		{"acme", "PUT", "/orders/1", "3"},
		{"acme", "POST", "/orders/2", "4"},
		{"acme", "POST", "/orders/1", "1"}, // sent again
	} {
		app, r := apps[c.tenant], httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("X-Idempotency-Key", "00000000-0000-0000-0000-000000000000")
		resp, err := app.Test(r, fiber.TestConfig{Timeout: authtest.TimeLimit(5 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != fiber.StatusOK || string(body) != c.want {
			t.Errorf("%s %s in %s: %d %q %v, want answer %s", c.method, c.path, c.tenant, resp.StatusCode, body, err, c.want)
		}
	}
}

// idempotencyByUser keeps the keys of different users and requests apart.
func idempotencyByUser() fiber.Handler {
	const byUser = "X-Key-Of-User"
	m := idempotency.New(idempotency.Config{KeyHeader: byUser, KeyHeaderValidate: func(string) error { return nil }})
	return func(c fiber.Ctx) error {
		key, h := c.Get("X-Idempotency-Key"), &c.Request().Header
		h.Del(byUser) // the client's own
		if p := fiberauth.Principal(c); p != nil && key != "" {
			h.Set(byUser, fmt.Sprintf("%q %q %q %s %q %s", p.Tenant(), p.Scheme(), p.ID(), c.Method(), c.Path(), key))
		}
		return m(c)
	}
}

// TestProxies: after a refusal, nothing that a proxied service answers is sent.
func TestProxies(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("ETag", `"1"`)
		_, _ = io.WriteString(w, authtest.MiddlewareSecret) // to the proxy
	}))
	defer upstream.Close()
	for name, handler := range map[string]fiber.Handler{
		"Balancer": proxy.Balancer(proxy.Config{Servers: []string{upstream.URL}}),
		"Forward":  proxy.Forward(upstream.URL),
	} {
		t.Run(name, func(t *testing.T) {
			authtest.CheckMiddleware(t, "http://"+serveMiddleware(t, goOn, "inside", handler, fiber.Config{}))
		})
	}
}

// TestSubAppErrorHandlers: whatever error handlers an app and a sub-app have, even Fiber's
// own set explicitly, a refusal in the sub-app is one answer.
func TestSubAppErrorHandlers(t *testing.T) {
	own := func(c fiber.Ctx, _ error) error { return c.Status(fiber.StatusTeapot).JSON("own") }
	handlers := map[string]fiber.ErrorHandler{"none": nil, "Fiber's": fiber.DefaultErrorHandler, "own": own}
	for root, of := range handlers {
		for sub, inner := range handlers {
			t.Run("root "+root+", sub-app "+sub, func(t *testing.T) {
				app := fiber.New(fiber.Config{ErrorHandler: of})
				mounted := fiber.New(fiber.Config{ErrorHandler: inner})
				addRoutes(t, mounted, goOn, "inside", sendSecret)
				app.Use("/sub", mounted)
				authtest.CheckMiddleware(t, "http://"+listen(t, app)+"/sub")
			})
		}
	}
}

// TestStreamedUploads: the unread rest of a refused request is not taken for the next
// request.
func TestStreamedUploads(t *testing.T) {
	authtest.RunUploads(t, with(fiber.Config{StreamRequestBody: true}))
}
