package echoauth

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// view is Echo's request as the gates see it: that of net/http, with Echo's route.
type view struct {
	adapter.View
	c echo.Context
}

var (
	_ core.BodyReader = (*view)(nil)
	_ core.Detacher   = (*view)(nil)
)

var views adapter.Batch[view]

func newView(c echo.Context) *view {
	v := views.New()
	v.Request, v.c = c.Request(), c
	return v
}

// gated is the view for a mounted gate.
type gated struct{ *view }

// Room implements the method that [core.Room] describes.
func (gated) Room(ctx context.Context) (*core.Room, context.Context) { return adapter.Room(ctx) }

// Route implements [core.Request]. Routing the request again must give the same result,
// since a middleware may have changed the path or the method after routing.
func (v *view) Route() (core.Route, error) {
	if !v.routedAlike() {
		return core.Route{}, fmt.Errorf("%w: it was changed after route %q matched", core.ErrAmbiguousPath, v.c.Path())
	}
	matched := v.c
	if v.c.Path() == "" { // in Pre: the route that will be found
		matched = v.c.Echo().AcquireContext()
		defer v.c.Echo().ReleaseContext(matched)
		matched.Reset(v.Request, nil)
		v.router().Find(v.Request.Method, echo.GetPath(v.Request), matched)
	}
	rt, err := v.Matched(v.c.Path())
	if err == nil && rt.Escaped && adapter.EncodedSlashes(rt.Path) > 0 {
		// Echo lets the last parameter of a route match literal slashes, so only encoded
		// ones count.
		for i, name := range v.c.ParamNames() {
			if name != "*" {
				rt.InnerSlashes += adapter.EncodedSlashes(v.c.ParamValues()[i])
			}
		}
	}
	if err != nil || strings.IndexByte(matched.Path(), '*') < 0 {
		return rt, err
	}
	return adapter.CutAtStar(rt, matched.Path(), rt.Path, matched.Param("*"))
}

// router returns the router for the request's host.
func (v *view) router() *echo.Router {
	if router, ok := v.c.Echo().Routers()[v.Request.Host]; ok {
		return router
	}
	return v.c.Echo().Router()
}

// routedAlike reports whether Echo's router would again find the same handler, if any, and
// the same parameters. A trailing slash may have been added or removed.
func (v *view) routedAlike() bool {
	if v.c.Path() == "" || same(v.c.Handler(), echo.NotFoundHandler) {
		return true
	}
	if v.foundBy(v.router()) {
		return true
	}
	e := v.c.Echo()
	// A middleware may have changed the host since. No two routes share a handler, so
	// whichever router finds this one is the one that found it before.
	for _, router := range e.Routers() {
		if v.foundBy(router) {
			return true
		}
	}
	return v.foundBy(e.Router())
}

func (v *view) foundBy(router *echo.Router) bool {
	path := echo.GetPath(v.Request)
	if v.finds(router, path) {
		return true
	}
	other, slash := strings.CutSuffix(path, "/")
	if !slash {
		other += "/"
	}
	return v.finds(router, other)
}

func (v *view) finds(router *echo.Router, path string) bool {
	e, found := v.c.Echo(), v.c.Handler()
	again := e.AcquireContext()
	defer e.ReleaseContext(again)
	again.Reset(v.Request, nil)
	router.Find(v.Request.Method, path, again)
	return (same(found, again.Handler()) || code(found) == preflight() && code(again.Handler()) == preflight()) &&
		slices.EqualFunc(v.c.ParamValues(), again.ParamValues(), func(value, again string) bool {
			return value == again || value == adapter.Param(again) // decoded by a middleware
		})
}

// same reports whether a and b are the same function value. Comparing their code is not
// enough, since all routes share that.
func same(a, b echo.HandlerFunc) bool {
	return *(*unsafe.Pointer)(unsafe.Pointer(&a)) == *(*unsafe.Pointer)(unsafe.Pointer(&b)) //nolint:gosec // only compared, never read through
}

func code(h echo.HandlerFunc) uintptr { return reflect.ValueOf(h).Pointer() }

// preflight returns the code of the handlers with which Echo itself answers OPTIONS. Each
// of them is a new function value.
var preflight = sync.OnceValue(func() uintptr {
	e := echo.New()
	e.GET("/", echo.NotFoundHandler)
	c := e.NewContext(nil, nil)
	e.Router().Find(http.MethodOptions, "/", c)
	return code(c.Handler())
})

// Param implements [core.Request]. If there is an escaped path, Echo has matched it and
// left the parameters encoded.
func (v *view) Param(name string) string {
	if v.Request.URL.RawPath == "" {
		return v.c.Param(name)
	}
	return adapter.Param(v.c.Param(name))
}

// Detach implements [core.Detacher].
func (v *view) Detach() core.Request {
	return adapter.Detach(v.Request, adapter.Matches(v, v.c.ParamNames(), false))
}
