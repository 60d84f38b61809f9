package ask

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Clock is a settable clock for policies whose role links have a start or an end. Its Now
// is for [casbinrules.WithClock]. Only one user at a time may set it.
type Clock struct {
	at    atomic.Pointer[time.Time]
	asked atomic.Bool
}

// Set sets the time; nil resets it to the present time.
func (c *Clock) Set(at *time.Time) { c.at.Store(at) }

// Now returns the time for the policies.
func (c *Clock) Now() time.Time {
	c.asked.Store(true)
	if at := c.at.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// Rules reports whether a policy's decisions depend on the clock. Both c and a may be nil.
func (c *Clock) Rules(ctx context.Context, a *Policy) (bool, error) {
	if c == nil || a == nil {
		return false, nil
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "nobody"})
	if err != nil {
		return false, err
	}
	c.asked.Store(false)
	// A policy that depends on the time reads the clock first, so the answer does not
	// matter.
	_, _ = a.Authorize(ctx, p, core.Access{Action: "GET", Resource: core.Resource{Path: "/"}})
	return c.asked.Load(), nil
}
