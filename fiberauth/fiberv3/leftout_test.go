package fiberauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/static"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// TestGatesLeftOut: where Fiber answers some requests without a gate that is mounted with
// Use for all paths, no request passes the gate, and the observer is told why.
func TestGatesLeftOut(t *testing.T) {
	g, rec := leftOutGuard(t)
	gate := fiberauth.Authenticate(g)
	dir := t.TempDir()
	mounts := map[string]struct {
		add  func(app *fiber.App)
		open bool // the app works
	}{
		"Use":                    {func(app *fiber.App) { app.Use(gate); app.Get("/*", tell) }, false},
		"Use of a prefix":        {func(app *fiber.App) { app.Use("/", gate); app.All("*", tell) }, false},
		"group":                  {func(app *fiber.App) { app.Group("/", gate).Get("/:name?", tell) }, false},
		"sub-app":                {func(app *fiber.App) { app.Use("/", fiber.New().Use(gate).Get("/*", tell).(*fiber.App)) }, false},
		"middleware in front":    {func(app *fiber.App) { app.Use(passOn); app.Use(passOn, gate); app.Get("/*", passOn, tell) }, false},
		"another method":         {func(app *fiber.App) { app.Use(gate); app.Get("/x", tell); app.Post("/*", tell) }, false},
		"handler of Use":         {func(app *fiber.App) { app.Use(gate); app.Use("/*", tell) }, false},
		"static of Use":          {func(app *fiber.App) { app.Use(gate); app.Get("/x", tell); app.Use("*", static.New(dir)) }, false},
		"Use of all, and again":  {func(app *fiber.App) { app.Use("/*", gate); app.Use(gate); app.Get("/*", tell) }, true},
		"middleware of Use":      {func(app *fiber.App) { app.Use("/*", passOn); app.Use(gate); app.Get("/:x", tell) }, true},
		"Use of all":             {func(app *fiber.App) { app.Use("/*", gate); app.Get("/*", tell) }, true},
		"two gates":              {func(app *fiber.App) { app.Use(gate); app.Get("/*", gate, tell) }, true},
		"route in front":         {func(app *fiber.App) { app.All("/*", passOn); app.Use(gate); app.Get("/:x", tell) }, true},
		"no route for all paths": {func(app *fiber.App) { app.Use(gate); app.Get("/:x", tell); app.Get("/+", tell) }, true},
		"middleware for the rest": {func(app *fiber.App) {
			app.Use(gate)
			app.Get("/:x", tell)
			app.Use(func(c fiber.Ctx) error { return c.SendStatus(http.StatusNotFound) })
		}, true},
	}
	for name, m := range mounts {
		for _, cfg := range configs {
			app := fiber.New(cfg)
			m.add(app)
			code, _ := ask(app.Handler(), "/x")
			if m.open != (code == http.StatusOK) || !m.open && code != http.StatusInternalServerError {
				t.Errorf("%s, %v: %d", name, options(cfg), code)
			}
			if cause := rec.Last(t).Cause; !m.open && (cause == nil || !strings.Contains(cause.Error(), `Use("/*", gate)`)) {
				t.Errorf("%s, %v: the observer is told %v", name, options(cfg), cause)
			}
		}
	}
}

func leftOutGuard(t *testing.T) (*core.Guard, *authtest.Recorder) {
	t.Helper()
	rec := new(authtest.Recorder)
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(rec))
	if err != nil {
		t.Fatal(err)
	}
	return g, rec
}
