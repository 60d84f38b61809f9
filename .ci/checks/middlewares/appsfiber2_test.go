package middlewares

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/cache"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/gofiber/fiber/v2/middleware/csrf"
	"github.com/gofiber/fiber/v2/middleware/earlydata"
	"github.com/gofiber/fiber/v2/middleware/encryptcookie"
	"github.com/gofiber/fiber/v2/middleware/envvar"
	"github.com/gofiber/fiber/v2/middleware/etag"
	"github.com/gofiber/fiber/v2/middleware/expvar"
	"github.com/gofiber/fiber/v2/middleware/favicon"
	"github.com/gofiber/fiber/v2/middleware/filesystem"
	"github.com/gofiber/fiber/v2/middleware/healthcheck"
	"github.com/gofiber/fiber/v2/middleware/helmet"
	"github.com/gofiber/fiber/v2/middleware/idempotency"
	"github.com/gofiber/fiber/v2/middleware/limiter"
	"github.com/gofiber/fiber/v2/middleware/logger"
	"github.com/gofiber/fiber/v2/middleware/pprof"
	"github.com/gofiber/fiber/v2/middleware/proxy"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/middleware/redirect"
	"github.com/gofiber/fiber/v2/middleware/requestid"
	"github.com/gofiber/fiber/v2/middleware/rewrite"
	"github.com/gofiber/fiber/v2/middleware/session"
	"github.com/gofiber/fiber/v2/middleware/skip"
	"github.com/gofiber/fiber/v2/middleware/timeout"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// Of Fiber's middlewares some change path or method, and must stand in front of all gates
// and routes; some answer by themselves, and must stand behind gates, as those do that
// keep answers.
var (
	fiberChanging  = []string{"rewrite", "redirect", "override", "override and restart", "rewrite and restart"}
	fiberAnswering = []string{"files", "files at a prefix", "proxy", "envvar", "cache", "idempotency", "net/http"}
)

func fiber2Who(c *fiber.Ctx) string { return who(c.Get("Authorization")) }

func fiber2Next(c *fiber.Ctx) error { return c.Next() }

var rewrites = []map[string]string{
	{"/a/*": "/secret/$1"}, {"/v1/*": "/$1"}, {"/secret*": "/a$1"}, {"/*/b": "/$1/secret"}, {"/SECRET/*": "/a/$1"}, {"/b": "/a/secret"},
}

var fiber2Middlewares = map[string]func(d dice, w *world) fiber.Handler{
	"rewrite": func(d dice, _ *world) fiber.Handler { return rewrite.New(rewrite.Config{Rules: pick(d, rewrites...)}) },
	"redirect": func(d dice, _ *world) fiber.Handler {
		return redirect.New(redirect.Config{Rules: pick(d, rewrites...)})
	},
	"override": func(dice, *world) fiber.Handler {
		return func(c *fiber.Ctx) error {
			if m := c.Get("X-HTTP-Method-Override"); m != "" {
				c.Method(m)
			}
			return c.Next()
		}
	},
	"override and restart": func(dice, *world) fiber.Handler {
		return func(c *fiber.Ctx) error {
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
		return func(c *fiber.Ctx) error {
			if rest, ok := strings.CutPrefix(c.Path(), from); ok && c.Locals("restarted") == nil {
				c.Locals("restarted", true)
				c.Path(to + rest)
				return c.RestartRouting()
			}
			return c.Next()
		}
	},
	"files": func(d dice, _ *world) fiber.Handler {
		return filesystem.New(filesystem.Config{Root: http.FS(below("")), Browse: d.chance(50)})
	},
	"files at a prefix": func(d dice, _ *world) fiber.Handler {
		return filesystem.New(filesystem.Config{Root: http.FS(below("")), PathPrefix: "/", NotFoundFile: pick(d, "", "a.txt")})
	},
	"proxy": func(_ dice, w *world) fiber.Handler {
		h := proxy.Balancer(proxy.Config{Client: &fasthttp.LBClient{Clients: []fasthttp.BalancingClient{fastUpstream{w}}, Timeout: time.Minute}})
		return func(c *fiber.Ctx) error {
			if !strings.Contains(c.Path(), "b") {
				return c.Next()
			}
			return h(c)
		}
	},
	"envvar": func(dice, *world) fiber.Handler {
		vars := envvar.New(envvar.Config{ExportVars: map[string]string{"FILE": fileText}})
		return func(c *fiber.Ctx) error {
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
		return func(c *fiber.Ctx) error {
			if !strings.Contains(c.Path(), "12") {
				return c.Next()
			}
			return h(c)
		}
	},
	"cache": func(_ dice, w *world) fiber.Handler {
		return cache.New(cache.Config{Methods: []string{"GET", "HEAD", "POST"}, KeyGenerator: func(c *fiber.Ctx) string {
			name := fiber2Who(c)
			if p := fiberauth.Principal(c); p != nil {
				name = p.ID()
			}
			return fmt.Sprintf("%q %s %s", name, c.OriginalURL(), c.Get("X-HTTP-Method-Override"))
		}})
	},
	"idempotency": func(dice, *world) fiber.Handler {
		const byUser = "X-Key-Of-User"
		m := idempotency.New(idempotency.Config{KeyHeader: byUser, KeyHeaderValidate: func(string) error { return nil }})
		return func(c *fiber.Ctx) error {
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
		return encryptcookie.New(encryptcookie.Config{Key: encryptcookie.GenerateKey()})
	},
	"etag":        func(d dice, _ *world) fiber.Handler { return etag.New(etag.Config{Weak: d.chance(50)}) },
	"expvar":      func(dice, *world) fiber.Handler { return expvar.New() },
	"favicon":     func(dice, *world) fiber.Handler { return favicon.New() },
	"healthcheck": func(dice, *world) fiber.Handler { return healthcheck.New() },
	"helmet":      func(dice, *world) fiber.Handler { return helmet.New() },
	"limiter":     func(dice, *world) fiber.Handler { return limiter.New(limiter.Config{Max: 1_000_000}) },
	"logger":      func(dice, *world) fiber.Handler { return logger.New(logger.Config{Output: io.Discard}) },
	"pprof":       func(dice, *world) fiber.Handler { return pprof.New() },
	"recover":     func(dice, *world) fiber.Handler { return recover.New() },
	"id":          func(dice, *world) fiber.Handler { return requestid.New() },
	"session": func(dice, *world) fiber.Handler {
		store := session.New()
		return func(c *fiber.Ctx) error {
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
		return skip.New(etag.New(), func(c *fiber.Ctx) bool { return c.Method() != "GET" })
	},
	"timeout": func(dice, *world) fiber.Handler { return timeout.NewWithContext(fiber2Next, time.Minute) },
}

// fastUpstream is what a proxy of Fiber reaches.
type fastUpstream struct{ w *world }

func (fastUpstream) PendingRequests() int { return 0 }

func (u fastUpstream) DoDeadline(req *fasthttp.Request, resp *fasthttp.Response, _ time.Time) error {
	target := string(req.URI().PathOriginal())
	resp.SetBodyString(u.w.servedPath("upstream", "", target, who(string(req.Header.Peek("Authorization"))), true))
	return nil
}

// fiberPattern returns a pattern of Fiber, and the names of its parameters.
func fiberPattern(segments []segment) string {
	s := ""
	for _, g := range segments {
		switch {
		case g.rest:
			s += "/*"
		case g.digits:
			s += "/" + g.text + ":" + g.param + "<" + cmp.Or(g.constraint, "int") + ">"
		case g.optional:
			s += "/" + g.text + ":" + g.param + "?"
		case g.param != "":
			s += "/" + g.text + ":" + g.param + g.suffix
		default:
			s += "/" + g.text
		}
	}
	return s
}

// serveFast is the app of a handler of fasthttp.
func serveFast(h fasthttp.RequestHandler) app {
	return func(raw string) answer {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, log.New(io.Discard, "", 0))
		if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(raw))); err != nil {
			return answer{status: http.StatusBadRequest}
		}
		h(&ctx)
		header := http.Header{}
		for k, v := range ctx.Response.Header.All() {
			header.Add(string(k), string(v))
		}
		body := ctx.Response.Body()
		if plain, err := ctx.Response.BodyUncompressed(); err == nil {
			body = plain
		}
		return answer{ctx.Response.StatusCode(), header, string(body)}
	}
}

// folder writes files for [fiber.App.Static].
func folder(w *world, prefix string) string {
	dir := w.t.TempDir()
	for name, file := range below(prefix) {
		path := filepath.Join(dir, name)
		if err := cmp.Or(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, file.Data, 0o600)); err != nil {
			w.t.Fatal(err)
		}
	}
	return dir
}

// fiber2ErrorHandlers answer in their own way, or start over.
var fiber2ErrorHandlers = []fiber.ErrorHandler{
	func(c *fiber.Ctx, err error) error { return c.Status(fiber.StatusTeapot).SendString(err.Error()) },
	func(c *fiber.Ctx, _ error) error { return c.Status(fiber.StatusOK).SendString("recovered") },
	func(c *fiber.Ctx, err error) error {
		if c.Locals("again") != nil {
			return fiber.DefaultErrorHandler(c, err)
		}
		c.Locals("again", true)
		return c.RestartRouting()
	},
	func(c *fiber.Ctx, err error) error {
		if c.Locals("again") != nil {
			return fiber.DefaultErrorHandler(c, err)
		}
		c.Locals("again", true)
		c.Path("/a")
		return c.RestartRouting()
	},
	func(*fiber.Ctx, error) error { return nil },
}

func buildFiber2(d dice, w *world) app {
	cfg := fiber.Config{
		CaseSensitive: d.chance(30), StrictRouting: d.chance(30), UnescapePath: d.chance(30), Immutable: d.chance(20),
		DisableHeaderNormalizing: d.chance(10), DisableStartupMessage: true,
	}
	if d.chance(30) {
		cfg.ErrorHandler = pick(d, fiber2ErrorHandlers...)
	}
	k := kinds{prefixed: true, suffixed: true, digits: true, optional: true, restAnywhere: true, upper: true, unicode: true, constraints: fiberConstraints[1:]}
	if d.chance(20) {
		k.methods = []string{"LOAD", "load", "PURGE"}
		cfg.RequestMethods = append(slices.Clone(fiber.DefaultMethods), k.methods...)
	}
	e := fiber.New(cfg)
	p := newPlan(d, k, gatePlaces...)
	w.plan = p
	w.note("case %v strict %v unescape %v", cfg.CaseSensitive, cfg.StrictRouting, cfg.UnescapePath)
	for _, rt := range p.routes {
		rt.pattern = cmp.Or(fiberPattern(p.whole(rt)), "/")
	}
	w.policy(d)
	gate := func(kind func(g *core.Guard) fiber.Handler) fiber.Handler {
		if w.open {
			return fiber2Next
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
		for _, name := range pickOf(d, most, fiber2Middlewares) {
			m := fiber2Middlewares[name](d, w)
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
		e.Use(authorize)
		guarded = true
	case "optional, routes", "check":
		e.Use(gate(func(g *core.Guard) fiber.Handler { return fiberauth.Optional(g) }))
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
		if (prefix == "" || strings.Contains(prefix, ":")) && strings.HasPrefix(way, "mount") {
			// Fiber v2 runs nothing that is mounted with Use there for "//", and gives handlers
			// below a parameter other values than those of their names.
			way = "group"
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
		var r fiber.Router
		switch way {
		case "mount", "mount in a group", "mount twice":
			inner := cfg
			if d.chance(40) {
				inner = fiber.Config{CaseSensitive: d.chance(50), StrictRouting: d.chance(50), UnescapePath: d.chance(50), RequestMethods: cfg.RequestMethods}
				if d.chance(50) {
					inner.ErrorHandler = pick(d, fiber2ErrorHandlers...)
				}
				w.note("inner case %v strict %v unescape %v", inner.CaseSensitive, inner.StrictRouting, inner.UnescapePath)
			}
			sub := fiber.New(inner)
			for _, m := range chain {
				sub.Use(m)
			}
			r = sub
			mounts = append(mounts, mount{sub, prefix, way, inner})
		case "route":
			e.Route(prefix, func(inner fiber.Router) {
				for _, m := range chain {
					inner.Use(m)
				}
				r = inner
			})
		default:
			r = e.Group(prefix, chain...)
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
				e.Group("/").Mount(prefix, sub)
			case m.way == "mount twice" && prefix != "/":
				outer := fiber.New(m.inner)
				outer.Mount("/", sub)
				e.Mount(prefix, outer)
			default:
				e.Mount(prefix, sub)
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
		h := func(c *fiber.Ctx) error {
			if !w.open && p.gates == "check" {
				if err := fiberauth.Check(c, w.guard, w); err != nil {
					return err
				}
			}
			return c.SendString(w.served(rt, fiber2Who(c), func(name string) string { return c.Params(params[name]) }))
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
			to.All(relative, chain...)
		}
		for _, m := range rt.methods {
			if added := to.Add(m, relative, chain...); d.chance(20) {
				added.Name(rt.name + "é")
			}
		}
	}
	if !mounted {
		mountAll()
	}
	if guarded && d.chance(40) {
		prefix := pick(d, "/files", "/a", "/secret", "/")
		w.note("Static %s", prefix)
		e.Static(prefix, folder(w, strings.TrimRight(prefix, "/")), fiber.Static{Browse: d.chance(30), ByteRange: d.chance(30), Compress: d.chance(30)})
	}
	return serveFast(e.Handler())
}

func TestAppsOnFiber2(t *testing.T) {
	runApps(t, "fiber", buildFiber2, 20, true, func(w *world, _ request, _, _ answer) bool {
		return slices.ContainsFunc(w.notes, func(s string) bool { return slices.Contains(fiberChanging, s) })
	})
}
