package ginauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/ginauth"
)

// TestCachingOfRequestsHandledAgain: an answer to a known principal is private, even if a
// handler behind a gate passes the request to the engine again and another handler sets
// other cache fields (RFC 9111 §3.5, §4.1).
func TestCachingOfRequestsHandledAgain(t *testing.T) {
	gin.SetMode(gin.TestMode)
	gate := ginauth.Authorize(authtest.MountGuard(t, false))
	answer := func(c *gin.Context) {
		c.Header("Cache-Control", "public, max-age=60")
		c.Header("Vary", "Accept")
		c.String(http.StatusOK, "for %s", ginauth.Principal(c).ID())
	}
	override := func(e *gin.Engine) gin.HandlerFunc {
		return func(c *gin.Context) {
			if method := c.GetHeader("X-HTTP-Method-Override"); method != "" && c.Request.Method != method {
				c.Request.Method = method
				e.HandleContext(c)
				c.Abort()
			}
		}
	}
	for name, build := range map[string]func(e *gin.Engine){
		"gate on all routes": func(e *gin.Engine) {
			e.Use(gate, override(e))
			e.GET("/", answer)
			e.POST("/", answer)
		},
		"gates on both routes": func(e *gin.Engine) {
			e.POST("/", gate, override(e))
			e.GET("/", gate, answer)
		},
		"gate on the second": func(e *gin.Engine) {
			e.POST("/", override(e))
			e.GET("/", gate, answer)
		},
	} {
		e := gin.New()
		build(e)
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", "Name alice")
		r.Header.Set("X-HTTP-Method-Override", "GET")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		sent := w.Result().Header
		cache, vary := sent.Get("Cache-Control"), sent.Values("Vary")
		if w.Code != http.StatusOK || cache != "private, max-age=60" || len(vary) != 2 {
			t.Errorf("%s: %d, Cache-Control %q, Vary %q", name, w.Code, cache, vary)
		}
	}
}
