package ask

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Clock has policies judge role links with a start and an end by a time that is set.
// Its Now is for [casbinrules.WithClock]. Only one user at a time may set it.
type Clock struct {
	at    atomic.Pointer[time.Time]
	asked atomic.Bool
}

// Set sets the time, with nil to the present one.
func (c *Clock) Set(at *time.Time) { c.at.Store(at) }

// Now is what time it is for the policies.
func (c *Clock) Now() time.Time {
	c.asked.Store(true)
	if at := c.at.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// Rules reports whether a policy decides by the clock. Both may be nil.
func (c *Clock) Rules(ctx context.Context, a *Policy) (bool, error) {
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
