package clienttable

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// mountFiber3 is a proxy in front of Fiber v3, which is no [http.Handler].
func mountFiber3(t *testing.T, routes []route) http.Handler {
	app := fiber.New()
	var notFound fiber.Handler = func(c fiber.Ctx) error {
		c.Set("Cache-Control", noStore)
		return c.Status(http.StatusNotFound).SendString(unknown)
	}
	for _, r := range routes {
		if r.guard != nil {
			app.All(r.path, fiberauth.Require(r.gates(t, notFound), r.rule), fiberauth.Serve(r.serve))
		} else {
			app.All(r.path, fiberauth.Serve(r.serve))
		}
	}
	app.Use(notFound)
	addr := serving.Fiber3(t, app)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	proxy.Transport = transport
	return proxy
}
