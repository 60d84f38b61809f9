package middlewares

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-contrib/gzip"
	"github.com/gin-contrib/requestid"
	"github.com/gin-contrib/secure"
	"github.com/gin-contrib/timeout"
	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/ginauth"
)

// who returns the name of the person who says to have sent a request.
func who(authorization string) string {
	return strings.Clone(strings.TrimPrefix(authorization, "Name "))
}

var ginMiddlewares = map[string]func(d dice, w *world, e *gin.Engine) gin.HandlerFunc{
	"recovery": func(dice, *world, *gin.Engine) gin.HandlerFunc {
		return gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { c.AbortWithStatus(500) })
	},
	"logger":  func(dice, *world, *gin.Engine) gin.HandlerFunc { return gin.LoggerWithWriter(io.Discard) },
	"errors":  func(dice, *world, *gin.Engine) gin.HandlerFunc { return gin.ErrorLogger() },
	"cors":    func(dice, *world, *gin.Engine) gin.HandlerFunc { return cors.Default() },
	"gzip":    func(dice, *world, *gin.Engine) gin.HandlerFunc { return gzip.Gzip(gzip.BestSpeed) },
	"id":      func(dice, *world, *gin.Engine) gin.HandlerFunc { return requestid.New() },
	"secure":  func(dice, *world, *gin.Engine) gin.HandlerFunc { return secure.New(secure.Config{FrameDeny: true}) },
	"timeout": func(dice, *world, *gin.Engine) gin.HandlerFunc { return timeout.New(timeout.WithTimeout(time.Minute)) },
	"override": func(_ dice, _ *world, e *gin.Engine) gin.HandlerFunc {
		return func(c *gin.Context) {
			if m := c.GetHeader("X-HTTP-Method-Override"); m != "" && m != "POST" && c.Request.Method == "POST" {
				c.Request.Method = m
				e.HandleContext(c)
				c.Abort()
			}
		}
	},
	"rewrite": func(d dice, _ *world, _ *gin.Engine) gin.HandlerFunc {
		to := pick(d, "/a", "/public", "/b/a")
		return func(c *gin.Context) {
			if strings.HasSuffix(c.Request.URL.Path, "secret") {
				c.Request.URL.Path = to
			}
		}
	},
	"again": func(d dice, _ *world, e *gin.Engine) gin.HandlerFunc {
		from, to := pick(d, "/v1", "/a"), pick(d, "", "/secret")
		return func(c *gin.Context) {
			if rest, ok := strings.CutPrefix(c.Request.URL.Path, from+"/"); ok && c.Request.Header.Get("X-Again") == "" {
				c.Request.Header.Set("X-Again", "yes")
				c.Request.URL.Path, c.Request.URL.RawPath = to+"/"+rest, ""
				e.HandleContext(c)
				c.Abort()
			}
		}
	},
}

func buildGin(d dice, w *world) app {
	gin.SetMode(gin.ReleaseMode)
	engine := func(bits int) *gin.Engine {
		e := gin.New()
		bit := func(n int) bool { return bits>>n&1 == 1 }
		e.UseRawPath, e.UseEscapedPath, e.UnescapePathValues = bit(0), bit(1), !bit(2)
		e.RemoveExtraSlash, e.RedirectFixedPath, e.RedirectTrailingSlash = bit(3), bit(4), !bit(5)
		e.HandleMethodNotAllowed, e.ContextWithFallback = bit(6), bit(7)
		return e
	}
	bits := d.IntN(256) & d.IntN(256)
	e := engine(bits)
	w.note("options %08b", bits)
	p := newPlan(d, kinds{prefixed: true, upper: true}, gatePlaces...)
	w.plan = p
	text := func(segments []segment) string {
		s := ""
		for _, g := range segments {
			switch {
			case g.rest:
				s += "/*" + g.param
			case g.param != "":
				s += "/" + g.text + ":" + g.param
			default:
				s += "/" + g.text
			}
		}
		return s
	}
	// Conflicts are errors of set-up.
	trial := gin.New()
	files := ""
	if d.chance(30) {
		files = pick(d, "/files", "/a", "/secret")
	}
	accepts := func(rt *route) (ok bool) {
		defer func() { ok = recover() == nil }()
		rt.pattern = text(p.whole(rt))
		if rt.pattern == "" {
			rt.pattern = "/"
		}
		again := gin.New()
		for _, r := range trial.Routes() {
			again.Handle(r.Method, r.Path, func(*gin.Context) {})
		}
		if rt.methods == nil {
			again.Any(rt.pattern, func(*gin.Context) {})
		} else {
			again.Match(rt.methods, rt.pattern, func(*gin.Context) {})
		}
		trial = again
		return true
	}
	if files != "" {
		trial.GET(files+"/*filepath", func(*gin.Context) {})
		trial.HEAD(files+"/*filepath", func(*gin.Context) {})
	}
	p.routes = slices.DeleteFunc(p.routes, func(rt *route) bool { return !accepts(rt) })
	if len(p.routes) == 0 {
		return nil
	}
	w.policy(d)

	gate := func(kind func(g *core.Guard) gin.HandlerFunc) gin.HandlerFunc {
		if w.open {
			return func(*gin.Context) {}
		}
		return kind(w.guard)
	}
	rules := d.chance(20)
	authorize := gate(func(g *core.Guard) gin.HandlerFunc {
		switch {
		case p.gates == "named":
			return ginauth.Authorize(g, core.WithResourceName("named"))
		case rules:
			return ginauth.Require(g, w)
		}
		return ginauth.Authorize(g)
	})
	use := func(most int, without ...string) gin.HandlersChain {
		var chain gin.HandlersChain
		for _, name := range pickOf(d, most, ginMiddlewares) {
			m := ginMiddlewares[name](d, w, e)
			if !slices.Contains(without, name) {
				chain = append(chain, m)
				w.note("%s", name)
			}
		}
		return chain
	}
	w.note("front")
	e.Use(use(3)...)
	switch p.gates {
	case "app", "app, routes", "named":
		e.Use(authorize)
	case "optional, routes", "check":
		e.Use(gate(func(g *core.Guard) gin.HandlerFunc { return ginauth.Optional(g) }))
	}
	w.note("behind")
	e.Use(use(2, "override", "again", "rewrite")...)
	var groups []*gin.RouterGroup
	for i, g := range p.groups {
		var chain gin.HandlersChain
		w.note("group %d %s", i, text(g.segments))
		chain = append(chain, use(1, "override", "again", "rewrite")...)
		if p.gates == "groups" || p.gates == "some groups" && i > 0 {
			chain = append(chain, authorize)
		}
		groups = append(groups, e.Group(text(g.segments), chain...))
	}
	onRoute := func() gin.HandlersChain {
		chain := use(1, "override", "again", "rewrite")
		if strings.Contains(p.gates, "routes") {
			chain = append(chain, authorize)
		}
		return append(chain, use(1, "override", "again", "rewrite")...)
	}
	check := func(c *gin.Context) bool {
		return w.open || p.gates != "check" || ginauth.Check(c, w.guard, w) == nil
	}
	for _, rt := range p.routes {
		w.note("%s", rt.name)
		chain := append(onRoute(), func(c *gin.Context) {
			if check(c) {
				body := w.served(rt, who(c.GetHeader("Authorization")), c.Param)
				c.String(http.StatusOK, "%s", body)
			}
		})
		relative := text(rt.segments)
		if rt.methods == nil {
			groups[rt.group].Any(relative, chain...)
		} else {
			groups[rt.group].Match(rt.methods, relative, chain...)
		}
	}
	if files != "" {
		w.note("files %s", files)
		g := e.Group("", onRoute()...)
		if p.gates == "groups" || p.gates == "some groups" {
			g.Use(authorize)
		}
		if p.gates == "check" {
			g.Use(func(c *gin.Context) {
				if !check(c) {
					c.Abort()
				}
			})
		}
		g.StaticFS(files, http.FS(below(files)))
	}
	if strings.HasPrefix(p.gates, "app") && d.chance(50) {
		rest := func(c *gin.Context) {
			// It also answers for a missing file, whose route is that of the files.
			c.String(http.StatusOK, "%s", w.servedPath("no route", c.FullPath(), c.Request.URL.Path, who(c.GetHeader("Authorization")), true))
		}
		w.note("NoRoute")
		e.NoRoute(rest)
		if d.chance(50) {
			e.NoMethod(rest)
		}
	}
	return serveHTTP(e)
}

func TestAppsOnGin(t *testing.T) {
	runApps(t, "gin", buildGin, 20, false, func(w *world, _ request, _, _ answer) bool {
		return slices.Contains(w.notes, "rewrite")
	})
}
