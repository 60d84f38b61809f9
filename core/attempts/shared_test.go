package attempts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
)

var shareKey = bytes.Repeat([]byte("k"), 32)

// counting is a store that reserves everything and notes what it was told.
type counting struct {
	mu       sync.Mutex
	err      error
	answer   attempts.Answer
	reserved []attempts.Attempt
	settled  []attempts.Outcome
	told     chan struct{}
}

func newCounting() *counting { return &counting{told: make(chan struct{}, 1000)} }

func (c *counting) Reserve(_ context.Context, a attempts.Attempt) (attempts.Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reserved = append(c.reserved, a)
	return c.answer, c.err
}

func (c *counting) Settle(_ context.Context, _ attempts.Attempt, o attempts.Outcome) error {
	defer func() { c.told <- struct{}{} }()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = append(c.settled, o)
	return c.err
}

func (c *counting) fails(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// calls is how often the store was asked, and told.
func (c *counting) calls() (reserved, settled int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.reserved), len(c.settled)
}

// one makes an attempt and says whether it was let through.
func one(l *attempts.Limiter, addr, account string, outcome error) bool {
	if l.Allow(context.Background(), from(addr), account) != nil {
		return false
	}
	l.Report(context.Background(), from(addr), account, outcome)
	return true
}

func sharing(t *testing.T, s attempts.Store, opts ...attempts.Option) *attempts.Limiter {
	t.Helper()
	l, err := attempts.New(append([]attempts.Option{attempts.WithStore(s, shareKey)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestSuccessDoesNotAskTheStore: nothing is asked as long as nothing has failed,
// and a known address is told of once.
func TestSuccessDoesNotAskTheStore(t *testing.T) {
	c := newCounting()
	l := sharing(t, c)
	for range 1000 {
		if !one(l, home, "alice", nil) || !one(l, office, "", nil) || !one(l, "[2001:db8::1]:80", "bob", outage) {
			t.Fatal("refused")
		}
	}
	<-c.told
	if reserved, settled := c.calls(); reserved != 0 || settled != 1 {
		t.Errorf("the store was asked %d times and told %d times, want 0 and 1", reserved, settled)
	}
}

// TestFailuresAskTheStore: after one failure that this instance knows of, or as
// soon as there are more attempts at once than one, the store is asked, whatever
// of address, network and account it was.
func TestFailuresAskTheStore(t *testing.T) {
	for name, again := range map[string]struct{ addr, account string }{
		"address": {"[2001:db8:1:1::1]:80", ""},
		"network": {"[2001:db8:1:2::1]:80", ""},
		"account": {home, "Alice"},
	} {
		t.Run(name+", after a failure", func(t *testing.T) {
			c := newCounting()
			l := sharing(t, c)
			one(l, "[2001:db8:1:1::9]:80", "alice", wrong)
			if reserved, settled := c.calls(); reserved != 0 || settled != 1 || c.settled[0] != (attempts.Outcome{Failed: true}) {
				t.Fatalf("asked %d, told %v", reserved, c.settled)
			}
			one(l, again.addr, again.account, wrong)
			if reserved, _ := c.calls(); reserved != 1 || c.settled[1] != (attempts.Outcome{Failed: true, Reserved: true}) {
				t.Errorf("asked %d, told %v", reserved, c.settled)
			}
		})
		t.Run(name+", beside another attempt", func(t *testing.T) {
			c := newCounting()
			l := sharing(t, c)
			if err := l.Allow(t.Context(), from("[2001:db8:1:1::9]:80"), "alice"); err != nil {
				t.Fatal(err)
			}
			one(l, again.addr, again.account, wrong)
			if reserved, _ := c.calls(); reserved != 1 {
				t.Errorf("asked %d times", reserved)
			}
		})
	}
}

// TestFailureIsRemembered: what this instance knows of a failure has it ask the
// store until all that others may have charged meanwhile is forgiven.
func TestFailureIsRemembered(t *testing.T) {
	c, now := newCounting(), time.Unix(1_700_000_000, 0)
	l := sharing(t, c, attempts.WithClock(func() time.Time { return now }), attempts.WithAddressBudget(1, time.Minute, 3))
	one(l, home, "", wrong)
	now = now.Add(16*time.Minute + 59*time.Second)
	c.answer.Failing = attempts.Address
	one(l, home, "", nil)
	if reserved, _ := c.calls(); reserved != 1 {
		t.Errorf("asked %d times while others may have charged", reserved)
	}
	now = now.Add(16*time.Minute + 59*time.Second)
	c.answer.Failing = 0
	one(l, home, "", nil)
	if reserved, _ := c.calls(); reserved != 2 {
		t.Errorf("asked %d times after the store knew of failures", reserved)
	}
	now = now.Add(17 * time.Minute)
	one(l, home, "", nil)
	if reserved, _ := c.calls(); reserved != 2 {
		t.Errorf("asked %d times when all is forgiven", reserved)
	}
}

// TestStoreAnswers: a refusal by the store is that of the limiter, and gives back
// what was reserved here.
func TestStoreAnswers(t *testing.T) {
	for part, text := range map[attempts.Part]string{
		attempts.Address: "address 2001:db8:1:1::/64 has failed 7 times",
		attempts.Network: "network 2001:db8:1::/48 has failed 7 times",
		attempts.Account: "an account that address 2001:db8:1:1::/64 has failed for has failed 7 times",
	} {
		c := newCounting()
		c.answer = attempts.Answer{Refused: part, Wait: 42 * time.Second, Failed: 7}
		l := sharing(t, c, attempts.WithUnsharedAttempts(0), attempts.WithAddressBudget(1, time.Minute, 1))
		for range 3 {
			var limit *core.LimitError
			err := l.Allow(t.Context(), from("[2001:db8:1:1::9]:80"), "alice")
			if !errors.As(err, &limit) || limit.Pending || limit.RetryAfter != 42*time.Second || !strings.Contains(err.Error(), text) {
				t.Errorf("%v, want %s", err, text)
			}
		}
		c.answer = attempts.Answer{Refused: part, Pending: true}
		var limit *core.LimitError
		if err := l.Allow(t.Context(), from("[2001:db8:1:1::9]:80"), "alice"); !errors.As(err, &limit) || !limit.Pending {
			t.Errorf("%v, want one that is pending", err)
		}
	}
}

// TestStoreKeysTellNothing: what the store is told holds neither an address nor an
// account, is the same for all instances, and another for each of them.
func TestStoreKeysTellNothing(t *testing.T) {
	seen := map[string]string{}
	for range 2 {
		c := newCounting()
		l := sharing(t, c, attempts.WithUnsharedAttempts(0))
		for _, who := range []struct{ addr, account string }{{home, "alice"}, {"[2001:db8::1]:80", "alice"}, {home, "bob"}} {
			one(l, who.addr, who.account, wrong)
			a := c.reserved[len(c.reserved)-1]
			keys := map[string]string{"known " + who.addr + who.account: a.Known, "tried " + who.addr + who.account: a.Tried}
			for _, counter := range a.Counters {
				whose := who.addr
				if counter.Part == attempts.Account {
					whose = who.account
				}
				keys[fmt.Sprint(counter.Part, whose)] = counter.Key
			}
			for what, key := range keys {
				if len(key) != 22 || seen[what] != "" && seen[what] != key {
					t.Errorf("%s: key %q, before %q", what, key, seen[what])
				}
				seen[what] = key
			}
		}
	}
	c := newCounting() // the same texts and another key
	other, err := attempts.New(attempts.WithStore(c, bytes.Repeat([]byte{8}, 32)), attempts.WithUnsharedAttempts(0))
	if err != nil {
		t.Fatal(err)
	}
	one(other, home, "alice", wrong)
	for _, counter := range c.reserved[0].Counters {
		for what, key := range seen {
			if key == counter.Key {
				t.Errorf("%s: the same key with another secret", what)
			}
		}
	}
	unique := map[string]string{}
	for what, key := range seen {
		if other := unique[key]; other != "" {
			t.Errorf("%s and %s have one key", what, other)
		}
		unique[key] = what
	}
}

// TestStoreOutage: an instance whose store fails has a budget of its own, lets
// nobody through for it, and tells once.
func TestStoreOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounting()
		c.fails(errors.New("away"))
		var told []string
		l := sharing(t, c, attempts.WithUnsharedAttempts(0), attempts.WithAddressBudget(1, 15*time.Minute, 5),
			attempts.WithAccountBudget(1, 15*time.Minute, 3),
			attempts.WithStoreObserver(func(err error) { told = append(told, fmt.Sprint(err)) }))
		passed := 0
		for range 20 {
			if one(l, home, "", wrong) {
				passed++
			}
		}
		if passed != 5 {
			t.Errorf("%d guesses of an address passed, want 5", passed)
		}
		for i := range 20 {
			one(l, fmt.Sprintf("10.0.0.%d:80", i), "alice", wrong)
		}
		if one(l, "10.0.0.1:80", "alice", wrong) {
			t.Error("an account is not limited during an outage")
		}
		if reserved, _ := c.calls(); reserved != 1 {
			t.Errorf("a store that fails was asked %d times at once", reserved)
		}
		c.fails(nil)
		time.Sleep(2 * time.Second) // the pause is a second and a half at most
		one(l, office, "", nil)
		if !slices.Equal(told, []string{"away", "<nil>"}) {
			t.Errorf("told %q", told)
		}
	})
}

// TestStoreOptions refuses what cannot work.
func TestStoreOptions(t *testing.T) {
	var none *counting
	s := attempts.WithStore(newCounting(), shareKey)
	for want, opts := range map[string][]attempts.Option{
		"attempts: store is nil":                       {attempts.WithStore(none, shareKey)},
		"attempts: two stores":                         {s, s},
		"attempts: store key of 31 bytes":              {attempts.WithStore(newCounting(), shareKey[1:])},
		"attempts: an option requires a store":         {attempts.WithTimeout(time.Second)},
		"attempts: an option requires a store:":        {attempts.WithUnsharedAttempts(0)},
		"attempts: an option requires":                 {attempts.WithStoreObserver(func(error) {})},
		"attempts: -1 unshared attempts: must be 0":    {s, attempts.WithUnsharedAttempts(-1)},
		"attempts: timeout 6s: must be from 1ms to 5s": {s, attempts.WithTimeout(6 * time.Second)},
		"attempts: store observer is nil":              {s, attempts.WithStoreObserver(nil)},
	} {
		if _, err := attempts.New(opts...); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// panicking is a store whose calls for results panic.
type panicking struct{ *counting }

func (p panicking) Settle(ctx context.Context, a attempts.Attempt, o attempts.Outcome) error {
	_ = p.counting.Settle(ctx, a, o)
	panic("no connection")
}

// TestStoreThatPanics is a store that fails, also where the request does not wait for it.
func TestStoreThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		l := sharing(t, panicking{newCounting()}, attempts.WithStoreObserver(func(err error) {
			told = append(told, fmt.Sprint(err))
			panic("no room")
		}))
		if !one(l, home, "alice", nil) {
			t.Error("refused")
		}
		synctest.Wait()
		if !slices.Equal(told, []string{"panic: no connection"}) {
			t.Errorf("told %q", told)
		}
		time.Sleep(2 * time.Second)
		if !one(l, home, "alice", wrong) {
			t.Error("refused")
		}
	})
}

// TestKnownAddressBesideTheStore: a success here counts before the store knows of it, but
// for the account alone.
func TestKnownAddressBesideTheStore(t *testing.T) {
	c := newCounting()
	l := sharing(t, c, attempts.WithUnsharedAttempts(0))
	one(l, home, "alice", nil)
	c.answer = attempts.Answer{Refused: attempts.Account, Wait: time.Minute}
	if err := l.Allow(t.Context(), from(home), "alice"); err != nil {
		t.Error(err)
	}
	if l.Allow(t.Context(), from(office), "alice") == nil {
		t.Error("another address is let through")
	}
	c.answer.Refused = attempts.Address
	if l.Allow(t.Context(), from(home), "alice") == nil {
		t.Error("an address that has used up its own budget is let through")
	}
}

// TestReservationsInTheStore are settled once each.
func TestReservationsInTheStore(t *testing.T) {
	c := newCounting()
	l := sharing(t, c, attempts.WithUnsharedAttempts(0))
	for range 2 {
		if err := l.Allow(t.Context(), from(home), "alice"); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		l.Report(t.Context(), from(home), "alice", wrong)
	}
	held := attempts.Outcome{Failed: true, Reserved: true}
	if want := []attempts.Outcome{held, held, {Failed: true}}; !slices.Equal(c.settled, want) {
		t.Errorf("settled %v, want %v", c.settled, want)
	}
}

// TestFailuresElsewhere: what the store says has failed is asked about from then on.
func TestFailuresElsewhere(t *testing.T) {
	const attacker = "[2001:db8:1:1::9]:80"
	for part, who := range map[attempts.Part]struct{ addr, account string }{
		attempts.Network: {"[2001:db8:1:2::1]:80", "bob"}, attempts.Account: {home, "alice"},
	} {
		c := newCounting()
		c.answer.Failing = part
		l := sharing(t, c)
		for range 2 { // the second one asks
			if err := l.Allow(t.Context(), from(attacker), "alice"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			l.Report(t.Context(), from(attacker), "alice", outage)
		}
		before, _ := c.calls()
		one(l, who.addr, who.account, outage)
		if now, _ := c.calls(); before != 1 || now != 2 {
			t.Errorf("%v: asked %d times, and %d after another attempt", part, before, now)
		}
		if counters := c.reserved[0].Counters; len(counters) != 3 || counters[1].Part != attempts.Network {
			t.Errorf("asked about %v", counters)
		}
	}
}
