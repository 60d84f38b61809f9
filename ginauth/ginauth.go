// Package ginauth mounts a [core.Guard] on Gin.
//
//	app := gin.New()
//	reports := app.Group("/reports", ginauth.Authorize(guard))
//	reports.GET("/:id", func(c *gin.Context) {
//		c.String(http.StatusOK, "hello, %s\n", ginauth.Principal(c).ID())
//	})
//	log.Fatal(app.Run("127.0.0.1:8080"))
//
// A refused request is answered and aborted: no later handler runs, and anything
// still written to the response is dropped. Handlers get the principal with
// [Principal], framework-neutral code with [core.PrincipalFrom] from the request's
// context.
package ginauth

import (
	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// Authenticate mounts gate one, which answers 401 without a usable identity. Like
// all functions here that mount a gate it panics if the gate cannot work, so that a
// mistake shows at start-up.
func Authenticate(g *core.Guard) gin.HandlerFunc { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad credentials
// still get 401. [core.WithExpiredAsAnonymous] lets lapsed ones pass as well.
func Optional(g *core.Guard, opts ...core.GateOption) gin.HandlerFunc {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It first runs gate one if
// the request has not passed it yet.
func Authorize(g *core.Guard, opts ...core.GateOption) gin.HandlerFunc {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It first runs gate
// one if the request has not passed it yet.
func Require(g *core.Guard, rules ...core.Authorizer) gin.HandlerFunc {
	return mount(g.Require(rules...))
}

// Principal returns the principal that passed gate one, or nil for an anonymous
// request.
func Principal(c *gin.Context) *core.Principal {
	p, _ := core.PrincipalFrom(c.Request.Context())
	return p
}

// Check asks rules from inside a handler, once the object they need is loaded. If
// they refuse, it answers, aborts and returns the denial; the handler must return
// without writing. Anything it still writes is dropped, and the guard's logger is
// told.
//
// Behind a gate, [Principal] still returns whom the gates let through.
func Check(c *gin.Context, g *core.Guard, rules ...core.Authorizer) error {
	v := g.CheckNow(c.Request.Context(), newView(c), rules...)
	if v.Response == nil {
		adapter.Pass(c.Writer, c.Request, &v)
		c.Request = adapter.WithContext(c.Request, v.Context)
		return nil
	}
	if adapter.AuthContextFrom(c.Request.Context()) == nil && !c.Writer.Written() {
		adapter.ClearRepresentation(c.Writer.Header())
	}
	refuse(c, &v)
	return v.Denial
}

// Request returns the view of the request for framework-neutral code, such as a
// login of core/session.
func Request(c *gin.Context) core.Request { return newView(c) }

// AddFields adds fields from core and its schemes to the response: Vary is merged
// with what others have set, every challenge and cookie gets its own line, other
// fields replace existing ones.
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

// Routes returns the app's routes, for checking a policy against them.
func Routes(app *gin.Engine) []core.RouteInfo {
	var routes []core.RouteInfo
	for _, r := range app.Routes() {
		routes = append(routes, core.RouteInfo{Method: r.Method, Pattern: r.Path})
	}
	return routes
}

func mount(t *core.Gate, err error) gin.HandlerFunc {
	adapter.CheckMount("ginauth", t, err, notFound)
	return func(c *gin.Context) {
		v := t.Check(c.Request.Context(), gated{newView(c)})
		if v.Response != nil {
			refuse(c, &v)
			return
		}
		before := c.Request
		p, r := adapter.Enter(c.Writer, before, &v)
		c.Request = r
		if p == nil {
			return
		}
		below, sealed := c.Writer, (*writer)(&p.Seal)
		c.Writer = sealed
		defer func() {
			if adapter.Leave(p, before, c.Request); c.Writer == gin.ResponseWriter(sealed) && !p.Seal.Closed() {
				c.Writer = below
			}
		}()
		c.Next()
	}
}

// notFound converts the handler for unknown paths of [core.WithConcealment].
func notFound(native any) (gin.HandlerFunc, error) {
	return adapter.NotFound[gin.HandlerFunc](native, func(*gin.Context) {}, "a gin.HandlerFunc")
}
