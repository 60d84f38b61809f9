package middlewares

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/cache"
	"github.com/gofiber/fiber/v3/middleware/compress"
	"github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gofiber/fiber/v3/middleware/csrf"
	"github.com/gofiber/fiber/v3/middleware/earlydata"
	"github.com/gofiber/fiber/v3/middleware/encryptcookie"
	"github.com/gofiber/fiber/v3/middleware/envvar"
	"github.com/gofiber/fiber/v3/middleware/etag"
	"github.com/gofiber/fiber/v3/middleware/expvar"
	"github.com/gofiber/fiber/v3/middleware/favicon"
	"github.com/gofiber/fiber/v3/middleware/healthcheck"
	"github.com/gofiber/fiber/v3/middleware/helmet"
	"github.com/gofiber/fiber/v3/middleware/idempotency"
	"github.com/gofiber/fiber/v3/middleware/limiter"
	"github.com/gofiber/fiber/v3/middleware/logger"
	"github.com/gofiber/fiber/v3/middleware/pprof"
	"github.com/gofiber/fiber/v3/middleware/proxy"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/redirect"
	"github.com/gofiber/fiber/v3/middleware/requestid"
	"github.com/gofiber/fiber/v3/middleware/responsetime"
	"github.com/gofiber/fiber/v3/middleware/rewrite"
	"github.com/gofiber/fiber/v3/middleware/session"
	"github.com/gofiber/fiber/v3/middleware/skip"
	"github.com/gofiber/fiber/v3/middleware/static"
	"github.com/gofiber/fiber/v3/middleware/timeout"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	fiberauth "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func fiber3Who(c fiber.Ctx) string { return who(c.Get("Authorization")) }

func fiber3Next(c fiber.Ctx) error { return c.Next() }

var fiber3Middlewares = map[string]func(d dice, w *world) fiber.Handler{
	"rewrite": func(d dice, _ *world) fiber.Handler { return rewrite.New(rewrite.Config{Rules: pick(d, rewrites...)}) },
	"redirect": func(d dice, _ *world) fiber.Handler {
		return redirect.New(redirect.Config{Rules: pick(d, rewrites...)})
	},
	"override": func(dice, *world) fiber.Handler {
		return func(c fiber.Ctx) error {
			if m := c.Get("X-HTTP-Method-Override"); m != "" {
				c.Method(m)
			}
			return c.Next()
		}
	},
	"override and restart": func(dice, *world) fiber.Handler {
		return func(c fiber.Ctx) error {
			if m := c.Get("X-HTTP-Method-Override"); m != "" && m != c.Method() && c.Locals("restarted") == nil {
				c.Locals("restarted", true) // two that disagree would never end
				c.Method(m)
				return c.RestartRouting()
			}
			return c.Next()
		}
	},
	"rewrite and restart": func(d dice, _ *world) fiber.Handler {
		from, to := pick(d, "/a/", "/v1/", "/b/"), pick(d, "/secret/", "/")
		return func(c fiber.Ctx) error {
			if rest, ok := strings.CutPrefix(c.Path(), from); ok && c.Locals("restarted") == nil {
				c.Locals("restarted", true)
				c.Path(to + rest)
				return c.RestartRouting()
			}
			return c.Next()
		}
	},
	"files": func(d dice, _ *world) fiber.Handler {
		return static.New("", static.Config{FS: below(""), Browse: d.chance(50)})
	},
	"files at a prefix": func(d dice, _ *world) fiber.Handler {
		return static.New("", static.Config{FS: below(""), Compress: d.chance(50), ByteRange: d.chance(50), Next: func(c fiber.Ctx) bool { return c.Method() != "GET" }})
	},
	"time": func(dice, *world) fiber.Handler { return responsetime.New() },
	"proxy": func(_ dice, w *world) fiber.Handler {
		h := proxy.Balancer(proxy.Config{Client: &fasthttp.LBClient{Clients: []fasthttp.BalancingClient{fastUpstream{w}}, Timeout: time.Minute}})
		return func(c fiber.Ctx) error {
			if !strings.Contains(c.Path(), "b") {
				return c.Next()
			}
			return h(c)
		}
	},
	"envvar": func(dice, *world) fiber.Handler {
		vars := envvar.New(envvar.Config{ExportVars: map[string]string{"FILE": fileText}})
		return func(c fiber.Ctx) error {
			if c.Method() != "GET" || !strings.Contains(c.Path(), "7") {
				return c.Next()
			}
			return vars(c)
		}
	},
	"net/http": func(_ dice, w *world) fiber.Handler {
		h := adaptor.HTTPHandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(rw, w.servedPath("net/http", "", r.URL.EscapedPath(), who(r.Header.Get("Authorization")), true))
		})
		return func(c fiber.Ctx) error {
			if !strings.Contains(c.Path(), "12") {
				return c.Next()
			}
			return h(c)
		}
	},
	"cache": func(_ dice, w *world) fiber.Handler {
		return cache.New(cache.Config{Methods: []string{"GET", "HEAD", "POST"}, KeyGenerator: func(c fiber.Ctx) string {
			name := fiber3Who(c)
			if p := fiberauth.Principal(c); p != nil {
				name = p.ID()
			}
			return fmt.Sprintf("%q %s %s", name, c.OriginalURL(), c.Get("X-HTTP-Method-Override"))
		}})
	},
	"idempotency": func(dice, *world) fiber.Handler {
		const byUser = "X-Key-Of-User"
		m := idempotency.New(idempotency.Config{KeyHeader: byUser, KeyHeaderValidate: func(string) error { return nil }})
		return func(c fiber.Ctx) error {
			key, h := c.Get("X-Idempotency-Key"), &c.Request().Header
			h.Del(byUser)
			if p := fiberauth.Principal(c); p != nil && key != "" {
				h.Set(byUser, strconv.Quote(p.ID())+" "+key)
			}
			return m(c)
		}
	},
	"compress":  func(dice, *world) fiber.Handler { return compress.New() },
	"cors":      func(dice, *world) fiber.Handler { return cors.New() },
	"csrf":      func(dice, *world) fiber.Handler { return csrf.New() },
	"earlydata": func(dice, *world) fiber.Handler { return earlydata.New() },
	"cookies": func(dice, *world) fiber.Handler {
		return encryptcookie.New(encryptcookie.Config{Key: encryptcookie.GenerateKey(32)})
	},
	"etag":        func(d dice, _ *world) fiber.Handler { return etag.New(etag.Config{Weak: d.chance(50)}) },
	"expvar":      func(dice, *world) fiber.Handler { return expvar.New() },
	"favicon":     func(dice, *world) fiber.Handler { return favicon.New() },
	"healthcheck": func(dice, *world) fiber.Handler { return healthcheck.New() },
	"helmet":      func(dice, *world) fiber.Handler { return helmet.New() },
	"limiter":     func(dice, *world) fiber.Handler { return limiter.New(limiter.Config{Max: 1_000_000}) },
	"logger":      func(dice, *world) fiber.Handler { return logger.New(logger.Config{Stream: io.Discard}) },
	"pprof":       func(dice, *world) fiber.Handler { return pprof.New() },
	"recover":     func(dice, *world) fiber.Handler { return recover.New() },
	"id":          func(dice, *world) fiber.Handler { return requestid.New() },
	"session": func(dice, *world) fiber.Handler {
		store := session.NewStore()
		return func(c fiber.Ctx) error {
			s, err := store.Get(c)
			if err != nil {
				return err
			}
			s.Set("seen", true)
			err = c.Next()
			return cmp.Or(err, s.Save())
		}
	},
	"skip": func(dice, *world) fiber.Handler {
		return skip.New(etag.New(), func(c fiber.Ctx) bool { return c.Method() != "GET" })
	},
	"timeout": func(dice, *world) fiber.Handler { return timeout.New(fiber3Next, timeout.Config{Timeout: time.Minute}) },
}

// ofConstraint is a constraint of the app.
type ofConstraint struct{}

func (ofConstraint) Name() string { return "known" }

func (ofConstraint) Execute(param string, _ ...string) bool { return strings.ContainsAny(param, "a7") }

var fiberConstraints = []string{"known", "int", "alpha", "minLen(2)", "minLen(1);maxLen(4)", "len(1)", "regex(^[a-z0-9.]+$)", "range(3,9)", "bool"}

// fiber3ErrorHandlers answer in their own way, or start over.
var fiber3ErrorHandlers = []fiber.ErrorHandler{
	func(c fiber.Ctx, err error) error { return c.Status(fiber.StatusTeapot).SendString(err.Error()) },
	func(c fiber.Ctx, _ error) error { return c.Status(fiber.StatusOK).SendString("recovered") },
	func(c fiber.Ctx, err error) error {
		if c.Locals("again") != nil {
			return fiber.DefaultErrorHandler(c, err)
		}
		c.Locals("again", true)
		return c.RestartRouting()
	},
	func(c fiber.Ctx, err error) error {
		if c.Locals("again") != nil {
			return fiber.DefaultErrorHandler(c, err)
		}
		c.Locals("again", true)
		c.Path("/a")
		return c.RestartRouting()
	},
	func(fiber.Ctx, error) error { return nil },
}

func buildFiber3(d dice, w *world) app {
	cfg := fiber.Config{
		CaseSensitive: d.chance(30), StrictRouting: d.chance(30), UnescapePath: d.chance(30), Immutable: d.chance(20),
		DisableHeaderNormalizing: d.chance(10), DisableHeadAutoRegister: d.chance(20),
	}
	if d.chance(30) {
		cfg.ErrorHandler = pick(d, fiber3ErrorHandlers...)
	}
	k := kinds{prefixed: true, suffixed: true, digits: true, optional: true, restAnywhere: true, upper: true, unicode: true, constraints: fiberConstraints}
	if d.chance(20) {
		k.methods = []string{"LOAD", "load", "PURGE"}
		cfg.RequestMethods = append(slices.Clone(fiber.DefaultMethods), k.methods...)
	}
	e := fiber.New(cfg)
	e.RegisterCustomConstraint(ofConstraint{})
	p := newPlan(d, k, gatePlaces...)
	w.plan = p
	w.note("case %v strict %v unescape %v", cfg.CaseSensitive, cfg.StrictRouting, cfg.UnescapePath)
	for _, rt := range p.routes {
		rt.pattern = cmp.Or(fiberPattern(p.whole(rt)), "/")
	}
	w.policy(d)
	gate := func(kind func(g *core.Guard) fiber.Handler) fiber.Handler {
		if w.open {
			return fiber3Next
		}
		return kind(w.guard)
	}
	rules := d.chance(20)
	authorize := gate(func(g *core.Guard) fiber.Handler {
		switch {
		case p.gates == "named":
			return fiberauth.Authorize(g, core.WithResourceName("named"))
		case rules:
			return fiberauth.Require(g, w)
		}
		return fiberauth.Authorize(g)
	})
	use := func(most int, without ...string) []fiber.Handler {
		var chain []fiber.Handler
		for _, name := range pickOf(d, most, fiber3Middlewares) {
			m := fiber3Middlewares[name](d, w)
			if !slices.Contains(without, name) {
				chain = append(chain, m)
				w.note("%s", name)
			}
		}
		return chain
	}
	w.note("front")
	for _, m := range use(3, fiberAnswering...) {
		e.Use(m)
	}
	guarded := false
	switch p.gates {
	case "app", "app, routes", "named":
		e.Use("/*", authorize)
		guarded = true
	case "optional, routes", "check":
		e.Use("/*", gate(func(g *core.Guard) fiber.Handler { return fiberauth.Optional(g) }))
	}
	changed := slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(fiberChanging, s) })
	behind := func(guarded bool) []string {
		switch {
		case guarded && w.byPath && changed:
			return append([]string{"net/http"}, fiberChanging...) // it gets the path that was sent
		case guarded && w.byPath:
			return fiberChanging
		}
		return append(fiberAnswering, fiberChanging...)
	}
	w.note("behind")
	for _, m := range use(2, behind(guarded)...) {
		e.Use(m)
	}
	anys := func(chain []fiber.Handler) []any {
		var all []any
		for _, h := range chain {
			all = append(all, h)
		}
		return all
	}
	type mount struct {
		app         *fiber.App
		prefix, way string
		inner       fiber.Config
	}
	var mounts []mount
	var groups []fiber.Router
	for i, g := range p.groups {
		prefix := fiberPattern(g.segments)
		way := pick(d, "group", "mount", "mount in a group", "mount twice", "route")
		if strings.Contains(prefix, ":") && strings.HasPrefix(way, "mount") {
			way = "group" // Fiber v2 gives handlers other values than those of their names
		}
		if slices.ContainsFunc(mounts, func(m mount) bool { return strings.EqualFold(m.prefix, prefix) }) {
			way = "group" // Fiber itself panics where the prefix of a sub-app is used again
		}
		w.note("group %d %s: %s", i, prefix, way)
		chain := use(1, behind(guarded)...)
		if p.gates == "groups" || p.gates == "some groups" && i > 0 {
			chain = append(chain, authorize)
			chain = append(chain, use(1, behind(true)...)...)
		}
		all := "/" // of the group; what matches all paths must have a star
		if prefix == "" {
			all = "/*"
		}
		var r fiber.Router
		switch way {
		case "mount", "mount in a group", "mount twice":
			inner := cfg
			if d.chance(40) {
				inner = fiber.Config{CaseSensitive: d.chance(50), StrictRouting: d.chance(50), UnescapePath: d.chance(50), RequestMethods: cfg.RequestMethods}
				if d.chance(50) {
					inner.ErrorHandler = pick(d, fiber3ErrorHandlers...)
				}
				w.note("inner case %v strict %v unescape %v", inner.CaseSensitive, inner.StrictRouting, inner.UnescapePath)
			}
			sub := fiber.New(inner)
			sub.RegisterCustomConstraint(ofConstraint{})
			for _, m := range chain {
				sub.Use(all, m)
			}
			r = sub
			mounts = append(mounts, mount{sub, prefix, way, inner})
		case "route":
			e.Route(prefix, func(inner fiber.Router) {
				for _, m := range chain {
					inner.Use(all, m)
				}
				r = inner
			})
		default:
			r = e.Group(prefix)
			for _, m := range chain {
				r.Use(all, m)
			}
		}
		groups = append(groups, r)
	}
	onRoute := func() []fiber.Handler {
		chain := use(1, behind(guarded)...)
		if strings.Contains(p.gates, "routes") {
			chain = append(chain, authorize)
		}
		return append(chain, use(1, behind(guarded || strings.Contains(p.gates, "routes"))...)...)
	}
	mounted := false
	mountAll := func() {
		mounted = true
		for i, r := range groups {
			sub, ok := r.(*fiber.App)
			if !ok || sub == e {
				continue
			}
			prefix := cmp.Or(fiberPattern(p.groups[i].segments), "/")
			at := slices.IndexFunc(mounts, func(m mount) bool { return m.app == sub })
			switch m := mounts[at]; {
			case m.way == "mount in a group":
				e.Group("/").Use(prefix, sub)
			case m.way == "mount twice" && prefix != "/":
				outer := fiber.New(m.inner)
				outer.Use("/", sub)
				e.Use(prefix, outer)
			default:
				e.Use(prefix, sub)
			}
		}
	}
	after := 0 // so many routes are added when the app has served a request
	if d.chance(20) {
		after = 1 + d.IntN(2)
		w.note("the last %d after start", after)
	}
	for i, rt := range p.routes {
		w.note("%s", rt.name)
		if i == len(p.routes)-after {
			mountAll()
			serveFast(e.Handler())(p.request(d).as("carol"))
		}
		params := make(map[string]string)
		for _, s := range p.whole(rt) {
			params[s.param] = s.param
			if s.rest {
				params[s.param] = strings.Replace(strings.Replace(s.param, "rest2", "*2", 1), "rest", "*1", 1)
			}
		}
		h := func(c fiber.Ctx) error {
			if !w.open && p.gates == "check" {
				if err := fiberauth.Check(c, w.guard, w); err != nil {
					return err
				}
			}
			return c.SendString(w.served(rt, fiber3Who(c), func(name string) string { return c.Params(params[name]) }))
		}
		chain := append(onRoute(), h)
		relative := cmp.Or(fiberPattern(rt.segments), "/")
		to := groups[rt.group]
		if sub, ok := to.(*fiber.App); ok && sub != e && mounted {
			to, relative = e, cmp.Or(fiberPattern(p.whole(rt)), "/") // a sub-app takes no more routes
			if p.gates == "groups" || p.gates == "some groups" && rt.group > 0 {
				chain = append([]fiber.Handler{authorize}, chain...)
			}
		}
		if rt.methods == nil {
			to.All(relative, chain[0], anys(chain[1:])...)
		}
		for _, m := range rt.methods {
			if d.chance(20) {
				to.RouteChain(relative).Add([]string{m}, chain[0], anys(chain[1:])...)
			} else if added := to.Add([]string{m}, relative, chain[0], anys(chain[1:])...); d.chance(20) {
				added.Name(rt.name + "é")
			}
		}
	}
	if !mounted {
		mountAll()
	}
	e.Handler()
	e.RebuildTree()
	if guarded && d.chance(40) {
		prefix := pick(d, "/files", "/a", "/secret", "/")
		w.note("Static %s", prefix)
		h := static.New(folder(w, strings.TrimRight(prefix, "/")), static.Config{Browse: d.chance(30), ByteRange: d.chance(30), Compress: d.chance(30)})
		if d.chance(50) {
			e.Use(prefix, h)
		} else {
			e.Get(strings.TrimRight(prefix, "/")+"/*", h)
		}
	}
	return serveFast(e.Handler())
}

func TestAppsOnFiber3(t *testing.T) {
	runApps(t, "fiber", buildFiber3, 20, true, func(w *world, _ request, _, _ answer) bool {
		return slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(fiberChanging, s) })
	})
}
