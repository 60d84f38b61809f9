package ginauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/ginauth"
)

// settings are the options of Gin that change which handler runs for a path, or with which
// parameters.
type settings struct{ rawPath, escapedPath, stillEscaped, extraSlash, fixedPath, noRedirect, notAllowed bool }

func allSettings() []settings {
	var all []settings
	for i := range 1 << 7 {
		bit := func(n int) bool { return i>>n&1 == 1 }
		if testing.Short() && i&(i-1) != 0 {
			continue
		}
		all = append(all, settings{bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6)})
	}
	return all
}

func (s settings) newEngine() *gin.Engine {
	e := gin.New()
	e.UseRawPath, e.UseEscapedPath, e.UnescapePathValues = s.rawPath, s.escapedPath, !s.stillEscaped
	e.RemoveExtraSlash, e.RedirectFixedPath, e.RedirectTrailingSlash = s.extraSlash, s.fixedPath, !s.noRedirect
	e.HandleMethodNotAllowed = s.notAllowed
	return e
}

// mounts are ways to mount what answers for paths below /files.
var mounts = map[string]func(e *gin.Engine, g *gin.RouterGroup){
	"GET":       func(_ *gin.Engine, g *gin.RouterGroup) { g.GET("/files/*rest", serveFile("rest")) },
	"Any":       func(_ *gin.Engine, g *gin.RouterGroup) { g.Any("/files/*rest", serveFile("rest")) },
	"Match":     func(_ *gin.Engine, g *gin.RouterGroup) { g.Match([]string{"GET"}, "/files/*rest", serveFile("rest")) },
	"parameter": func(_ *gin.Engine, g *gin.RouterGroup) { g.GET("/files/:dir/:name", serveFile("dir", "name")) },
	"parameter and rest": func(_ *gin.Engine, g *gin.RouterGroup) {
		g.GET("/files/:dir/*rest", serveFile("dir", "rest"))
	},
	"nested group": func(_ *gin.Engine, g *gin.RouterGroup) {
		g.Group("/files").Group("/:dir").GET("/*rest", serveFile("dir", "rest"))
	},
	"parameter first": func(_ *gin.Engine, g *gin.RouterGroup) {
		g.GET("/:top/:dir/:name", func(c *gin.Context) {
			if c.Param("top") != "files" {
				c.Status(http.StatusNotFound)
				return
			}
			serveFile("dir", "name")(c)
		})
	},
	"beside static": func(_ *gin.Engine, g *gin.RouterGroup) {
		g.GET("/files/public/y.txt", serveFile())
		g.GET("/files/:dir/:name", serveFile("dir", "name"))
	},
	"escaped colon":  func(_ *gin.Engine, g *gin.RouterGroup) { g.GET(`/files/:dir/x.txt\:read`, serveFile("dir")) },
	"StaticFS":       func(_ *gin.Engine, g *gin.RouterGroup) { g.StaticFS("/files", http.FS(authtest.MountFiles)) },
	"StaticFS, root": func(_ *gin.Engine, g *gin.RouterGroup) { g.StaticFS("/", http.FS(authtest.MountFiles)) },
	"StaticFileFS": func(_ *gin.Engine, g *gin.RouterGroup) {
		for _, dir := range []string{"public", "secret"} {
			g.StaticFileFS("/files/"+dir+"/x.txt", dir+"/x.txt", http.FS(authtest.MountFiles))
		}
	},
	"net/http": func(_ *gin.Engine, g *gin.RouterGroup) {
		g.Any("/files/*rest", gin.WrapH(http.StripPrefix("/files", http.FileServerFS(authtest.MountFiles))))
	},
	"ServeMux": func(_ *gin.Engine, g *gin.RouterGroup) {
		mux := http.NewServeMux()
		mux.Handle("/files/", http.FileServerFS(authtest.MountFiles))
		g.Any("/*rest", gin.WrapH(mux))
	},
	"Gin in Gin": func(_ *gin.Engine, g *gin.RouterGroup) {
		inner := gin.New()
		inner.GET("/files/*rest", serveFile("rest"))
		g.Any("/*rest", gin.WrapH(inner))
	},
	"NoRoute": func(e *gin.Engine, g *gin.RouterGroup) {
		e.NoRoute(append(g.Handlers, gin.WrapH(http.FileServerFS(authtest.MountFiles)))...)
	},
	"NoMethod": func(e *gin.Engine, g *gin.RouterGroup) {
		g.POST("/files/*rest", serveFile("rest"))
		h := append(g.Handlers, func(c *gin.Context) { c.Status(200) }, gin.WrapH(http.FileServerFS(authtest.MountFiles)))
		e.NoMethod(h...)
		e.NoRoute(h...)
	},
	"HandleContext": func(e *gin.Engine, g *gin.RouterGroup) {
		g.GET("/files/*rest", func(c *gin.Context) {
			c.Request.URL.Path = "/inner" + c.Param("rest")
			c.Request.URL.RawPath = ""
			e.HandleContext(c)
		})
		e.GET("/inner/*rest", serveFile("rest"))
	},
}

func serveFile(names ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		var values []string
		for _, name := range names {
			values = append(values, c.Param(name))
		}
		c.String(http.StatusOK, "%s", authtest.MountFile(values...))
	}
}

// places are where a gate may be mounted.
var places = map[string]func(e *gin.Engine, gate gin.HandlerFunc) *gin.RouterGroup{
	"Use": func(e *gin.Engine, gate gin.HandlerFunc) *gin.RouterGroup {
		e.Use(gate)
		return e.Group("")
	},
	"group":        func(e *gin.Engine, gate gin.HandlerFunc) *gin.RouterGroup { return e.Group("", gate) },
	"nested group": func(e *gin.Engine, gate gin.HandlerFunc) *gin.RouterGroup { return e.Group("").Group("", gate) },
}

// TestMounts: however a handler is mounted, wherever the gate is, and with every option of
// the router, no spelling of a path avoids a rule.
func TestMounts(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for _, s := range allSettings() {
		odd := 2
		if testing.Short() || s.fixedPath || s.noRedirect || s.notAllowed {
			odd = 1
		}
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			t.Parallel()
			for _, relaxed := range []bool{false, true} {
				for mounted, mount := range mounts {
					for place, put := range places {
						where := fmt.Sprintf("%s, gate in %s, encoded slashes %v", mounted, place, relaxed)
						e, suffix := s.newEngine(), ""
						if mounted == "escaped colon" {
							suffix = ":read"
						}
						mount(e, put(e, ginauth.Authorize(authtest.MountGuard(t, relaxed))))
						authtest.CheckMount(t, where, e, odd, suffix)
					}
				}
			}
		})
	}
}

// TestRewrittenBehindTheRouter: a path that was rewritten after routing is not authorized
// in place of the one that the router matched.
func TestRewrittenBehindTheRouter(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for _, pattern := range []string{"/files/secret", `/files/secret\:read`, "/files/:name", "/files/*rest", "/*rest", "/:top/:name"} {
		e := gin.New()
		e.Use(func(c *gin.Context) { c.Request.URL.Path = "/public" })
		e.GET(pattern, ginauth.Authorize(authtest.MountGuard(t, false)), func(c *gin.Context) { c.String(http.StatusOK, "served") })
		path := "/files/secret"
		if pattern == `/files/secret\:read` {
			path += ":read"
		}
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", "Name alice")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			t.Errorf("route %s: %d %s", pattern, w.Code, w.Body)
		}
	}
}

// TestLiteralColons: an escaped colon before or after a parameter is not a parameter, even
// after the first request.
func TestLiteralColons(t *testing.T) {
	app := gin.New()
	for _, route := range []string{`/a/items\:batch/:id`, `/b/:id/x\:read`, `/c/items\:all/*rest`, `/d/items\:one/:id/x\:y`} {
		app.GET(route, ginauth.Authorize(authtest.MountGuard(t, false)), func(c *gin.Context) { c.Status(http.StatusNoContent) })
	}
	for range 2 {
		for _, path := range []string{"/a/items:batch/7", "/b/7/x:read", "/c/items:all/7/8", "/d/items:one/7/x:y"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Authorization", "Name alice")
			w := httptest.NewRecorder()
			if app.ServeHTTP(w, r); w.Code != http.StatusNoContent {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}
}
