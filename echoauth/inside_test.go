package echoauth_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/echoauth"
)

// bare hides the optional methods of the writer that it wraps.
type bare struct{ http.ResponseWriter }

// told is a response that reports when its header is sent.
type told struct {
	*httptest.ResponseRecorder
	sent func()
}

func (w told) WriteHeader(status int) {
	w.sent()
	w.ResponseRecorder.WriteHeader(status)
}

// TestRefusalsInside: an app behind another app's gate refuses as it does alone. Its
// context is not used after it has returned, since another request may have it.
func TestRefusalsInside(t *testing.T) {
	plain := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	hidden, err := plain.With(core.WithConcealment(nil))
	if err != nil {
		t.Fatal(err)
	}
	for kind, g := range map[string]*core.Guard{"plain": plain, "concealing": hidden} {
		var seen echo.Context // of the app inside
		var left http.ResponseWriter
		inner := echo.New()
		inner.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				seen = c
				return next(c)
			}
		})
		letIn := func(c echo.Context) error { return c.String(http.StatusOK, "let in") }
		inner.GET("/gate", letIn, echoauth.Authorize(g))
		inner.GET("/check", func(c echo.Context) error {
			err := echoauth.Check(c, g, authtest.MiddlewareRule())
			if err == nil {
				return letIn(c)
			}
			c.Response().Header().Set("X-Late", "late")
			_, _ = io.WriteString(c.Response(), "late")
			return err
		}, echoauth.Optional(g))
		serve := func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			left = seen.Response().Writer
		}
		wrapped := func(w http.ResponseWriter, r *http.Request) { serve(bare{w}, r) }
		outer := func(h http.HandlerFunc) http.Handler {
			e := echo.New()
			e.GET("/*", echo.WrapHandler(h), echoauth.Optional(g))
			return e
		}
		for where, h := range map[string]http.Handler{
			"behind a gate of net/http":             httpauth.Optional(g)(http.HandlerFunc(serve)),
			"behind a gate of net/http and another": httpauth.Optional(g)(http.HandlerFunc(wrapped)),
			"behind a gate of Echo":                 outer(serve),
			"behind a gate of Echo and another":     outer(wrapped),
		} {
			for _, way := range []string{"/gate", "/check"} {
				for _, who := range []string{"", "Name bob"} {
					what := kind + ", " + where + ", " + way + " as " + who
					want, got := httptest.NewRecorder(), httptest.NewRecorder()
					inner.ServeHTTP(want, asking(way, who))
					left = nil
					h.ServeHTTP(told{got, func() {
						if left != nil && left != seen.Response().Writer {
							t.Errorf("%s: the context is used after its request", what)
						}
					}}, asking(way, who))
					if want.Code < 400 || got.Code != want.Code || got.Body.String() != want.Body.String() || g == plain && got.Header().Get("Cache-Control") != "no-store" || got.Result().Header.Get("X-Late") != "" {
						t.Errorf("%s: %d %v %q, alone %d %v %q", what, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
					}
				}
			}
		}
	}
}

func asking(path, who string) *http.Request {
	r := httptest.NewRequest("GET", path, nil)
	if who != "" {
		r.Header.Set("Authorization", who)
	}
	return r
}
