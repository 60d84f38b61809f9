package proxies_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func serveFiber3(t testing.TB, pages []page) string {
	app := fiber.New()
	var notFound fiber.Handler = func(c fiber.Ctx) error {
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithTimeout(authtest.TimeLimit(time.Minute)); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
