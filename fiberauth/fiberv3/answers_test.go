package fiberauth_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func passOn(c fiber.Ctx) error { return c.Next() }

// places are the prefixes, with a path that matches each.
var places = []struct{ prefix, at string }{
	{"/files", "/files"}, {"/Files", "/Files"}, {"/:t/files", "/t/files"}, {"", ""},
}

// besides are the routes next to the one that answers: behind it, or in front of it and
// passing requests on.
var besides = []struct {
	pattern string
	first   bool
}{
	{pattern: ""}, {pattern: "/*"}, {pattern: "/+"}, {pattern: "/:a/*"}, {pattern: "/:a/:b/:c?"}, {pattern: "/:page?"},
	{pattern: "/files/*"}, {pattern: "/Files/*"}, {pattern: "/files*"}, {pattern: "/*", first: true}, {pattern: "/:a/:b/*", first: true},
}

var configs = []fiber.Config{
	{}, {CaseSensitive: true}, {StrictRouting: true}, {UnescapePath: true},
	{CaseSensitive: true, StrictRouting: true}, {CaseSensitive: true, UnescapePath: true},
	{StrictRouting: true, UnescapePath: true}, {CaseSensitive: true, StrictRouting: true, UnescapePath: true},
}

// gatesOn are the places of a gate: each returns the router and the prefix to mount on
// behind it.
var gatesOn = map[string]func(app *fiber.App, prefix string, gate fiber.Handler) (fiber.Router, string){
	"app": func(app *fiber.App, prefix string, gate fiber.Handler) (fiber.Router, string) {
		app.Use("/*", gate)
		return app, prefix
	},
	"prefix": func(app *fiber.App, prefix string, gate fiber.Handler) (fiber.Router, string) {
		app.Use(cmp.Or(prefix, "/*"), gate)
		return app, prefix
	},
	"group": func(app *fiber.App, prefix string, gate fiber.Handler) (fiber.Router, string) {
		if prefix == "" {
			return app.Group("").Use("/*", gate), ""
		}
		return app.Group(prefix, gate), ""
	},
}

// spellings returns targets for path below prefix.
func spellings(at, path string) []string {
	upper := strings.ToUpper(at)
	all := []string{
		at + path, upper + path, strings.ToLower(at) + path, upper + strings.ToUpper(path), at + strings.ToUpper(path),
		at + path + "/", upper + path + "/", at + "/" + path, at + "/." + path, at + "/x/.." + path, at + "/%2e" + path,
		at + "%2f" + path[1:], upper + "%2F" + path[1:], at + "/%" + "73" + path[2:], at + path[1:], upper + path[1:],
		at + path + "?a", at + path + ";a", at + "/+" + path, at + path + "+", at + path + "#a", at + `\` + path[1:],
		at + "//" + path[1:], "//" + at + path, strings.Repeat("A", len(at)) + path, path,
	}
	if at != "" {
		all = append(all, "/"+strings.Repeat("A", len(at)-1)+path, "/%"+hex(at[1])+at[2:]+path, "/%"+hex(at[1])+upper[2:]+path,
			at[:2]+strings.ToUpper(at[2:])+path, "/"+strings.ToUpper(at[1:2])+at[2:]+path)
	}
	return all
}

func hex(c byte) string { return string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]) }

// deniedBelow reports whether path is at or below prefix + "/secret", where a
// parameter is any segment.
func deniedBelow(prefix, path string) bool {
	want, got := strings.Split(prefix+"/secret", "/"), strings.Split(path, "/")
	if len(got) < len(want) {
		return false
	}
	for i, w := range want {
		if got[i] != w && !strings.HasPrefix(w, ":") {
			return false
		}
	}
	return true
}

// layout describes an app: what answers, where, next to which route, behind which gate.
type layout struct {
	answerer
	prefix, at string
	beside     string
	first      bool // the other route is in front and passes requests on
	cfg        fiber.Config
	gateOn     string
	site       *site
}

func (l *layout) String() string {
	return fmt.Sprintf("%s at %q, gate on %s, beside %q (in front: %v), %v", l.name, l.prefix, l.gateOn, l.beside, l.first, options(l.cfg))
}

// registered returns the prefix as Fiber keeps it.
func (l *layout) registered() string {
	if l.lowered && !l.cfg.CaseSensitive {
		return strings.ToLower(l.prefix)
	}
	return l.prefix
}

// build returns the app with a gate, or with another middleware instead.
func (l *layout) build(gate fiber.Handler) fasthttp.RequestHandler {
	app := fiber.New(l.cfg)
	to, below := gatesOn[l.gateOn](app, l.prefix, gate)
	if l.first {
		app.All(l.beside, passOn)
	}
	l.mount(to, below, l.site)
	if l.beside != "" && !l.first {
		app.Get(l.beside, func(c fiber.Ctx) error { return c.SendString(beside) })
	}
	return app.Handler()
}

// layouts calls do with all layouts, or with -short with every fifth of those with the gate
// on the app. Since no dimension has a multiple of five values, each pair of values is
// among them.
func layouts(t *testing.T, do func(*layout)) {
	base, n := newSite(t), 0
	for _, a := range answerers {
		for _, place := range places {
			s := *base
			s.cut = len(place.at)
			for _, b := range besides {
				for _, cfg := range configs {
					for on := range gatesOn {
						if testing.Short() {
							if on != "app" {
								continue
							}
							if n++; n%5 > 0 {
								continue
							}
						}
						do(&layout{a, place.prefix, place.at, b.pattern, b.first, cfg, on, &s})
					}
				}
			}
		}
	}
}

// judge is a replaceable policy.
type judge struct {
	allows func(core.Resource) bool
	asked  bool
}

func (j *judge) gate(t *testing.T) fiber.Handler {
	t.Helper()
	guard, err := core.NewGuard([]core.Authenticator{authtest.Names{}},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})),
		core.WithAuthorizer(authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
			j.asked = true
			return core.Decision{Allowed: j.allows(a.Resource)}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	return fiberauth.Authorize(guard)
}

// TestWhoAnswersIsJudged serves a secret in every way, beside every kind of route and in
// every configuration, and requests it in every spelling. The handler that answers must
// have been allowed under the path of its registration. A plain request that the rules
// allow is answered as without a gate.
func TestWhoAnswersIsJudged(t *testing.T) {
	j := new(judge)
	gate := j.gate(t)
	var n struct{ apps, secrets, open, plain, closed int }
	layouts(t, func(l *layout) {
		n.apps++
		app, without := l.build(gate), l.build(passOn)
		allBut := func(r core.Resource) bool { return !deniedBelow(l.registered(), r.Path) }
		asRegistered := func(r core.Resource) bool { return !deniedInEverySpelling(l.prefix, r) }
		besides := func(r core.Resource) bool { return r.Route == l.beside }
		for _, path := range spellings(l.at, "/secret/x.txt") {
			if _, body := ask(without, path); body != secret {
				continue
			}
			n.secrets++
			for policy, allows := range map[string]func(core.Resource) bool{"paths": allBut, "paths as registered": asRegistered, "routes": besides} {
				if policy == "routes" && !l.routesTell() || policy == "paths as registered" && l.registered() == l.prefix {
					continue
				}
				// A gate on a prefix is not where Static with a star is.
				j.allows, j.asked = allows, false
				if _, body := ask(app, path); body == secret && j.asked {
					n.open++
					t.Errorf("%v: GET %s: the secret is given out, judged by %s", l, path, policy)
				}
			}
		}
		onlyPublic := func(r core.Resource) bool {
			public := strings.TrimSuffix(r.Path, "/public.txt")
			return public != r.Path && deniedBelow(l.registered(), public+"/secret")
		}
		plain := l.at + "/public.txt"
		if l.registered() != l.prefix {
			plain = strings.ToLower(plain)
		}
		for _, path := range []string{plain, "/other", "/other/a/b", "/filesystem/a", "/Files/x"} {
			code, body := ask(without, path)
			if code != http.StatusOK {
				continue
			}
			for policy, allows := range map[string]func(core.Resource) bool{"all but the secret": allBut, "what is public": onlyPublic} {
				if policy == "what is public" && (body != public || path != plain || l.spelledTwice() || l.shared) {
					continue
				}
				n.plain++
				j.allows = allows
				if gotCode, got := ask(app, path); gotCode != code || got != body {
					n.closed++
					t.Errorf("%v: GET %s: %d %.20q, without a gate %d %q; allowed is %s", l, path, gotCode, got, code, body, policy)
				}
			}
		}
	})
	t.Logf("%d apps: of %d requests for a secret %d were open, of %d plain requests %d were refused", n.apps, n.secrets, n.open, n.plain, n.closed)
}

// routesTell reports whether a rule about the other route must not let this one answer.
// If that route matches all that this one does, it is the same route, or a gate takes it
// for middleware of this one. If it passes on what only it matches, only rules by path
// tell them apart.
func (l *layout) routesTell() bool {
	fold := func(s string) string { return s }
	if !l.cfg.CaseSensitive {
		fold = strings.ToLower
	}
	switch {
	case l.beside == "", l.pattern != "" && l.route() == l.beside:
		return false
	case l.first:
		return l.beside == "/*" && l.prefix != ""
	default:
		return l.pattern != "" || l.static || !strings.HasPrefix(fold(l.beside), fold(l.prefix))
	}
}

// route is the pattern of the route that answers: Fiber adds a slash between a group's
// prefix, even an empty one, and a pattern that begins without one.
func (l *layout) route() string {
	if l.prefix == "" || l.gateOn == "group" {
		return l.registered() + "/" + strings.TrimPrefix(l.pattern, "/")
	}
	return l.registered() + l.pattern
}

// spelledTwice reports whether this route and the other one are registered for the same
// paths in different letter case. It is then unknown which spelling rules mean, so both
// are judged.
func (l *layout) spelledTwice() bool {
	lower := strings.ToLower(l.beside)
	return !l.cfg.CaseSensitive && l.beside != lower != (l.registered() != strings.ToLower(l.prefix)) &&
		strings.HasPrefix(lower, "/files") && strings.HasPrefix(strings.ToLower(l.prefix), "/files")
}

func options(cfg fiber.Config) (on []string) {
	for name, set := range map[string]bool{"CaseSensitive": cfg.CaseSensitive, "StrictRouting": cfg.StrictRouting, "UnescapePath": cfg.UnescapePath} {
		if set {
			on = append(on, name)
		}
	}
	return on
}

var quiet = log.New(io.Discard, "", 0)

func ask(app fasthttp.RequestHandler, path string) (int, string) {
	var req fasthttp.Request
	req.Header.SetRequestURI(path)
	req.Header.SetHost("example.com")
	req.Header.SetMethod(http.MethodGet)
	req.Header.Set("Authorization", "Name alice")
	var ctx fasthttp.RequestCtx
	ctx.Init(&req, nil, quiet)
	app(&ctx)
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}
