package dpop_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

// failing is a shared store with set answers that counts its calls.
type failing struct {
	fresh bool
	err   error
	hangs bool
	asked int
}

func (f *failing) Remember(ctx context.Context, _, _ [32]byte, _ time.Duration) (bool, error) {
	f.asked++
	if f.hangs {
		<-ctx.Done()
		return false, ctx.Err()
	}
	return f.fresh, f.err
}

// TestReplayFallback: a proof that either store knows is refused; while the shared store
// fails or hangs the local one decides, for a second at a time.
func TestReplayFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &failing{fresh: true}
		own, err := dpop.NewReplayMemory(100)
		if err != nil {
			t.Fatal(err)
		}
		var told []error
		f, err := dpop.NewReplayFallback(shared, own, func(err error) { told = append(told, err) })
		if err != nil {
			t.Fatal(err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel() // clients must not influence which store is asked
		remember := func(id byte) (bool, error) { return f.Remember(gone, [32]byte{1}, [32]byte{id}, time.Hour) }
		wants := func(id byte, fresh bool, asked int) {
			t.Helper()
			if got, err := remember(id); err != nil || got != fresh || shared.asked != asked {
				t.Errorf("proof %d: %v, %v, asked %d; want %v, asked %d", id, got, err, shared.asked, fresh, asked)
			}
		}
		wants(1, true, 1)
		wants(1, false, 1) // known locally
		shared.fresh = false
		wants(2, false, 2) // known to the shared store
		shared.err = &core.LimitError{RetryAfter: time.Minute, Err: errors.New("share")}
		var limit *core.LimitError
		if _, err := remember(3); !errors.As(err, &limit) || limit.RetryAfter != time.Minute || len(told) != 0 {
			t.Errorf("%v, reported %v", err, told)
		}
		shared.err = errors.New("away")
		wants(4, true, 4)
		wants(4, false, 4)
		wants(5, true, 4) // it has just failed
		time.Sleep(2 * time.Second)
		shared.err, shared.hangs = nil, true
		began := time.Now()
		wants(6, true, 5)
		if took := time.Since(began); took != 250*time.Millisecond {
			t.Errorf("waited %v for a store that hangs", took)
		}
		time.Sleep(2 * time.Second)
		shared.hangs = false
		wants(7, false, 6)
		if len(told) != 2 || told[0] == nil || told[1] != nil {
			t.Errorf("reported %v", told)
		}
	})
}

func TestReplayFallbackNeedsBothStores(t *testing.T) {
	own, err := dpop.NewReplayMemory(1)
	if err != nil {
		t.Fatal(err)
	}
	var none *dpop.ReplayMemory
	for _, pair := range [][2]dpop.ReplayStore{{nil, own}, {own, nil}, {none, own}, {own, none}} {
		if _, err := dpop.NewReplayFallback(pair[0], pair[1], nil); err == nil {
			t.Errorf("made of %T and %T", pair[0], pair[1])
		}
	}
}
