// Package ginauth mounts a [core.Guard] on Gin.
//
//	app := gin.New()
//	reports := app.Group("/reports", ginauth.Authorize(guard))
//	reports.GET("/:id", func(c *gin.Context) {
//		c.String(http.StatusOK, "hello, %s\n", ginauth.Principal(c).ID())
//	})
//	log.Fatal(app.Run("127.0.0.1:8080"))
//
// A refused request is answered and aborted: no later handler runs, and nothing
// that anybody writes to the response from then on is sent. Handlers
// find the principal with [Principal], and code that knows no framework with
// [core.PrincipalFrom] on the request's context.
package ginauth

import (
	"fmt"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Authenticate mounts gate one: 401 without a usable identity. Like all
// functions here that mount a gate it panics when the gate cannot work, so a
// mistake shows at start-up.
func Authenticate(g *core.Guard) gin.HandlerFunc { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad
// credentials are still 401. [core.WithExpiredAsAnonymous] lets expired ones pass
// as well.
func Optional(g *core.Guard, opts ...core.GateOption) gin.HandlerFunc {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It runs gate one
// first where that has not been done.
func Authorize(g *core.Guard, opts ...core.GateOption) gin.HandlerFunc {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It runs gate
// one first where that has not been done.
func Require(g *core.Guard, rules ...core.Authorizer) gin.HandlerFunc {
	return mount(g.Require(rules...))
}

// Principal is who passed gate one, or nil for an anonymous request.
func Principal(c *gin.Context) *core.Principal {
	p, _ := core.PrincipalFrom(c.Request.Context())
	return p
}

// Check asks rules from inside a handler, once the object they judge is
// loaded. On a refusal it has answered and aborted and returns the denial; the
// handler returns without writing. Nothing of what it writes all the same is
// sent, and the guard's logger is told.
func Check(c *gin.Context, g *core.Guard, rules ...core.Authorizer) error {
	v := g.CheckNow(c.Request.Context(), newView(c), rules...)
	if v.Response == nil {
		adapter.Pass(c.Writer, c.Request, &v)
		c.Request = adapter.WithContext(c.Request, v.Context)
		return nil
	}
	if adapter.PassageFrom(c.Request.Context()) == nil && !c.Writer.Written() {
		adapter.ClearRepresentation(c.Writer.Header())
	}
	refuse(c, &v)
	return v.Denial
}

// Request shows the request to code that knows no framework, such as a login of
// core/session.
func Request(c *gin.Context) core.Request { return newView(c) }

// AddFields puts fields that core and its schemes give out into the response:
// Vary is merged with what others have set, every challenge and cookie gets its
// own line, other names replace.
func AddFields(c *gin.Context, fields ...core.Field) { adapter.AddFields(c.Writer.Header(), fields) }

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) gin.HandlerFunc {
	if e == nil {
		panic("ginauth: endpoint is nil")
	}
	return func(c *gin.Context) {
		resp := e(c.Request.Context(), newView(c))
		adapter.Write(c.Writer, &resp)
	}
}

// Routes lists the app's routes, for checks of a policy against them.
func Routes(app *gin.Engine) []core.RouteInfo {
	var routes []core.RouteInfo
	for _, r := range app.Routes() {
		routes = append(routes, core.RouteInfo{Method: r.Method, Pattern: r.Path})
	}
	return routes
}

func mount(t *core.Gate, err error) gin.HandlerFunc {
	if native, ok := t.Conceals(); ok && err == nil {
		_, err = notFound(native)
	}
	if err != nil {
		panic("ginauth: " + err.Error())
	}
	return func(c *gin.Context) {
		v := t.Check(c.Request.Context(), gated{newView(c)})
		if v.Response != nil {
			refuse(c, &v)
			return
		}
		p, r := adapter.Enter(c.Writer, c.Request, &v)
		c.Request = r
		if p == nil {
			return
		}
		below, sealed := c.Writer, (*writer)(&p.Seal)
		c.Writer = sealed
		defer func() {
			if p.End(); c.Writer == gin.ResponseWriter(sealed) && !p.Seal.Closed() {
				c.Writer = below
			}
		}()
		c.Next()
	}
}

// notFound is the handler for unknown paths given to [core.WithConcealment].
func notFound(native any) (gin.HandlerFunc, error) {
	switch h := native.(type) {
	case nil:
		return func(*gin.Context) {}, nil
	case gin.HandlerFunc:
		return h, nil
	case func(*gin.Context):
		return h, nil
	}
	return nil, fmt.Errorf("concealment: %T is not a gin.HandlerFunc", native)
}
