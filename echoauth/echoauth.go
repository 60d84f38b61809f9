// Package echoauth mounts a [core.Guard] on Echo.
//
// A refused request is answered, and the middleware returns an
// *[echo.HTTPError] whose Internal is the *[core.Denial], so that loggers and
// the app's own HTTPErrorHandler see it. The answer is complete by then: what
// they write to it is dropped. To change what denials look like, give the
// guard a responder.
package echoauth

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// Authenticate mounts gate one: 401 without a usable identity. Like all
// functions here that mount a gate it panics when the gate cannot work, so a
// mistake shows at start-up.
func Authenticate(g *core.Guard) echo.MiddlewareFunc { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad
// credentials are still 401.
func Optional(g *core.Guard) echo.MiddlewareFunc { return mount(g.Optional()) }

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
func Principal(c echo.Context) *core.Principal {
	p, _ := core.PrincipalFrom(c.Request().Context())
	return p
}

// Check asks rules from inside a handler, once the object they judge is
// loaded. On a refusal it has answered and returns the error for the handler
// to return.
func Check(c echo.Context, g *core.Guard, rules ...core.Authorizer) error {
	s := newStep(c)
	return s.pass(g.CheckNow(c.Request().Context(), &s.view, rules...))
}

// Request shows the request to code that knows no framework, such as a login of
// core/session.
func Request(c echo.Context) core.Request {
	v := newView(c)
	return &v
}

// AddFields puts fields that core and its schemes give out into the response:
// Vary is merged with what others have set, every challenge and cookie gets its
// own line, other names replace.
func AddFields(c echo.Context, fields ...core.Field) {
	httpauth.AddFields(c.Response().Header(), fields)
}

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) echo.HandlerFunc {
	if e == nil {
		panic("echoauth: endpoint is nil")
	}
	return func(c echo.Context) error {
		resp := e(c.Request().Context(), Request(c))
		httpauth.Write(c.Response(), &resp)
		return nil
	}
}

// Routes lists the app's routes, for checks of a policy against them.
func Routes(app *echo.Echo) []core.RouteInfo {
	var routes []core.RouteInfo
	for _, r := range app.Routes() {
		if r.Method != echo.RouteNotFound {
			routes = append(routes, core.RouteInfo{Method: r.Method, Pattern: r.Path})
		}
	}
	return routes
}

func mount(t *core.Gate, err error) echo.MiddlewareFunc {
	if native, ok := t.Conceals(); ok && err == nil {
		_, err = notFound(native)
	}
	if err != nil {
		panic("echoauth: " + err.Error())
	}
	// Echo calls what is returned here for each request.
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			s := newStep(c)
			v := t.Check(c.Request().Context(), &s.view)
			if err := s.pass(v); err != nil || v.Response != nil {
				return err
			}
			return next(c)
		}
	}
}

// step is what a gate needs for one request, in one piece of memory.
type step struct {
	view
	sealed  sealed
	refused echo.HTTPError
}

func newStep(c echo.Context) *step {
	return &step{view: newView(c)}
}

// pass carries a verdict out. When headers are sent already it can only stop.
func (s *step) pass(v core.Verdict) error {
	c := s.c
	if v.Response == nil {
		httpauth.AddFields(c.Response().Header(), v.Fields)
		if r := httpauth.WithContext(s.Request, v.Context); r != s.Request {
			c.SetRequest(r)
		}
		return nil
	}
	if resp := c.Response(); !resp.Committed {
		if v.Conceal != nil {
			h, err := notFound(v.Conceal.Native)
			if err == nil { // mount has seen to that
				core.RemoveFields(resp.Header(), v.Conceal.Undo)
				if err := h(c); err != nil {
					return err
				}
			}
		}
		if !resp.Committed {
			httpauth.Write(resp, v.Response)
		}
		s.sealed.ResponseWriter = resp.Writer
		resp.Writer = &s.sealed
	}
	if v.Denial == nil {
		return nil
	}
	s.refused = echo.HTTPError{Code: v.Response.Status, Message: message(v.Denial.Code), Internal: v.Denial}
	return &s.refused
}

// message is a public code as an interface value. A constant becomes one
// without allocation.
func message(code string) any {
	switch code {
	case core.CodeAuthenticationRequired:
		return core.CodeAuthenticationRequired
	case core.CodeForbidden:
		return core.CodeForbidden
	}
	return code
}

// sealed is the writer of an answer that is complete.
type sealed struct{ http.ResponseWriter }

func (*sealed) Write(b []byte) (int, error) { return len(b), nil }
func (*sealed) WriteHeader(int)             {}

// notFound is the handler for unknown paths given to [core.Concealing].
func notFound(native any) (echo.HandlerFunc, error) {
	switch h := native.(type) {
	case nil:
		return echo.NotFoundHandler, nil
	case echo.HandlerFunc:
		return h, nil
	case func(echo.Context) error:
		return h, nil
	}
	return nil, fmt.Errorf("concealing: %T is no echo.HandlerFunc", native)
}
