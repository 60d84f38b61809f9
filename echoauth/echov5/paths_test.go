package echoauth_test

import (
	"fmt"
	"log/slog"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

var quiet = slog.New(slog.DiscardHandler)

// settings are the options of Echo that change which handler runs for a path, or with which
// parameters.
type settings struct{ unescape, decoded, autoHEAD, concurrent, unescapeStatic, noGroup404 bool }

func (s settings) newEcho() *echo.Echo {
	var router echo.Router = echo.NewRouter(echo.RouterConfig{
		UnescapePathParamValues: s.unescape, UseEscapedPathForMatching: s.decoded, AutoHandleHEAD: s.autoHEAD, AllowOverwritingRoute: true,
	})
	if s.concurrent {
		router = echo.NewConcurrentRouter(router)
	}
	return echo.NewWithConfig(echo.Config{
		Router: router, Logger: quiet, EnablePathUnescapingStaticFiles: s.unescapeStatic, NoGroupAutoRegister404Routes: s.noGroup404,
	})
}

// allSettings are all combinations, or in short mode each option that changes
// paths.
func allSettings() []settings {
	var all []settings
	for i := range 1 << 6 {
		bit := func(n int) bool { return i>>n&1 == 1 }
		if testing.Short() && (i >= 1<<3 || bits.OnesCount(uint(i)) > 1) {
			continue
		}
		all = append(all, settings{unescape: bit(0), decoded: bit(1), unescapeStatic: bit(2), autoHEAD: bit(3), concurrent: bit(4), noGroup404: bit(5)})
	}
	return all
}

// TestPathsWithOptions: no option of the router makes a rule avoidable. With one that
// decodes parameters, an encoded slash cannot be told from a plain one.
func TestPathsWithOptions(t *testing.T) {
	for _, s := range allSettings() {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			t.Parallel()
			f := framework()
			f.RoutesDecoded = s.decoded || s.unescape
			f.Serve = serveOn(s.newEcho)
			authtest.RunPaths(t, f)
		})
	}
}

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
		g.GET("/:top/:dir/:name", serveFiles, m...)
	},
	"AddRoute": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		if _, err := g.AddRoute(echo.Route{Method: "GET", Path: "/files/*", Handler: serveFile("*"), Middlewares: m}); err != nil {
			panic(err)
		}
	},
	"overwritten": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.GET("/files/*", func(c *echo.Context) error { return c.String(http.StatusOK, authtest.MountFile("public")) })
		g.GET("/files/*", serveFile("*"), m...)
	},
	"RouteNotFound":  func(g *echo.Group, m ...echo.MiddlewareFunc) { g.RouteNotFound("/files/*", serveFile("*"), m...) },
	"StaticFS":       func(g *echo.Group, m ...echo.MiddlewareFunc) { g.StaticFS("/files/", authtest.MountFiles, m...) },
	"StaticFS, bare": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.StaticFS("/files", authtest.MountFiles, m...) },
	"StaticFS, root": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.StaticFS("/", authtest.MountFiles, m...) },
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
		inner := echo.NewWithConfig(echo.Config{Logger: quiet})
		inner.GET("/files/*", serveFile("*"))
		g.Any("/*", echo.WrapHandler(inner), m...)
	},
	"Static middleware": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		m = append(m, middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: authtest.MountFiles, Root: ".", EnablePathUnescaping: true}))
		g.GET("/files/*", func(*echo.Context) error { return echo.ErrNotFound }, m...)
	},
}

// serveFiles serves files for a route with the parameters top, dir and name.
func serveFiles(c *echo.Context) error {
	if c.Param("top") != "files" {
		return echo.ErrNotFound
	}
	return serveFile("dir", "name")(c)
}

// serveFile serves the file that the parameters name.
func serveFile(names ...string) echo.HandlerFunc {
	return func(c *echo.Context) error {
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
	"route": func(e *echo.Echo, gate echo.MiddlewareFunc) (*echo.Group, []echo.MiddlewareFunc) {
		return e.Group(""), []echo.MiddlewareFunc{gate}
	},
}

// TestMounts: however a handler is mounted, wherever the gate is, and with every option of
// the router, no spelling of a path avoids a rule.
func TestMounts(t *testing.T) {
	for _, s := range allSettings() {
		odd := 2
		if testing.Short() || s.autoHEAD || s.concurrent || s.noGroup404 {
			odd = 1
		}
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			t.Parallel()
			for _, relaxed := range []bool{false, true} {
				for mounted, mount := range mounts {
					for place, put := range places {
						where := fmt.Sprintf("%s, gate in %s, encoded slashes %v", mounted, place, relaxed)
						e, suffix := s.newEcho(), ""
						if mounted == "inline verb" {
							suffix = ":read"
						}
						group, gates := put(e, echoauth.Authorize(authtest.MountGuard(t, relaxed)))
						mount(group, gates...)
						authtest.CheckMount(t, where, echo.NewVirtualHostHandler(map[string]*echo.Echo{"app.example": e}), odd, suffix)
					}
				}
			}
		})
	}
}

// TestStarsInPre: rules before the router see no route, even if a star could be read in two
// ways.
func TestStarsInPre(t *testing.T) {
	var asked []string
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(core.LogObserver(quiet)),
		core.WithAuthorizer(authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
			asked = append(asked, a.Resource.Route+" "+a.Resource.Path)
			return core.Decision{Allowed: true}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.Pre(echoauth.Authorize(g))
	e.GET("/files*", func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) })
	r := httptest.NewRequest("GET", "/filessecret", nil)
	r.Header.Set("Authorization", "Name alice")
	w := httptest.NewRecorder()
	if e.ServeHTTP(w, r); w.Code != http.StatusNoContent || !slices.Equal(asked, []string{" /filessecret", " /files/secret"}) {
		t.Errorf("%d, asked about %q", w.Code, asked)
	}
}
