package fiberauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// TestGatesLeftOut: in a sub-app mounted for all paths, Fiber answers some requests without
// a gate that is mounted there with Use. Then no request passes the gate, and the observer
// is told why.
func TestGatesLeftOut(t *testing.T) {
	rec := new(authtest.Recorder)
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(rec))
	if err != nil {
		t.Fatal(err)
	}
	gate, answer := fiberauth.Authenticate(g), func(c *fiber.Ctx) error { return c.SendString("here") }
	for name, m := range map[string]struct {
		sub  func(app *fiber.App)
		open bool // the app works
	}{
		"Use":                    {func(app *fiber.App) { app.Use(gate); app.Get("/*", answer) }, false},
		"handler of Use":         {func(app *fiber.App) { app.Use(gate); app.Use("/*", answer) }, false},
		"gate on the route":      {func(app *fiber.App) { app.Use(gate); app.Get("/*", gate, answer) }, true},
		"no route for all paths": {func(app *fiber.App) { app.Use(gate); app.Get("/:x", answer) }, true},
	} {
		for _, cfg := range configs {
			app, sub := fiber.New(cfg), fiber.New(cfg)
			m.sub(sub)
			app.Mount("/", sub)
			if code, _ := ask(app.Handler(), "/x"); m.open != (code == http.StatusOK) || !m.open && code != http.StatusInternalServerError {
				t.Errorf("%s, %v: %d", name, options(cfg), code)
			}
			if cause := rec.Last(t).Cause; !m.open && (cause == nil || !strings.Contains(cause.Error(), `Use("/*", gate)`)) {
				t.Errorf("%s, %v: the observer is told %v", name, options(cfg), cause)
			}
			direct := fiber.New(cfg) // where Fiber runs it for each request
			m.sub(direct)
			if code, _ := ask(direct.Handler(), "/x"); code != http.StatusOK {
				t.Errorf("%s in the app itself, %v: %d", name, options(cfg), code)
			}
		}
	}
}
