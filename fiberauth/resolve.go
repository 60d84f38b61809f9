package fiberauth

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
)

// match is what Fiber's router makes of a request. All strings are copies or
// belong to the route.
type match struct {
	pattern *pattern // nil when no route matched
	path    string
	escaped bool
	// values are the parameters, in the order of the pattern's names. nil
	// where Fiber itself still has them: few rules ask.
	values []string
}

// param is the value of a parameter, as Fiber's own Params finds it.
func (m *match) param(name string, fold bool) string {
	if name == "*" || name == "+" {
		name += "1"
	}
	for i, n := range m.pattern.names {
		if i < len(m.values) && (n == name || fold && strings.EqualFold(n, name)) {
			return m.values[i]
		}
	}
	return ""
}

// resolver finds the route of a request with Fiber's own router.
//
// A handler of a route knows it already. Middleware mounted with Use does not:
// there a private app with the same configuration and the same routes, whose
// handlers only take notes, is asked. It is built at the first request, when
// all routes and mounted sub-apps are in place.
type resolver struct {
	handlers uint32 // the app's handler count when this was built
	shadow   fasthttp.RequestHandler
	fold     bool // letter case does not matter to the router
	mixed    bool // some route has capitals in its literal parts
	unescape bool
	rawNames bool                      // header names are as sent
	quiet    bool                      // the app has Fiber's own error handler
	routes   map[*fiber.Route]*pattern // the app's routes, without Use
	prefixes []*pattern                // of handlers mounted with Use
	pool     sync.Pool                 // of *notes
}

// notesKey is the user value under which shadow handlers find the notes.
type notesKey struct{}

// notes is what shadow handlers leave of one request.
type notes struct {
	// all has every route note itself that the request comes to when handlers
	// pass it on.
	all     bool
	matches []match
	ctx     fasthttp.RequestCtx // what the shadow app is given
}

func newNotes() any {
	n := new(notes)
	n.ctx.SetUserValue(notesKey{}, n)
	return n
}

// resolvers holds one *resolver an app.
var resolvers sync.Map // of *fiber.App to *atomic.Pointer[resolver]

// resolverFor is the app's resolver, built anew when routes have been added.
func resolverFor(app *fiber.App) *resolver {
	slot, ok := resolvers.Load(app)
	if !ok {
		slot, _ = resolvers.LoadOrStore(app, new(atomic.Pointer[resolver]))
	}
	current := slot.(*atomic.Pointer[resolver])
	if r := current.Load(); r != nil && r.handlers == app.HandlersCount() {
		return r
	}
	r := newResolver(app)
	current.Store(r)
	return r
}

func newResolver(app *fiber.App) *resolver {
	cfg := app.Config()
	r := &resolver{
		handlers: app.HandlersCount(),
		fold:     !cfg.CaseSensitive,
		unescape: cfg.UnescapePath,
		rawNames: cfg.DisableHeaderNormalizing,
		quiet:    isDefault(cfg.ErrorHandler),
		routes:   make(map[*fiber.Route]*pattern),
	}
	r.pool.New = newNotes
	shadow := fiber.New(fiber.Config{
		CaseSensitive:  cfg.CaseSensitive,
		StrictRouting:  cfg.StrictRouting,
		UnescapePath:   cfg.UnescapePath,
		RequestMethods: cfg.RequestMethods,
		ErrorHandler:   func(*fiber.Ctx, error) error { return nil },
	})
	routes := app.GetRoutes(true)
	for _, stack := range app.Stack() {
		for _, rt := range stack {
			p := newPattern(rt.Path, rt.Params)
			if len(routes) == 0 || !sameRoute(rt, &routes[0]) {
				r.prefixes = append(r.prefixes, p)
				continue
			}
			routes = routes[1:]
			r.routes[rt] = p
			r.mixed = r.mixed || strings.Join(p.literals, "") != strings.ToLower(strings.Join(p.literals, ""))
			shadow.Add(rt.Method, rt.Path, func(c *fiber.Ctx) error {
				n, _ := c.Context().UserValue(notesKey{}).(*notes)
				n.matches = append(n.matches, match{pattern: p, values: copied(c, p.names)})
				if n.all {
					return c.Next()
				}
				return nil
			})
		}
	}
	r.shadow = shadow.Handler()
	return r
}

// sameRoute reports whether copied is the copy GetRoutes made of rt. Routes
// with the same method and path share no handler slice.
func sameRoute(rt, copied *fiber.Route) bool {
	return rt.Method == copied.Method && rt.Path == copied.Path &&
		len(rt.Handlers) == len(copied.Handlers) &&
		(len(rt.Handlers) == 0 || &rt.Handlers[0] == &copied.Handlers[0])
}

// fewParams is how many parameters are looked at without allocation.
const fewParams = 8

// values appends what c's router has matched for names. The strings are valid
// as long as the request is.
func values(to []string, c *fiber.Ctx, names []string) []string {
	for _, name := range names {
		to = append(to, c.Params(name))
	}
	return to
}

// copied are copies of what c's router has matched for names.
func copied(c *fiber.Ctx, names []string) []string {
	all := values(make([]string, 0, len(names)), c, names)
	for i, v := range all {
		all[i] = strings.Clone(v)
	}
	return all
}

// resolve says what the router matches for c, with the path in the letter case
// of the route's literal parts.
func (r *resolver) resolve(c *fiber.Ctx) (match, error) {
	path := c.Path() // Fiber's own, to be copied
	if r.unescape {
		// The path as sent must be clear too, and say the same.
		sent, err := core.CanonicalPath(core.Route{Path: string(c.Request().URI().PathOriginal()), Escaped: true})
		if err != nil {
			return match{}, err
		}
		if sent != strings.TrimSuffix(path, "/") && sent != path {
			return match{}, core.ErrAmbiguousPath
		}
	}
	p, ok := r.routes[c.Route()]
	if !ok {
		return r.search(c, path)
	}
	m := match{pattern: p, escaped: !r.unescape}
	if !r.fold {
		m.path = strings.Clone(path)
		return m, nil
	}
	var few [fewParams]string
	if m.path, ok = p.restore(path, values(few[:0], c, p.names)); !ok {
		return match{}, strays(p)
	}
	return m, nil
}

// search finds the route of a request that is still at middleware mounted with
// Use.
func (r *resolver) search(c *fiber.Ctx, path string) (match, error) {
	n, _ := r.pool.Get().(*notes)
	defer r.pool.Put(n)
	if r.ask(c, path, n); len(n.matches) == 0 {
		return match{path: r.foldPrefix(strings.Clone(path)), escaped: !r.unescape}, nil
	}
	for i := range n.matches {
		m := &n.matches[i]
		m.escaped = !r.unescape
		if !r.fold {
			m.path = strings.Clone(path)
			break
		}
		var ok bool
		if m.path, ok = m.pattern.restore(path, m.values); !ok {
			return match{}, strays(m.pattern)
		}
		if m.path != n.matches[0].path {
			return match{}, fmt.Errorf("%w: routes %q and %q read it in different letter case",
				core.ErrAmbiguousPath, n.matches[0].pattern.text, m.pattern.text)
		}
	}
	return n.matches[0], nil
}

// strays refuses a path that p has matched and cannot follow.
func strays(p *pattern) error {
	return fmt.Errorf("%w: it does not follow route %q", core.ErrAmbiguousPath, p.text)
}

// ask puts the request line to the shadow app. The first match is that of the
// route the request comes to first. Where letter case could be read in more
// than one way, those follow that it comes to when handlers pass it on. Method
// and path are all that the shadow app looks at.
func (r *resolver) ask(c *fiber.Ctx, path string, n *notes) {
	n.ctx.Response.Reset() // which may name allowed methods
	n.all = r.fold && (r.mixed || strings.ToLower(path) != path)
	n.matches = n.matches[:0]
	n.ctx.Request.Header.SetMethod(c.Method()) // as middleware may have changed it
	n.ctx.Request.URI().SetPathBytes(c.Request().URI().PathOriginal())
	r.shadow(&n.ctx)
}

// foldPrefix gives a path that only a handler mounted with Use can answer,
// such as Static's, the letter case of the longest prefix that fits.
func (r *resolver) foldPrefix(path string) string {
	if !r.fold {
		return path
	}
	longest := ""
	for _, p := range r.prefixes {
		prefix := p.literalPrefix()
		if len(prefix) > len(longest) && len(prefix) <= len(path) && strings.EqualFold(prefix, path[:len(prefix)]) {
			longest = prefix
		}
	}
	return longest + path[len(longest):]
}
