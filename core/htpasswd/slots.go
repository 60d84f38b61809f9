package htpasswd

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"
)

// slots bounds how many verifications run at a time, and how much memory they use
// together. It is first come, first served.
type slots struct {
	// capacity is memory times concurrency, so that a verification that needs
	// little memory takes exactly one of concurrency slots.
	capacity    *semaphore.Weighted
	concurrency uint64
	memory      uint64
	maxWait     time.Duration
}

func newSlots(concurrency int, memory uint64, maxWait time.Duration) *slots {
	n := uint64(concurrency)
	return &slots{semaphore.NewWeighted(int64(memory * n)), n, memory, maxWait}
}

// enter waits for a slot for a verification that uses up to bytes bytes, which must
// not exceed the memory of all slots. The slot is taken until leave is called.
func (s *slots) enter(ctx context.Context, bytes uint64) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("htpasswd: password not checked: %w", err)
	}
	weight := int64(max(s.memory, bytes*s.concurrency))
	leave = func() { s.capacity.Release(weight) }
	if s.capacity.TryAcquire(weight) {
		return leave, nil
	}
	wait, cancel := context.WithTimeout(ctx, s.maxWait)
	defer cancel()
	if s.capacity.Acquire(wait, weight) == nil {
		return leave, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("htpasswd: waiting to check a password: %w", err)
	}
	return nil, errBusy
}
