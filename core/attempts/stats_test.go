package attempts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/attempts"
)

func TestAttemptsAreCountedByWhatBecameOfThem(t *testing.T) {
	b := newBench(t, attempts.WithNetworkBudget(1, time.Minute, 4), attempts.WithMaxEntries(1024))
	for range 4 { // the fourth finds the budget of its address used up
		b.try("192.0.2.1:1", "ann", wrong)
	}
	for i := range 5 { // the fifth finds that of its network used up
		b.try(fmt.Sprintf("[2001:db8:0:%d::1]:1", i), "", wrong)
	}
	for range 3 { // the third finds that of the account used up, having failed before
		b.try("192.0.2.2:1", "ann", wrong)
	}
	b.try("192.0.2.3:1", "bob", nil)
	b.try("192.0.2.3:1", "bob", expired)
	got := b.Stats()
	want := attempts.Stats{
		Allowed: 3 + 4 + 2 + 2, Failed: 3 + 4 + 2, RefusedAddress: 1, RefusedNetwork: 1, RefusedAccount: 1,
		Addresses: 2 + 4, Networks: 1, Accounts: 1, Tried: 2, Known: 1, Capacity: 1024,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for i := range 3000 {
		b.try(fmt.Sprintf("198.51.%d.%d:1", i/200, i%200), "eve", wrong)
	}
	if got := b.Stats(); got.Addresses > got.Capacity || got.Addresses < got.Capacity/2 {
		t.Errorf("%d addresses are held of at most %d", got.Addresses, got.Capacity)
	}
}

// An attempt beside as many as the budget has left is pending, and no refusal.
func TestPendingAttemptsAreNoRefusals(t *testing.T) {
	b := newBench(t)
	r := from("192.0.2.1:1")
	for i := range 4 {
		if err := b.Allow(t.Context(), r, ""); (err == nil) != (i < 3) {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	if got := b.Stats(); got.Allowed != 3 || got.Pending != 1 || got.RefusedAddress != 0 {
		t.Errorf("got %+v", got)
	}
}
