// Package fiberauth mounts a [core.Guard] on Fiber v3. The package for Fiber v2,
// github.com/sallyport-go/sallyport/fiberauth, exports the same names.
//
//	app := fiber.New()
//	reports := app.Group("/reports", fiberauth.Authorize(guard))
//	reports.Get("/:id", func(c fiber.Ctx) error {
//		return c.SendString("hello, " + fiberauth.Principal(c).ID())
//	})
//	log.Fatal(app.Listen("127.0.0.1:8080"))
//
// Gates work wherever middleware can be mounted: on a route, on a group or on the
// whole app. They know the matched route in all three places, even if mounted with
// Use, where Fiber itself knows only the middleware.
//
// A refused request is answered, and the app's own error handler, if it has one,
// gets an *[Error]. The response is complete by then, so what handlers, error
// handlers and middlewares write is dropped. To change how denials look, set the
// guard's responder. If a net/http server runs the app through Fiber's adaptor,
// middlewares in front of all gates can still change the response.
//
// Fiber reuses its buffers. Everything that gates pass on is a copy: principals,
// events and the strings of a [core.Request] are safe to keep.
package fiberauth

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// Authenticate mounts gate one, which answers 401 without a usable identity. Like
// all functions here that mount a gate it panics if the gate cannot work, so that a
// mistake shows at start-up.
func Authenticate(g *core.Guard) fiber.Handler { return mount(g.Authenticate()) }

// Optional lets requests without credentials pass as anonymous; bad credentials
// still get 401. [core.WithExpiredAsAnonymous] lets lapsed ones pass as well.
func Optional(g *core.Guard, opts ...core.GateOption) fiber.Handler {
	return mount(g.Optional(opts...))
}

// Authorize mounts gate two with the guard's authorizer. It first runs gate one if
// the request has not passed it yet.
func Authorize(g *core.Guard, opts ...core.GateOption) fiber.Handler {
	return mount(g.Authorize(opts...))
}

// Require mounts gate two with rules, all of which must allow. It first runs gate
// one if the request has not passed it yet.
func Require(g *core.Guard, rules ...core.Authorizer) fiber.Handler {
	return mount(g.Require(rules...))
}

// Principal returns the principal that passed gate one, or nil for an anonymous
// request.
func Principal(c fiber.Ctx) *core.Principal {
	p, _ := core.PrincipalFrom(c.Context())
	return p
}

// Check asks rules from inside a handler, once the object they need is loaded. If
// they refuse, it answers and returns the error that the handler must return.
// Anything the handler still writes is dropped, and the guard's logger is told if
// there is a gate in front of the handler.
//
// Behind a gate, [Principal] still returns whom the gates let through.
func Check(c fiber.Ctx, g *core.Guard, rules ...core.Authorizer) error {
	view, watched, v := decide(c, func(ctx context.Context, r core.Request) core.Verdict { return g.CheckNow(ctx, r, rules...) })
	if v.Response == nil {
		fasthttpauth.PassCheck(c.RequestCtx(), &v)
		setContext(c, watched, v.Context)
		view.free()
		return nil
	}
	return refuseInside(c, view, v)
}

// Request returns the view of the request for framework-neutral code, such as a
// login of core/session. Its strings are copies and safe to keep.
func Request(c fiber.Ctx) core.Request { return newView(c) }

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) fiber.Handler {
	if e == nil {
		panic("fiberauth: endpoint is nil")
	}
	return func(c fiber.Ctx) error {
		resp := e(c.Context(), newView(c))
		fasthttpauth.Write(c.RequestCtx(), &resp)
		return nil
	}
}

// Routes returns the app's routes, for checking a policy against them, with those
// for HEAD that Fiber adds. Handlers mounted with Use are not among them.
func Routes(app *fiber.App) []core.RouteInfo {
	app.Handler() // merges mounted sub-apps, as the start of the app does
	var routes []core.RouteInfo
	for _, r := range app.GetRoutes(true) {
		routes = append(routes, core.RouteInfo{Method: r.Method, Pattern: r.Path})
	}
	return routes
}

// Verify returns an error if the app answers some requests without a gate that is mounted
// in front of them with Use, since Fiber leaves it out there. It is for the start of a
// program, when all routes are in place. Gates find out as well, and then let no request
// pass, but only once one of them is called.
func Verify(app *fiber.App) error {
	app.Handler() // merges mounted sub-apps, as the start of the app does
	if err := newResolver(app).table.LeftOut(); err != nil {
		return fmt.Errorf("fiberauth: %w", err)
	}
	return nil
}

func mount(t *core.Gate, err error) fiber.Handler {
	adapter.CheckMount("fiberauth", t, err, notFound)
	return gateHandler(t)
}

// gateOf returns the gate whose handler h is; nil for other handlers.
func gateOf(h fiber.Handler) *core.Gate {
	if codeOf(h) != codeOf(gateHandler(nil)) {
		return nil
	}
	var g routing.GateOf
	errors.As(h(nil), &g)
	return g.Gate
}

// gateHandler is not inlined, so that all gates have the same code pointer. Called
// with nil, its handler returns a [routing.GateOf].
//
//go:noinline
func gateHandler(t *core.Gate) fiber.Handler {
	return func(c fiber.Ctx) error {
		if c == nil {
			return routing.GateOf{Gate: t}
		}
		if unreadable(c) {
			return nil
		}
		view, watched, v := decide(c, t.Check)
		if v.Response != nil {
			err := view.refuse(c, t, &v)
			view.free()
			return err
		}
		view.free()
		ctx := c.RequestCtx()
		fasthttpauth.AddFields(&ctx.Response.Header, v.Fields...)
		setContext(c, watched, v.Context)
		fasthttpauth.DecideCaching(ctx, v.SharedCaching)
		defer fasthttpauth.KeepFields(ctx, v.Fields)
		err := c.Next()
		fasthttpauth.TellLate(ctx, c.Context)
		return finishRefusal(c, err)
	}
}

// refuse answers with the verdict of t, a mounted gate.
func (v *view) refuse(c fiber.Ctx, t *core.Gate, verdict *core.Verdict) error {
	ctx := c.RequestCtx()
	if _, _, ok := verdict.Concealed(); ok {
		fasthttpauth.MarkRefused(ctx)
		return conceal(c, verdict)
	}
	v.Refuse(verdict, v.app.needsNoSeal(c, t))
	if v.app.quiet && !fasthttpauth.MustResend(ctx) {
		return nil
	}
	return finishRefusal(c, refusal(*verdict))
}

// refuseInside answers with the verdict of a check and seals the response.
func refuseInside(c fiber.Ctx, view *view, v core.Verdict) error {
	if !fasthttpauth.Sealed(c.RequestCtx()) {
		fasthttpauth.RefuseInside(c.RequestCtx(), view, v, func() {
			if err := conceal(c, &v); err != nil && c.App().ErrorHandler(c, err) != nil {
				_ = c.SendStatus(fiber.StatusInternalServerError) // which never fails
			}
		})
	}
	return refusal(v)
}

// finishRefusal tells the app's own error handler about a refusal and then restores the
// response, which nobody could do after Fiber had called it. Fiber's default one is left
// out, since it would replace the body.
func finishRefusal(c fiber.Ctx, err error) error {
	ctx := c.RequestCtx()
	if !fasthttpauth.Refused(ctx) {
		return err
	}
	var tell func()
	if err != nil && (!isRefusal(err) || !resolverFor(c.App()).quiet) {
		tell = func() { _ = c.App().ErrorHandler(c, err) }
	}
	fasthttpauth.Restore(ctx, tell)
	return nil
}

func isRefusal(err error) bool {
	var refused *Error
	return errors.As(err, &refused)
}

// setContext gives handlers the context of a verdict, unless it is the very context
// that the gate watched. The principal is also found in c itself and in the context
// of net/http handlers, which look for it among fasthttp's user values.
func setContext(c fiber.Ctx, watched, ctx context.Context) {
	if !adapter.SameContext(ctx, watched) {
		c.SetContext(ctx)
		c.RequestCtx().SetUserValue(passedKey, ctx.Value(passedKey))
	}
}

// passedKey is the key under which core keeps the principal in a context.
var passedKey = func() any {
	var asked askedFor
	core.PrincipalFrom(&asked)
	return asked.key
}()

// askedFor is a context that records the key it was asked for.
type askedFor struct {
	context.Context
	key any
}

func (a *askedFor) Value(key any) any {
	a.key = key
	return nil
}

// Error is what the app's own error handler gets for a refusal. The response is
// complete by then, so what the handler writes is dropped.
//
// It unwraps to a *[fiber.Error] with the status and the public code, and to the
// *[core.Denial].
type Error struct {
	Denial *core.Denial
	native *fiber.Error
}

func (e *Error) Error() string { return e.native.Message }

// Unwrap returns the framework's error and the denial.
func (e *Error) Unwrap() []error { return []error{e.native, e.Denial} }

// refusal returns the error for a refusal whose response is written, or nil for a
// preflight.
func refusal(v core.Verdict) error {
	if v.Denial == nil {
		return nil
	}
	return &Error{Denial: v.Denial, native: fiber.NewError(v.Response.Status, v.Denial.Code)}
}

// isDefault reports whether an error handler is Fiber's own.
func isDefault(h fiber.ErrorHandler) bool {
	return reflect.ValueOf(h).Pointer() == reflect.ValueOf(fiber.DefaultErrorHandler).Pointer()
}

// AddFields adds fields from core and its schemes to the response: Vary is merged
// with what others have set, every challenge and cookie gets its own line, other
// fields replace existing ones.
func AddFields(c fiber.Ctx, fields ...core.Field) {
	fasthttpauth.AddFields(&c.Response().Header, fields...)
}
