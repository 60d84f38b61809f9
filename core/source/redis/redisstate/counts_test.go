//go:build unix

package redisstate_test

import (
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// TestCounts: of many instances that get the same answer concurrently one accepts it, and
// counts are independent.
func TestCounts(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	var stores []digest.CountStore
	for range 20 {
		stores = append(stores, open(t, s, "counts").Counts())
	}
	for i, count := range []uint32{1, 2, 3, 1023, 1024, 1025, 5000, math.MaxUint32 - 1, math.MaxUint32} {
		var fresh atomic.Int64
		var all sync.WaitGroup
		for _, store := range stores {
			all.Go(func() {
				first, err := store.Use(t.Context(), sum("nonce"), count, time.Hour)
				if err != nil {
					t.Error(err)
				}
				if first {
					fresh.Add(1)
				}
			})
		}
		all.Wait()
		if n := fresh.Load(); n != 1 {
			t.Errorf("%d of 20 instances accept count %d", n, count)
		}
		if first, err := stores[i].Use(t.Context(), sum("another nonce"), count, time.Hour); err != nil || !first {
			t.Errorf("another nonce: %v, %v", first, err)
		}
	}
	c := direct(t, s)
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 8 {
		t.Errorf("%d keys for counts in four ranges of two nonces", len(keys))
	}
	for _, k := range keys {
		if ttl, err := c.PTTL(t.Context(), k).Result(); err != nil || ttl > time.Hour || ttl <= 0 {
			t.Errorf("%s expires in %v, %v", k, ttl, err)
		}
	}
	s.Stop()
	if fresh, err := stores[0].Use(t.Context(), sum("nonce"), 7, time.Hour); err == nil || fresh {
		t.Errorf("without the server: %v, %v", fresh, err)
	}
}

// TestUsersOfState: the user on the page about guessing can do everything that the counts
// need, and nothing else.
func TestUsersOfState(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for user, rights := range usersOfPage(t, "../../../../docs/guessing.md", "default") {
		says(t, s, append([]any{"ACL", "SETUSER", user, "on", ">secret"}, rights...)...)
	}
	state := as(t, s, "state", "default")
	if _, err := state.Counts().Use(t.Context(), sum("nonce"), 1, time.Hour); err != nil {
		t.Error(err)
	}
	if fresh, err := state.Replays().Remember(t.Context(), sum("key"), sum("proof"), time.Hour); err != nil || !fresh {
		t.Errorf("a proof: %v, %v", fresh, err)
	}
	if _, err := state.Replays().Remember(t.Context(), sum("key"), sum("proof"), time.Hour); err != nil {
		t.Error(err)
	}
	store, attempt := state.Attempts(), attempts.Attempt{
		Counters: []attempts.Counter{{Part: attempts.Address, Key: "address", Burst: 3, Interval: time.Minute, Ahead: time.Hour}},
		Known:    "known", Tried: "tried", KnownFor: time.Hour, MaxWait: time.Hour,
	}
	for _, o := range []attempts.Outcome{{Failed: true, Reserved: true}, {Succeeded: true, Reserved: true}, {Reserved: true}} {
		if _, err := store.Reserve(t.Context(), attempt); err != nil {
			t.Error(err)
		}
		if err := store.Settle(t.Context(), attempt, o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	other := as(t, s, "state", "other")
	_, err := other.Counts().Use(t.Context(), sum("nonce"), 1, time.Hour)
	if err == nil || !strings.Contains(err.Error(), "no right to do that to keys sallyport:{other}:*") {
		t.Errorf("it counts for another service: %v", err)
	}
	if _, _, err = other.Sessions().Find("key"); err == nil || !strings.Contains(err.Error(), "the name in braces (WithName, --set, --service)") {
		t.Errorf("it reads sessions of another service: %v", err)
	}
	err = other.Revocations().Listen(t.Context(), func() {})
	if err == nil || !strings.Contains(err.Error(), "no right to do that to channel sallyport:{other}:revoked") {
		t.Errorf("it listens for another service: %v", err)
	}
}
