package fiberauth_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// G01, G06: a handler that passes a request on does not hide the route that
// then answers, in whatever letter case the path is.
func TestRoutesBehindOthersThatPassOn(t *testing.T) {
	next := func(c *fiber.Ctx) error { return c.Next() }
	for name, first := range map[string]string{"wildcard": "/*", "parameter": "/:page", "optional": "/:page?"} {
		t.Run(name, func(t *testing.T) {
			app, reached := adminApp(t, func(app *fiber.App) { app.All(first, next) })
			for path, want := range map[string]int{"/admin": 403, "/ADMIN": 403, "/Admin": 403, "/other": 404} {
				if got := status(t, app, http.MethodGet, path, ""); got != want {
					t.Errorf("GET %s: %d, want %d", path, got, want)
				}
			}
			if *reached {
				t.Error("the handler of /admin ran")
			}
		})
	}
}

// G15: middleware that overrides the method has the route of the new method
// judged.
func TestRoutesOfAnOverriddenMethod(t *testing.T) {
	app, reached := adminApp(t, func(app *fiber.App) {
		app.Use(func(c *fiber.Ctx) error {
			if m := c.Get("X-HTTP-Method-Override"); m != "" {
				c.Method(m)
			}
			return c.Next()
		})
	})
	for _, path := range []string{"/admin/7", "/ADMIN/7"} {
		if got := status(t, app, http.MethodPost, path, http.MethodDelete); got != 403 {
			t.Errorf("POST as DELETE %s: %d", path, got)
		}
	}
	if *reached {
		t.Error("the handler of /admin/:id ran")
	}
}

// TestCheckAfterAnotherRoute: a route that did not match may have left its own values
// for the parameters. Rules are not told them.
func TestCheckAfterAnotherRoute(t *testing.T) {
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range configs {
		for _, first := range []fiber.Handler{passOn, fiberauth.Authenticate(g)} {
			told := []string{}
			rule := authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
				told = append(told, a.Request.Param("*"))
				return core.Decision{Allowed: true}, nil
			})
			app := fiber.New(cfg)
			app.Get("/*", first, func(c *fiber.Ctx) error {
				if err := fiberauth.Check(c, g, rule); err != nil {
					return err
				}
				_ = c.Next()
				return fiberauth.Check(c, g, rule)
			})
			app.Get("/:a/:b/:c", func(*fiber.Ctx) error { return nil })
			var ctx fasthttp.RequestCtx
			ctx.Request.SetRequestURI("http://app.example/b/c")
			ctx.Request.Header.Set("Authorization", "Name alice")
			app.Handler()(&ctx)
			if code := ctx.Response.StatusCode(); code != http.StatusBadRequest || !slices.Equal(told, []string{"b/c"}) {
				t.Errorf("%v: %d, rules are told %q", options(cfg), code, told)
			}
		}
	}
}

// adminApp is an app behind a gate that denies /admin and what is below.
func adminApp(t *testing.T, first func(*fiber.App)) (app *fiber.App, reached *bool) {
	t.Helper()
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}},
		core.WithObserver(new(authtest.Recorder)),
		core.WithAuthorizer(authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
			path := a.Resource.Path
			return core.Decision{Allowed: path != "/admin" && !strings.HasPrefix(path, "/admin/")}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	reached = new(bool)
	admin := func(c *fiber.Ctx) error {
		*reached = true
		return c.SendString("admin")
	}
	app = fiber.New()
	first(app)
	app.Use(fiberauth.Authorize(g))
	app.Get("/admin", admin)
	app.Delete("/admin/:id", admin)
	return app, reached
}

func status(t *testing.T, app *fiber.App, method, path, override string) int {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Authorization", "Name alice")
	if override != "" {
		r.Header.Set("X-HTTP-Method-Override", override)
	}
	resp, err := app.Test(r, 5000)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestMethodInLowerCase: Fiber takes no routes for a method of the app in lower case, but
// handlers of Use for it.
func TestMethodInLowerCase(t *testing.T) {
	app := fiber.New(fiber.Config{RequestMethods: append(slices.Clone(fiber.DefaultMethods), "load")})
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	app.Use(fiberauth.Authenticate(g))
	app.Get("/reports", func(c *fiber.Ctx) error { return c.SendString("reports") })
	if got := status(t, app, http.MethodGet, "/reports", ""); got != http.StatusOK {
		t.Errorf("answered %d", got)
	}
}

// TestRefusedInAnotherApp: a handler may serve a request with another app, whose
// context has gone when the gate is told of what was written after a refusal there.
func TestRefusedInAnotherApp(t *testing.T) {
	var log strings.Builder
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(new(authtest.Recorder)),
		core.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	nobody := authtest.AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) { return core.Decision{}, nil })
	other := fiber.New()
	other.Get("/admin/:id", func(c *fiber.Ctx) error {
		_ = fiberauth.Check(c, g, nobody)
		return c.SendString("late")
	})
	serve := other.Handler()
	app := fiber.New()
	app.Use(fiberauth.Authenticate(g), func(c *fiber.Ctx) error {
		serve(c.Context())
		return nil
	})
	if got := status(t, app, http.MethodGet, "/admin/7", ""); got != http.StatusForbidden {
		t.Errorf("answered %d", got)
	}
	if !strings.Contains(log.String(), "wrote after a refusal") || !strings.Contains(log.String(), "route=/admin/:id") {
		t.Errorf("the log says %q", log.String())
	}
}
