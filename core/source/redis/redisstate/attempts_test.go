//go:build unix

package redisstate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/attempts/attemptstest"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/redis/redisstate"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

var (
	key     = bytes.Repeat([]byte("k"), 32)
	counter atomic.Int64
	wrong   = &core.CredentialError{Reason: core.ReasonWrongSecret, Code: core.CodeInvalidCredentials}
)

// open returns the state of a service of its own, or of the named one.
func open(t *testing.T, s *redistest.Server, name string) *redisstate.State {
	t.Helper()
	if name == "" {
		name = fmt.Sprint("service", counter.Add(1))
	}
	state, err := redisstate.New(s.URL(), redisstate.WithName(name), redisstate.WithTimeout(min(authtest.TimeLimit(5*time.Second), 10*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	return state
}

// TestGuessing: the suite of limiters passes with counts in Redis, whether the store is
// called for each attempt or only when needed.
func TestGuessing(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for unshared := range 2 {
		t.Run(fmt.Sprint(unshared), func(t *testing.T) {
			attemptstest.Run(t, authtest.NetHTTP(), func(t *testing.T) attempts.Option {
				return attempts.WithStore(open(t, s, "").Attempts(), key)
			}, func(*testing.T) attempts.Option { return attempts.WithUnsharedAttempts(unshared) },
				func(*testing.T) attempts.Option { return attempts.WithTimeout(5 * time.Second) })
		})
	}
}

// fleet returns the limiters of many instances: 20 failures for an address and 10 for an
// account, none of which is forgiven during the test.
func fleet(t *testing.T, s *redistest.Server, unshared int) []*attempts.Limiter {
	name := fmt.Sprint("fleet", counter.Add(1))
	all := make([]*attempts.Limiter, 20)
	var failed atomic.Pointer[error] // a call nobody waits for may end after the test
	for i := range all {
		var err error
		all[i], err = attempts.New(attempts.WithStore(open(t, s, name).Attempts(), key), attempts.WithUnsharedAttempts(unshared),
			attempts.WithTimeout(5*time.Second), attempts.WithMaxWait(24*time.Hour),
			attempts.WithAddressBudget(1, 24*time.Hour, 20), attempts.WithAccountBudget(1, 24*time.Hour, 10),
			attempts.WithStoreObserver(func(err error) { failed.CompareAndSwap(nil, &err) }))
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // before the connections are closed
		if err := failed.Load(); err != nil {
			t.Errorf("the store: %v", *err)
		}
	})
	return all
}

// request has an address and nothing else.
type request struct {
	core.Request
	addr string
}

func (r request) RemoteAddr() string          { return r.addr }
func (r request) Header(string) (string, int) { return "", 0 }

// guess makes a wrong attempt, waiting while others are in progress, and reports whether
// it was let through.
func guess(t *testing.T, l *attempts.Limiter, addr, account string, outcome error) bool {
	r := request{addr: addr}
	for {
		err := l.Allow(t.Context(), r, account)
		var limit *core.LimitError
		switch {
		case err == nil:
			l.Report(t.Context(), r, account, outcome)
			return true
		case !errors.As(err, &limit):
			t.Error(err)
			return false
		case !limit.Pending:
			return false
		}
		time.Sleep(5 * time.Millisecond) // as a guard does
	}
}

// TestFleet: 20 instances called concurrently let through no more guesses than the
// budget, and one more each if they do not call the store for the first.
func TestFleet(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for unshared := range 2 {
		for name, test := range map[string]struct {
			budget int // what remains of it
			before func(l *attempts.Limiter)
			guess  func(l *attempts.Limiter, i int) bool
		}{
			"an address over many accounts": {20, func(*attempts.Limiter) {}, func(l *attempts.Limiter, i int) bool {
				return guess(t, l, "192.0.2.1:80", fmt.Sprint("user", i), wrong)
			}},
			// Each address has one attempt beyond an account's budget: those that used it
			// are refused.
			"an account over few addresses": {5, func(l *attempts.Limiter) {
				for i := range 5 {
					guess(t, l, fmt.Sprintf("192.0.2.%d:80", i), "alice", wrong)
				}
			}, func(l *attempts.Limiter, i int) bool {
				return guess(t, l, fmt.Sprintf("192.0.2.%d:80", i%5), "alice", wrong)
			}},
		} {
			t.Run(fmt.Sprintf("%s, %d unshared", name, unshared), func(t *testing.T) {
				t.Parallel()
				var all sync.WaitGroup
				var passed atomic.Int64
				instances := fleet(t, s, unshared)
				test.before(instances[0])
				for n, l := range instances {
					for i := range 4 {
						all.Go(func() {
							if test.guess(l, 4*n+i) {
								passed.Add(1)
							}
						})
					}
				}
				all.Wait()
				if n := int(passed.Load()); n < test.budget || n > test.budget+20*unshared {
					t.Errorf("%d guesses passed, want %d and at most %d for each of 20 instances", n, test.budget, unshared)
				}
			})
		}
	}
}

// TestOwnerIsNotLockedOut: an address that signed in at one instance is known to all when
// the account is over its budget.
func TestOwnerIsNotLockedOut(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := fleet(t, s, 1)
	const owner, other = "198.51.100.1:80", "198.51.100.2:80"
	guess(t, all[0], owner, "alice", nil)
	awaitKeys(t, s, 1) // written asynchronously
	for i := range 15 {
		guess(t, all[i%20], fmt.Sprintf("192.0.2.%d:80", i), "alice", wrong)
	}
	for range 2 {
		guess(t, all[1], other, "alice", wrong)
	}
	if guess(t, all[1], other, "alice", nil) {
		t.Error("an address that has failed for the account is let through")
	}
	for i := range 3 {
		if !guess(t, all[1], owner, "alice", wrong) {
			t.Errorf("attempt %d of a known address is refused", i)
		}
	}
}

// direct is the test's own client.
func direct(t *testing.T, s *redistest.Server) *client.Client {
	c := client.NewClient(&client.Options{Addr: s.Addr()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// awaitKeys waits until the server has at least n keys.
func awaitKeys(t *testing.T, s *redistest.Server, n int64) {
	t.Helper()
	c := direct(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	for {
		have, err := c.DBSize(ctx).Result()
		if err != nil {
			t.Fatal(err)
		}
		if have >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestKeys: every key expires, and none contains a name or address.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	all := fleet(t, s, 0)
	guess(t, all[0], "192.0.2.1:80", "alice", wrong)
	guess(t, all[0], "[2001:db8::1]:80", "bob", nil)
	awaitKeys(t, s, 4)
	c := direct(t, s)
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if ttl, err := c.PTTL(t.Context(), k).Result(); err != nil || ttl <= 0 || ttl > 25*time.Hour {
			t.Errorf("%s expires in %v, %v", k, ttl, err)
		}
		if bytes.Contains([]byte(k), []byte("alice")) || bytes.Contains([]byte(k), []byte("192.0.2")) {
			t.Errorf("key %s", k)
		}
	}
}

// TestOutages: while the server cannot count, an instance counts itself: no more guesses
// pass than its budget, and no right password is refused. Afterwards the server counts
// again.
func TestOutages(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it waits for pauses of a second in five servers")
	}
	t.Parallel()
	replica := redistest.Start(t)
	for name, outage := range map[string]struct {
		begin, end func(*testing.T, *redistest.Server)
	}{
		"the server is killed": {func(_ *testing.T, s *redistest.Server) { s.Stop() }, func(_ *testing.T, s *redistest.Server) { s.Start() }},
		"the server is paused": {func(_ *testing.T, s *redistest.Server) { s.Pause() }, func(_ *testing.T, s *redistest.Server) { s.Resume() }},
		"the server has no memory left": {func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "maxmemory", "1") },
			func(t *testing.T, s *redistest.Server) { says(t, s, "CONFIG", "SET", "maxmemory", "0") }},
		"the server has become a replica": {func(t *testing.T, s *redistest.Server) {
			host, port, _ := bytes.Cut([]byte(replica.Addr()), []byte(":"))
			says(t, s, "REPLICAOF", string(host), string(port))
		}, func(t *testing.T, s *redistest.Server) { says(t, s, "REPLICAOF", "NO", "ONE") }},
		"keys are of another type": {func(t *testing.T, s *redistest.Server) { retype(t, s, "RPUSH") }, func(t *testing.T, s *redistest.Server) { retype(t, s, "") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			changes := make(chan error, 10)
			state, err := redisstate.New(s.URL(), redisstate.WithTimeout(100*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = state.Close() }()
			l, err := attempts.New(attempts.WithStore(state.Attempts(), key), attempts.WithMaxWait(24*time.Hour),
				attempts.WithAddressBudget(1, 24*time.Hour, 5), attempts.WithTimeout(100*time.Millisecond),
				attempts.WithStoreObserver(func(err error) { changes <- err }))
			if err != nil {
				t.Fatal(err)
			}
			guess(t, l, "192.0.2.1:80", "", wrong)
			outage.begin(t, s)
			passed := 0
			for range 20 {
				if guess(t, l, "192.0.2.1:80", "", wrong) {
					passed++
				}
				if !guess(t, l, "192.0.2.2:80", "alice", nil) {
					t.Error("a right password is refused")
				}
			}
			if passed != 4 { // a budget of 5, of which one is used up
				t.Errorf("%d guesses passed, want 4", passed)
			}
			if err := await(t, changes); err == nil {
				t.Error("reported an answer before an outage")
			}
			outage.end(t, s)
			recovered := make(chan struct{})
			go func() {
				defer close(recovered)
				for err := await(t, changes); err != nil; err = await(t, changes) { // a busy machine may have another
				}
			}()
			for {
				guess(t, l, "192.0.2.1:80", "bob", nil) // refused here, without a call
				guess(t, l, "192.0.2.3:80", "carol", wrong)
				l.Report(t.Context(), request{addr: "192.0.2.4:80"}, "", wrong)
				select {
				case <-recovered:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
	}
}

// await waits for a limiter's next report.
func await(t *testing.T, changes chan error) error {
	select {
	case err := <-changes:
		return err
	case <-time.After(authtest.TimeLimit(time.Minute)):
		t.Error("no report")
		return nil
	}
}

func says(t *testing.T, s *redistest.Server, command ...any) {
	t.Helper()
	if err := direct(t, s).Do(t.Context(), command...).Err(); err != nil {
		t.Fatal(err)
	}
}

// retype replaces all keys by lists, or removes them.
func retype(t *testing.T, s *redistest.Server, command string) {
	t.Helper()
	c := direct(t, s)
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.Sorted(slices.Values(keys)) {
		says(t, s, "DEL", k)
		if command != "" {
			says(t, s, command, k, "x")
		}
	}
}

// BenchmarkAttempt measures a failure, for which the store is called, and a success
// without failures before.
func BenchmarkAttempt(b *testing.B) {
	s := redistest.Start(b)
	state, err := redisstate.New(s.URL())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = state.Close() }()
	l, err := attempts.New(attempts.WithStore(state.Attempts(), key))
	if err != nil {
		b.Fatal(err)
	}
	r := request{addr: "192.0.2.1:80"}
	success := func(b *testing.B) {
		for b.Loop() {
			if err := l.Allow(b.Context(), r, ""); err == nil {
				l.Report(b.Context(), r, "", nil)
			}
		}
	}
	b.Run("success", success)
	_ = l.Allow(b.Context(), r, "")
	l.Report(b.Context(), r, "", wrong)
	b.Run("success after a failure", success)
}

// TestServerClockThatIsSet: if the server's clock goes back, as upon failover, no one
// waits longer than the longest wait, and abandoned reservations still expire.
func TestServerClockThatIsSet(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	const maxWait = 15 * time.Minute
	const other = "198.51.100.1:80"
	for name, test := range map[string]struct {
		ofAddress int
		begin     func(l *attempts.Limiter)
		addr      string
		account   string
		wait      time.Duration
	}{
		"address": {5, func(l *attempts.Limiter) {
			for guess(t, l, other, "", wrong) {
			}
		}, other, "", maxWait},
		"account": {5, func(l *attempts.Limiter) {
			for i := range 20 {
				guess(t, l, fmt.Sprintf("192.0.2.%d:80", i), "alice", wrong)
			}
			guess(t, l, other, "alice", wrong)
		}, other, "alice", maxWait},
		"reservations": {5, func(l *attempts.Limiter) {
			for range 5 {
				if err := l.Allow(t.Context(), request{addr: other}, ""); err != nil {
					t.Fatal(err)
				}
			}
		}, other, "", 3 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			service := fmt.Sprint("clock", counter.Add(1))
			limiter := func(now *time.Time) *attempts.Limiter {
				l, err := attempts.New(attempts.WithStore(open(t, s, service).Attempts(), key), attempts.WithUnsharedAttempts(0), attempts.WithMaxWait(maxWait),
					attempts.WithTimeout(5*time.Second), attempts.WithAddressBudget(1, time.Minute, test.ofAddress), attempts.WithAccountBudget(1, time.Minute, 5),
					attempts.WithClock(func() time.Time { return *now }))
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			now := time.Unix(1_800_000_000, 0)
			test.begin(limiter(&now))
			now = now.Add(-5 * time.Hour)
			l := limiter(&now) // at an instance without local counts
			var limit *core.LimitError
			if err := l.Allow(t.Context(), request{addr: test.addr}, test.account); !errors.As(err, &limit) || limit.RetryAfter > maxWait {
				t.Errorf("%v, wait %v", err, limit)
			}
			now = now.Add(test.wait)
			if err := l.Allow(t.Context(), request{addr: test.addr}, test.account); err != nil {
				t.Errorf("%v later: %v", test.wait, err)
			}
		})
	}
}
