package fiberauth

import (
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/static"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// resolver finds the handlers that may answer a request, with Fiber's own router.
//
// A handler of a route knows its route. Middleware mounted with Use does not know
// which handlers follow, so a private app is asked: its stack is a copy of the app's,
// with handlers that only take notes. It is built at the first request, when all
// routes and mounted sub-apps are in place.
type resolver struct {
	app      *fiber.App
	handlers uint32         // the app's handler count when this was built
	tree     unsafe.Pointer // the router's map when this was built; held so that no later map gets its address
	stacks   [][]*fiber.Route
	table    *routing.Table
	entries  map[*fiber.Route]*routing.Entry
	rawNames bool     // header names are as sent
	quiet    bool     // the app has Fiber's own error handler
	unsealed sync.Map // of *fiber.Route to those of its gates that need no seal
}

// apps holds the resolvers of all apps. A hook is the only place where an app holds a
// value that it does not know. This hook is called only in the parent of preforked
// processes, which serves no requests. Adding it takes a lock that a shutdown holds
// while it waits for requests, so no request may wait for it.
var apps = fasthttpauth.NewApps[fiber.App, resolver](func(app *fiber.App, keep func()) {
	app.Hooks().OnFork(func(int) error {
		keep()
		return nil
	})
})

// resolverFor returns the app's resolver, rebuilt if the routes that the app serves
// have changed, because RebuildTree was called or a handler was added to a route.
func resolverFor(app *fiber.App) *resolver {
	slot := apps.Slot(app)
	if r := slot.Load(); r != nil && r.serves(app) {
		return r
	}
	r := newResolver(app)
	slot.Store(r)
	return r
}

// serves reports whether r was built for app as it is now.
func (r *resolver) serves(app *fiber.App) bool {
	return r.app == app && r.handlers == app.HandlersCount() && r.tree == tree(app)
}

func newResolver(app *fiber.App) *resolver {
	cfg := app.Config()
	r := &resolver{
		app:      app,
		handlers: app.HandlersCount(),
		tree:     tree(app),
		stacks:   served(app),
		table:    routing.New(routing.Config{Fold: !cfg.CaseSensitive, Strict: cfg.StrictRouting, Unescape: cfg.UnescapePath}),
		rawNames: cfg.DisableHeaderNormalizing,
		quiet:    isDefault(cfg.ErrorHandler),
		entries:  make(map[*fiber.Route]*routing.Entry),
	}
	copied := fiber.New(fiber.Config{
		CaseSensitive:           cfg.CaseSensitive,
		StrictRouting:           cfg.StrictRouting,
		UnescapePath:            cfg.UnescapePath,
		RequestMethods:          cfg.RequestMethods,
		DisableHeadAutoRegister: true, // its routes are copied
	})
	copied.Use(func(fiber.Ctx) error { return nil }) // if no route is left
	names, cuts, folded := paramNames(), cutsOf(r.stacks), routing.NewFolding(false)
	for _, prefix := range mountedIn(app) {
		folded.Mount(prefix, false)
	}
	entries := make(map[string][]*routing.Entry)
	for m, stack := range r.stacks {
		method := cfg.RequestMethods[m]
		clones := make([]*fiber.Route, len(stack), len(stack)+1)
		for i, rt := range stack {
			e := &routing.Entry{Method: method, Index: i, Use: useField.of(rt).Bool(), Cuts: cuts(rt)}
			e.Static = len(e.Cuts) > 0
			path, gates := gatesOf(rt)
			r.table.Add(e, path, names(rt), rt.Params, gates, folded)
			r.entries[rt] = e
			entries[method] = append(entries[method], e)
			clone := *rt // with what the router knows of it
			clone.Params = e.Pattern.Keys()
			clone.Handlers = []fiber.Handler{func(c fiber.Ctx) error { return r.table.Visit(c, c.RequestCtx(), e) }}
			clones[i] = &clone
		}
		copied.Stack()[m] = append(clones, copied.Stack()[m]...) // not by Add, which takes methods in upper case only
	}
	r.table.Finish(copied.Handler(), entries)
	return r
}

// needsNoSeal reports whether nothing can write to the response after t, the gate that
// refuses c: all handlers that run before it or call it are gates, and the app has no
// error handler of its own. The answer then needs no seal.
func (r *resolver) needsNoSeal(c fiber.Ctx, t *core.Gate) bool {
	if !r.quiet || fasthttpauth.Rewritten(c.Request(), c.Method()) {
		return false
	}
	rt := c.Route()
	known, ok := r.unsealed.Load(rt)
	if !ok {
		known, _ = r.unsealed.LoadOrStore(rt, routing.GatesWithoutSeal(r.stacks, rt, gatesOf))
	}
	return slices.Contains(known.([]*core.Gate), t)
}

// gatesOf returns the path of a route, and the gate that each of its handlers is.
func gatesOf(rt *fiber.Route) (path string, gates []*core.Gate) {
	for _, h := range rt.Handlers {
		gates = append(gates, gateOf(h))
	}
	return rt.Path, gates
}

// staticCode is the code pointer of all handlers of Fiber's static middleware.
var staticCode = codeOf(static.New(""))

// cutsOf returns a function that returns how many bytes the static handlers of a
// route may strip from a path: the length of the route's path up to its first star.
// A handler that is mounted several times keeps the length of the mount that was
// requested first, so it may be any of them.
func cutsOf(stacks [][]*fiber.Route) func(*fiber.Route) []int {
	found := make(map[unsafe.Pointer][]int)
	each := func(rt *fiber.Route, do func(id unsafe.Pointer)) {
		for _, h := range rt.Handlers {
			if codeOf(h) == staticCode {
				do(identityOf(h))
			}
		}
	}
	for _, stack := range stacks {
		for _, rt := range stack {
			each(rt, func(id unsafe.Pointer) {
				prefix, _, _ := strings.Cut(rt.Path, "*")
				cut := len(prefix)
				if cut > 1 && prefix[cut-1] == '/' {
					cut--
				}
				if !slices.Contains(found[id], cut) {
					found[id] = append(found[id], cut)
				}
			})
		}
	}
	return func(rt *fiber.Route) (cuts []int) {
		each(rt, func(id unsafe.Pointer) { cuts = append(cuts, found[id]...) })
		return cuts
	}
}

// paramNames returns a function that returns the parameters in the path of a route,
// as Fiber's parser finds them. A route of a mounted sub-app has fewer parameters
// than its path if the prefix has parameters as well; a route without parameters is
// matched literally.
func paramNames() func(*fiber.Route) []string {
	parser, found := fiber.New(), make(map[string][]string)
	return func(rt *fiber.Route) []string {
		if len(rt.Params) == 0 {
			return nil
		}
		if _, ok := found[rt.Path]; !ok {
			parser.Get(rt.Path, passOn)
			routes := parser.Stack()[0]
			found[rt.Path] = routes[len(routes)-1].Params
		}
		return found[rt.Path]
	}
}

func passOn(c fiber.Ctx) error { return c.Next() }
