package middlewares

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/echoauth"
)

// echo4Changing are middlewares that change path or method, or answer by themselves.
var echo4Changing = []string{"rewrite", "remove slash", "add slash", "override", "override by form", "override by query", "static", "static html5", "proxy"}

var echo4Middlewares = map[string]func(d dice, w *world) echo.MiddlewareFunc{
	"rewrite": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.Rewrite(pick(d, map[string]string{"/a/*": "/secret/$1"}, map[string]string{"/v1/*": "/$1"}, map[string]string{"/secret*": "/a$1"}, map[string]string{"/*/b": "/$1/secret"}))
	},
	"remove slash": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.RemoveTrailingSlashWithConfig(middleware.TrailingSlashConfig{RedirectCode: pick(d, 0, 0, 301)})
	},
	"add slash": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.AddTrailingSlashWithConfig(middleware.TrailingSlashConfig{RedirectCode: pick(d, 0, 0, 301)})
	},
	"override": func(dice, *world) echo.MiddlewareFunc { return middleware.MethodOverride() },
	"override by form": func(dice, *world) echo.MiddlewareFunc {
		return middleware.MethodOverrideWithConfig(middleware.MethodOverrideConfig{Getter: middleware.MethodFromForm("_method")})
	},
	"override by query": func(dice, *world) echo.MiddlewareFunc {
		return middleware.MethodOverrideWithConfig(middleware.MethodOverrideConfig{Getter: middleware.MethodFromQuery("_method")})
	},
	"static": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: http.FS(below("")), Root: ".", Browse: d.chance(50)})
	},
	"static html5": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: http.FS(below("")), Root: ".", HTML5: true})
	},
	"proxy": func(_ dice, w *world) echo.MiddlewareFunc {
		to, _ := url.Parse("http://upstream.example")
		return middleware.ProxyWithConfig(middleware.ProxyConfig{
			Balancer: middleware.NewRoundRobinBalancer([]*middleware.ProxyTarget{{URL: to}}), Transport: upstream{w},
			Skipper: func(c echo.Context) bool { return !strings.Contains(c.Request().URL.Path, "b") },
		})
	},
	"body dump": func(dice, *world) echo.MiddlewareFunc {
		return middleware.BodyDump(func(echo.Context, []byte, []byte) {})
	},
	"body limit":      func(dice, *world) echo.MiddlewareFunc { return middleware.BodyLimit("1M") },
	"context timeout": func(dice, *world) echo.MiddlewareFunc { return middleware.ContextTimeout(time.Minute) },
	"timeout": func(dice, *world) echo.MiddlewareFunc {
		//lint:ignore SA1019 applications have it
		return middleware.TimeoutWithConfig(middleware.TimeoutConfig{Timeout: time.Minute})
	},
	"cors":       func(dice, *world) echo.MiddlewareFunc { return middleware.CORS() },
	"decompress": func(dice, *world) echo.MiddlewareFunc { return middleware.Decompress() },
	"gzip":       func(dice, *world) echo.MiddlewareFunc { return middleware.Gzip() },
	"rate": func(dice, *world) echo.MiddlewareFunc {
		return middleware.RateLimiter(middleware.NewRateLimiterMemoryStore(1e9))
	},
	"recover": func(dice, *world) echo.MiddlewareFunc { return middleware.Recover() },
	"id":      func(dice, *world) echo.MiddlewareFunc { return middleware.RequestID() },
	"request logger": func(dice, *world) echo.MiddlewareFunc {
		return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{LogStatus: true, HandleError: true, LogValuesFunc: func(echo.Context, middleware.RequestLoggerValues) error { return nil }})
	},
	"secure": func(dice, *world) echo.MiddlewareFunc { return middleware.Secure() },
	"www": func(d dice, _ *world) echo.MiddlewareFunc {
		return middleware.NonWWWRedirect()
	},
}

// upstream is what a proxy reaches. It serves what it is asked for, by path.
type upstream struct{ w *world }

func (u upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	body := u.w.servedPath("upstream", "", r.URL.EscapedPath(), who(r.Header.Get("Authorization")), true)
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func colons(segments []segment) string {
	s := ""
	for _, g := range segments {
		switch {
		case g.rest:
			s += "/*"
		case g.param != "":
			s += "/" + g.text + ":" + g.param
		default:
			s += "/" + g.text
		}
	}
	return s
}

func buildEcho4(d dice, w *world) app {
	e := echo.New()
	e.Logger.SetOutput(io.Discard)
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
		for _, name := range pickOf(d, most, echo4Middlewares) {
			m := echo4Middlewares[name](d, w)
			if !slices.Contains(without, name) {
				chain = append(chain, m)
				w.note("%s", name)
			}
		}
		return chain
	}
	answering, changing := []string{"static", "static html5", "proxy"}, echo4Changing[:6]
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
		return echo4Changing
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
	check := func(c echo.Context) error {
		if w.open || p.gates != "check" {
			return nil
		}
		return echoauth.Check(c, w.guard, w)
	}
	for _, rt := range p.routes {
		w.note("%s", rt.name)
		h := func(c echo.Context) error {
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

func TestAppsOnEcho4(t *testing.T) {
	runApps(t, "echo", buildEcho4, 20, false, func(w *world, _ request, _, _ answer) bool {
		return slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(echo4Changing, s) })
	})
}
