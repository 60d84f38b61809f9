// Package echoauth mounts a [core.Guard] on Echo.
//
//	app := echo.New()
//	reports := app.Group("/reports", echoauth.Authorize(guard))
//	reports.GET("/:id", func(c echo.Context) error {
//		return c.String(http.StatusOK, "hello, "+echoauth.Principal(c).ID())
//	})
//	log.Fatal(app.Start("127.0.0.1:8080"))
//
// A refused request is answered, and the middleware returns an *[echo.HTTPError]
// whose Internal is the *[core.Denial], so that loggers and the app's own
// HTTPErrorHandler see it. The response is complete by then, so what they write is
// dropped. To change how denials look, set the guard's responder.
//
// Behind a middleware that buffers the response, such as Echo's Timeout, the gate
// itself calls the error handler and returns nil: Timeout would send an empty 200
// in place of the response.
package echoauth

import (
	"maps"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Authenticate mounts gate one, which answers 401 without a usable identity. Like
// all functions here that mount a gate it panics if the gate cannot work, so that a
// mistake shows at start-up.
func Authenticate(g *core.Guard) echo.MiddlewareFunc { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad credentials
// still get 401. [core.WithExpiredAsAnonymous] lets lapsed ones pass as well.
func Optional(g *core.Guard, opts ...core.GateOption) echo.MiddlewareFunc {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It first runs gate one if
// the request has not passed it yet.
func Authorize(g *core.Guard, opts ...core.GateOption) echo.MiddlewareFunc {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It first runs gate
// one if the request has not passed it yet.
func Require(g *core.Guard, rules ...core.Authorizer) echo.MiddlewareFunc {
	return mount(g.Require(rules...))
}

// Principal returns the principal that passed gate one, or nil for an anonymous
// request.
func Principal(c echo.Context) *core.Principal {
	p, _ := core.PrincipalFrom(c.Request().Context())
	return p
}

// Check asks rules from inside a handler, once the object they need is loaded. If
// they refuse, it answers and returns the error that the handler must return.
// Anything the handler still writes is dropped, and the guard's logger is told.
//
// Behind a gate, [Principal] still returns whom the gates let through.
func Check(c echo.Context, g *core.Guard, rules ...core.Authorizer) error {
	view := newView(c)
	v := g.CheckNow(c.Request().Context(), view, rules...)
	if v.Response == nil {
		adapter.Pass(c.Response(), c.Request(), &v)
		c.SetRequest(adapter.WithContext(c.Request(), v.Context))
		return nil
	}
	return newRefused(view, &v).refuseInside(c)
}

// Request returns the view of the request for framework-neutral code, such as a
// login of core/session.
func Request(c echo.Context) core.Request {
	return newView(c)
}

// AddFields adds fields from core and its schemes to the response: Vary is merged
// with what others have set, every challenge and cookie gets its own line, other
// fields replace existing ones.
func AddFields(c echo.Context, fields ...core.Field) {
	adapter.AddFields(c.Response().Header(), fields)
}

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) echo.HandlerFunc {
	if e == nil {
		panic("echoauth: endpoint is nil")
	}
	return func(c echo.Context) error {
		resp := e(c.Request().Context(), Request(c))
		adapter.Write(c.Response(), &resp)
		return nil
	}
}

// Routes returns the app's routes, for checking a policy against them. Those of
// Host groups come last, host by host: a rule sees their path but not the host. A
// method and pattern that several hosts share is listed once.
func Routes(app *echo.Echo) []core.RouteInfo {
	all := app.Routes()
	hosts := app.Routers()
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		all = append(all, hosts[host].Routes()...)
	}
	var routes []core.RouteInfo
	listed := make(map[core.RouteInfo]bool)
	for _, r := range all {
		info := core.RouteInfo{Method: r.Method, Pattern: r.Path}
		if r.Method != echo.RouteNotFound && !listed[info] {
			listed[info] = true
			routes = append(routes, info)
		}
	}
	return routes
}

func mount(t *core.Gate, err error) echo.MiddlewareFunc {
	adapter.CheckMount("echoauth", t, err, notFound)
	// Echo calls the function returned here for every request.
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			view := newView(c)
			v := t.Check(c.Request().Context(), gated{view})
			if v.Response == nil {
				return pass(c, &v, next)
			}
			w := c.Response().Writer
			return finishRefusal(c, w, newRefused(view, &v).refuse(c))
		}
	}
}

// pass calls the next handler with a response that can be sealed.
func pass(c echo.Context, v *core.Verdict, next echo.HandlerFunc) error {
	resp := c.Response()
	w := resp.Writer
	before := c.Request()
	p, r := adapter.Enter(w, before, v)
	c.SetRequest(r)
	if p == nil {
		return next(c)
	}
	if resp.Committed {
		p.Seal.Sent()
	}
	sealed := p.Seal.Writer()
	resp.Writer = sealed
	defer func() {
		if adapter.Leave(p, before, c.Request()); !p.Seal.Closed() && resp.Writer == sealed {
			resp.Writer = w
		}
	}()
	return finishRefusal(c, w, next(c))
}

// notFound converts the handler for unknown paths of [core.WithConcealment].
func notFound(native any) (echo.HandlerFunc, error) {
	return adapter.NotFound[echo.HandlerFunc](native, echo.NotFoundHandler, "an echo.HandlerFunc")
}
