package redisstate

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/digest"
)

// countStore is the [digest.CountStore] of a state.
type countStore struct{ *State }

// Counts returns a store for [digest.WithCounts]. The counts of a nonce are bits:
// 1024 consecutive ones take a key of some 250 bytes, which expires with the nonce.
// Only right responses are counted.
func (s *State) Counts() digest.CountStore { return countStore{s} }

// countsOfKey is the number of counts stored in one key.
const countsOfKey = 1024

// useCount returns 1 for a new count and 0 for a known one.
var useCount = redis.NewScript(`
local used = redis.call('SETBIT', KEYS[1], ARGV[1], 1)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {1 - used}
`)

// Use implements [digest.CountStore].
func (s countStore) Use(ctx context.Context, nonce [32]byte, count uint32, ttl time.Duration) (bool, error) {
	key := fmt.Sprintf("%sdigest:%s:%d", s.prefix, base64.RawURLEncoding.EncodeToString(nonce[:]), count/countsOfKey)
	got, err := s.run(ctx, useCount, 1, []string{key}, count%countsOfKey, max((ttl+time.Millisecond-1).Milliseconds(), 1))
	if err != nil {
		return false, fmt.Errorf("redisstate: use a count: %w", err)
	}
	return got[0] == 1, nil
}
