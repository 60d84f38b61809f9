package dpop_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/setclock"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

func newMemory(t testing.TB, limit int) (*dpop.ReplayMemory, *clock) {
	t.Helper()
	m, err := dpop.NewReplayMemory(limit)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: noon}
	dpop.SetClock(m, c.now)
	return m, c
}

func id(n int) [32]byte { return sha256.Sum256([]byte(strconv.Itoa(n))) }

func TestReplayMemory(t *testing.T) { // B22
	m, c := newMemory(t, 3)
	remember := func(n int, ttl time.Duration, want bool, wantErr error) {
		t.Helper()
		fresh, err := m.Remember(t.Context(), id(-n), id(n), ttl)
		if fresh != want || !errors.Is(err, wantErr) {
			t.Errorf("%d: %v, %v, want %v, %v", n, fresh, err, want, wantErr)
		}
	}
	remember(1, 3*time.Second, true, nil)
	remember(2, time.Second, true, nil)
	remember(1, time.Hour, false, nil) // nor is it kept longer
	remember(3, 2*time.Second, true, nil)
	remember(4, time.Second, false, dpop.ErrReplayMemoryFull)
	remember(2, time.Second, false, nil) // a replay is detected without room, too
	c.set(noon.Add(time.Second))
	remember(4, time.Hour, true, nil) // 2 has expired
	remember(3, time.Second, false, nil)
	remember(5, time.Second, false, dpop.ErrReplayMemoryFull)
	c.set(noon.Add(3 * time.Second))
	remember(1, time.Second, true, nil)
	if seen, queued := dpop.Held(m); seen != 2 || queued != 2 {
		t.Errorf("it holds %d and %d, want 2", seen, queued)
	}
}

// TestExpiredProofsAreRemovedByAndBy: a call removes only some of those that have expired, and
// what is left of them does not count.
func TestExpiredProofsAreRemovedByAndBy(t *testing.T) {
	const limit = 8000
	m, c := newMemory(t, limit)
	remember := func(key, n int, want bool) {
		t.Helper()
		if fresh, err := m.Remember(t.Context(), id(-key-1), id(n), time.Minute); fresh != want || err != nil {
			t.Fatalf("proof %d of %d: %v, %v", n, key, fresh, err)
		}
	}
	for n := range limit {
		remember(n%8, n, true)
	}
	c.set(noon.Add(2 * time.Minute))
	remember(8, limit-1, true) // its expired twin is still there
	if _, queued := dpop.Held(m); queued < limit-100 {
		t.Errorf("one call has removed %d", limit-queued)
	}
	remember(7, 0, true) // the share of this key was used up
	for n := range limit / 8 {
		remember(9, n+limit, true)
	}
	remember(8, limit-1, false)
	if seen, queued := dpop.Held(m); seen != queued || seen > 1002 {
		t.Errorf("it holds %d and %d", seen, queued)
	}
}

// TestOneKeyCannotFillTheMemory: a key that has used up its share is refused with 429,
// and no other is.
func TestOneKeyCannotFillTheMemory(t *testing.T) {
	m, c := newMemory(t, 80)
	mallory, bob := id(-1), id(-2)
	for n := range 10 {
		if fresh, err := m.Remember(t.Context(), mallory, id(n), time.Minute); !fresh || err != nil {
			t.Fatalf("proof %d of 10: %v, %v", n+1, fresh, err)
		}
	}
	var limit *core.LimitError
	if _, err := m.Remember(t.Context(), mallory, id(10), time.Minute); !errors.As(err, &limit) || !errors.Is(err, dpop.ErrReplayShareUsed) || limit.RetryAfter <= 0 {
		t.Errorf("%v, want a LimitError", err)
	}
	if fresh, err := m.Remember(t.Context(), mallory, id(3), time.Minute); fresh || err != nil {
		t.Errorf("a replay gets %v, %v", fresh, err)
	}
	if fresh, err := m.Remember(t.Context(), bob, id(11), time.Minute); !fresh || err != nil {
		t.Errorf("another key: %v, %v", fresh, err)
	}
	c.set(noon.Add(time.Minute))
	if fresh, err := m.Remember(t.Context(), mallory, id(10), time.Minute); !fresh || err != nil {
		t.Errorf("a minute later: %v, %v", fresh, err)
	}
	s := &store{err: &core.LimitError{RetryAfter: 7 * time.Second, Err: dpop.ErrReplayShareUsed}}
	b := newBench(t, dpop.WithReplays(s))
	_, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof())))
	var unavailable *core.UnavailableError
	if limit = nil; !errors.As(err, &limit) || limit.RetryAfter != 7*time.Second || errors.As(err, &unavailable) {
		t.Errorf("the scheme gives %v, want the LimitError", err)
	}
}

func TestReplayMemoryLimits(t *testing.T) {
	for _, limit := range []int{-1, 0, 1<<26 + 1} {
		if _, err := dpop.NewReplayMemory(limit); err == nil {
			t.Errorf("limit %d was accepted", limit)
		}
	}
}

// Of concurrent uses one wins for each proof, and the limit holds.
func TestReplayMemoryAtOnce(t *testing.T) {
	const workers, proofs, limit = 8, 300, 200
	m, _ := newMemory(t, limit)
	var fresh, full atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for n := range proofs {
				ok, err := m.Remember(context.Background(), id(-n), id(n), time.Hour)
				switch {
				case ok && err == nil:
					fresh.Add(1)
				case errors.Is(err, dpop.ErrReplayMemoryFull):
					full.Add(1)
				case ok || err != nil:
					t.Errorf("%v, %v", ok, err)
				}
			}
		})
	}
	wait.Wait()
	if fresh.Load() != limit || full.Load() != workers*(proofs-limit) {
		t.Errorf("%d fresh, %d refused for room", fresh.Load(), full.Load())
	}
}

// A proof sent concurrently passes once.
func TestProofAtOnce(t *testing.T) { // B22
	b := newBench(t)
	field := b.key.Sign(t, b.proof())
	a, err := dpop.New("api", address, constant{b.verifier.jkt}, dpop.WithClock(b.clock.now))
	if err != nil {
		t.Fatal(err)
	}
	var passed atomic.Int64
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			if _, err := a.Authenticate(context.Background(), request("/reports", field)); err == nil {
				passed.Add(1)
			}
		})
	}
	wait.Wait()
	if passed.Load() != 1 {
		t.Errorf("it passed %d times", passed.Load())
	}
}

// constant is a verifier without state.
type constant struct{ jkt string }

func (c constant) VerifyBoundToken(context.Context, string) (*core.Principal, string, error) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	return p, c.jkt, err
}

func TestReplayStore(t *testing.T) {
	s := &store{fresh: true}
	b := newBench(t, dpop.WithReplays(s))
	if _, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof()))); err != nil {
		t.Fatal(err)
	}
	if s.ttl != 91*time.Second { // until the proof expires, that moment included
		t.Errorf("kept for %v", s.ttl)
	}
	s.fresh = false
	p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof())))
	refused(t, p, err, core.CodeInvalidProof, core.ReasonReplayed)

	for _, cause := range []error{
		errors.New("down"), &core.UnavailableError{RetryAfter: 7 * time.Second, Err: errors.New("down")}, dpop.ErrReplayMemoryFull,
		&core.CredentialError{Reason: core.ReasonRevoked}, core.ErrNoCredentials,
	} {
		s.fresh, s.err = true, cause
		p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof())))
		var unavailable *core.UnavailableError
		if p != nil || !errors.As(err, &unavailable) {
			t.Errorf("%v became %v, %v: want 503", cause, p, err)
			continue
		}
		var kept *core.UnavailableError
		if errors.As(cause, &kept) && unavailable.RetryAfter != kept.RetryAfter {
			t.Errorf("wait %v", unavailable.RetryAfter)
		}
	}
}

// The same jti of two keys is two proofs: no client can use up another's proof.
func TestEachKeyHasItsOwnIDs(t *testing.T) {
	shared, _ := newMemory(t, 10)
	for range 2 {
		b := newBench(t, dpop.WithReplays(shared))
		proof := b.proof()
		proof.Claims["jti"] = "1"
		if _, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, proof))); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkReplayMemory(b *testing.B) {
	m, _ := newMemory(b, 1<<20)
	for n := range 1 << 17 {
		if _, err := m.Remember(b.Context(), id(n), id(-n), time.Hour); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if _, err := m.Remember(b.Context(), id(-n), id(n), time.Duration(n+1)); err != nil && !errors.Is(err, dpop.ErrReplayMemoryFull) {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	bench := newBench(b, dpop.WithReplays(&store{fresh: true}))
	r := request("/reports", bench.key.Sign(b, bench.proof()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Authenticate(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// TestClockThatIsSet: a proof that becomes valid again because the clock was set back is
// still stored, and is forgotten once it has expired by both the time of day and the
// elapsed time.
func TestClockThatIsSet(t *testing.T) {
	const ttl = 91 * time.Second
	for _, step := range []time.Duration{-time.Hour, 0, time.Hour} {
		m, err := dpop.NewReplayMemory(100)
		if err != nil {
			t.Fatal(err)
		}
		start, passed, set := time.Now(), time.Duration(0), time.Duration(0)
		dpop.SetClock(m, func() time.Time { return setclock.By(start.Add(passed), set) })
		remember := func(n int, want bool) {
			t.Helper()
			if fresh, err := m.Remember(t.Context(), id(-1), id(n), ttl); err != nil || fresh != want {
				t.Errorf("set by %v, after %v: proof %d is new: %v, %v", step, passed, n, fresh, err)
			}
		}
		remember(1, true)
		set = step
		for ; passed < ttl+max(-step, 0); passed += 30 * time.Second {
			if passed > ttl {
				remember(2+int(passed/ttl), passed%ttl < 30*time.Second) // others are forgotten meanwhile
			}
			if passed < ttl || step < 0 && passed >= -step {
				remember(1, false)
			}
		}
		passed += 2 * ttl
		remember(1, true)
		if seen, queued := dpop.Held(m); seen != 1 || queued != 1 {
			t.Errorf("set by %v: it holds %d and %d, want 1", step, seen, queued)
		}
	}
}
