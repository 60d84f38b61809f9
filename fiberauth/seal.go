package fiberauth

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
)

// seal makes the response as it is now the one that is sent, whatever handlers,
// error handlers and middlewares do to it from here on. fasthttp has that for
// handlers that go on after a timeout.
func seal(c *fiber.Ctx) {
	ctx := c.Context()
	if ctx.LastTimeoutErrorResponse() != nil {
		return // refused before
	}
	resp := &ctx.Response
	if ctx.IsHead() {
		resp.SkipBody = true // fasthttp forgets the method
	}
	if !ctx.Request.Header.IsHTTP11() {
		resp.SetConnectionClose() // and the protocol
	}
	// The server also forgets the request, with the files of a form.
	ctx.Request.RemoveMultipartFormFiles()
	ctx.TimeoutErrorWithResponse(resp)
}

// sealed reports whether the response of c is sealed.
func sealed(c *fiber.Ctx) bool { return c.Context().LastTimeoutErrorResponse() != nil }

// insideKey is the user value of a refused check.
type insideKey struct{}

// inside is a check that refused.
type inside struct {
	verdict core.Verdict
	view    *view
}

// refuseInside answers by a check's verdict and seals the response.
func refuseInside(c *fiber.Ctx, view *view, v core.Verdict) error {
	if sealed(c) {
		return refusal(v)
	}
	resp := c.Response()
	for _, name := range representation {
		resp.Header.Del(name)
	}
	if _, _, ok := v.Concealed(); !ok {
		write(c, v.Response)
	} else {
		resp.ResetBody()
		if err := conceal(c.Status(fiber.StatusOK), &v); err != nil && c.App().ErrorHandler(c, err) != nil {
			_ = c.SendStatus(fiber.StatusInternalServerError) // which never fails
		}
	}
	closeUnread(c)
	seal(c)
	c.Context().SetUserValue(insideKey{}, &inside{v, view})
	return refusal(v)
}

// representation are fields that handlers have set for what is not sent.
var representation = [...]string{
	fiber.HeaderAcceptRanges, fiber.HeaderContentDisposition, fiber.HeaderContentEncoding, fiber.HeaderContentRange,
	fiber.HeaderETag, fiber.HeaderLastModified,
}

// tellLate tells of handlers behind a gate that went on after a refused check.
func tellLate(c *fiber.Ctx) {
	ctx := c.Context()
	sent := ctx.LastTimeoutErrorResponse()
	if sent == nil {
		return
	}
	in, ok := ctx.UserValue(insideKey{}).(*inside)
	if !ok {
		return
	}
	ctx.RemoveUserValue(insideKey{})
	late := &ctx.Response
	if ctx.Hijacked() || late.IsBodyStream() || late.StatusCode() != sent.StatusCode() || !bytes.Equal(late.Body(), sent.Body()) {
		in.verdict.WroteAfter(c.UserContext(), in.view)
	}
}

// closeUnread closes the connection after the answer if the request's body may
// not have been read to its end: what is left of it would be taken for the next
// request (RFC 9112 §9.3).
func closeUnread(c *fiber.Ctx) {
	if c.Context().Request.IsBodyStream() {
		c.Context().Response.SetConnectionClose()
	}
}

// alone reports whether nothing can write to the response after t, the gate that
// refuses c: no handler but gates stands in front of it or calls it, and the app
// has no error handler of its own. Then the answer needs no seal.
func (r *resolver) alone(c *fiber.Ctx, t *core.Gate) bool {
	if !r.quiet || isRewritten(c) {
		return false
	}
	rt := c.Route()
	known, ok := r.solitary.Load(rt)
	if !ok {
		known, _ = r.solitary.LoadOrStore(rt, aloneOn(c.App().Stack(), rt))
	}
	return slices.Contains(known.([]*core.Gate), t)
}

// isRewritten reports whether c has another path or method than was sent. Whoever
// changed it may stand anywhere.
func isRewritten(c *fiber.Ctx) bool {
	req := c.Request()
	sent, _, _ := bytes.Cut(req.Header.RequestURI(), []byte("?"))
	return !bytes.Equal(sent, req.URI().PathOriginal()) || string(req.Header.Method()) != c.Method()
}

// aloneOn are the gates of rt such that all handlers which may run before them,
// or around them, are gates.
func aloneOn(stack [][]*fiber.Route, rt *fiber.Route) (gates []*core.Gate) {
	for _, routes := range stack {
		i := slices.Index(routes, rt)
		if i < 0 {
			continue
		}
		for _, before := range routes[:i] {
			if mayPrecede(before, rt) && !allGates(before.Handlers) {
				return nil
			}
		}
		for _, h := range rt.Handlers {
			if !isGate(h) {
				break
			}
			var g gateOf
			errors.As(h(nil), &g)
			gates = append(gates, g.gate)
		}
	}
	return gates
}

// gateOf is what a handler of a gate returns that is asked which it is.
type gateOf struct{ gate *core.Gate }

func (gateOf) Error() string { return "which gate this is" }

// mayPrecede reports whether a request for rt may come to before first: their
// literal prefixes do not exclude it.
func mayPrecede(before, rt *fiber.Route) bool {
	a, b := literalStart(before.Path), literalStart(rt.Path)
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// literalStart is what a route's pattern begins with before anything that is
// not literal, in small letters.
func literalStart(pattern string) string {
	if i := strings.IndexAny(pattern, ":*+?\\("); i >= 0 {
		pattern = pattern[:i]
	}
	return strings.TrimSuffix(strings.ToLower(pattern), "/")
}

func allGates(handlers []fiber.Handler) bool {
	for _, h := range handlers {
		if !isGate(h) {
			return false
		}
	}
	return true
}
