package fiberauth

import (
	"context"
	"fmt"
	"sync"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// view shows Fiber's request to the gates. All strings are copies, since Fiber
// overwrites its own with the next request.
type view struct {
	fasthttpauth.View
	c       fiber.Ctx
	router  *fiber.DefaultCtx // what the router goes by, nil where that is not known
	app     *resolver
	matched routing.Match
	found   bool // matched is filled in
}

var (
	_ core.BodyReader = (*view)(nil)
	_ core.Detacher   = (*view)(nil)
)

// views holds unused views, since a [core.Request] must not be kept. Each remembers
// its last app until the garbage collector empties the pool.
var views = sync.Pool{New: func() any { return new(view) }}

func newView(c fiber.Ctx) *view {
	v, _ := views.Get().(*view)
	if v.app == nil || !v.app.serves(c.App()) {
		v.app = resolverFor(c.App())
	}
	v.Show(c.RequestCtx(), v.app.rawNames)
	v.c, v.router = c, routerOf(c)
	return v
}

// free returns v to the pool. Nobody may use it afterwards.
func (v *view) free() {
	v.Forget()
	v.matched, v.found = routing.Match{}, false
	v.c, v.router = nil, nil
	views.Put(v)
}

// decide calls judge with a view of c and a context that is cancelled if the client
// hangs up meanwhile. A gate behind another one starts from the route that was found
// there.
func decide(c fiber.Ctx, judge func(context.Context, core.Request) core.Verdict) (v *view, watched context.Context, verdict core.Verdict) {
	v = newView(c)
	w := v.Decide(c.Context())
	v.matched.Found = v.Before()
	verdict = judge(w, v)
	v.Decided(w)
	return v, w, verdict
}

// Method implements [core.Request], without copying known methods.
func (v *view) Method() string { return fasthttpauth.CopyOfMethod(v.c.Method()) }

// Room implements the method that [core.Room] describes.
func (v *view) Room(ctx context.Context) (*core.Room, context.Context) {
	return v.Leave(ctx, &v.matched.Found)
}

// LentHeader returns a field without copying it, for schemes that do not keep it.
func (v *view) LentHeader(name string) (string, int) { return v.Lend(name) }

// Route implements [core.Request]. It resolves the route and keeps it for Param.
func (v *view) Route() (core.Route, error) {
	d := v.router
	if d == nil || v.c != fiber.Ctx(d) && (d.Method() != v.c.Method() || d.Path() != v.c.Path()) {
		return core.Route{}, fmt.Errorf("%w: the app's custom context reports a different request from Fiber's router", core.ErrAmbiguousPath)
	}
	if err := v.app.table.Resolve(d, fasthttpauth.CopyOfMethod(d.Method()), v.app.entries[d.Route()], &v.matched); err != nil {
		return core.Route{}, err
	}
	v.found = true
	return v.matched.Route, nil
}

func (v *view) Param(name string) string {
	if !v.found {
		if _, err := v.Route(); err != nil {
			return ""
		}
	}
	return v.app.table.Param(&v.matched, v.router, v.app.entries[v.router.Route()], name)
}

// Detach implements [core.Detacher].
func (v *view) Detach() core.Request {
	if !v.found {
		_, _ = v.Route() // which Matches asks for again, and keeps its error
	}
	return v.View.Detach(v.Method(), adapter.Matches(v, v.app.table.Params(&v.matched.Found), v.app.table.FoldsCase()))
}
