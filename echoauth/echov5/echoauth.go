// Package echoauth mounts a [core.Guard] on Echo v5. The package for Echo v4,
// github.com/sallyport-go/sallyport/echoauth, exports the same names.
//
//	app := echo.New()
//	reports := app.Group("/reports", echoauth.Authorize(guard))
//	reports.GET("/:id", func(c *echo.Context) error {
//		return c.String(http.StatusOK, "hello, "+echoauth.Principal(c).ID())
//	})
//	log.Fatal(app.Start("127.0.0.1:8080"))
//
// A refused request is answered, and the middleware returns an
// *[echo.HTTPError] that wraps the *[core.Denial], so that loggers and the app's
// own HTTPErrorHandler see it. The answer is complete by then: what they write
// to it is dropped. To change what denials look like, give the guard a
// responder.
//
// A refusal is written to the *[echo.Response] itself, below middlewares such as
// Gzip that have put a writer of their own around it with SetResponse. Where
// there is none to be found, or something below it holds back what is written,
// the error handler is told at the gate, and the gate returns nil.
package echoauth

import (
	"fmt"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Authenticate mounts gate one: 401 without a usable identity. Like all
// functions here that mount a gate it panics when the gate cannot work, so a
// mistake shows at start-up.
func Authenticate(g *core.Guard) echo.MiddlewareFunc { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad
// credentials are still 401. [core.WithExpiredAsAnonymous] lets expired ones pass
// as well.
func Optional(g *core.Guard, opts ...core.GateOption) echo.MiddlewareFunc {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It runs gate one
// first where that has not been done.
func Authorize(g *core.Guard, opts ...core.GateOption) echo.MiddlewareFunc {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It runs gate
// one first where that has not been done.
func Require(g *core.Guard, rules ...core.Authorizer) echo.MiddlewareFunc {
	return mount(g.Require(rules...))
}

// Principal is who passed gate one, or nil for an anonymous request.
func Principal(c *echo.Context) *core.Principal {
	p, _ := core.PrincipalFrom(c.Request().Context())
	return p
}

// Check asks rules from inside a handler, once the object they judge is
// loaded. On a refusal it has answered and returns the error for the handler
// to return. Nothing of what a handler writes that goes on all the same is sent,
// and the guard's logger is told.
func Check(c *echo.Context, g *core.Guard, rules ...core.Authorizer) error {
	view := newView(c)
	v := g.CheckNow(c.Request().Context(), view, rules...)
	if v.Response == nil {
		adapter.Pass(c.Response(), c.Request(), &v)
		c.SetRequest(adapter.WithContext(c.Request(), v.Context))
		return nil
	}
	return newRefused(c, view, &v).refuseInside(c)
}

// Request shows the request to code that knows no framework, such as a login of
// core/session.
func Request(c *echo.Context) core.Request {
	return newView(c)
}

// AddFields puts fields that core and its schemes give out into the response:
// Vary is merged with what others have set, every challenge and cookie gets its
// own line, other names replace.
func AddFields(c *echo.Context, fields ...core.Field) {
	adapter.AddFields(c.Response().Header(), fields)
}

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) echo.HandlerFunc {
	if e == nil {
		panic("echoauth: endpoint is nil")
	}
	return func(c *echo.Context) error {
		resp := e(c.Request().Context(), Request(c))
		adapter.Write(c.Response(), &resp)
		return nil
	}
}

// Routes lists the app's routes, for checks of a policy against them. A route for
// any method is listed with every method that Echo knows. The apps behind
// [echo.NewVirtualHostHandler] are apps of their own: ask for the routes of each.
func Routes(app *echo.Echo) []core.RouteInfo {
	var routes []core.RouteInfo
	listed := make(map[core.RouteInfo]bool)
	for _, r := range app.Router().Routes() {
		methods := []string{r.Method}
		switch r.Method {
		case echo.RouteNotFound:
			continue
		case echo.RouteAny:
			methods = anyMethods
		}
		for _, method := range methods {
			info := core.RouteInfo{Method: method, Pattern: r.Path}
			if !listed[info] {
				listed[info] = true
				routes = append(routes, info)
			}
		}
	}
	return routes
}

// anyMethods stand for all in a list of routes.
var anyMethods = []string{
	"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", echo.PROPFIND, "PUT", echo.QUERY, echo.REPORT, "TRACE",
}

func mount(t *core.Gate, err error) echo.MiddlewareFunc {
	if native, ok := t.Conceals(); ok && err == nil {
		_, err = notFound(native)
	}
	if err != nil {
		panic("echoauth: " + err.Error())
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			view := newView(c)
			v := t.Check(c.Request().Context(), gated{view})
			if v.Response == nil {
				return pass(c, &v, next)
			}
			return newRefused(c, view, &v).refuse(c)
		}
	}
}

// pass goes on to the next handler, behind a response that can be sealed.
func pass(c *echo.Context, v *core.Verdict, next echo.HandlerFunc) error {
	resp, known := response(c)
	w := resp.ResponseWriter
	p, r := adapter.Enter(w, c.Request(), v)
	c.SetRequest(r)
	if p == nil {
		return next(c)
	}
	if resp.Committed {
		p.Seal.Sent()
	}
	sealed := p.Seal.Writer()
	resp.ResponseWriter = sealed
	defer func() {
		if p.End(); !p.Seal.Closed() && resp.ResponseWriter == sealed {
			resp.ResponseWriter = w
		}
	}()
	return settle(c, w, known, next(c))
}

// notFound is the handler for unknown paths given to [core.WithConcealment].
func notFound(native any) (echo.HandlerFunc, error) {
	switch h := native.(type) {
	case nil:
		return func(*echo.Context) error { return echo.ErrNotFound }, nil
	case echo.HandlerFunc:
		return h, nil
	case func(*echo.Context) error:
		return h, nil
	}
	return nil, fmt.Errorf("concealment: %T is not an echo.HandlerFunc", native)
}
