package fiberauth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// ownCtx is an app's own context type, which changes nothing.
type ownCtx struct{ fiber.DefaultCtx }

// newOwnCtx makes one for an app.
func newOwnCtx(app *fiber.App) fiber.CustomCtx { return &ownCtx{*fiber.NewDefaultCtx(app)} }

// wrapped has the context behind an interface.
type wrapped struct{ fiber.CustomCtx }

func newWrapped(app *fiber.App) fiber.CustomCtx { return &wrapped{fiber.NewDefaultCtx(app)} }

// TestCustomContexts: with an app's own contexts, paths are authorized and strings copied
// as with Fiber's.
func TestCustomContexts(t *testing.T) {
	for name, of := range map[string]func(*fiber.App) fiber.CustomCtx{"embedded": newOwnCtx, "wrapped": newWrapped} {
		t.Run(name, func(t *testing.T) {
			authtest.RunPaths(t, withContext(fiber.Config{}, of))
			authtest.RunRetention(t, withContext(fiber.Config{}, of))
		})
	}
}

// another shows handlers a request different from the router's.
type another struct {
	fiber.DefaultCtx
	what string
}

func (c *another) Method(override ...string) string {
	if m := c.Get("X-HTTP-Method-Override"); m != "" && c.what == "method" {
		return m
	}
	return c.DefaultCtx.Method(override...)
}

func (c *another) Path(override ...string) string {
	if path := c.DefaultCtx.Path(override...); c.what == "path" {
		return strings.TrimPrefix(path, "/v1")
	}
	return c.DefaultCtx.Path()
}

func (c *another) Req() fiber.Req {
	if c.what == "request" {
		return nil
	}
	return c.DefaultCtx.Req()
}

// TestContextsThatShowAnotherRequest: a request is refused if handlers see a different
// one than the router.
func TestContextsThatShowAnotherRequest(t *testing.T) {
	for _, what := range []string{"method", "path", "request", "nothing"} {
		o := newObserver()
		gate := o.gate(t)
		reached := false
		app := fiber.NewWithCustomCtx(func(app *fiber.App) fiber.CustomCtx {
			return &another{*fiber.NewDefaultCtx(app), what}
		})
		app.Use("/v1", gate)
		answer := func(c fiber.Ctx) error {
			reached = true
			return c.SendString(c.Method() + " " + c.Path())
		}
		app.Get("/v1/things", answer).Post("/v1/things", answer)
		app.Post("/here", gate, answer)
		for _, target := range []string{"/v1/things", "/here"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://app.example"+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Name alice")
			r.Header.Set("X-HTTP-Method-Override", "GET")
			reached = false
			resp, err := app.Test(r, fiber.TestConfig{Timeout: authtest.TimeLimit(5 * time.Second)})
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if same := what == "nothing" || what == "path" && target == "/here"; same != (resp.StatusCode == http.StatusOK) || same != reached {
				t.Errorf("another %s, %s: %d, handler ran: %v", what, target, resp.StatusCode, reached)
			}
		}
	}
}

// TestUnreadableRequests: for a malformed request Fiber runs only middleware, and
// then its error handler. A gate lets nothing behind it run, and leaves the answer to that
// handler.
func TestUnreadableRequests(t *testing.T) {
	events := new(authtest.Recorder)
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(events), core.WithAuthorizer(
		authtest.AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) { return core.Decision{Allowed: true}, nil })))
	if err != nil {
		t.Fatal(err)
	}
	for name, handler := range map[string]fiber.ErrorHandler{
		"Fiber's": nil,
		"own":     func(c fiber.Ctx, _ error) error { return c.Status(fiber.StatusTeapot).SendString("unread") },
		"silent":  func(c fiber.Ctx, _ error) error { c.Status(fiber.StatusTeapot); return nil },
	} {
		for kind, gate := range map[string]fiber.Handler{"Authenticate": fiberauth.Authenticate(g), "Authorize": fiberauth.Authorize(g), "Optional": fiberauth.Optional(g)} {
			app := fiber.New(fiber.Config{ErrorHandler: handler, BodyLimit: 16})
			app.Use("/*", gate)
			app.Use("/files", func(c fiber.Ctx) error { return c.SendString(secret) })
			addr := listen(t, app)
			for _, request := range []string{
				"POST /files/x HTTP/1.1\r\nHost: app.example\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000),
				"GET /files/x HTTP/1.1\r\nHost: app.example\r\nX: " + strings.Repeat("x", 10_000) + "\r\n\r\n",
				"GET /files/x HTTP/9.9\r\nHost: app.example\r\n\r\n",
			} {
				a := authtest.Send(t, addr, request)
				if a.Status < 400 || strings.Contains(a.Body, secret) || a.Header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s error handler, %s: %.30q: %d %v %q", name, kind, request, a.Status, a.Header, a.Body)
				}
			}
		}
	}
	if got := events.Events(); len(got) > 0 {
		t.Errorf("events %+v", got)
	}
}
