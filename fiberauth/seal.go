package fiberauth

import (
	"bytes"
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
	if v.Conceal == nil {
		write(c, v.Response)
	} else {
		resp.ResetBody()
		if err := conceal(c.Status(fiber.StatusOK), v); err != nil && c.App().ErrorHandler(c, err) != nil {
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

// alone reports whether nothing can write to the response after the gate at
// which c is: no handler but gates stands in front of it, and the app has no
// error handler of its own. Then the answer needs no seal.
func (r *resolver) alone(c *fiber.Ctx) bool {
	if !r.quiet {
		return false
	}
	rt := c.Route()
	if known, ok := r.solitary.Load(rt); ok {
		return known.(bool)
	}
	is := isAlone(c.App().Stack(), rt)
	r.solitary.Store(rt, is)
	return is
}

// isAlone reports whether all handlers that may run before the last gate of rt,
// or around it, are gates.
func isAlone(stack [][]*fiber.Route, rt *fiber.Route) bool {
	for _, routes := range stack {
		for i, candidate := range routes {
			if candidate != rt {
				continue
			}
			last := 0
			for n, h := range rt.Handlers {
				if isGate(h) {
					last = n
				}
			}
			if !allGates(rt.Handlers[:last]) {
				return false
			}
			for _, before := range routes[:i] {
				if mayPrecede(before, rt) && !allGates(before.Handlers) {
					return false
				}
			}
			return true
		}
	}
	return false
}

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
