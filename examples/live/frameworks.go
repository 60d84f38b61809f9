package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/fiberauth"
	"github.com/sallyport-go/sallyport/ginauth"
)

// eventStream is the media type of server-sent events.
const eventStream = "text/event-stream"

// frameworks are the servers, by the value of the flag.
var frameworks = map[string]func(*site) demo.Server{
	"nethttp": func(s *site) demo.Server { return httpServer(s.routesNetHTTP()) },
	"gin":     func(s *site) demo.Server { return httpServer(s.routesGin()) },
	"echo":    func(s *site) demo.Server { return httpServer(s.routesEcho()) },
	"echo5":   func(s *site) demo.Server { return httpServer(s.routesEcho5()) },
	"fiber":   func(s *site) demo.Server { return fiberServer{s.routesFiber()} },
	"fiber3":  func(s *site) demo.Server { return fiber3Server{s.routesFiber3()} },
}

// httpServer has no WriteTimeout: it would end the connections that stay open.
func httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
}

// sending begins a stream of events on w; what it gives sends a text at once.
func sending(w http.ResponseWriter) func(string) error {
	w.Header().Set("Content-Type", eventStream)
	return func(text string) error {
		_, err := io.WriteString(w, text)
		return errors.Join(err, http.NewResponseController(w).Flush())
	}
}

// buffered is sending for a stream of fasthttp.
func buffered(w *bufio.Writer) func(string) error {
	return func(text string) error {
		_, err := w.WriteString(text)
		return errors.Join(err, w.Flush())
	}
}

// routesGin are the routes on Gin.
func (s *site) routesGin() http.Handler {
	app, signedIn := gin.New(), ginauth.Authenticate(s.live)
	app.POST("/login", ginauth.Serve(s.sessions.LoginEndpoint(s.users)))
	app.POST("/logout", ginauth.Serve(s.sessions.LogoutEndpoint()))
	app.GET("/talk", signedIn, gin.WrapF(s.talk))
	app.GET("/events", signedIn, func(c *gin.Context) { s.events(c.Request.Context(), sending(c.Writer)) })
	return app
}

// routesEcho are the routes on Echo.
func (s *site) routesEcho() http.Handler {
	app, signedIn := echo.New(), echoauth.Authenticate(s.live)
	app.POST("/login", echoauth.Serve(s.sessions.LoginEndpoint(s.users)))
	app.POST("/logout", echoauth.Serve(s.sessions.LogoutEndpoint()))
	app.GET("/talk", echo.WrapHandler(http.HandlerFunc(s.talk)), signedIn)
	app.GET("/events", func(c echo.Context) error {
		s.events(c.Request().Context(), sending(c.Response()))
		return nil
	}, signedIn)
	return app
}

// routesFiber are the routes on Fiber. The stream begins when the handler has
// returned, so it takes the context, and not c.
func (s *site) routesFiber() *fiber.App {
	app, signedIn := fiber.New(fiber.Config{DisableStartupMessage: true}), fiberauth.Authenticate(s.live)
	app.Post("/login", fiberauth.Serve(s.sessions.LoginEndpoint(s.users)))
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))
	app.Get("/talk", signedIn, func(c *fiber.Ctx) error {
		s.talkOnFiber(c.UserContext(), c.Context())
		return nil
	})
	app.Get("/events", signedIn, func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		c.Set(fiber.HeaderContentType, eventStream)
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { s.events(ctx, buffered(w)) })
		return nil
	})
	return app
}

// fiberServer gives Fiber's server the method names of net/http's.
type fiberServer struct{ app *fiber.App }

func (f fiberServer) Serve(l net.Listener) error         { return f.app.Listener(l) }
func (f fiberServer) Shutdown(ctx context.Context) error { return f.app.ShutdownWithContext(ctx) }
