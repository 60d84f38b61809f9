package echoauth_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth"
)

// shipped are the middlewares of Echo that hold back, replace, delay, compress
// or watch a response.
func shipped() map[string]echo.MiddlewareFunc {
	requestLogger := func(handleError bool) echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
			HandleError: handleError, LogStatus: true, LogResponseSize: true,
			LogValuesFunc: func(echo.Context, middleware.RequestLoggerValues) error { return nil },
		})
	}
	return map[string]echo.MiddlewareFunc{
		"none":                 func(next echo.HandlerFunc) echo.HandlerFunc { return next },
		"BodyDump":             middleware.BodyDump(func(echo.Context, []byte, []byte) {}),
		"BodyLimit":            middleware.BodyLimit("1M"),
		"ContextTimeout":       middleware.ContextTimeout(time.Minute),
		"CORS":                 middleware.CORS(),
		"CSRF":                 middleware.CSRF(),
		"Decompress":           middleware.Decompress(),
		"Gzip":                 middleware.Gzip(),
		"Gzip with MinLength":  middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 100_000}),
		"RateLimiter":          middleware.RateLimiter(middleware.NewRateLimiterMemoryStore(1e6)),
		"Recover":              middleware.Recover(),
		"RequestID":            middleware.RequestID(),
		"RequestLogger":        requestLogger(false),
		"RequestLogger, error": requestLogger(true),
		"Secure":               middleware.Secure(),
		"Timeout":              middleware.TimeoutWithConfig(middleware.TimeoutConfig{Timeout: time.Minute}),
		"TimeoutHandler": echo.WrapMiddleware(func(h http.Handler) http.Handler {
			return http.TimeoutHandler(h, time.Minute, "")
		}),
	}
}

// TestMiddlewares: whatever stands in front of a gate or behind it, and whatever
// the error handler does, a refusal is one answer.
func TestMiddlewares(t *testing.T) {
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	secret := func(c echo.Context) error { return c.String(http.StatusOK, authtest.MiddlewareSecret) }
	handlers := map[string]echo.HTTPErrorHandler{"Echo's": nil, "own": func(_ error, c echo.Context) { _ = c.JSON(http.StatusTeapot, "own") }}
	for name, m := range shipped() {
		for _, order := range []string{"outside", "inside"} {
			for who, handler := range handlers {
				t.Run(fmt.Sprintf("%s %s, %s error handler", name, order, who), func(t *testing.T) {
					e := echo.New()
					if handler != nil {
						e.HTTPErrorHandler = handler
					}
					around := func(gate echo.MiddlewareFunc) []echo.MiddlewareFunc {
						if order == "inside" {
							return []echo.MiddlewareFunc{gate, m}
						}
						return []echo.MiddlewareFunc{m, gate}
					}
					e.GET("/gate", secret, around(echoauth.Authorize(g))...)
					e.GET("/check", func(c echo.Context) error {
						if err := echoauth.Check(c, g, authtest.MiddlewareRule()); err != nil {
							return err
						}
						return secret(c)
					}, around(echoauth.Optional(g))...)
					e.GET("/wrong", func(c echo.Context) error {
						_ = echoauth.Check(c, g, authtest.MiddlewareRule())
						return secret(c)
					}, around(echoauth.Optional(g))...)
					s := httptest.NewServer(e)
					defer s.Close()
					authtest.CheckMiddleware(t, s.URL)
				})
			}
		}
	}
}
