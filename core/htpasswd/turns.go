package htpasswd

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"
)

// turns bounds how many verifications run at a time, and how much memory they
// take together. First come, first served.
type turns struct {
	// capacity is memory times concurrency, so that a verification that needs
	// little memory weighs exactly one of so many turns.
	capacity    *semaphore.Weighted
	concurrency uint64
	memory      uint64
	maxWait     time.Duration
}

func newTurns(concurrency int, memory uint64, maxWait time.Duration) *turns {
	n := uint64(concurrency)
	return &turns{semaphore.NewWeighted(int64(memory * n)), n, memory, maxWait}
}

// enter waits for a turn of a verification that takes up to so many bytes,
// which are no more than all turns together may take. The turn lasts until
// leave is called.
func (t *turns) enter(ctx context.Context, bytes uint64) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("htpasswd: password not checked: %w", err)
	}
	weight := int64(max(t.memory, bytes*t.concurrency))
	leave = func() { t.capacity.Release(weight) }
	if t.capacity.TryAcquire(weight) {
		return leave, nil
	}
	if t.maxWait == 0 {
		return nil, errBusy
	}
	wait, cancel := context.WithTimeout(ctx, t.maxWait)
	defer cancel()
	if t.capacity.Acquire(wait, weight) == nil {
		return leave, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("htpasswd: waiting to check a password: %w", err)
	}
	return nil, errBusy
}
