package echoauth_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth"
)

// shipped are the middlewares of Echo that buffer, replace, delay, compress or observe a
// response.
func shipped() map[string]echo.MiddlewareFunc {
	requestLogger := func(handleError bool) echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
			HandleError: handleError, LogStatus: true, LogResponseSize: true,
			LogValuesFunc: func(echo.Context, middleware.RequestLoggerValues) error { return nil },
		})
	}
	return map[string]echo.MiddlewareFunc{
		"none":                func(next echo.HandlerFunc) echo.HandlerFunc { return next },
		"BodyDump":            middleware.BodyDump(func(echo.Context, []byte, []byte) {}),
		"BodyLimit":           middleware.BodyLimit("1M"),
		"ContextTimeout":      middleware.ContextTimeout(time.Minute),
		"CORS":                middleware.CORS(),
		"CSRF":                middleware.CSRF(),
		"AddTrailingSlash":    middleware.AddTrailingSlash(),
		"Decompress":          middleware.Decompress(),
		"Gzip":                middleware.Gzip(),
		"Gzip with MinLength": middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 100_000}),
		//lint:ignore SA1019 applications still use it
		"Logger":               middleware.LoggerWithConfig(middleware.LoggerConfig{Output: io.Discard}),
		"MethodOverride":       middleware.MethodOverride(),
		"RateLimiter":          middleware.RateLimiter(middleware.NewRateLimiterMemoryStore(1e6)),
		"Recover":              middleware.Recover(),
		"RemoveTrailingSlash":  middleware.RemoveTrailingSlash(),
		"RequestID":            middleware.RequestID(),
		"RequestLogger":        requestLogger(false),
		"RequestLogger, error": requestLogger(true),
		"Rewrite":              middleware.Rewrite(map[string]string{"/none/*": "/other/$1"}),
		"Secure":               middleware.Secure(),
		"Static":               middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: http.FS(fstest.MapFS{})}),
		//lint:ignore SA1019 applications still use it
		"Timeout": middleware.TimeoutWithConfig(middleware.TimeoutConfig{Timeout: time.Minute}),
		"TimeoutHandler": echo.WrapMiddleware(func(h http.Handler) http.Handler {
			return http.TimeoutHandler(h, time.Minute, "")
		}),
	}
}

// TestMiddlewares: whatever middleware is before or after a gate, and whatever the error
// handler does, a refusal is one answer.
func TestMiddlewares(t *testing.T) {
	handlers := map[string]echo.HTTPErrorHandler{"Echo's": nil, "own": func(_ error, c echo.Context) { _ = c.JSON(http.StatusTeapot, "own") }}
	for name, m := range shipped() {
		for _, order := range []string{"outside", "inside"} {
			for who, handler := range handlers {
				t.Run(fmt.Sprintf("%s %s, %s error handler", name, order, who), func(t *testing.T) {
					e := echo.New()
					if handler != nil {
						e.HTTPErrorHandler = handler
					}
					serveMiddleware(t, e, "", func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
						if order == "inside" {
							return []echo.MiddlewareFunc{gate, m}
						}
						return []echo.MiddlewareFunc{m, gate}
					}, secret)
				})
			}
		}
	}
}

func secret(c echo.Context) error { return c.String(http.StatusOK, authtest.MiddlewareSecret) }

// serveMiddleware runs [authtest.CheckMiddleware] on e below prefix, with routes that end
// in handler.
func serveMiddleware(t *testing.T, e *echo.Echo, prefix string, around func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc, handler echo.HandlerFunc) {
	t.Helper()
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	e.GET("/gate", handler, around(echoauth.Authorize(g))...)
	e.GET("/check", func(c echo.Context) error {
		if err := echoauth.Check(c, g, authtest.MiddlewareRule()); err != nil {
			return err
		}
		return handler(c)
	}, around(echoauth.Optional(g))...)
	e.GET("/wrong", func(c echo.Context) error {
		_ = echoauth.Check(c, g, authtest.MiddlewareRule())
		return handler(c)
	}, around(echoauth.Optional(g))...)
	s := httptest.NewServer(e)
	defer s.Close()
	authtest.CheckMiddleware(t, s.URL+prefix)
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
	files := fstest.MapFS{"index.html": {Data: []byte(authtest.MiddlewareSecret), ModTime: time.Unix(1, 0)}}
	for name, m := range map[string]echo.MiddlewareFunc{
		"Proxy":  middleware.Proxy(middleware.NewRandomBalancer([]*middleware.ProxyTarget{{URL: target}})),
		"Static": middleware.StaticWithConfig(middleware.StaticConfig{HTML5: true, Filesystem: http.FS(files)}),
	} {
		t.Run(name, func(t *testing.T) {
			serveMiddleware(t, echo.New(), "", func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
				return []echo.MiddlewareFunc{gate}
			}, m(echo.NotFoundHandler))
		})
	}
}

// TestRewritingMiddlewares: refusals are unaffected if a path is rewritten before routing.
func TestRewritingMiddlewares(t *testing.T) {
	e := echo.New()
	e.Pre(middleware.RemoveTrailingSlash(), middleware.Rewrite(map[string]string{"/old/*": "/$1"}))
	serveMiddleware(t, e, "/old", func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
		return []echo.MiddlewareFunc{gate}
	}, secret)
}
