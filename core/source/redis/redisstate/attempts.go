package redisstate

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/attempts"
)

// attemptStore is the [attempts.Store] of a state.
type attemptStore struct{ *State }

// Attempts returns a store for [attempts.WithStore]. A counter is a hash of five
// fields, some 150 bytes, and expires when all failures are forgiven and no
// reservation can be left.
func (s *State) Attempts() attempts.Store { return attemptStore{s} }

var (
	//go:embed counters.lua
	countersLua string
	//go:embed reserve.lua
	reserveLua string
	//go:embed settle.lua
	settleLua string

	reserve = redis.NewScript(countersLua + reserveLua)
	settle  = redis.NewScript(countersLua + settleLua)
)

// Reserve implements [attempts.Store].
func (s attemptStore) Reserve(ctx context.Context, a attempts.Attempt) (attempts.Answer, error) {
	keys, args := s.arguments(a)
	got, err := s.run(ctx, reserve, 5, keys, args...)
	if err != nil {
		return attempts.Answer{}, fmt.Errorf("redisstate: reserve an attempt: %w", err)
	}
	return attempts.Answer{
		Refused: attempts.Part(got[0]), Pending: got[1] == 1, Wait: time.Duration(got[2]) * time.Microsecond,
		Failed: int(got[3]), Failing: attempts.Part(got[4]),
	}, nil
}

// Settle implements [attempts.Store].
func (s attemptStore) Settle(ctx context.Context, a attempts.Attempt, o attempts.Outcome) error {
	outcome := "unknown"
	switch {
	case o.Failed:
		outcome = "failed"
	case o.Succeeded:
		outcome = "succeeded"
	}
	keys, args := s.arguments(a)
	if _, err := s.run(ctx, settle, 0, keys, append(args, outcome, o.Reserved)...); err != nil {
		return fmt.Errorf("redisstate: settle an attempt: %w", err)
	}
	return nil
}

// arguments returns the arguments of both scripts: the keys of the counters, then those of
// an account; times are in microseconds.
func (s attemptStore) arguments(a attempts.Attempt) (keys []string, args []any) {
	now := int64(0)
	if !a.Now.IsZero() {
		now = a.Now.UnixMicro()
	}
	args = append(args, now, len(a.Counters), a.MaxWait.Microseconds(), a.KnownFor.Microseconds())
	for _, c := range a.Counters {
		keys = append(keys, s.prefix+"attempts:"+c.Key)
		args = append(args, uint8(c.Part), c.Burst, interval(c.Interval), c.Ahead.Microseconds())
	}
	if a.Known != "" {
		keys = append(keys, s.prefix+"attempts:"+a.Known, s.prefix+"attempts:"+a.Tried)
	}
	return keys, args
}

// interval returns d in microseconds, the resolution of the server's clock, and at least
// one.
func interval(d time.Duration) int64 { return max(d.Microseconds(), 1) }
