package fiberauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
)

// patterns are patterns of routes; each app has two of them.
var patterns = []string{
	"/a", "/A/b", "/a/", "/:x", "/:x?", "/*", "/+", "/a/*", "/a*", "/:x/b", "/:x/:y?", "/a-:x", "/:x.:y", `/a\:b`,
	"/:x<int>", "/:x<minLen(2)>", "/:x<even>", "/:x<regex(^a.*$)>/b", "/ab/:x?", "/:x+:y",
}

// even is a custom constraint.
type even struct{}

func (even) Name() string { return "even" }

func (even) Execute(param string, _ ...string) bool {
	n, err := strconv.Atoi(param)
	return err == nil && n%2 == 0
}

// registrations are ways to register a handler at a pattern.
var registrations = []struct {
	name string
	add  func(to fiber.Router, pattern string, h fiber.Handler)
}{
	{"Get", func(to fiber.Router, pattern string, h fiber.Handler) { to.Get(pattern, h) }},
	{"All", func(to fiber.Router, pattern string, h fiber.Handler) { to.All(pattern, h) }},
	{"Head and Get", func(to fiber.Router, pattern string, h fiber.Handler) { to.Head(pattern, h).Get(pattern, h) }},
	{"RouteChain", func(to fiber.Router, pattern string, h fiber.Handler) { to.RouteChain(pattern).Get(h) }},
	{"Group", func(to fiber.Router, pattern string, h fiber.Handler) { to.Group("/").Get(pattern, h) }},
	{"Use", func(to fiber.Router, pattern string, h fiber.Handler) { to.Use(pattern, h) }},
	{"sub-app", func(to fiber.Router, pattern string, h fiber.Handler) {
		sub := fiber.New()
		sub.RegisterCustomConstraint(even{})
		sub.Get(pattern, h)
		to.Use(sub)
	}},
}

// targets are requested from each app.
var targets = []string{
	"/", "/a", "/A", "/a/", "/a/b", "/A/B", "/a/b/", "/ab", "/ab/", "/AB/c", "/abc", "/2", "/3", "/a-b", "/A-B", "/a.b", "/a:b",
	"/x/b", "/X/B", "/a+b", "/a%20b", "/a/b/c", "/b/b",
}

// observer is a policy that allows everything and records its calls.
type observer struct {
	judge
	asked []core.Resource
}

func newObserver() *observer {
	o := new(observer)
	o.allows = func(r core.Resource) bool {
		o.asked = append(o.asked, r)
		return true
	}
	return o
}

// sees reports whether the policy was asked about the route at path.
func (o *observer) sees(route, path string) bool {
	return slices.ContainsFunc(o.asked, func(r core.Resource) bool {
		return r.Route == route && strings.EqualFold(strings.TrimSuffix(r.Path, "/"), strings.TrimSuffix(path, "/"))
	})
}

// tell answers with the current route.
func tell(c fiber.Ctx) error { return c.SendString("at " + c.FullPath()) }

// TestWhoRunsIsJudged: for every pair of routes, registered in every way, for GET and HEAD
// and with every option of the router, the policy was asked about the route whose handler
// runs.
func TestWhoRunsIsJudged(t *testing.T) {
	o := newObserver()
	gate := o.gate(t)
	ran := 0
	ways := registrations
	if testing.Short() {
		ways = ways[4:]
	}
	for i, cfg := range configs {
		for j, first := range patterns {
			for k, second := range patterns {
				if first == second || testing.Short() && (i+j+k)%4 > 0 {
					continue
				}
				for _, way := range ways {
					ran += judgeApp(t, o, gate, cfg, way.name, func(app *fiber.App) {
						way.add(app, first, tell)
						way.add(app, second, tell)
					}, first+" and "+second)
				}
			}
		}
	}
	if ran == 0 {
		t.Error("no handler ran")
	}
	t.Logf("%d handlers ran", ran)
}

// judgeApp asks an app for all targets and counts the handlers that ran.
func judgeApp(t *testing.T, o *observer, gate fiber.Handler, cfg fiber.Config, way string, add func(*fiber.App), what string) (ran int) {
	t.Helper()
	app := fiber.New(cfg)
	app.RegisterCustomConstraint(even{})
	app.Use("/*", gate)
	add(app)
	handler := app.Handler()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, target := range targets {
			o.asked = nil
			code, body := askBy(handler, method, target)
			route, ok := strings.CutPrefix(body, "at ")
			if code != http.StatusOK || !ok {
				continue
			}
			ran++
			path := target
			if way == "Use" && !o.sees(route, path) {
				route = "" // judged by its mount point, or by the path alone
			}
			if strings.Contains(path, "%20") {
				path = "/a b"
			}
			if !o.sees(route, path) {
				t.Errorf("%s of %s, %v: %s %s ran %q, judged %+v", way, what, options(cfg), method, target, route, o.asked)
			}
		}
	}
	return ran
}

// askBy sends a request as alice.
func askBy(app fasthttp.RequestHandler, method, path string) (int, string) {
	var req fasthttp.Request
	req.Header.SetRequestURI(path)
	req.Header.SetHost("example.com")
	req.Header.SetMethod(method)
	req.Header.Set("Authorization", "Name alice")
	var ctx fasthttp.RequestCtx
	ctx.Init(&req, nil, quiet)
	app(&ctx)
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}

// TestHeadRoutes: unless disabled, Fiber adds routes for HEAD after all others, so the
// app's own HEAD routes come first.
func TestHeadRoutes(t *testing.T) {
	o := newObserver()
	gate := o.gate(t)
	for _, cfg := range []fiber.Config{{}, {DisableHeadAutoRegister: true}, {RequestMethods: []string{"HEAD", "GET", "OPTIONS"}}} {
		for name, add := range map[string]func(app *fiber.App){
			"a wildcard for HEAD": func(app *fiber.App) { app.Get("/a", tell).Head("/*", tell) },
			"a wildcard in front": func(app *fiber.App) { app.Head("/*", passOn).Get("/a", tell).Get("/:x", tell) },
			"Use in between":      func(app *fiber.App) { app.Get("/a", tell).Use("/a", passOn).Get("/:x", tell) },
			"replaced":            func(app *fiber.App) { app.Get("/a", tell).Head("/a", tell).Get("/*", tell) },
		} {
			if judgeApp(t, o, gate, cfg, name, add, fmt.Sprint(cfg.DisableHeadAutoRegister)) == 0 {
				t.Errorf("%s: no handler ran", name)
			}
		}
	}
}

// TestRoutesThatChange: if routes are added and removed while the app serves, gates follow
// the router: neither takes effect before RebuildTree.
func TestRoutesThatChange(t *testing.T) {
	o := newObserver()
	gate := o.gate(t)
	app := fiber.New()
	app.Use(gate)
	app.Post("/other", tell)
	app.Get("/a", tell)
	app.Get("/+", tell)
	handler := app.Handler()
	for i, step := range []struct {
		change func()
		runs   string // the route that runs for /a/b
	}{
		{func() {}, "/+"},
		{func() { app.Get("/a/:x", tell) }, "/+"},
		{func() { app.RemoveRoute("/+", http.MethodGet) }, "/+"},
		{func() { app.RebuildTree() }, "/a/:x"},
		{func() { app.RemoveRoute("/a/:x", http.MethodGet); app.Get("/a/+", tell) }, "/a/:x"}, // as many handlers as before
		{func() { app.RebuildTree() }, "/a/+"},
		{func() {
			app.RemoveRouteFunc(func(r *fiber.Route) bool { return r.Path == "/a/+" })
			app.Get("/:x/b", tell)
			app.RebuildTree()
		}, "/:x/b"},
		{func() { app.RemoveRoute("/a"); app.Get("/:x/:y", tell); app.RebuildTree() }, "/:x/b"},
		{func() { app.RemoveRoute("/:x/b"); app.RebuildTree() }, "/:x/:y"},
	} {
		step.change()
		for _, path := range []string{"/a/b", "/A/b"} {
			o.asked = nil
			code, body := askBy(handler, http.MethodGet, path)
			if code != http.StatusOK || body != "at "+step.runs {
				t.Errorf("step %d, %s: %d %q, want the route %q", i, path, code, body, step.runs)
			}
			if !o.sees(step.runs, "/a/b") {
				t.Errorf("step %d, %s: judged %+v, %q ran", i, path, o.asked, step.runs)
			}
		}
	}
}
