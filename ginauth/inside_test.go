package ginauth_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/ginauth"
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

// TestRefusalsInside: an engine behind another engine's gate, or called again by
// HandleContext, refuses as it does alone. Its context is not used after it has returned,
// since another request may have it.
func TestRefusalsInside(t *testing.T) {
	gin.SetMode(gin.TestMode)
	plain := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	hidden, err := plain.With(core.WithConcealment(nil))
	if err != nil {
		t.Fatal(err)
	}
	for kind, g := range map[string]*core.Guard{"plain": plain, "concealing": hidden} {
		var seen *gin.Context // of the engine inside
		var left gin.ResponseWriter
		inner := gin.New()
		inner.Use(func(c *gin.Context) { seen = c })
		inner.GET("/gate", ginauth.Authorize(g), func(c *gin.Context) { c.String(http.StatusOK, "let in") })
		check := func(c *gin.Context) {
			if ginauth.Check(c, g, authtest.MiddlewareRule()) == nil {
				c.String(http.StatusOK, "let in")
			}
			c.Header("X-Late", "late")
			_, _ = c.Writer.WriteString("late")
		}
		inner.GET("/check", ginauth.Optional(g), check)
		inner.GET("/again/:way", ginauth.Optional(g), func(c *gin.Context) {
			c.Request.URL.Path = "/" + c.Param("way")
			inner.HandleContext(c)
			_, _ = c.Writer.WriteString("late")
		})
		serve := func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			left = seen.Writer
		}
		late := func(w http.ResponseWriter, r *http.Request) {
			serve(w, r)
			_, _ = io.WriteString(w, "late")
		}
		wrapped := func(w http.ResponseWriter, r *http.Request) { serve(bare{w}, r) }
		outer := func(h http.HandlerFunc) http.Handler {
			e := gin.New()
			e.GET("/*rest", ginauth.Optional(g), gin.WrapF(h))
			return e
		}
		for where, h := range map[string]http.Handler{
			"behind a gate of net/http":             httpauth.Optional(g)(http.HandlerFunc(late)),
			"behind a gate of net/http and another": httpauth.Optional(g)(http.HandlerFunc(wrapped)),
			"behind a gate of Gin":                  outer(late),
			"behind a gate of Gin and another":      outer(wrapped),
			"handled again":                         nil,
		} {
			for _, way := range []string{"/gate", "/check"} {
				for _, who := range []string{"", "Name bob"} {
					what := kind + ", " + where + ", " + way + " as " + who
					want := httptest.NewRecorder()
					inner.ServeHTTP(want, asking(way, who))
					left = nil
					got, path := httptest.NewRecorder(), way
					w := told{got, func() {
						if left != nil && left != seen.Writer {
							t.Errorf("%s: the context is used after its request", what)
						}
					}}
					if h == nil {
						path = "/again" + way
						inner.ServeHTTP(w, asking(path, who))
					} else {
						h.ServeHTTP(w, asking(path, who))
					}
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
