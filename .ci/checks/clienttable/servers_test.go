package clienttable

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// What apps answer for a path that is not there. Shared caches must not keep it,
// since it may be a hidden one.
const (
	unknown = "nothing here"
	noStore = "no-store"
)

// server mounts routes and makes them a handler.
type server struct {
	name  string
	mount func(t *testing.T, routes []route) http.Handler
}

// servers are one of each framework. The first one is for clients that try one
// alone.
var servers = []server{
	{"net/http", mountNetHTTP},
	{"gin", mountGin},
	{"echo", mountEcho},
	{"echo5", mountEcho5},
	{"fiber", mountFiber},
	{"fiber3", mountFiber3},
}

// start starts a new site, which ends with the test.
func (v server) start(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	running := httptest.NewServer(s.log.around(v.mount(t, s.routes(t))))
	t.Cleanup(running.Close)
	s.url = running.URL
	return s
}

func mountNetHTTP(t *testing.T, routes []route) http.Handler {
	mux := http.NewServeMux()
	var notFound http.HandlerFunc = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", noStore)
		http.Error(w, unknown, http.StatusNotFound)
	}
	mux.Handle("/", notFound)
	for _, r := range routes {
		h := httpauth.Serve(r.serve)
		if r.guard != nil {
			h = httpauth.Require(r.gates(t, notFound), r.rule)(h)
		}
		mux.Handle(r.path, h)
	}
	return mux
}

func mountGin(t *testing.T, routes []route) http.Handler {
	app := gin.New()
	var notFound gin.HandlerFunc = func(c *gin.Context) {
		c.Header("Cache-Control", noStore)
		c.String(http.StatusNotFound, unknown)
	}
	app.NoRoute(notFound)
	for _, r := range routes {
		handlers := []gin.HandlerFunc{ginauth.Serve(r.serve)}
		if r.guard != nil {
			handlers = append([]gin.HandlerFunc{ginauth.Require(r.gates(t, notFound), r.rule)}, handlers...)
		}
		app.Any(r.path, handlers...)
	}
	return app
}

func mountEcho(t *testing.T, routes []route) http.Handler {
	app := echo.New()
	var notFound echo.HandlerFunc = func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", noStore)
		return c.String(http.StatusNotFound, unknown)
	}
	app.RouteNotFound("/*", notFound)
	for _, r := range routes {
		var gates []echo.MiddlewareFunc
		if r.guard != nil {
			gates = append(gates, echoauth.Require(r.gates(t, notFound), r.rule))
		}
		app.Any(r.path, echoauth.Serve(r.serve), gates...)
	}
	return app
}

// mountFiber is a proxy in front of Fiber, which is no [http.Handler].
func mountFiber(t *testing.T, routes []route) http.Handler {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	var notFound fiber.Handler = func(c *fiber.Ctx) error {
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
	addr := serving.Start(t, app.Listener, app.ShutdownWithTimeout)
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	proxy.Transport = transport
	return proxy
}
