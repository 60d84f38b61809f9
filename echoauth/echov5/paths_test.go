package echoauth_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/bits"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

var quiet = slog.New(slog.DiscardHandler)

// settings are the options of Echo that change which handler runs for a path, or
// what it is given.
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

// TestPathsWithOptions: no option of the router opens a way round a rule. Where
// it decodes parameters, an encoded slash cannot be told from a plain one.
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

const (
	filesSecret = "what is below /files/secret"
	filesPublic = "what is not"
)

var files = fstest.MapFS{
	"secret/x.txt":       {Data: []byte(filesSecret)},
	"public/x.txt":       {Data: []byte(filesPublic)},
	"files/secret/x.txt": {Data: []byte(filesSecret)},
	"files/public/x.txt": {Data: []byte(filesPublic)},
}

// mounts are the ways in which something may answer for paths below /files.
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
		g.GET("/files/*", func(c *echo.Context) error { return c.String(http.StatusOK, filesPublic) })
		g.GET("/files/*", serveFile("*"), m...)
	},
	"RouteNotFound":  func(g *echo.Group, m ...echo.MiddlewareFunc) { g.RouteNotFound("/files/*", serveFile("*"), m...) },
	"StaticFS":       func(g *echo.Group, m ...echo.MiddlewareFunc) { g.StaticFS("/files/", files, m...) },
	"StaticFS, bare": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.StaticFS("/files", files, m...) },
	"StaticFS, root": func(g *echo.Group, m ...echo.MiddlewareFunc) { g.StaticFS("/", files, m...) },
	"inline verb": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.GET(`/files/:dir/x.txt\:read`, serveFile("dir"), m...)
	},
	"net/http": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		g.Any("/files/*", echo.WrapHandler(http.StripPrefix("/files", http.FileServerFS(files))), m...)
	},
	"ServeMux": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		mux := http.NewServeMux()
		mux.Handle("/files/", http.FileServerFS(files))
		g.Any("/*", echo.WrapHandler(mux), m...)
	},
	"Echo in Echo": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		inner := echo.NewWithConfig(echo.Config{Logger: quiet})
		inner.GET("/files/*", serveFile("*"))
		g.Any("/*", echo.WrapHandler(inner), m...)
	},
	"Static middleware": func(g *echo.Group, m ...echo.MiddlewareFunc) {
		m = append(m, middleware.StaticWithConfig(middleware.StaticConfig{Filesystem: files, Root: ".", EnablePathUnescaping: true}))
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

// serveFile serves what parameters name, decoded once, as a handler may that is
// not careful.
func serveFile(names ...string) echo.HandlerFunc {
	return func(c *echo.Context) error {
		var parts []string
		for _, name := range names {
			p := c.Param(name)
			if decoded, err := url.PathUnescape(p); err == nil {
				p = decoded
			}
			parts = append(parts, p)
		}
		name := path.Clean(strings.ReplaceAll(strings.Join(parts, "/"), `\`, "/"))
		if first, _, _ := strings.Cut(strings.TrimLeft(name, "/"), "/"); strings.TrimRight(first, "\x00") == "secret" {
			return c.String(http.StatusOK, filesSecret)
		}
		return c.String(http.StatusOK, filesPublic)
	}
}

// places are where a gate may stand.
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

// TestMounts: whatever a handler is mounted with, wherever the gate stands, with
// every option of the router, no spelling of a path gets round a rule.
func TestMounts(t *testing.T) {
	for _, s := range allSettings() {
		odd := 2
		if testing.Short() || s.autoHEAD || s.concurrent || s.noGroup404 {
			odd = 1
		}
		targets := spellings(odd)
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			t.Parallel()
			for _, relaxed := range []bool{false, true} {
				for mounted, mount := range mounts {
					for place, put := range places {
						where := fmt.Sprintf("%s, gate in %s, encoded slashes %v", mounted, place, relaxed)
						e := s.newEcho()
						group, gates := put(e, echoauth.Authorize(filesGuard(t, relaxed)))
						mount(group, gates...)
						probeMount(t, where, echo.NewVirtualHostHandler(map[string]*echo.Echo{"app.example": e}), targets, mounted == "inline verb")
					}
				}
			}
		})
	}
}

// filesGuard lets alice do everything but what is below /files/secret, also with a
// slash that is encoded.
func filesGuard(t *testing.T, encodedSlashes bool) *core.Guard {
	policy := authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		rest, below := strings.CutPrefix(a.Resource.Path, "/files/secret")
		secret := below && (rest == "" || rest[0] == '/' || strings.HasPrefix(rest, "%2F"))
		return core.Decision{Allowed: !secret}, nil
	})
	opts := []core.Option{core.WithAuthorizer(policy), core.WithObserver(core.LogObserver(quiet))}
	if encodedSlashes {
		opts = append(opts, core.WithEncodedSlashes())
	}
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// probeMount asks for what is secret in all spellings, after what is public has
// been served and what is secret been refused: 403.
func probeMount(t *testing.T, where string, h http.Handler, targets []string, verb bool) {
	t.Helper()
	suffix := ""
	if verb {
		suffix = ":read"
	}
	if a := ask(h, "/files/public/x.txt"+suffix); a.Code != http.StatusOK || a.Body.String() != filesPublic {
		t.Fatalf("%s: what is public is %d %s", where, a.Code, a.Body)
	}
	if a := ask(h, "/files/secret/x.txt"+suffix); a.Code != http.StatusForbidden {
		t.Fatalf("%s: what is secret is %d %s", where, a.Code, a.Body)
	}
	for _, target := range targets {
		if a := ask(h, target+suffix); strings.Contains(a.Body.String(), filesSecret) {
			t.Errorf("%s: %s gives out the secret", where, target+suffix)
		}
	}
}

// ask sends a request line as a client writes it.
func ask(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: app.example\r\nAuthorization: Name alice\r\n\r\n")))
	if err != nil { // the server's own 400
		w.Code = http.StatusBadRequest
		return w
	}
	r.RemoteAddr = "192.0.2.1:1234"
	h.ServeHTTP(w, r)
	return w
}

// spellings are those of /files/secret/x.txt in which up to so many pieces are
// written in an odd way.
func spellings(odd int) []string {
	pieces := [][]string{
		{"/files", "/FILES", "/%66iles", "//files", "/./files", "/x/../files", "/files/../files", "http://app.example/files", "http://app.example//files"},
		{"/", "//", "%2F", "%2f", "/./", "/x/../", "/%2e/", "/%2e%2e/files/", `\`, "%5C", "/%5C", "%252F", "/;/", "%2F%2F", "/..%2F", "/%00/"},
		{"secret", "%73ecret", "s%65cre%74", "%2573ecret", "secret%00", "secret;x", "secret%2F", "x%2F..%2Fsecret", "secret+", "%2Fsecret"},
		{"/x.txt", "//x.txt", "%2Fx.txt", "%2fx.txt", "/./x.txt", "/x.txt/", "%5Cx.txt", "/%78.txt", "/y%2F..%2Fx.txt", "/x.txt%00", "/x.txt?/files/public/x.txt", "/../secret/x.txt", "%2F%78.txt"},
	}
	var all []string
	var join func(done string, odd int, rest [][]string)
	join = func(done string, n int, rest [][]string) {
		if len(rest) == 0 {
			all = append(all, done)
			return
		}
		for i, piece := range rest[0] {
			if n := n + min(i, 1); n <= odd {
				join(done+piece, n, rest[1:])
			}
		}
	}
	join("", 0, pieces)
	return all
}
