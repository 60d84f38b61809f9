package fiberauth_test

import (
	"context"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// pieces are the parts of route patterns, each with values that it matches.
var pieces = []struct {
	text   string
	values []string
}{
	{"/a", []string{"/a", "/A"}}, {"/Ab", []string{"/Ab", "/ab", "/%41b"}}, {"/secret", []string{"/secret", "/SECRET"}}, {"/", []string{"/", "//"}},
	{"-", []string{"-"}}, {".", []string{"."}}, {"~", []string{"~"}}, {"b", []string{"b", "B"}}, {`\:v`, []string{":v"}},
	{"/:x", []string{"/a", "/secret", "/a%2Fb", "/%20", "/a-b", "/"}}, {":x", []string{"a", "1", "a.b", ""}}, {"/:y?", []string{"/b", "", "/"}},
	{":y?", []string{"7", ""}}, {"/:z<int>", []string{"/7", "/a"}}, {"/:y<minLen(2)>", []string{"/ab", "/AB", "/a"}}, {`/:z<regex(^[a-c]+$)>`, []string{"/abc", "/d"}},
	{"/*", []string{"/a/b", "/", "", "/secret"}}, {"*", []string{"a/b", "", "A"}}, {"/+", []string{"/a/b", "/1"}}, {"+", []string{"x/", "a%2fb"}},
}

// sight is what a rule or a handler saw.
type sight struct {
	route, path string
	params      map[string]string
}

// see records route, path, and the parameters with names used here.
func see(route, path string, param func(string) string) sight {
	s := sight{route, path, make(map[string]string)}
	for _, name := range []string{"x", "y", "z", "*", "*1", "*2", "+", "+1"} {
		s.params[name] = strings.Clone(param(name))
	}
	return s
}

// ambiguous reports whether path can be read in two ways.
func ambiguous(path string) bool {
	return strings.Contains(path, "%") || strings.Contains(path, "//") || slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// TestPatterns: for any pattern of a route and any routes next to it, rules see the route
// that runs, and the path and parameters of its handler; a request that runs without a
// gate is not refused, unless it is ambiguous.
func TestPatterns(t *testing.T) {
	var asked []sight
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})),
		core.WithAuthorizer(authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
			asked = append(asked, see(a.Resource.Route, a.Resource.Path, a.Request.Param))
			return core.Decision{Allowed: true}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	var ran *sight
	build := func(cfg fiber.Config, patterns []string, place int, gate fiber.Handler) fasthttp.RequestHandler {
		app := fiber.New(cfg)
		to, sub := fiber.Router(app), fiber.New(cfg)
		handlers := []any{nil}
		switch place {
		case 0:
			app.Use("/*", gate)
		case 1:
			app.Use("/a", gate)
		case 2:
			to = app.Group("/a", gate)
		case 3:
			app.Use("/*", gate)
			to = sub
		default:
			handlers = []any{gate, nil}
		}
		for _, pattern := range patterns {
			handlers[len(handlers)-1] = func(c fiber.Ctx) error {
				s := see(pattern, strings.Clone(c.Path()), func(name string) string { return c.Params(name) })
				ran = &s
				return nil
			}
			to.Get(pattern, handlers[0], handlers[1:]...)
		}
		if place == 3 {
			app.Use("/a", sub)
		}
		return app.Handler()
	}
	send := func(app fasthttp.RequestHandler, path string) int {
		var ctx fasthttp.RequestCtx
		ctx.Request.SetRequestURI(path)
		ctx.Request.Header.SetHost("app.example")
		ctx.Request.Header.Set("Authorization", "Name alice")
		asked, ran = nil, nil
		app(&ctx)
		return ctx.Response.StatusCode()
	}
	plain := func(s string) string {
		if decoded, err := url.PathUnescape(s); err == nil {
			return decoded
		}
		return s
	}
	trimmed := func(s string) string { return strings.ToLower("/" + strings.Trim(plain(s), "/")) }
	rng, judged := rand.New(rand.NewPCG(1, 2)), 0
	for range 3000 {
		cfg, place := configs[rng.IntN(len(configs))], rng.IntN(5)
		patterns, paths := make([]string, 1+rng.IntN(3)), []string(nil)
		for i := range patterns {
			path := [4]string{}
			for range 1 + rng.IntN(4) {
				piece := pieces[rng.IntN(len(pieces))]
				patterns[i] += piece.text
				for j := range path {
					path[j] += piece.values[rng.IntN(len(piece.values))]
				}
			}
			patterns[i] = "/" + strings.TrimLeft(patterns[i], "/")
			for _, path := range path {
				path = "/" + strings.TrimLeft(path, "/")
				paths = append(paths, path, "/a"+path)
			}
		}
		app, open := build(cfg, patterns, place, fiberauth.Authorize(g)), build(cfg, patterns, place, passOn)
		for _, path := range paths {
			send(open, path)
			free := ran
			switch code := send(app, path); {
			case ran == nil && free != nil && (code != fiber.StatusBadRequest || !ambiguous(path)):
				t.Errorf("%v, gate %d, %q: GET %s runs %s, and is %d behind a gate", options(cfg), place, patterns, path, free.route, code)
				continue
			case ran == nil || len(asked) == 0:
				continue
			}
			judged++
			i := slices.IndexFunc(asked, func(s sight) bool {
				return (trimmed(s.route) == trimmed(ran.route) || trimmed(s.route) == trimmed("/a"+ran.route)) && trimmed(s.path) == trimmed(ran.path)
			})
			if i < 0 {
				t.Errorf("%v, gate %d, %q: GET %s runs %v, judged is %v", options(cfg), place, patterns, path, *ran, asked)
				continue
			}
			for name, value := range ran.params {
				if !cfg.UnescapePath { // handlers decode it themselves
					value = plain(value)
				}
				if got := asked[0].params[name]; i == 0 && got != value {
					t.Errorf("%v, gate %d, %q: GET %s: %s is %q, rules see %q", options(cfg), place, patterns, path, name, value, got)
				}
			}
		}
	}
	if t.Logf("%d requests judged", judged); judged < 1000 {
		t.Error("hardly any request has been judged")
	}
}
