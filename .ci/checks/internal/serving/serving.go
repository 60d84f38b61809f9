// Package serving serves apps of frameworks that bring a server of their own.
package serving

import (
	"net"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Start serves an app on the loopback interface until the test ends, and returns
// its address: host and port. shutdown has a minute ([authtest.TimeLimit]) to make
// serve return.
func Start(t testing.TB, serve func(net.Listener) error, shutdown func(time.Duration) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(l) }()
	t.Cleanup(func() {
		if err := shutdown(authtest.TimeLimit(time.Minute)); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// Fiber3 is [Start] for an app of Fiber v3.
func Fiber3(t testing.TB, app *fiber.App) string {
	t.Helper()
	return Start(t, func(l net.Listener) error {
		return app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	}, app.ShutdownWithTimeout)
}
