package routing

import (
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// GateOf is what the handler of a gate returns if it is called without a request, to be
// asked which gate it is.
type GateOf struct{ Gate *core.Gate }

func (GateOf) Error() string { return "which gate this is" }

// GatesWithoutSeal returns the gates of the route rt for which all handlers that may
// run before or around them are gates: nothing else can write to their answers. stack
// holds the routes of each method; of returns the path of a route, and the gate that
// each of its handlers is, nil for other handlers.
func GatesWithoutSeal[R comparable](stack [][]R, rt R, of func(R) (path string, handlers []*core.Gate)) (gates []*core.Gate) {
	path, handlers := of(rt)
	for _, routes := range stack {
		i := slices.Index(routes, rt)
		if i < 0 {
			continue
		}
		for _, before := range routes[:i] {
			if first, others := of(before); MayPrecede(first, path) && slices.Contains(others, nil) {
				return nil
			}
		}
		for _, g := range handlers {
			if g == nil {
				break
			}
			gates = append(gates, g)
		}
	}
	return gates
}
