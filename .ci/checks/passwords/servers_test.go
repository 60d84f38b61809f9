package passwords_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/htpasswd/htpasswdtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// starts has a server on each framework, whose door answers with the name of
// whoever comes in.
var starts = map[string]htpasswdtest.Start{
	"gin":      startGin,
	"fiber":    startFiber,
	"fiber3":   startFiber3,
	"echo":     startEcho,
	"echo5":    startEcho5,
	"net_http": startHTTP,
}

func startGin(t testing.TB, g *core.Guard) string {
	r := gin.New()
	r.GET("/door", ginauth.Authenticate(g), func(c *gin.Context) { c.String(http.StatusOK, "%s", ginauth.Principal(c).ID()) })
	return serve(t, r)
}

func startEcho(t testing.TB, g *core.Guard) string {
	e := echo.New()
	e.GET("/door", func(c echo.Context) error { return c.String(http.StatusOK, echoauth.Principal(c).ID()) }, echoauth.Authenticate(g))
	return serve(t, e)
}

func startHTTP(t testing.TB, g *core.Guard) string {
	mux := http.NewServeMux()
	mux.Handle("GET /door", httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, httpauth.Principal(r).ID())
	})))
	return serve(t, mux)
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func startFiber(t testing.TB, g *core.Guard) string {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/door", fiberauth.Authenticate(g), func(c *fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	return serving.Start(t, app.Listener, app.ShutdownWithTimeout)
}
