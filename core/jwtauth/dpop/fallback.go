package dpop

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/sharedstore"
)

// replayTimeout is how long a shared store may take before this process decides
// alone.
const replayTimeout = 250 * time.Millisecond

// replayFallback remembers proofs in two places.
type replayFallback struct {
	shared, own ReplayStore
	calls       sharedstore.Calls
}

// NewReplayFallback returns a store that remembers each proof in own, the store of
// this process, and in shared, the store of all processes. While shared fails, or
// takes longer than 250 ms, own decides alone: a proof then works once in each
// process, as without a shared store, and nobody is signed out. Without a fallback
// such requests get 503.
//
// A [core.LimitError] of either refuses the proof. told, which may be nil, is
// called with the error when shared begins to fail, and with nil when it works
// again; it must be fast and safe for concurrent use.
func NewReplayFallback(shared, own ReplayStore, told func(err error)) (ReplayStore, error) {
	if isnil.Value(shared) || isnil.Value(own) {
		return nil, errors.New("dpop: replay fallback: a store is nil")
	}
	return &replayFallback{shared: shared, own: own, calls: sharedstore.Calls{Timeout: replayTimeout, Told: told}}, nil
}

// Remember implements [ReplayStore].
func (f *replayFallback) Remember(ctx context.Context, key, id [32]byte, ttl time.Duration) (bool, error) {
	if fresh, err := f.own.Remember(ctx, key, id, ttl); err != nil || !fresh {
		return false, err
	}
	fresh := true
	var limit *core.LimitError
	err := f.calls.Do(ctx, func(ctx context.Context) error {
		first, err := f.shared.Remember(ctx, key, id, ttl)
		if errors.As(err, &limit) {
			return nil // an answer
		}
		if err == nil {
			fresh = first
		}
		return err
	})
	if err == nil && limit != nil {
		return false, limit
	}
	return fresh, nil // own has decided where there was an error
}
