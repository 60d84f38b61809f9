package echoauth_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

// shipped are the middlewares of Echo that buffer, replace, delay, compress or observe a
// response.
func shipped() map[string]echo.MiddlewareFunc {
	requestLogger := func(handleError bool) echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
			HandleError: handleError, LogStatus: true, LogResponseSize: true,
			LogValuesFunc: func(*echo.Context, middleware.RequestLoggerValues) error { return nil },
		})
	}
	return map[string]echo.MiddlewareFunc{
		"none":                 func(next echo.HandlerFunc) echo.HandlerFunc { return next },
		"BodyDump":             middleware.BodyDump(func(*echo.Context, []byte, []byte, error) {}),
		"BodyLimit":            middleware.BodyLimit(1_000_000),
		"ContextTimeout":       middleware.ContextTimeout(time.Minute),
		"CORS":                 middleware.CORS("https://app.example"),
		"CSRF":                 middleware.CSRF(),
		"AddTrailingSlash":     middleware.AddTrailingSlash(),
		"Decompress":           middleware.Decompress(),
		"Gzip":                 middleware.Gzip(),
		"Gzip with MinLength":  middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 100_000}),
		"MethodOverride":       middleware.MethodOverride(),
		"RateLimiter":          middleware.RateLimiter(middleware.NewRateLimiterMemoryStore(1e6)),
		"Recover":              middleware.Recover(),
		"RemoveTrailingSlash":  middleware.RemoveTrailingSlash(),
		"RequestID":            middleware.RequestID(),
		"RequestLogger":        requestLogger(false),
		"RequestLogger, error": requestLogger(true),
		"Rewrite":              middleware.Rewrite(map[string]string{"/none/*": "/other/$1"}),
		"Secure":               middleware.Secure(),
		"Static":               middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: fstest.MapFS{}}),
		"TimeoutHandler": echo.WrapMiddleware(func(h http.Handler) http.Handler {
			return http.TimeoutHandler(h, time.Minute, "")
		}),
	}
}

// homemade are middlewares such as applications write, around Echo's response or inside it.
func homemade() map[string]echo.MiddlewareFunc {
	around := func(wrap func(w http.ResponseWriter) (http.ResponseWriter, func(error))) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				below := c.Response()
				w, done := wrap(below)
				c.SetResponse(w)
				err := next(c)
				c.SetResponse(below)
				done(err)
				return err
			}
		}
	}
	return map[string]echo.MiddlewareFunc{
		"opaque": around(func(w http.ResponseWriter) (http.ResponseWriter, func(error)) {
			return struct{ http.ResponseWriter }{w}, func(error) {}
		}),
		"opaque, flushing": around(func(w http.ResponseWriter) (http.ResponseWriter, func(error)) {
			return struct {
				http.ResponseWriter
				http.Flusher
			}{w, w.(http.Flusher)}, func(error) {}
		}),
		"buffer": around(func(w http.ResponseWriter) (http.ResponseWriter, func(error)) {
			b := &buffer{w: w}
			return b, func(error) { b.send() }
		}),
		"buffer, unwrapping": around(func(w http.ResponseWriter) (http.ResponseWriter, func(error)) {
			b := &unwrapping{buffer{w: w}}
			return b, func(error) { b.send() }
		}),
		"buffer dropped for an error": around(func(w http.ResponseWriter) (http.ResponseWriter, func(error)) {
			b := &buffer{w: w}
			return b, func(err error) {
				if err == nil {
					b.send()
				}
			}
		}),
		"inside the response": func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				resp, err := echo.UnwrapResponse(c.Response())
				if err != nil {
					return err
				}
				below := resp.ResponseWriter
				resp.ResponseWriter = struct{ http.ResponseWriter }{below}
				defer func() { resp.ResponseWriter = below }()
				return next(c)
			}
		},
		"another response": func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				c.SetResponse(echo.NewResponse(c.Response(), quiet))
				return next(c)
			}
		},
		"Gzip in Gzip": func(next echo.HandlerFunc) echo.HandlerFunc {
			return middleware.Gzip()(middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 100_000})(next))
		},
	}
}

// buffer holds an answer back until it is sent.
type buffer struct {
	w      http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.w.Header() }
func (b *buffer) WriteHeader(status int)      { b.status = status }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }

func (b *buffer) send() {
	if b.status > 0 {
		b.w.WriteHeader(b.status)
	}
	if b.body.Len() > 0 {
		_, _ = b.w.Write(b.body.Bytes()) // to a test
	}
}

// unwrapping is a buffer with an Unwrap method.
type unwrapping struct{ buffer }

func (u *unwrapping) Unwrap() http.ResponseWriter { return u.w }

// TestMiddlewares: whatever middleware is before or after a gate, and whatever the error
// handler does, a refusal is one answer.
func TestMiddlewares(t *testing.T) {
	handlers := map[string]echo.HTTPErrorHandler{
		"Echo's": nil, "own": func(c *echo.Context, _ error) { _ = c.JSON(http.StatusTeapot, "own") },
		"problem details": echo.ProblemDetailsHTTPErrorHandler(true),
	}
	all := shipped()
	for name, m := range homemade() {
		all["own: "+name] = m
	}
	for name, m := range all {
		for _, order := range []string{"outside", "inside", "around the app"} {
			for who, handler := range handlers {
				t.Run(fmt.Sprintf("%s %s, %s error handler", name, order, who), func(t *testing.T) {
					e := echo.NewWithConfig(echo.Config{Logger: quiet, HTTPErrorHandler: handler})
					if order == "around the app" {
						e.Use(m)
					}
					serveMiddleware(t, e, "", func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
						switch order {
						case "inside":
							return []echo.MiddlewareFunc{gate, m}
						case "outside":
							return []echo.MiddlewareFunc{m, gate}
						}
						return []echo.MiddlewareFunc{gate}
					}, secret)
				})
			}
		}
	}
}

func secret(c *echo.Context) error { return c.String(http.StatusOK, authtest.MiddlewareSecret) }

// serveMiddleware runs [authtest.CheckMiddleware] on e below prefix, with routes that end
// in handler.
func serveMiddleware(t *testing.T, e *echo.Echo, prefix string, around func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc, handler echo.HandlerFunc) {
	t.Helper()
	g := authtest.MiddlewareGuard(t, core.WithLogger(quiet))
	e.GET("/gate", handler, around(echoauth.Authorize(g))...)
	e.GET("/check", func(c *echo.Context) error {
		if err := echoauth.Check(c, g, authtest.MiddlewareRule()); err != nil {
			return err
		}
		return handler(c)
	}, around(echoauth.Optional(g))...)
	e.GET("/wrong", func(c *echo.Context) error {
		_ = echoauth.Check(c, g, authtest.MiddlewareRule())
		return handler(c)
	}, around(echoauth.Optional(g))...)
	s := httptest.NewServer(e)
	defer s.Close()
	authtest.CheckMiddleware(t, s.URL+prefix)
}

// TestRefusalsAreNotCompressed: they are written below all wrappers of the response, as
// docs/echo5.md says.
func TestRefusalsAreNotCompressed(t *testing.T) {
	e := echo.NewWithConfig(echo.Config{Logger: quiet})
	e.Use(middleware.Gzip())
	e.GET("/gate", secret, echoauth.Authorize(authtest.MiddlewareGuard(t, core.WithLogger(quiet))))
	for who, encoding := range map[string]string{"alice": "gzip", "bob": ""} {
		r, w := httptest.NewRequest(http.MethodGet, "/gate", nil), httptest.NewRecorder()
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("Authorization", "Name "+who)
		if e.ServeHTTP(w, r); w.Header().Get("Content-Encoding") != encoding {
			t.Errorf("%s: %d %v", who, w.Code, w.Header())
		}
	}
}

// TestAnsweringMiddlewares: after a refusal, nothing that Proxy and Static answer is sent,
// whatever fields they set.
func TestAnsweringMiddlewares(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("ETag", `"1"`)
		_, _ = io.WriteString(w, authtest.MiddlewareSecret) // to the proxy
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	file := &fstest.MapFile{Data: []byte(authtest.MiddlewareSecret), ModTime: time.Unix(1, 0)}
	files := fstest.MapFS{"gate": file, "check": file, "wrong": file}
	for name, m := range map[string]echo.MiddlewareFunc{
		"Proxy":  middleware.Proxy(middleware.NewRandomBalancer([]*middleware.ProxyTarget{{URL: target}})),
		"Static": middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: files}),
	} {
		t.Run(name, func(t *testing.T) {
			serveMiddleware(t, echo.NewWithConfig(echo.Config{Logger: quiet}), "", func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
				return []echo.MiddlewareFunc{gate}
			}, m(func(*echo.Context) error { return echo.ErrNotFound }))
		})
	}
}

// TestRewritingMiddlewares: refusals are unaffected if a path is rewritten before routing.
// One that is rewritten afterwards is refused, since it is not the one that was matched.
func TestRewritingMiddlewares(t *testing.T) {
	rewrite := middleware.Rewrite(map[string]string{"/old/*": "/$1"})
	e := echo.New()
	e.Pre(middleware.RemoveTrailingSlash(), rewrite)
	serveMiddleware(t, e, "/old", func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
		return []echo.MiddlewareFunc{gate}
	}, secret)

	e = echo.New()
	e.Use(rewrite)
	e.GET("/old/*", secret, echoauth.Authorize(authtest.MiddlewareGuard(t, core.WithLogger(quiet))))
	r := httptest.NewRequest(http.MethodGet, "/old/gate", nil)
	r.Header.Set("Authorization", "Name alice")
	w := httptest.NewRecorder()
	if e.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
		t.Errorf("rewritten by Use: %d %s", w.Code, w.Body)
	}
}
