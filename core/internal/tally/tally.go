// Package tally counts on the path of requests, for metrics.
package tally

import (
	"math/rand/v2"
	"sync/atomic"
)

// cells is how many parts a counter has; a power of two.
const cells = 16

// Counter counts events. The zero Counter is ready for use and safe for concurrent
// use: an event takes no lock, and processors that count at the same time seldom
// write to the same cache line.
type Counter struct {
	of [cells]struct {
		n atomic.Uint64
		_ [56]byte // the rest of a cache line
	}
}

// Add counts one event.
func (c *Counter) Add() { c.of[rand.Uint32()%cells].n.Add(1) }

// Load is how many events were counted.
func (c *Counter) Load() (n uint64) {
	for i := range c.of {
		n += c.of[i].n.Load()
	}
	return n
}
