package fiberauth_test

import (
	"net/http"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// Cached data of an app does not keep the app in memory: tests and servers that build
// many may drop them. All share one gate.
func TestAppsAreCollected(t *testing.T) {
	const apps = 50
	gate := (&judge{allows: func(core.Resource) bool { return true }}).gate(t)
	var made []weak.Pointer[fiber.App]
	for range apps {
		app := fiber.New()
		app.Use("/*", gate)
		app.Get("/things/:id", func(c fiber.Ctx) error { return c.SendString(app.Config().AppName) })
		if code, _ := ask(app.Handler(), "/things/7"); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
		made = append(made, weak.Make(app))
	}
	kept := apps
	for deadline := time.Now().Add(authtest.TimeLimit(time.Minute)); kept > 0 && time.Now().Before(deadline); {
		runtime.GC()
		kept = 0
		for _, app := range made {
			if app.Value() != nil {
				kept++
			}
		}
	}
	if kept > 0 {
		t.Errorf("%d of %d apps are still there", kept, apps)
	}
	runtime.KeepAlive(gate)
}

// Cached data about an app's routes lives as long as the app.
func TestRoutesAreKeptWithTheirApp(t *testing.T) {
	gate := (&judge{allows: func(r core.Resource) bool { return r.Route == "/things/:id" }}).gate(t)
	app := fiber.New()
	app.Use("/*", gate)
	app.Get("/things/:id", passOn, func(c fiber.Ctx) error { return c.SendString("here") })
	for range 3 {
		if code, _ := ask(app.Handler(), "/things/7"); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
		runtime.GC()
	}
}
