package fiberauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/static"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
)

// deniedInEverySpelling is deniedBelow for a policy that ignores the letter case of the
// part of a path that the router folds.
func deniedInEverySpelling(prefix string, r core.Resource) bool {
	path := []byte(r.Path)
	for i := range min(r.Folded, len(path), len(prefix)) {
		if strings.EqualFold(string(path[i]), string(prefix[i])) {
			path[i] = prefix[i]
		}
	}
	return deniedBelow(prefix, string(path))
}

// insensitive is the configuration of a sub-app within an app that is case-sensitive.
var insensitive fiber.Config

// prefixes are ways to serve content below /Files, each with the prefix as the
// application wrote it.
var prefixes = []struct {
	name, at string
	mount    func(app *fiber.App, s *site)
	// kept is set if Fiber keeps the letter case; sub, if it is lost in a sub-app,
	// whatever the app's configuration.
	kept, sub bool
}{
	{name: "static", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.Use("/Files", static.New(s.dir, uncached)) }},
	{name: "static without a slash", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.Use("Files/", static.New(s.dir, uncached)) }},
	{name: "static with a star", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.Get("/Files*", static.New(s.dir, uncached)) }},
	{name: "static in groups", at: "/Api/V1/Files", kept: true, mount: func(app *fiber.App, s *site) {
		app.Group("/Api").Group("/V1").Use("/Files", static.New(s.dir, uncached))
	}},
	{name: "static in a sub-app", at: "/Api/Files", mount: func(app *fiber.App, s *site) {
		sub := fiber.New(insensitive)
		sub.Use(static.New(s.dir, uncached))
		app.Use("/Api/Files", sub)
	}},
	{name: "static in a sub-app at the root", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) {
		sub := fiber.New(insensitive)
		sub.Use("/Files", static.New(s.dir, uncached))
		app.Use(sub)
	}},
	{name: "a sub-app", at: "/Files", mount: func(app *fiber.App, s *site) {
		sub := fiber.New(insensitive)
		sub.Get("/secret/*", s.answer).Get("/public.txt", s.answer)
		app.Use("/Files", sub)
	}},
	{name: "a sub-app with a parameter", at: "/t/Files", mount: func(app *fiber.App, s *site) {
		sub := fiber.New(insensitive)
		sub.Get("/*", s.answer)
		app.Use("/:t/Files", sub)
	}},
	{name: "Use in a sub-app", at: "/Files", mount: func(app *fiber.App, s *site) {
		sub := fiber.New(insensitive)
		sub.Use(s.answer)
		app.Use("Files/", sub)
	}},
	{name: "a sub-app in a group", at: "/Api/Files", mount: func(app *fiber.App, s *site) {
		sub := fiber.New(insensitive)
		sub.Get("/*", s.answer)
		app.Group("/Api").Use("/Files", sub)
	}},
	{name: "a sub-app in a sub-app", at: "/Api/Files", sub: true, mount: func(app *fiber.App, s *site) {
		sub, inner := fiber.New(insensitive), fiber.New(insensitive)
		inner.Get("/*", s.answer)
		app.Use("/Api", sub)
		sub.Use("/Files", inner)
	}},
	{name: "Use", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.Use("/Files", s.answer) }},
	{name: "RouteChain", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.RouteChain("/Files").All(s.answer) }},
	{name: "a group", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.Group("/Files").Get("/*", s.answer) }},
	{name: "net/http", at: "/Files", kept: true, mount: func(app *fiber.App, s *site) { app.Use("/Files", http.Handler(s)) }},
}

// TestDenialsByRegisteredSpelling: a rule is written as the route was registered, in lower
// case or in another. If the router did not keep the registered letter case, the rule
// denies every spelling; otherwise only that one.
func TestDenialsByRegisteredSpelling(t *testing.T) {
	j, served := new(judge), 0
	gate := j.gate(t)
	base := newSite(t)
	for _, p := range prefixes {
		s := *base
		s.cut = len(p.at)
		spellings := []string{p.at, strings.ToLower(p.at), strings.ToUpper(p.at)}
		for _, cfg := range configs {
			lost := !p.kept && (p.sub || !cfg.CaseSensitive)
			for _, beside := range []string{"", "/*"} {
				build := func(gate fiber.Handler) fasthttp.RequestHandler {
					app := fiber.New(cfg)
					app.Use("/*", gate)
					p.mount(app, &s)
					if beside != "" {
						app.Get(beside, func(c fiber.Ctx) error { return c.SendStatus(http.StatusNotFound) })
					}
					return app.Handler()
				}
				app, without := build(gate), build(passOn)
				for _, at := range spellings {
					if _, body := ask(without, at+"/secret/x.txt"); body != secret {
						continue
					}
					served++
					for _, written := range spellings {
						where := fmt.Sprintf("%s, %v, beside %q: GET %s, denied is %s", p.name, options(cfg), beside, at, written)
						j.allows = func(r core.Resource) bool { return !deniedInEverySpelling(written, r) }
						code, body := ask(app, at+"/secret/x.txt")
						if (written == p.at || lost) && code != http.StatusForbidden {
							t.Errorf("%s: the secret: %d %.20q", where, code, body)
						}
						if cfg.CaseSensitive && !lost && written != p.at && written != at && body != secret {
							t.Errorf("%s: the rule is about another path: %d", where, code)
						}
						if code, body := ask(app, at+"/public.txt"); code != http.StatusOK || body != public {
							t.Errorf("%s: the public file: %d %.20q", where, code, body)
						}
					}
				}
			}
		}
	}
	t.Logf("%d requests for a secret", served)
	if served == 0 {
		t.Error("nothing was served")
	}
}
