package fiberauth

import (
	"context"
	"unsafe"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// view shows a Fiber request to the gates. All strings are copied: Fiber
// writes over its own with the next request.
type view struct {
	fasthttpauth.View
	c       *fiber.Ctx
	app     *resolver
	matched routing.Found
	found   bool  // matched is filled in
	gates   uint8 // how many have decided by it
	// Each gate has a context of its own, since others may hold that of the first.
	first  fasthttpauth.Shared
	second fasthttpauth.Watched
}

// All of it is one piece of memory a request, and the runtime's next larger piece than
// 416 bytes makes garbage collection come more often.
const _ = uint(416 - unsafe.Sizeof(view{}))

var (
	_ core.BodyReader = (*view)(nil)
	_ core.Detacher   = (*view)(nil)
)

func newView(c *fiber.Ctx) *view {
	app := resolverFor(c.App())
	return &view{View: fasthttpauth.NewView(c.Context(), app.rawNames), c: c, app: app}
}

// decide has judge decide about c, with a context that sees the client hang up meanwhile.
// Two gates that follow one another share a view, so that the second one copies
// nothing again.
func decide(c *fiber.Ctx, judge func(context.Context, core.Request) core.Verdict) (v *view, watched context.Context, verdict core.Verdict) {
	ctx := c.UserContext()
	if v, _ = fasthttpauth.HolderOf(ctx).(*view); v == nil || !v.Shows(c.Context()) || v.gates == 2 {
		v = newView(c)
	} else {
		v.c, v.app, v.found = c, resolverFor(c.App()), false
	}
	w := &v.second
	watched = w
	if v.gates++; v.gates == 1 {
		v.first.Share(v)
		w, watched = &v.first.Watched, &v.first
	}
	w.Begin(ctx, c.Context().Conn())
	v.Decide()
	verdict = judge(watched, v)
	v.Decided()
	w.End()
	return v, watched, verdict
}

// Method gives known methods without copying.
func (v *view) Method() string { return fasthttpauth.CopyOfMethod(v.c.Method()) }

// Room is what [core.Room] says.
func (v *view) Room(ctx context.Context) (*core.Room, context.Context) { return v.first.Room(ctx) }

// LentHeader gives a field without copying it, to schemes that do not keep it.
func (v *view) LentHeader(name string) (string, int) { return v.Lend(name) }

// Route resolves the route once and keeps it for Param.
func (v *view) Route() (core.Route, error) {
	m, err := v.app.table.Resolve(v.c, fasthttpauth.CopyOfMethod(v.c.Method()), v.app.entries[v.c.Route()], &v.matched)
	if err != nil {
		return core.Route{}, err
	}
	v.matched, v.found = m.Found, true
	return m.Route, nil
}

func (v *view) Param(name string) string {
	if !v.found {
		if _, err := v.Route(); err != nil {
			return ""
		}
	}
	return v.app.table.Param(&v.matched, v.c, v.app.entries[v.c.Route()], name)
}

// Detach implements [core.Detacher].
func (v *view) Detach() core.Request {
	if !v.found {
		_, _ = v.Route() // which Matches asks for again, and keeps its error
	}
	return v.View.Detach(v.Method(), adapter.Matches(v, v.app.table.Params(&v.matched), v.app.table.FoldsCase()))
}
