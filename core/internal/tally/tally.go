// Package tally provides counters for metrics that are cheap enough for the request path.
package tally

import (
	"math/rand/v2"
	"sync/atomic"
)

// cells is the number of parts of a counter; a power of two.
const cells = 16

// Counter counts events. The zero Counter is ready for use, and it is safe for concurrent
// use: counting takes no lock, and processors that count at the same time rarely write to
// the same cache line.
type Counter struct {
	of [cells]struct {
		n atomic.Uint64
		_ [56]byte // padding to the size of a cache line
	}
}

// Add counts one event.
func (c *Counter) Add() { c.of[rand.Uint32()%cells].n.Add(1) }

// Load returns the number of events counted.
func (c *Counter) Load() (n uint64) {
	for i := range c.of {
		n += c.of[i].n.Load()
	}
	return n
}
