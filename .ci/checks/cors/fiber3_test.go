package cors

import (
	"net"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cors"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func serveFiber3(t *testing.T, l net.Listener, g *core.Guard, outside bool) {
	app := fiber.New(fiber.Config{ReadTimeout: authtest.TimeLimit(time.Minute)})
	own := cors.New(cors.Config{AllowOrigins: []string{front}, AllowHeaders: []string{"Authorization"}, AllowCredentials: true})
	for _, m := range ordered(outside, own, fiberauth.Require(g, onlyAlice)) {
		app.Use(m)
	}
	app.Get("/data", func(c fiber.Ctx) error { return c.SendString("data") })
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) // ends when the app is shut down
	}()
	t.Cleanup(func() {
		_ = app.ShutdownWithTimeout(authtest.TimeLimit(2 * time.Second))
		_ = l.Close()
		<-done
	})
}
