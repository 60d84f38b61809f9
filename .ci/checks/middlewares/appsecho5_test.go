package middlewares

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	echoauth "github.com/sallyport-go/sallyport/echoauth/echov5"
)

// echo5Changing are middlewares that change path or method, or answer by themselves.
var echo5Changing = []string{"rewrite", "remove slash", "add slash", "override", "override by form", "override by query", "static", "static html5", "proxy"}

var echo5Middlewares = map[string]func(d dice, w *world) echo.MiddlewareFunc{
	"rewrite": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.Rewrite(pick(d, map[string]string{"/a/*": "/secret/$1"}, map[string]string{"/v1/*": "/$1"}, map[string]string{"/secret*": "/a$1"}, map[string]string{"/*/b": "/$1/secret"}))
	},
	"remove slash": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.RemoveTrailingSlashWithConfig(middleware.RemoveTrailingSlashConfig{RedirectCode: pick(d, 0, 0, 301)})
	},
	"add slash": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.AddTrailingSlashWithConfig(middleware.AddTrailingSlashConfig{RedirectCode: pick(d, 0, 0, 301)})
	},
	"override": func(dice, *world) echo.MiddlewareFunc { return middleware.MethodOverride() },
	"override by form": func(dice, *world) echo.MiddlewareFunc {
		return middleware.MethodOverrideWithConfig(middleware.MethodOverrideConfig{Getter: middleware.MethodFromForm("_method")})
	},
	"override by query": func(dice, *world) echo.MiddlewareFunc {
		return middleware.MethodOverrideWithConfig(middleware.MethodOverrideConfig{Getter: middleware.MethodFromQuery("_method")})
	},
	"static": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: below(""), Root: ".", Browse: d.chance(50), EnablePathUnescaping: d.chance(50)})
	},
	"static html5": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: below(""), Root: ".", HTML5: true})
	},
	"proxy": func(_ dice, w *world) echo.MiddlewareFunc {
		to, _ := url.Parse("http://upstream.example")
		return middleware.ProxyWithConfig(middleware.ProxyConfig{
			Balancer: middleware.NewRoundRobinBalancer([]*middleware.ProxyTarget{{URL: to}}), Transport: upstream{w},
			Skipper: func(c *echo.Context) bool { return !strings.Contains(c.Request().URL.Path, "b") },
		})
	},
	"body dump": func(dice, *world) echo.MiddlewareFunc {
		return middleware.BodyDump(func(*echo.Context, []byte, []byte, error) {})
	},
	"body limit":      func(dice, *world) echo.MiddlewareFunc { return middleware.BodyLimit(1 << 20) },
	"context timeout": func(dice, *world) echo.MiddlewareFunc { return middleware.ContextTimeout(time.Minute) },
	"cors":            func(dice, *world) echo.MiddlewareFunc { return middleware.CORS("*") },
	"decompress":      func(dice, *world) echo.MiddlewareFunc { return middleware.Decompress() },
	"gzip":            func(dice, *world) echo.MiddlewareFunc { return middleware.Gzip() },
	"rate": func(dice, *world) echo.MiddlewareFunc {
		return middleware.RateLimiter(middleware.NewRateLimiterMemoryStore(1e9))
	},
	"recover": func(dice, *world) echo.MiddlewareFunc { return middleware.Recover() },
	"id":      func(dice, *world) echo.MiddlewareFunc { return middleware.RequestID() },
	"request logger": func(dice, *world) echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{LogStatus: true, HandleError: true, LogValuesFunc: func(*echo.Context, middleware.RequestLoggerValues) error { return nil }})
	},
	"secure": func(dice, *world) echo.MiddlewareFunc { return middleware.Secure() },
	"www": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.NonWWWRedirect()
	},
}

func buildEcho5(d dice, w *world) app {
	bits := d.IntN(64)
	bit := func(n int) bool { return bits>>n&1 == 1 }
	config := echo.RouterConfig{AllowOverwritingRoute: true, UnescapePathParamValues: bit(0), UseEscapedPathForMatching: bit(1), AutoHandleHEAD: bit(2)}
	router := echo.Router(echo.NewRouter(config))
	if bit(3) {
		router = echo.NewConcurrentRouter(router)
	}
	e := echo.NewWithConfig(echo.Config{Router: router, Logger: slog.New(slog.DiscardHandler), NoGroupAutoRegister404Routes: bit(4), EnablePathUnescapingStaticFiles: bit(5)})
	w.note("options %06b", bits)
	p := newPlan(d, kinds{prefixed: true, upper: true}, append(gatePlaces, "pre")...)
	w.plan = p
	for _, rt := range p.routes {
		rt.pattern = cmp.Or(colons(p.whole(rt)), "/")
	}
	files := ""
	if d.chance(40) {
		files = pick(d, "/files", "/a", "/secret", "/files/", "/")
	}
	w.policy(d)
	gate := func(kind func(g *core.Guard) echo.MiddlewareFunc) echo.MiddlewareFunc {
		if w.open {
			return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
		}
		return kind(w.guard)
	}
	rules := d.chance(20)
	authorize := gate(func(g *core.Guard) echo.MiddlewareFunc {
		switch {
		case p.gates == "named":
			return echoauth.Authorize(g, core.WithResourceName("named"))
		case rules:
			return echoauth.Require(g, w)
		}
		return echoauth.Authorize(g)
	})
	use := func(most int, without ...string) []echo.MiddlewareFunc {
		var chain []echo.MiddlewareFunc
		for _, name := range pickOf(d, most, echo5Middlewares) {
			m := echo5Middlewares[name](d, w)
			if !slices.Contains(without, name) {
				chain = append(chain, m)
				w.note("%s", name)
			}
		}
		return chain
	}
	answering, changing := []string{"static", "static html5", "proxy"}, echo5Changing[:6]
	w.note("pre")
	e.Pre(use(2, answering...)...)
	if p.gates == "pre" {
		e.Pre(authorize)
		w.byPath = true
		if len(w.deny) == 0 || strings.HasPrefix(w.deny[0], "/") {
			w.deny = []string{"secret"}
		}
	}
	w.note("front")
	excluded := pick(d, nil, changing)
	if p.gates == "pre" { // what is mounted with Use is behind the gate
		excluded = changing
	}
	e.Use(use(3, append(answering, excluded...)...)...)
	guarded := true // what is behind it
	switch p.gates {
	case "app", "app, routes", "named":
		e.Use(authorize)
	case "optional, routes", "check":
		e.Use(gate(func(g *core.Guard) echo.MiddlewareFunc { return echoauth.Optional(g) }))
		guarded = false
	case "pre":
	default:
		guarded = false
	}
	behind := func(guarded bool) []string {
		if guarded && w.byPath {
			return changing
		}
		return echo5Changing
	}
	w.note("behind")
	e.Use(use(2, behind(guarded)...)...)
	var groups []*echo.Group
	for i, g := range p.groups {
		w.note("group %d %s", i, colons(g.segments))
		chain := use(1, behind(guarded)...)
		if p.gates == "groups" || p.gates == "some groups" && i > 0 {
			chain = append(chain, authorize)
			chain = append(chain, use(1, behind(true)...)...)
		}
		if len(chain) == 0 || d.chance(50) {
			chain = append(chain, func(next echo.HandlerFunc) echo.HandlerFunc { return next })
		}
		groups = append(groups, e.Group(colons(g.segments), chain...))
	}
	onRoute := func() []echo.MiddlewareFunc {
		chain := use(1, behind(guarded)...)
		if strings.Contains(p.gates, "routes") {
			chain = append(chain, authorize)
		}
		return append(chain, use(1, behind(guarded || strings.Contains(p.gates, "routes"))...)...)
	}
	check := func(c *echo.Context) error {
		if w.open || p.gates != "check" {
			return nil
		}
		return echoauth.Check(c, w.guard, w)
	}
	for _, rt := range p.routes {
		w.note("%s", rt.name)
		h := func(c *echo.Context) error {
			if err := check(c); err != nil {
				return err
			}
			return c.String(http.StatusOK, w.served(rt, who(c.Request().Header.Get("Authorization")), func(name string) string {
				if name == "rest" {
					name = "*"
				}
				return c.Param(name)
			}))
		}
		m, relative := onRoute(), colons(rt.segments)
		switch {
		case rt.methods != nil:
			groups[rt.group].Match(rt.methods, relative, h, m...)
		case d.chance(15):
			groups[rt.group].RouteNotFound(relative, h, m...)
		default:
			groups[rt.group].Any(relative, h, m...)
		}
	}
	if files != "" && p.gates != "check" && p.gates != "some groups" {
		w.note("files %s", files)
		m := onRoute()
		if p.gates == "groups" {
			m = append(m, authorize)
		}
		e.Group("", m...).StaticFS(files, below(strings.TrimRight(files, "/")))
	}
	return serveHTTP(e)
}

func TestAppsOnEcho5(t *testing.T) {
	runApps(t, "echo", buildEcho5, 20, false, func(w *world, _ request, _, _ answer) bool {
		return slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(echo5Changing, s) })
	})
}
