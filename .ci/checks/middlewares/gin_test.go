package middlewares

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gin-contrib/cache"
	"github.com/gin-contrib/cache/persistence"
	"github.com/gin-contrib/cors"
	"github.com/gin-contrib/gzip"
	"github.com/gin-contrib/requestid"
	"github.com/gin-contrib/secure"
	"github.com/gin-contrib/sessions"
	"github.com/gin-contrib/sessions/cookie"
	"github.com/gin-contrib/timeout"
	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/ginauth"
)

// contributed are middlewares of gin-contrib that hold back, replace, delay,
// compress or watch a response.
func contributed() map[string]gin.HandlersChain {
	m := map[string]gin.HandlersChain{
		"none": nil,
		"cors": {cors.Default()},
		"gzip": {gzip.Gzip(gzip.BestSpeed)},
		"pages": { // those of an app that answers errors in its own way
			func(c *gin.Context) {
				c.Next()
				if c.Writer.Status() >= http.StatusBadRequest {
					c.JSON(http.StatusTeapot, "own")
				}
			},
		},
		"recovery":  {gin.Recovery()},
		"requestid": {requestid.New()},
		"secure":    {secure.New(secure.Config{FrameDeny: true, ContentTypeNosniff: true})},
		"sessions": {sessions.Sessions("session", cookie.NewStore([]byte("32 bytes that sign the cookies.."))), func(c *gin.Context) {
			s := sessions.Default(c)
			s.Set("seen", true)
			if err := s.Save(); err != nil {
				panic(err)
			}
		}},
		"timeout": {timeout.New(timeout.WithTimeout(time.Minute))},
	}
	// gzip around timeout is not among them: it cuts off every body, also without
	// gates, since it sends the length of what it has not compressed.
	for _, pair := range [][2]string{{"timeout", "gzip"}, {"pages", "gzip"}, {"pages", "timeout"}, {"gzip", "pages"}} {
		chain := append(gin.HandlersChain{}, m[pair[0]]...)
		m[pair[0]+" around "+pair[1]] = append(chain, m[pair[1]]...)
	}
	return m
}

// TestGin: whatever stands in front of a gate or behind it, a refusal is one
// answer.
func TestGin(t *testing.T) {
	for name, chain := range contributed() {
		for _, order := range []string{"outside", "inside"} {
			t.Run(name+" "+order, func(t *testing.T) {
				authtest.CheckMiddleware(t, serve(t, func(gate, handler gin.HandlerFunc) gin.HandlersChain {
					if order == "inside" {
						return append(append(gin.HandlersChain{gate}, chain...), handler)
					}
					return append(append(gin.HandlersChain{}, chain...), gate, handler)
				}))
			})
		}
	}
}

// serve serves the routes of [authtest.CheckMiddleware], with the handlers of
// each as around arranges them.
func serve(t *testing.T, around func(gate, handler gin.HandlerFunc) gin.HandlersChain) string {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	secret := func(c *gin.Context) { c.String(http.StatusOK, authtest.MiddlewareSecret) }
	app := gin.New()
	app.GET("/gate", around(ginauth.Authorize(g), secret)...)
	app.GET("/check", around(ginauth.Optional(g), func(c *gin.Context) {
		if ginauth.Check(c, g, authtest.MiddlewareRule()) == nil {
			secret(c)
		}
	})...)
	app.GET("/wrong", around(ginauth.Optional(g), func(c *gin.Context) {
		_ = ginauth.Check(c, g, authtest.MiddlewareRule())
		secret(c)
	})...)
	s := httptest.NewServer(app)
	t.Cleanup(s.Close)
	return s.URL
}

// TestGinVary: refusals say what they vary on, save behind gzip, which removes that
// from every answer of 400 and more. That is what docs/gin.md says.
func TestGinVary(t *testing.T) {
	for _, c := range []struct {
		order, path string
		want        bool
	}{
		{"outside", "/gate", false}, {"outside", "/check", false}, {"inside", "/gate", true}, {"inside", "/check", true},
	} {
		addr := serve(t, func(gate, handler gin.HandlerFunc) gin.HandlersChain {
			if c.order == "inside" {
				return gin.HandlersChain{gate, gzip.Gzip(gzip.BestSpeed), handler}
			}
			return gin.HandlersChain{gzip.Gzip(gzip.BestSpeed), gate, handler}
		})[len("http://"):]
		a := authtest.Send(t, addr, authtest.Request("GET", c.path, "Accept-Encoding: gzip", "Authorization: Name bob"))
		varies := slices.Contains(a.Header.Values("Vary"), "Authorization")
		if varies != c.want || a.Status != http.StatusForbidden || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("gzip %s, %s: %d %v", c.order, c.path, a.Status, a.Header)
		}
	}
}

// TestGinTimedOut: what a check refuses after the time is over changes nothing of
// the answer, and neither does its handler.
func TestGinTimedOut(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	answered := make(chan struct{})
	over := timeout.New(timeout.WithTimeout(time.Millisecond), timeout.WithResponse(func(c *gin.Context) {
		c.String(http.StatusRequestTimeout, "too late")
		close(answered)
	}))
	app := gin.New()
	app.GET("/", ginauth.Optional(g), over, func(c *gin.Context) {
		<-answered
		_ = ginauth.Check(c, g, authtest.MiddlewareRule())
		c.String(http.StatusOK, authtest.MiddlewareSecret)
	})
	s := httptest.NewServer(app)
	defer s.Close()
	a := authtest.Send(t, s.URL[len("http://"):], authtest.Request("GET", "/", "Authorization: Name bob"))
	if a.Status != http.StatusRequestTimeout || a.Body != "too late" || a.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
	}
}

// TestGinCache: a cache in front of the gates gives what only one person may
// read to the next one, whom no gate has asked. Around a handler behind the gate
// it does so only with what a check inside the handler would have refused. That is
// what docs/gin.md warns of: should the cache change it, the page may.
func TestGinCache(t *testing.T) {
	page := func(h gin.HandlerFunc) gin.HandlerFunc {
		return cache.CachePage(persistence.NewInMemoryStore(time.Minute), time.Minute, h)
	}
	orders := map[string]func(gate, handler gin.HandlerFunc) gin.HandlersChain{
		"outside": func(gate, handler gin.HandlerFunc) gin.HandlersChain {
			return gin.HandlersChain{page(func(c *gin.Context) {
				if gate(c); !c.IsAborted() {
					handler(c)
				}
			})}
		},
		"inside": func(gate, handler gin.HandlerFunc) gin.HandlersChain { return gin.HandlersChain{gate, page(handler)} },
	}
	for _, c := range []struct {
		order, path, first, then string
		want                     int
	}{
		{"outside", "/gate", "alice", "bob", http.StatusOK},
		{"outside", "/gate", "bob", "alice", http.StatusOK},
		{"inside", "/gate", "alice", "bob", http.StatusForbidden},
		{"inside", "/gate", "bob", "alice", http.StatusOK},
		{"inside", "/check", "alice", "bob", http.StatusOK},
		{"inside", "/check", "bob", "alice", http.StatusOK},
		{"inside", "/check", "bob", "bob", http.StatusForbidden},
		{"inside", "/wrong", "bob", "bob", http.StatusForbidden},
	} {
		addr := serve(t, orders[c.order])[len("http://"):]
		first := authtest.Send(t, addr, authtest.Request("GET", c.path, "Authorization: Name "+c.first))
		then := authtest.Send(t, addr, authtest.Request("GET", c.path, "Authorization: Name "+c.then))
		what := fmt.Sprintf("%s, %s: %s after %s", c.order, c.path, c.then, c.first)
		if then.Status != c.want || c.want == http.StatusOK && then.Body != authtest.MiddlewareSecret {
			t.Errorf("%s: %d %s, documented as %d", what, then.Status, then.Body, c.want)
		}
		if c.first == "bob" && (first.Status != http.StatusForbidden || len(first.Header.Values("Cache-Control")) != 1) {
			t.Errorf("%s: the first is %d", what, first.Status)
		}
	}
}
