package attempts_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
)

// pends reports whether an attempt is refused because of others under way.
func (b *bench) pends(addr, account string) bool {
	b.t.Helper()
	err := b.Allow(context.Background(), from(addr), account)
	var limit *core.LimitError
	if err != nil && (!errors.As(err, &limit) || limit.RetryAfter <= 0) {
		b.t.Fatalf("Allow gives %v, want a LimitError with a time", err)
	}
	return limit != nil && limit.Pending
}

func TestAttemptsUnderWayTakeUpTheBudget(t *testing.T) {
	b := newBench(t)
	b.wants(0, home, "", wrong)
	for range 2 { // what is left of 3
		if wait := b.begins(home, ""); wait > 0 {
			t.Fatalf("wait %v with attempts left", wait)
		}
	}
	if !b.pends(home, "") {
		t.Fatal("more attempts are under way than may fail")
	}
	if b.begins(office, "") > 0 {
		t.Error("another address is held up")
	}
	b.Report(context.Background(), from(home), "", nil) // a success gives back
	if wait := b.begins(home, ""); wait > 0 {
		t.Fatalf("wait %v after a success", wait)
	}
	b.Report(context.Background(), from(home), "", outage) // and so does what is not a guess
	if wait := b.begins(home, ""); wait > 0 {
		t.Fatalf("wait %v after an outage", wait)
	}
	b.Report(context.Background(), from(home), "", wrong)
	b.Report(context.Background(), from(home), "", wrong)
	b.wants(time.Minute, home, "", nil)
}

func TestAttemptsUnderWayTakeUpTheBudgetOfAnAccount(t *testing.T) {
	b := newBench(t)
	b.wants(0, office, "alice", nil)
	b.wants(0, home, "alice", wrong)
	for i := range 4 { // what is left of 5
		if wait := b.begins(fmt.Sprintf("10.0.0.%d:80", i), "alice"); wait > 0 {
			t.Fatalf("wait %v with attempts left", wait)
		}
	}
	if !b.pends(home, "Alice") {
		t.Fatal("more attempts are under way than may fail")
	}
	if b.begins(home, "bob") > 0 || b.begins(office, "alice") > 0 || b.begins(elsewhere, "alice") > 0 {
		t.Error("another account, a known address or a first attempt is held up")
	}
	for i := range 4 {
		b.Report(context.Background(), from(fmt.Sprintf("10.0.0.%d:80", i)), "alice", wrong)
	}
	if wait := b.begins(home, "alice"); wait != time.Minute {
		t.Errorf("wait %v when the attempts under way have failed", wait)
	}
}

// TestReservationsExpire: one whose end nobody reports counts for one to two
// minutes.
func TestReservationsExpire(t *testing.T) {
	b := newBench(t)
	for range 3 {
		b.begins(home, "")
	}
	b.now = b.now.Add(time.Minute)
	if !b.pends(home, "") {
		t.Error("a reservation is dropped before a minute is over")
	}
	b.now = b.now.Add(time.Minute)
	if wait := b.begins(home, ""); wait > 0 {
		t.Errorf("wait %v: reservations are for ever", wait)
	}
	b.now = b.now.Add(-time.Hour) // a clock that is set back drops none
	for range 2 {
		b.begins(home, "")
	}
	if !b.pends(home, "") {
		t.Error("a clock that is set back drops reservations")
	}
}

// TestParallelGuesses: of many guesses that are made at the same time the budget
// is verified, however long that takes and however often they are tried again.
func TestParallelGuesses(t *testing.T) {
	for _, c := range []struct {
		name   string
		addr   func(i int) string
		budget int64
	}{
		{"from one address", func(int) string { return home }, 3},
		{"from one IPv6 network", func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::1]:80", i) }, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, attempts.WithNetworkBudget(1, time.Minute, 7))
			const guesses = 1500
			var verified atomic.Int64
			release := make(chan struct{})
			var all sync.WaitGroup
			begun := make(chan bool, guesses)
			for i := range guesses {
				all.Go(func() {
					r, account := from(c.addr(i)), fmt.Sprint("user", i)
					err := b.Allow(context.Background(), r, account)
					begun <- err == nil
					if err == nil {
						verified.Add(1)
						<-release // the verifier is slow
						b.Report(context.Background(), r, account, wrong)
						return
					}
					<-release
					for tries := 0; tries < 100 && err != nil; tries++ {
						err = b.Allow(context.Background(), r, account)
					}
					if err == nil {
						verified.Add(1)
						b.Report(context.Background(), r, account, wrong)
					}
				})
			}
			for range guesses {
				<-begun
			}
			if n := verified.Load(); n != c.budget {
				t.Errorf("%d guesses are under way, want %d", n, c.budget)
			}
			close(release)
			all.Wait()
			if n := verified.Load(); n != c.budget {
				t.Errorf("%d guesses were verified, want %d", n, c.budget)
			}
		})
	}
}

// TestOneIPv6Network: a /48 has 65,536 prefixes of 64 bits, and is worth little
// more than one of them.
func TestOneIPv6Network(t *testing.T) {
	b := newBench(t, attempts.WithNetworkBudget(1, time.Minute, 10))
	count := func(account func(i int) string) (passed int) {
		for i := range 1000 {
			for b.try(fmt.Sprintf("[2001:db8:1:%x::1]:5", i), account(i), wrong) == 0 {
				passed++
			}
		}
		return passed
	}
	if n := count(func(int) string { return "alice" }); n != 5 {
		t.Errorf("%d guesses at one account, want its budget of 5", n)
	}
	if n := count(func(i int) string { return fmt.Sprint("user", i) }); n != 5 {
		t.Errorf("%d more guesses at many accounts, want what is left of 10", n)
	}
	if b.refused("[2001:db8:2::1]:5", "bob") > 0 || b.refused(home, "bob") > 0 {
		t.Error("another network is refused")
	}
	err := b.Allow(context.Background(), from("[2001:db8:1:ffff::1]:5"), "bob")
	if want := "too many attempts: network 2001:db8:1::/48 has failed 10 times"; fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestRefusedNetworkTakesNoAttempt: an attempt that its network refuses is not under way.
func TestRefusedNetworkTakesNoAttempt(t *testing.T) {
	b := newBench(t, attempts.WithNetworkBudget(60, time.Minute, 1))
	b.wants(0, "[2001:db8:1:1::1]:5", "", wrong)
	for range 3 {
		b.wants(time.Second, "[2001:db8:1:2::1]:5", "", wrong)
	}
	b.now = b.now.Add(time.Second)
	b.wants(0, "[2001:db8:1:2::1]:5", "", wrong)
}

// An attempt without account that succeeds allocates nothing.
func TestSuccessAllocatesNothing(t *testing.T) {
	l, err := attempts.New()
	if err != nil {
		t.Fatal(err)
	}
	r := from(home)
	got := testing.AllocsPerRun(100, func() {
		if err := l.Allow(context.Background(), r, ""); err != nil {
			t.Fatal(err)
		}
		l.Report(context.Background(), r, "", nil)
	})
	if got > 0 {
		t.Errorf("%v allocations for an attempt that succeeds", got)
	}
}
