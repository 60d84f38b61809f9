//go:build linux

package fleet_test

import (
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// cuts is how long instances were behind once the network was back, for each
// length of a cut.
type cuts struct {
	behind map[time.Duration]time.Duration
	// unheard is how long it took when all connections swallowed what they were given
	// and did not end, and only new ones were well.
	unheard time.Duration
	account account
}

// measureCuts cuts the network between the instances and their store, publishes
// meanwhile, and looks how long after the cut the last instance decides by that. In
// the end it has all connections that there are be dead without a word.
func measureCuts(t *testing.T, k *kind, addr string, n scale, lengths ...time.Duration) *cuts {
	t.Helper()
	name := "cuts"
	store := k.open(t, addr, name)
	publish(t, store, 0, files(1, n.rules))
	network := startProxy(t, addr)
	all := startFleet(t, n.instances, assignment{Kind: k.name, URL: k.url(network.addr()), Name: name, Pause: n.pause})
	all.account(t)
	c := &cuts{behind: map[time.Duration]time.Duration{}}
	base := source.Revision(1)
	for _, length := range lengths {
		network.sever()
		publish(t, store, base, files(base+1, n.rules))
		base++
		time.Sleep(length)
		mended := time.Now()
		network.mend()
		c.behind[length] = all.wait(t, base).Sub(mended)
	}
	network.swallow()
	network.mend()
	began := time.Now()
	publish(t, store, base, files(base+1, n.rules))
	c.unheard = all.wait(t, base+1).Sub(began)
	c.account = all.account(t)
	return c
}
