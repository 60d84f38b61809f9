package fiberauth_test

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// opened has to be closed.
type opened struct {
	io.Reader
	closed chan struct{}
}

func newOpened() *opened { return &opened{strings.NewReader(leak), make(chan struct{})} }

func (o *opened) Close() error {
	close(o.closed)
	return nil
}

// streams are ways to answer with a body that is read while it is sent. Each returns a
// channel that is closed when the server is done with it.
var streams = map[string]func(fiber.Ctx) <-chan struct{}{
	"reader": func(c fiber.Ctx) <-chan struct{} {
		o := newOpened()
		_ = c.SendStream(o) // which never fails
		return o.closed
	},
	"writer": func(c fiber.Ctx) <-chan struct{} {
		ended := make(chan struct{})
		_ = c.SendStreamWriter(func(w *bufio.Writer) {
			defer close(ended)
			for range 100 {
				if _, err := w.Write(make([]byte, 10_000)); err != nil {
					return
				}
			}
		})
		return ended
	},
	"time-out": func(c fiber.Ctx) <-chan struct{} {
		o := newOpened()
		_ = c.SendStream(o) // which never fails
		c.RequestCtx().TimeoutError(leak)
		return o.closed
	},
}

// TestNothingStaysOpen: after a refused check, the handler or an error handler may answer
// with a file. A server closes what it sends; what is dropped because of a refusal must
// be closed too.
func TestNothingStaysOpen(t *testing.T) {
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	nothing := func(c fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) }
	check := func(c fiber.Ctx) error { return fiberauth.Check(c, g, authtest.MiddlewareRule()) }
	for kind, stream := range streams {
		ended := make(chan (<-chan struct{}), 1)
		answer := func(c fiber.Ctx) error {
			ended <- stream(c)
			return nil
		}
		goesOn := func(c fiber.Ctx) error {
			_ = check(c)
			return answer(c)
		}
		own := fiber.Config{ErrorHandler: func(c fiber.Ctx, _ error) error { return answer(c) }}
		for name, tt := range map[string]struct {
			cfg      fiber.Config
			handlers []fiber.Handler
		}{
			"handler":                             {fiber.Config{}, []fiber.Handler{fiberauth.Optional(g), goesOn}},
			"handler behind two gates":            {fiber.Config{}, []fiber.Handler{fiberauth.Optional(g), fiberauth.Optional(g), goesOn}},
			"handler around a gate":               {fiber.Config{}, []fiber.Handler{fiberauth.Optional(g), around(fiberauth.Authorize(g), answer), nothing}},
			"error handler, refused by a gate":    {own, []fiber.Handler{fiberauth.Authorize(g), nothing}},
			"error handler, refused by two gates": {own, []fiber.Handler{fiberauth.Optional(g), fiberauth.Authorize(g), nothing}},
			"error handler, refused by a check":   {own, []fiber.Handler{fiberauth.Optional(g), check}},
		} {
			app := fiber.New(tt.cfg)
			handle(app, http.MethodGet, "/", tt.handlers...)
			addr := listen(t, app)
			for _, request := range []string{authtest.Request("GET", "/"), authtest.Request("HEAD", "/")} {
				if a := authtest.Send(t, addr, request); a.Status != http.StatusUnauthorized || strings.Contains(a.Body, leak) {
					t.Errorf("%s, %s: %d %q", kind, name, a.Status, a.Body)
				}
				select {
				case <-<-ended:
				case <-time.After(authtest.TimeLimit(time.Minute)):
					t.Errorf("%s, %s: it is still open", kind, name)
				}
			}
		}
	}
}

// around calls h and then next.
func around(h, next fiber.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		_ = h(c)
		return next(c)
	}
}
