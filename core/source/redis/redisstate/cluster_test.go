//go:build unix

package redisstate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// at returns the state of a service on the server of a URL.
func at(t *testing.T, url, name string) *redisstate.State {
	t.Helper()
	state, err := redisstate.New(url, redisstate.WithName(name), redisstate.WithTimeout(min(authtest.TimeLimit(time.Second), 10*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	return state
}

// TestCluster: any node of a cluster may be named; the keys are found on the one that has
// them, also after they have moved.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	url := c.Nodes[1].URL()
	sessiontest.RunStore(t, func(t *testing.T) session.ContextStore { return at(t, url, "sessions").Sessions() })
	revoketest.Run(t, func(t *testing.T, name string) revoke.Log { return at(t, url, name).Revocations() })
	counts := at(t, url, "counts")
	if first, err := counts.Replays().Remember(t.Context(), [32]byte{1}, [32]byte{2}, time.Minute); !first || err != nil {
		t.Errorf("a proof: %v, %v", first, err)
	}
	if first, err := counts.Counts().Use(t.Context(), [32]byte{1}, 1, time.Minute); !first || err != nil {
		t.Errorf("a count: %v, %v", first, err)
	}
	if _, err := counts.Attempts().Reserve(t.Context(), attempts.Attempt{MaxWait: time.Second, Known: "known", Tried: "tried", Counters: []attempts.Counter{
		{Part: attempts.Address, Key: "address", Burst: 5, Interval: time.Second, Ahead: time.Second},
	}}); err != nil {
		t.Errorf("an attempt: %v", err)
	}
	state := at(t, url, "moved")
	f, err := revoke.Follow(t.Context(), state.Revocations(), revoke.WithPollInterval(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, to := range []int{1, 0} {
		c.Move(to)
		expires := time.Now().Add(time.Hour)
		if err := state.Sessions().Commit("key", []byte("data"), expires); err != nil {
			t.Fatalf("moved to %d: %v", to, err)
		}
		if _, found, err := state.Sessions().Find("key"); !found || err != nil {
			t.Errorf("moved to %d: %v, %v", to, found, err)
		}
		p, err := state.Revocations().Append(t.Context(), "", revoke.Entry{ID: "j", Expires: expires})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.WaitFor(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	c.Nodes[0].Crash() // it has the keys, and nobody has noticed yet
	if _, _, err := state.Sessions().Find("key"); err == nil {
		t.Error("no node that answers has the keys, and one is found missing")
	}
	if err := state.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := state.Sessions().Find("key"); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestSentinel: after the primary has died, the one that takes over is used.
func TestSentinel(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	url := redistest.StartSentinel(t, primary)
	state := at(t, url, "failover")
	log := state.Revocations()
	f, err := revoke.Follow(t.Context(), log, revoke.WithPollInterval(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Revoke(revoke.Entry{ID: "before"}); err != nil {
		t.Fatal(err)
	}
	primary.Crash()
	limit := time.Now().Add(authtest.TimeLimit(time.Minute))
	for {
		p, err := log.Append(t.Context(), "", revoke.Entry{ID: "after"})
		if err == nil {
			err = f.WaitFor(t.Context(), p)
		}
		if err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	late, err := revoke.Follow(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Close() }()
	for _, id := range []string{"before", "after"} {
		for _, c := range []*revoke.Follower{f, late} {
			if is, err := c.Revoked(t.Context(), revoke.Token{ID: id}); !is || err != nil {
				t.Errorf("%s: %v, %v", id, is, err)
			}
		}
	}
	if s := f.Status(); s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
}
