package probe

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// frameworks serve wrong routes, each by its own router, behind a middleware that
// is wrong about odd request targets.
var frameworks = map[string]func(testing.TB, net.Listener, *wrongs){
	"net/http": func(t testing.TB, l net.Listener, w *wrongs) {
		mux := http.NewServeMux()
		for _, f := range w.faults {
			mux.HandleFunc("/"+f.Name, func(rw http.ResponseWriter, r *http.Request) { write(rw, w.at(f, ask(r))) })
		}
		authtest.ServeHTTP(t, l, w.front(mux))
	},
	"Gin": func(t testing.TB, l net.Listener, w *wrongs) {
		gin.SetMode(gin.ReleaseMode)
		e := gin.New()
		e.RedirectTrailingSlash = false
		e.Use(func(c *gin.Context) {
			if a, ok := w.odd(ask(c.Request)); ok {
				write(c.Writer, a)
				c.Abort()
			}
		})
		for _, f := range w.faults {
			e.Any("/"+f.Name, func(c *gin.Context) { write(c.Writer, w.at(f, ask(c.Request))) })
		}
		authtest.ServeHTTP(t, l, e)
	},
	"Echo": func(t testing.TB, l net.Listener, w *wrongs) {
		e := echo.New()
		e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				if a, ok := w.odd(ask(c.Request())); ok {
					write(c.Response(), a)
					return nil
				}
				return next(c)
			}
		})
		for _, f := range w.faults {
			e.Any("/"+f.Name, func(c echo.Context) error {
				write(c.Response(), w.at(f, ask(c.Request())))
				return nil
			})
		}
		authtest.ServeHTTP(t, l, e)
	},
	"Fiber": func(t testing.TB, l net.Listener, w *wrongs) {
		app := fiber.New(fiber.Config{DisableStartupMessage: true, CaseSensitive: true, StrictRouting: true})
		answer := func(c *fiber.Ctx, a reply) error {
			for name, value := range a.fields {
				c.Set(name, value)
			}
			return c.Status(a.status).SendString(a.body)
		}
		asked := func(c *fiber.Ctx) query {
			return query{c.Method(), string(c.Request().Header.RequestURI()), string(c.Body()), func(name string) string { return c.Get(name) }}
		}
		app.Use(func(c *fiber.Ctx) error {
			if a, ok := w.odd(asked(c)); ok {
				return answer(c, a)
			}
			return c.Next()
		})
		for _, f := range w.faults {
			app.All("/"+f.Name, func(c *fiber.Ctx) error { return answer(c, w.at(f, asked(c))) })
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = app.Listener(l) // ends with Shutdown
		}()
		t.Cleanup(func() {
			_ = app.Shutdown()
			<-done
		})
	},
}

// ask is what a server shows of a request, whose body is put back.
func ask(r *http.Request) query {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = nil // the client has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return query{r.Method, r.RequestURI, string(body), r.Header.Get}
}

func write(w http.ResponseWriter, a reply) {
	for name, value := range a.fields {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the client has gone
}

// front answers odd request targets in front of a handler.
func (w *wrongs) front(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if a, ok := w.odd(ask(r)); ok {
			write(rw, a)
			return
		}
		h.ServeHTTP(rw, r)
	})
}
