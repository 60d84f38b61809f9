package replay

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/core"
)

// Clock has policies judge role links with a start and an end by the time of the line
// that is decided again, and by the present one where none is. Its Now is for
// [casbinrules.WithClock]. Only one replay at a time may use it.
type Clock struct {
	line  atomic.Pointer[time.Time]
	asked atomic.Bool
}

// Now is what time it is for the policies.
func (c *Clock) Now() time.Time {
	c.asked.Store(true)
	if at := c.line.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// rules reports whether a policy, which may be nil, decides by the clock.
func (c *Clock) rules(ctx context.Context, a *ask.Policy) (bool, error) {
	if c == nil || a == nil {
		return false, nil
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "nobody"})
	if err != nil {
		return false, err
	}
	c.asked.Store(false)
	// A policy asks for the time first, if it does, so that the answer does not matter.
	_, _ = a.Authorize(ctx, p, core.Access{Action: "GET", Resource: core.Resource{Path: "/"}})
	return c.asked.Load(), nil
}
