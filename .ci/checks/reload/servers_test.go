package reload_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// server is a running server.
type server struct{ name, url string }

// servers starts one server per framework, all with the same guard.
func servers(t *testing.T, g *core.Guard) []server {
	t.Helper()
	return []server{
		{"gin", serve(t, ginHandler(g))},
		{"fiber", serveFiber(t, g)},
		{"fiber3", serveFiber3(t, g)},
		{"echo", serve(t, echoHandler(g))},
		{"echo5", serve(t, echo5Handler(g))},
		{"net/http", serve(t, httpauth.Authorize(g)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
		})))},
	}
}

func ginHandler(g *core.Guard) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.GET("/:room", ginauth.Authorize(g), func(c *gin.Context) { c.Status(http.StatusOK) })
	return r
}

func echoHandler(g *core.Guard) http.Handler {
	e := echo.New()
	e.GET("/:room", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, echoauth.Authorize(g))
	return e
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func serveFiber(t *testing.T, g *core.Guard) string {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/:room", fiberauth.Authorize(g), func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	return "http://" + serving.Start(t, app.Listener, app.ShutdownWithTimeout)
}

// guard knows everybody whose password is their name.
func guard(t *testing.T, rules core.Authorizer, o core.Observer) *core.Guard {
	t.Helper()
	scheme, err := basic.New("rooms", basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
		if user != password {
			return nil, basic.ErrWrongPassword
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	}))
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(rules), core.WithObserver(o))
	if err != nil {
		t.Fatal(err)
	}
	return g
}
