package fiberauth

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// resolver finds the handlers that may answer a request with Fiber's own router.
//
// A handler of a route knows its route. Middleware mounted with Use does not
// know what follows: there a private app is asked, whose stack is a copy of the
// app's with handlers that only take notes. It is built at the first request,
// when all routes and mounted sub-apps are in place.
type resolver struct {
	handlers uint32 // the app's handler count when this was built
	shadow   fasthttp.RequestHandler
	fold     bool // letter case does not matter to the router
	mixed    bool // some route has capitals in its literal parts
	unescape bool
	rawNames bool     // header names are as sent
	quiet    bool     // the app has Fiber's own error handler
	solitary sync.Map // of *fiber.Route to those of its gates that stand alone
	entries  map[*fiber.Route]*entry
	pool     sync.Pool // of *notes
}

// entry is what the resolver knows of one entry of a method's stack.
type entry struct {
	pattern *pattern
	index   int  // in the stack
	use     bool // mounted with Use or Static: it matches a prefix
	static  bool // it serves files, if there are any, and else passes on
	// idle says that its prefix says nothing of who answers: its handlers are
	// gates, or middleware of the whole app. spent says that none but gates
	// stand behind its first gate.
	idle, spent bool
	// over are the entries that match whatever this one matches.
	over []cover
	// goOn says that entries behind this route may matter whatever the path.
	goOn bool
}

// cover is an entry that matches whatever another one matches.
type cover struct {
	*entry
	// whole says that its prefix ends where a segment of the other's text
	// does, or inside of a segment without parameters.
	whole bool
}

// covered reports whether other matches whatever e matches. If it stands before
// e, it passes requests on, or e could never run.
func (e *entry) covered(other *entry) (c cover, ok bool) {
	for _, c := range e.over {
		if c.entry == other {
			return c, true
		}
	}
	return cover{}, false
}

func newResolver(app *fiber.App) *resolver {
	cfg := app.Config()
	r := &resolver{
		handlers: app.HandlersCount(),
		fold:     !cfg.CaseSensitive,
		unescape: cfg.UnescapePath,
		rawNames: cfg.DisableHeaderNormalizing,
		quiet:    isDefault(cfg.ErrorHandler),
		entries:  make(map[*fiber.Route]*entry),
	}
	r.pool.New = newNotes
	shadow := fiber.New(fiber.Config{
		CaseSensitive:  cfg.CaseSensitive,
		StrictRouting:  cfg.StrictRouting,
		UnescapePath:   cfg.UnescapePath,
		RequestMethods: cfg.RequestMethods,
	})
	for m, stack := range app.Stack() {
		for i := range stack {
			shadow.Add(cfg.RequestMethods[m], "/"+strconv.Itoa(i), passOn) // to be overwritten
		}
	}
	shadow.Use(func(*fiber.Ctx) error { return nil }) // where nothing is left
	routes, everywhere, names, folded := app.GetRoutes(true), outsideGet(app), paramNames(), foldingOf(app)
	var stacks [][]*entry
	for m, stack := range app.Stack() {
		entries := make([]*entry, len(stack))
		for i, rt := range stack {
			use := len(routes) == 0 || !sameRoute(rt, &routes[0])
			if !use {
				routes = routes[1:]
			}
			e := newEntry(rt, names(rt), use, cfg.StrictRouting, everywhere, folded)
			e.index = i
			r.entries[rt], entries[i] = e, e
			literals := strings.Join(e.pattern.literals, "")
			r.mixed = r.mixed || !use && literals != strings.ToLower(literals)
			clone := *rt // with what the router knows of it
			clone.Params = e.pattern.keys
			clone.Handlers = []fiber.Handler{func(c *fiber.Ctx) error { return r.visit(c, e) }}
			*shadow.Stack()[m][i] = clone
		}
		stacks = append(stacks, entries)
	}
	r.shadow = shadow.Handler()
	for m, entries := range stacks {
		r.compare(cfg.RequestMethods[m], entries)
	}
	return r
}

// sameRoute reports whether copied is the copy GetRoutes made of rt. Routes
// with the same method and path share no handler slice.
func sameRoute(rt, copied *fiber.Route) bool {
	return rt.Method == copied.Method && rt.Path == copied.Path &&
		len(rt.Handlers) == len(copied.Handlers) &&
		(len(rt.Handlers) == 0 || &rt.Handlers[0] == &copied.Handlers[0])
}

// handlerAt is a handler's code at a path.
type handlerAt struct {
	path string
	code uintptr
}

func codeOf(h fiber.Handler) uintptr { return reflect.ValueOf(h).Pointer() }

// outsideGet are the handlers for methods other than GET and HEAD. Those that
// Use mounts are among them, those that Static mounts are not.
func outsideGet(app *fiber.App) map[handlerAt]bool {
	found := make(map[handlerAt]bool)
	for m, stack := range app.Stack() {
		if method := app.Config().RequestMethods[m]; method == fiber.MethodGet || method == fiber.MethodHead {
			continue
		}
		for _, rt := range stack {
			for _, h := range rt.Handlers {
				found[handlerAt{rt.Path, codeOf(h)}] = true
			}
		}
	}
	return found
}

func newEntry(rt *fiber.Route, names []string, use, strict bool, everywhere map[handlerAt]bool, folded *folding) *entry {
	text := rt.Path
	if use && !strict && len(text) > 1 {
		text = strings.TrimRight(text, "/")
	}
	e := &entry{use: use, spent: true}
	first := slices.IndexFunc(rt.Handlers, isGate)
	answers := 0 // handlers that may
	for i, h := range rt.Handlers {
		if isGate(h) {
			continue
		}
		answers++
		e.spent = e.spent && i < first
		e.static = e.static || use && !everywhere[handlerAt{rt.Path, codeOf(h)}]
	}
	e.pattern = newPattern(text, names, rt.Params, folded.end(text, e.static))
	e.idle = use && (answers == 0 || text == "/" && !e.static)
	return e
}

// paramNames gives the parameters in the text of a route, as Fiber's parser
// finds them. A route of a mounted sub-app has fewer where the prefix has
// parameters as well; one without any of its own is matched letter by letter.
func paramNames() func(*fiber.Route) []string {
	parser, found := fiber.New(), make(map[string][]string)
	return func(rt *fiber.Route) []string {
		if len(rt.Params) == 0 {
			return nil
		}
		if _, ok := found[rt.Path]; !ok {
			parser.Add(fiber.MethodGet, rt.Path, passOn)
			routes := parser.Stack()[0]
			found[rt.Path] = routes[len(routes)-1].Params
		}
		return found[rt.Path]
	}
}

// compare finds out which entries of a stack match whatever another one matches:
// those that match its text.
func (r *resolver) compare(method string, entries []*entry) {
	n, _ := r.pool.Get().(*notes)
	defer r.pool.Put(n)
	more := false // an entry that may answer comes behind
	for _, e := range slices.Backward(entries) {
		e.goOn = e.goOn || more
		more = more || e.use && !e.idle
		text := fiber.RemoveEscapeChar(e.pattern.text)
		n.question = question{path: text, text: true}
		r.ask(method, []byte(text), n)
		for j := range n.seen {
			s := &n.seen[j]
			rest, _, _ := strings.Cut(text[s.end:], "/")
			e.over = append(e.over, cover{s.entry, s.other == "" || !strings.ContainsAny(rest, ":*+")})
			s.goOn = s.goOn || s.index < e.index
		}
	}
}

func passOn(c *fiber.Ctx) error { return c.Next() }
