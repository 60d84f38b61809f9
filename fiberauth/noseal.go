package fiberauth

import (
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// needsNoSeal reports whether nothing can write to the response after t, the gate that
// refuses c: all handlers that run before it or call it are gates, and the app has no
// error handler of its own. The answer then needs no seal.
func (r *resolver) needsNoSeal(c *fiber.Ctx, t *core.Gate) bool {
	if !r.quiet || fasthttpauth.Rewritten(c.Request(), c.Method()) {
		return false
	}
	rt := c.Route()
	known, ok := r.unsealed.Load(rt)
	if !ok {
		known, _ = r.unsealed.LoadOrStore(rt, gatesWithoutSeal(c.App().Stack(), rt))
	}
	return slices.Contains(known.([]*core.Gate), t)
}

// gatesWithoutSeal returns the gates of rt for which all handlers that may run before or
// around them are gates.
func gatesWithoutSeal(stack [][]*fiber.Route, rt *fiber.Route) (gates []*core.Gate) {
	for _, routes := range stack {
		i := slices.Index(routes, rt)
		if i < 0 {
			continue
		}
		for _, before := range routes[:i] {
			if routing.MayPrecede(before.Path, rt.Path) && slices.ContainsFunc(before.Handlers, func(h fiber.Handler) bool { return !isGate(h) }) {
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

// gateOf is what a gate's handler returns when asked which gate it is.
type gateOf struct{ gate *core.Gate }

func (gateOf) Error() string { return "which gate this is" }
