package redisstate

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// proofsOfKey is the maximum number of proofs remembered per key: about 360 a second.
const proofsOfKey = 1 << 15

// errShareUsed is the cause of the error for a key with as many proofs.
var errShareUsed = errors.New("redisstate: the memory for proofs of this key is full")

// replayStore is the [dpop.ReplayStore] of a state.
type replayStore struct{ *State }

// Replays returns a store for [dpop.WithReplays]. A proof takes a Redis key of some
// 150 bytes, which expires with the proof. A client's key may make at most 32,768
// proofs in the time that a proof is valid; more are refused with a
// [core.LimitError].
//
// While the server is unavailable, requests get 503; [dpop.NewReplayFallback] lets
// each instance decide alone.
func (s *State) Replays() dpop.ReplayStore { return replayStore{s} }

// remember returns 1 for a new proof, 0 for a known one, and 2 for a key whose share is
// used up, with the milliseconds until it is not. A share lasts at least two minutes, since
// the client determines how long its first proof is valid.
var remember = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return {0, 0} end
local n = tonumber(redis.call('GET', KEYS[2]) or 0)
if n >= tonumber(ARGV[2]) then return {2, redis.call('PTTL', KEYS[2])} end
redis.call('SET', KEYS[1], '', 'PX', ARGV[1])
if redis.call('INCR', KEYS[2]) == 1 then redis.call('PEXPIRE', KEYS[2], math.max(tonumber(ARGV[1]), 120000)) end
return {1, 0}
`)

// Remember implements [dpop.ReplayStore].
func (s replayStore) Remember(ctx context.Context, key, id [32]byte, ttl time.Duration) (bool, error) {
	name := func(kind string, sum [32]byte) string {
		return s.prefix + "dpop:" + kind + ":" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	until := max((ttl + time.Millisecond - 1).Milliseconds(), 1)
	got, err := s.run(ctx, remember, 2, []string{name("proof", id), name("key", key)}, until, proofsOfKey)
	switch {
	case err != nil:
		return false, fmt.Errorf("redisstate: remember a proof: %w", err)
	case got[0] == 2:
		return false, &core.LimitError{RetryAfter: time.Duration(got[1]) * time.Millisecond, Err: errShareUsed}
	}
	return got[0] == 1, nil
}
