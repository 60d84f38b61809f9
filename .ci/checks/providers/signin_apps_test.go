package providers_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	fiber3 "github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"
	echo5 "github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/echoauth"
	echoauth5 "github.com/sallyport-go/sallyport/echoauth/echov5"
	"github.com/sallyport-go/sallyport/fiberauth"
	fiberauth3 "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
	"github.com/sallyport-go/sallyport/ginauth"
)

// server is an application of one framework.
type server struct {
	serve    func(net.Listener) error
	shutdown func(time.Duration) error
}

// frameworks mount the endpoints of a sign-in, a page behind a gate and one behind
// none.
var frameworks = []struct {
	name  string
	build func(*core.Guard, *openid.SignIn) server
}{
	{"nethttp", nethttpApp}, {"gin", ginApp}, {"echo", echoApp}, {"echo5", echo5App}, {"fiber", fiberApp}, {"fiber3", fiber3App},
}

// account is what the page behind the gate shows, out of the context that every
// framework has.
func account(ctx context.Context) string {
	p, ok := core.PrincipalFrom(ctx)
	if !ok {
		return "nobody"
	}
	return fmt.Sprintf("%s editor=%v admin=%v", p.ID(), p.HasRole("editor"), p.HasRole("admin"))
}

const home = "home"

func nethttpApp(g *core.Guard, s *openid.SignIn) server {
	mux := http.NewServeMux()
	mux.Handle("GET /login", httpauth.Serve(s.SignInEndpoint()))
	mux.Handle("GET /openid/callback/{provider}", httpauth.Serve(s.CallbackEndpoint()))
	mux.Handle("POST /openid/logout/{provider}", httpauth.Serve(s.BackChannelEndpoint()))
	mux.Handle("POST /logout", httpauth.Serve(s.LogoutEndpoint()))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, home) })
	mux.Handle("GET /account", httpauth.Authenticate(g)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, account(r.Context()))
	})))
	return httpServer(mux)
}

func ginApp(g *core.Guard, s *openid.SignIn) server {
	app := gin.New()
	app.GET("/login", ginauth.Serve(s.SignInEndpoint()))
	app.GET("/openid/callback/:provider", ginauth.Serve(s.CallbackEndpoint()))
	app.POST("/openid/logout/:provider", ginauth.Serve(s.BackChannelEndpoint()))
	app.POST("/logout", ginauth.Serve(s.LogoutEndpoint()))
	app.GET("/", func(c *gin.Context) { c.String(http.StatusOK, home) })
	app.GET("/account", ginauth.Authenticate(g), func(c *gin.Context) { c.String(http.StatusOK, "%s", account(c.Request.Context())) })
	return httpServer(app)
}

func echoApp(g *core.Guard, s *openid.SignIn) server {
	app := echo.New()
	app.GET("/login", echoauth.Serve(s.SignInEndpoint()))
	app.GET("/openid/callback/:provider", echoauth.Serve(s.CallbackEndpoint()))
	app.POST("/openid/logout/:provider", echoauth.Serve(s.BackChannelEndpoint()))
	app.POST("/logout", echoauth.Serve(s.LogoutEndpoint()))
	app.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, home) })
	app.GET("/account", func(c echo.Context) error { return c.String(http.StatusOK, account(c.Request().Context())) }, echoauth.Authenticate(g))
	return httpServer(app)
}

func echo5App(g *core.Guard, s *openid.SignIn) server {
	app := echo5.New()
	app.GET("/login", echoauth5.Serve(s.SignInEndpoint()))
	app.GET("/openid/callback/:provider", echoauth5.Serve(s.CallbackEndpoint()))
	app.POST("/openid/logout/:provider", echoauth5.Serve(s.BackChannelEndpoint()))
	app.POST("/logout", echoauth5.Serve(s.LogoutEndpoint()))
	app.GET("/", func(c *echo5.Context) error { return c.String(http.StatusOK, home) })
	app.GET("/account", func(c *echo5.Context) error { return c.String(http.StatusOK, account(c.Request().Context())) }, echoauth5.Authenticate(g))
	return httpServer(app)
}

func fiberApp(g *core.Guard, s *openid.SignIn) server {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/login", fiberauth.Serve(s.SignInEndpoint()))
	app.Get("/openid/callback/:provider", fiberauth.Serve(s.CallbackEndpoint()))
	app.Post("/openid/logout/:provider", fiberauth.Serve(s.BackChannelEndpoint()))
	app.Post("/logout", fiberauth.Serve(s.LogoutEndpoint()))
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString(home) })
	app.Get("/account", fiberauth.Authenticate(g), func(c *fiber.Ctx) error { return c.SendString(account(c.UserContext())) })
	return server{app.Listener, app.ShutdownWithTimeout}
}

func fiber3App(g *core.Guard, s *openid.SignIn) server {
	app := fiber3.New()
	app.Get("/login", fiberauth3.Serve(s.SignInEndpoint()))
	app.Get("/openid/callback/:provider", fiberauth3.Serve(s.CallbackEndpoint()))
	app.Post("/openid/logout/:provider", fiberauth3.Serve(s.BackChannelEndpoint()))
	app.Post("/logout", fiberauth3.Serve(s.LogoutEndpoint()))
	app.Get("/", func(c fiber3.Ctx) error { return c.SendString(home) })
	app.Get("/account", fiberauth3.Authenticate(g), func(c fiber3.Ctx) error { return c.SendString(account(c.Context())) })
	return server{func(l net.Listener) error {
		return app.Listener(l, fiber3.ListenConfig{DisableStartupMessage: true})
	}, app.ShutdownWithTimeout}
}

func init() { gin.SetMode(gin.TestMode) }

func httpServer(h http.Handler) server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	return server{
		func(l net.Listener) error {
			if err := s.Serve(l); err != http.ErrServerClosed {
				return err
			}
			return nil
		},
		func(time.Duration) error { return s.Close() },
	}
}
