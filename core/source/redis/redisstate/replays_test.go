//go:build unix

package redisstate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

func sum(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// TestReplays: of many instances that get a proof concurrently one accepts it, and none
// again until it has expired.
func TestReplays(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	name := fmt.Sprint("replays", counter.Add(1))
	var stores []dpop.ReplayStore
	for range 20 {
		stores = append(stores, open(t, s, name).Replays())
	}
	for proof := range 20 {
		var fresh atomic.Int64
		var all sync.WaitGroup
		for _, store := range stores {
			all.Go(func() {
				first, err := store.Remember(t.Context(), sum("key"), sum(fmt.Sprint("proof", proof)), time.Hour)
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
			t.Errorf("%d of 20 instances accept proof %d", n, proof)
		}
	}
	if fresh, err := stores[0].Remember(t.Context(), sum("key"), sum("short"), time.Nanosecond); err != nil || !fresh {
		t.Errorf("%v, %v", fresh, err)
	}
	c := direct(t, s)
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if ttl, err := c.PTTL(t.Context(), k).Result(); err != nil || ttl > time.Hour || ttl == -1 {
			t.Errorf("%s expires in %v, %v", k, ttl, err)
		}
	}
}

// TestShareOfAKey: the holder of one token cannot fill the server.
func TestShareOfAKey(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	store := open(t, s, "share").Replays()
	if fresh, err := store.Remember(t.Context(), sum("key"), sum("first"), time.Hour); err != nil || !fresh {
		t.Fatalf("%v, %v", fresh, err)
	}
	keys, err := direct(t, s).Keys(t.Context(), "*:key:*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	says(t, s, "INCRBY", keys[0], 1<<15-1)
	var limit *core.LimitError
	if _, err := store.Remember(t.Context(), sum("key"), sum("one more"), time.Hour); !errors.As(err, &limit) || limit.RetryAfter <= 0 || limit.RetryAfter > time.Hour {
		t.Errorf("%v", err)
	}
	if fresh, err := store.Remember(t.Context(), sum("key"), sum("first"), time.Hour); err != nil || fresh {
		t.Errorf("a replay: %v, %v", fresh, err)
	}
	if fresh, err := store.Remember(t.Context(), sum("other"), sum("one more"), time.Hour); err != nil || !fresh {
		t.Errorf("another key: %v, %v", fresh, err)
	}
}

// patient waits for its store without a limit.
type patient struct{ dpop.ReplayStore }

func (p patient) Remember(ctx context.Context, key, id [32]byte, ttl time.Duration) (bool, error) {
	return p.ReplayStore.Remember(context.WithoutCancel(ctx), key, id, ttl)
}

// TestReplaysWithoutServer: the store returns an error, and with a fallback each instance
// accepts a proof once.
func TestReplaysWithoutServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	var told []error
	var with []dpop.ReplayStore
	store := open(t, s, "away").Replays()
	for range 2 {
		own, err := dpop.NewReplayMemory(100)
		if err != nil {
			t.Fatal(err)
		}
		f, err := dpop.NewReplayFallback(patient{store}, own, func(err error) { told = append(told, err) })
		if err != nil {
			t.Fatal(err)
		}
		with = append(with, f)
	}
	wants := func(fresh bool, instance int, proof string) {
		t.Helper()
		got, err := with[instance].Remember(t.Context(), sum("key"), sum(proof), time.Hour)
		if err != nil || got != fresh {
			t.Errorf("%s at instance %d: %v, %v, want %v", proof, instance, got, err, fresh)
		}
	}
	wants(true, 0, "before")
	wants(false, 1, "before")
	s.Stop()
	if _, err := store.Remember(t.Context(), sum("key"), sum("alone"), time.Hour); err == nil {
		t.Error("an answer without a server")
	}
	wants(false, 0, "before")
	wants(false, 1, "before")
	wants(true, 0, "during")
	wants(true, 1, "during")
	wants(false, 0, "during")
	wants(false, 1, "during")
	if len(told) != 2 || told[0] == nil || told[1] == nil {
		t.Errorf("reported %v", told)
	}
}
