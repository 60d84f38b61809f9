package fiberauth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
)

// changes are the ways in which a handler changes its request.
var changes = []struct {
	name string
	do   func(c fiber.Ctx, method, path string) error
}{
	{"path", func(c fiber.Ctx, _, path string) error { c.Path(path); return c.Next() }},
	{"method", func(c fiber.Ctx, method, _ string) error { c.Method(method); return c.Next() }},
	{"both", func(c fiber.Ctx, method, path string) error { c.Method(method); c.Path(path); return c.Next() }},
	{"restart", func(c fiber.Ctx, method, path string) error {
		if c.Path() == path && c.Method() == method {
			return c.Next()
		}
		c.Method(method)
		c.Path(path)
		return c.RestartRouting()
	}},
	{"path of the request alone", func(c fiber.Ctx, _, path string) error {
		c.Request().URI().SetPath(path)
		return c.Next()
	}},
	{"target", func(c fiber.Ctx, _, path string) error { c.Request().SetRequestURI(path); return c.Next() }},
	{targetAndPath, func(c fiber.Ctx, _, path string) error {
		c.Request().SetRequestURI(path)
		c.Path(path)
		return c.Next()
	}},
	{"method of the request alone", func(c fiber.Ctx, method, _ string) error {
		c.Request().Header.SetMethod(method)
		return c.Next()
	}},
}

// targetAndPath is a change without a trace: as the page says, rules by route may then
// see another route.
const targetAndPath = "target and path"

// changers are the positions of such a handler and of the gate.
var changers = []struct {
	name string
	add  func(app *fiber.App, change, gate fiber.Handler) (of []any)
}{
	{"in front", func(app *fiber.App, change, gate fiber.Handler) []any { app.Use(change, gate); return nil }},
	{"in front, apart", func(app *fiber.App, change, gate fiber.Handler) []any {
		app.Use(change)
		app.Use("/*", gate)
		return nil
	}},
	{"on a prefix", func(app *fiber.App, change, gate fiber.Handler) []any {
		app.Use("/old", change, gate)
		return nil
	}},
	{"on a route that passes on", func(app *fiber.App, change, gate fiber.Handler) []any {
		app.All("/old/*", change, gate, passOn)
		return nil
	}},
	{"on a route with a parameter that passes on", func(app *fiber.App, change, gate fiber.Handler) []any {
		app.All("/:a/:b", change, gate, passOn)
		return nil
	}},
	{"on all routes", func(_ *fiber.App, change, gate fiber.Handler) []any { return []any{change, gate} }},
	{"in front, gate on routes", func(app *fiber.App, change, gate fiber.Handler) []any {
		app.Use(change)
		return []any{gate}
	}},
}

// TestChangedRequests: a middleware before the gate changes path or method. Whatever
// handler then runs, the policy was asked about its route, its method and the path that it
// gets.
func TestChangedRequests(t *testing.T) {
	type access struct{ route, method, path string }
	var asked []access
	j := &judge{}
	method := ""
	j.allows = func(r core.Resource) bool {
		asked = append(asked, access{r.Route, method, r.Path})
		return true
	}
	gate := j.gate(t)
	ran, open := 0, 0
	for i, cfg := range configs {
		if testing.Short() && i%3 > 0 {
			continue
		}
		for _, change := range changes {
			for _, at := range changers {
				for _, before := range []int{0, 1, 3, 9} {
					for _, to := range []string{"/new/secret", "/NEW/secret", "/old/other", "/old/secret/", "/zzz"} {
						var got access
						handler := func(pattern string) fiber.Handler {
							return func(c fiber.Ctx) error {
								got = access{pattern, c.Method(), strings.Clone(c.Path())}
								return nil
							}
						}
						app := fiber.New(cfg)
						for n := range before { // makes the lists of routes differ in length
							app.Get("/old/"+strings.Repeat("x", n+1), handler("before"))
						}
						of := at.add(app, func(c fiber.Ctx) error { return change.do(c, "POST", to) }, func(c fiber.Ctx) error {
							method = c.Method()
							return gate(c)
						})
						for _, pattern := range []string{"/new/:x", "/new/secret", "/new/*", "/old/secret", "/old/:x", "/:x/other", "/*"} {
							all := append(slices.Clone(of), handler(pattern))
							app.Add([]string{"GET", "POST"}, pattern, all[0], all[1:]...)
						}
						for _, from := range []string{"/old/secret", "/OLD/secret"} {
							asked, got = nil, access{}
							var ctx fasthttp.RequestCtx
							ctx.Request.SetRequestURI("http://app.example" + from)
							ctx.Request.Header.SetMethod(http.MethodGet)
							ctx.Request.Header.Set("Authorization", "Name alice")
							app.Handler()(&ctx)
							if got.route == "" || len(asked) == 0 { // Fiber has bypassed the gate
								continue
							}
							ran++
							fits := slices.ContainsFunc(asked, func(a access) bool {
								return (a.route == got.route || change.name == targetAndPath || strings.Contains(at.name, "passes on")) && a.method == got.method && strings.EqualFold(strings.TrimSuffix(a.path, "/"), strings.TrimSuffix(got.path, "/"))
							})
							if !fits {
								open++
								t.Errorf("%v, %s changed %s, %d routes in front, to %s: GET %s ran %v, judged %v", options(cfg), change.name, at.name, before, to, from, got, asked)
							}
						}
					}
				}
			}
		}
	}
	if t.Logf("%d handlers ran, %d unjudged", ran, open); ran == 0 {
		t.Error("no gate was called")
	}
}

// TestGateLeftOut: if routes precede a middleware that changes the path, Fiber continues at
// the same index of another list of routes, and may skip handlers and gates. The page warns
// of it; if Fiber changes that, so may the page. With RestartRouting nothing is skipped.
func TestGateLeftOut(t *testing.T) {
	j := &judge{allows: func(core.Resource) bool { return false }}
	for _, restart := range []bool{false, true} {
		app := fiber.New()
		app.Get("/old/a", passOn)
		app.Use("/old", func(c fiber.Ctx) error {
			if c.Path("/new/secret"); restart {
				return c.RestartRouting()
			}
			return c.Next()
		})
		app.Use(j.gate(t))
		app.Get("/new/a", passOn)
		app.Get("/new/secret", func(c fiber.Ctx) error { return c.SendString(secret) })
		code, body := ask(app.Handler(), "/old/secret")
		if leftOut := code == http.StatusOK && body == secret; leftOut == restart {
			t.Errorf("restarted %v: %d %s", restart, code, body)
		}
	}
}
