package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// signOutEverywhere ends all sessions of a user, that of the request included.
func (s *site) signOutEverywhere(p *core.Principal) core.Endpoint {
	return func(ctx context.Context, r core.Request) core.Response {
		if err := s.sessions.LogoutEverywhere(ctx, p.ID()); err != nil {
			return s.sessions.Refuse(err)(ctx, r)
		}
		fields, err := s.sessions.Logout(ctx, r)
		if err != nil {
			return s.sessions.Refuse(err)(ctx, r)
		}
		return core.Response{Status: http.StatusNoContent, Fields: fields}
	}
}

// frameworks are the servers, by the value of the flag.
var frameworks = map[string]func(*site) demo.Server{
	"nethttp": func(s *site) demo.Server { return httpServer(s.routesNetHTTP()) },
	"gin":     func(s *site) demo.Server { return httpServer(s.routesGin()) },
	"echo":    func(s *site) demo.Server { return httpServer(s.routesEcho()) },
	"echo5":   func(s *site) demo.Server { return httpServer(s.routesEcho5()) },
	"fiber":   func(s *site) demo.Server { return fiberServer{s.routesFiber()} },
	"fiber3":  func(s *site) demo.Server { return fiber3Server{s.routesFiber3()} },
}

func httpServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
}

// fiberServer gives Fiber's server the method names of net/http's.
type fiberServer struct{ app *fiber.App }

func (f fiberServer) Serve(l net.Listener) error         { return f.app.Listener(l) }
func (f fiberServer) Shutdown(ctx context.Context) error { return f.app.ShutdownWithContext(ctx) }
