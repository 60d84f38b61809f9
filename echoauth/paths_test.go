package echoauth_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth"
)

// mounts are ways to mount what answers for paths below /files.
var mounts = map[string]func(g *echo.Group, gates ...echo.MiddlewareFunc){
	"GET":         func(g *echo.Group, m ...echo.MiddlewareFunc) { g.GET("/files/*", serveFile("*"), m...) },
	"GET, prefix": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.GET("/files*", serveFile("*"), m...) },
	"Any":         func(g *echo.Group, m ...echo.MiddlewareFunc) { g.Any("/files/*", serveFile("*"), m...) },
	"Match": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.Match([]string{"GET"}, "/files/*", serveFile("*"), m...)
	},
	"parameter": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.GET("/files/:name", serveFile("name"), m...) },
	"parameters": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.GET("/files/:dir/:name", serveFile("dir", "name"), m...)
	},
	"nested group": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.Group("/files", m...).GET("/:dir/*", serveFile("dir", "*"))
	},
	"parameter first": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.GET("/:top/:dir/:name", func(c echo.Context) error {
			if c.Param("top") != "files" {
				return echo.ErrNotFound
			}
			return serveFile("dir", "name")(c)
		}, m...)
	},
	"RouteNotFound": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.RouteNotFound("/files/*", serveFile("*"), m...) },
	"StaticFS": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.Group("", m...).StaticFS("/files/", authtest.MountFiles)
	},
	"StaticFS, bare": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.Group("", m...).StaticFS("/files", authtest.MountFiles)
	},
	"StaticFS, root": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.Group("", m...).StaticFS("/", authtest.MountFiles) },
	"inline verb": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.GET(`/files/:dir/x.txt\:read`, serveFile("dir"), m...)
	},
	"net/http": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.Any("/files/*", echo.WrapHandler(http.StripPrefix("/files", http.FileServerFS(authtest.MountFiles))), m...)
	},
	"ServeMux": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		mux := http.NewServeMux()
		mux.Handle("/files/", http.FileServerFS(authtest.MountFiles))
		g.Any("/*", echo.WrapHandler(mux), m...)
	},
	"Echo in Echo": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		inner := echo.New()
		inner.GET("/files/*", serveFile("*"))
		g.Any("/*", echo.WrapHandler(inner), m...)
	},
	"Static middleware": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		m = append(m, middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: http.FS(authtest.MountFiles), Root: "."}))
		g.GET("/files/*", func(echo.Context) error { return echo.ErrNotFound }, m...)
	},
}

// serveFile serves the file that the parameters name.
func serveFile(names ...string) echo.HandlerFunc {
	return func(c echo.Context) error {
		var values []string
		for _, name := range names {
			values = append(values, c.Param(name))
		}
		return c.String(http.StatusOK, authtest.MountFile(values...))
	}
}

// places are where a gate may be mounted.
var places = map[string]func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc){
	"Pre": func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc) {
		e.Pre(gate)
		return e.Group(""), nil
	},
	"Use": func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc) {
		e.Use(gate)
		return e.Group(""), nil
	},
	"group": func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc) {
		return e.Group("", gate), nil
	},
	"host": func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc) {
		return e.Host("app.example", gate), nil
	},
	"route": func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc) {
		return e.Group(""), []echo.MiddlewareFunc{gate}
	},
}

// TestMounts: however a handler is mounted and wherever the gate is, no spelling of a path
// avoids a rule.
func TestMounts(t *testing.T) {
	odd := 2
	if testing.Short() {
		odd = 1
	}
	for mounted, mount := range mounts {
		t.Run(mounted, func(t *testing.T) {
			t.Parallel()
			suffix := ""
			if mounted == "inline verb" {
				suffix = ":read"
			}
			for _, relaxed := range []bool{false, true} {
				for place, put := range places {
					for _, pre := range []echo.MiddlewareFunc{nil, middleware.RemoveTrailingSlash()} {
						e := echo.New()
						if pre != nil {
							e.Pre(pre)
						}
						group, gates := put(e, echoauth.Authorize(authtest.MountGuard(t, relaxed)))
						mount(group, gates...)
						where := fmt.Sprintf("gate in %s, encoded slashes %v, trailing slashes removed %v", place, relaxed, pre != nil)
						authtest.CheckMount(t, where, e, odd, suffix)
					}
				}
			}
		})
	}
}

// TestChangedMethods: rules see the method of the route that runs. If a middleware after
// the router has changed that of the request, it is refused.
func TestChangedMethods(t *testing.T) {
	methods := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE"}
	override := middleware.MethodOverrideWithConfig(middleware.MethodOverrideConfig{Getter: middleware.MethodFromQuery("method")})
	for _, host := range []string{"", "example.com"} {
		for _, place := range []string{"Pre", "Use"} {
			e, judged, ran := methodApp(t, host)
			if place == "Pre" {
				e.Pre(override)
			} else {
				e.Use(override)
			}
			for _, path := range []string{"/any", "/each", "/match"} {
				for _, becomes := range methods {
					*judged, *ran = nil, ""
					r := httptest.NewRequest("POST", path+"?method="+becomes, nil)
					r.Header.Set("Authorization", "Name alice")
					w := httptest.NewRecorder()
					e.ServeHTTP(w, r)
					if *ran != "" && !slices.Contains(*judged, *ran) {
						t.Errorf("host %q: POST %s that becomes %s in %s: the handler of %s ran, judged was %v", host, path, becomes, place, *ran, *judged)
					}
					if becomes == "POST" && *ran != "POST" {
						t.Errorf("host %q: POST %s: %d", host, path, w.Code)
					}
				}
			}
		}
	}
}

// methodApp has routes for any method, for each of some, and for several at once. It
// records what the policy was asked and which handler ran.
func methodApp(t *testing.T, host string) (e *echo.Echo, judged *[]string, ran *string) {
	judged, ran = new([]string), new(string)
	policy := authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		*judged = append(*judged, a.Action)
		return core.Decision{Allowed: true}, nil
	})
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithAuthorizer(policy), core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	e = echo.New()
	routes := e.Group("")
	if host != "" {
		routes = e.Host(host)
	}
	handler := func(method string) echo.HandlerFunc {
		return func(c echo.Context) error {
			if *ran = method; method == "" {
				*ran = c.Request().Method
			}
			return c.NoContent(http.StatusNoContent)
		}
	}
	gate := echoauth.Authorize(g)
	routes.Any("/any", handler(""), gate)
	for _, method := range []string{"GET", "POST", "PUT"} {
		routes.Add(method, "/each", handler(method), gate)
		routes.Match([]string{method}, "/match", handler(method), gate)
	}
	return e, judged, ran
}

// TestRewrittenBehindTheRouter: a path that was rewritten after routing is not authorized
// in place of the one that the router matched.
func TestRewrittenBehindTheRouter(t *testing.T) {
	for _, pattern := range []string{"/files/secret", "/files/:name", "/files/*", "/*", "/:top/:name"} {
		e := echo.New()
		e.Use(middleware.Rewrite(map[string]string{"/files/*": "/public/$1"}))
		e.GET(pattern, func(c echo.Context) error { return c.String(http.StatusOK, "served") }, echoauth.Authorize(authtest.MountGuard(t, false)))
		r := httptest.NewRequest("GET", "/files/secret", nil)
		r.Header.Set("Authorization", "Name alice")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			t.Errorf("route %s: %d %s", pattern, w.Code, w.Body)
		}
	}
}

// TestStarsInPre: rules before the router see no route, even if a star could be read in two
// ways.
func TestStarsInPre(t *testing.T) {
	var asked []string
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))),
		core.WithAuthorizer(authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
			asked = append(asked, a.Resource.Route+" "+a.Resource.Path)
			return core.Decision{Allowed: true}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.Pre(echoauth.Authorize(g))
	e.GET("/files*", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	r := httptest.NewRequest("GET", "/filessecret", nil)
	r.Header.Set("Authorization", "Name alice")
	w := httptest.NewRecorder()
	if e.ServeHTTP(w, r); w.Code != http.StatusNoContent || !slices.Equal(asked, []string{" /filessecret", " /files/secret"}) {
		t.Errorf("%d, asked about %q", w.Code, asked)
	}
}
