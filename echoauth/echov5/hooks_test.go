package echoauth_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

// TestHooksOfAResponse: Before and After functions of a response do not change a refusal,
// even if they flush it or wrap the writer that sends it.
func TestHooksOfAResponse(t *testing.T) {
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	hook := func(c *echo.Context) {
		resp, _ := c.Response().(*echo.Response)
		wrote := false
		resp.Before(func() {
			resp.Status = http.StatusOK
			resp.Header().Set("Cache-Control", "public, max-age=60")
			resp.Header().Set("Content-Type", "text/late")
			resp.Header().Set("CDN-Cache-Control", "max-age=60")
			resp.Header().Del("Vary")
			if c.QueryParam("wrap") != "" {
				resp.ResponseWriter = wrapping{resp.ResponseWriter}
			}
			if c.QueryParam("flush") != "" {
				resp.Flush()
			}
		})
		resp.After(func() {
			if !wrote {
				wrote = true
				_, _ = resp.Write([]byte("late"))
				resp.Flush()
			}
		})
	}
	front := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			hook(c)
			err := next(c)
			c.Response().Header().Set("Cache-Control", "public")
			return err
		}
	}
	check := func(c *echo.Context) error { return echoauth.Check(c, g, authtest.MiddlewareRule()) }
	behind := func(c *echo.Context) error {
		hook(c)
		return check(c)
	}
	app := echo.New()
	app.GET("/gate", check, front, echoauth.Authorize(g))
	app.GET("/second", check, echoauth.Optional(g), front, echoauth.Authorize(g))
	app.GET("/check", check, front, echoauth.Optional(g))
	app.GET("/behind", behind, echoauth.Optional(g))
	app.GET("/alone", behind)
	server := httptest.NewServer(app)
	defer server.Close()
	var paths []string
	for _, path := range []string{"/gate", "/second", "/check", "/behind", "/alone"} {
		paths = append(paths, path, path+"?flush=1", path+"?wrap=1", path+"?flush=1&wrap=1")
	}
	for _, path := range paths {
		for who, want := range map[string]int{"": http.StatusUnauthorized, "Name bob": http.StatusForbidden} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if who != "" {
				r.Header.Set("Authorization", who)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			h := resp.Header
			if resp.StatusCode != want || h.Get("Cache-Control") != "no-store" || h.Get("CDN-Cache-Control") != "" || h.Get("Content-Type") != "application/problem+json" || h.Get("Vary") == "" || err != nil || strings.Contains(string(body), "late") {
				t.Errorf("%s as %q: %d %v %q %v", path, who, resp.StatusCode, h, body, err)
			}
		}
	}
}

// wrapping is a writer around another.
type wrapping struct{ http.ResponseWriter }

func (w wrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }
