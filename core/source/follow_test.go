package source_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/source"
)

var errDown = errors.New("no route to host")

func TestNotificationTakesNoTime(t *testing.T) {
	followed(t, func(t *testing.T, store *fake, got *applied, f *source.Follower) {
		store.publish()
		synctest.Wait()
		if s := f.Status(); s.Revision != 2 || s.Latest != 2 || !s.Listening || s.Err != nil || s.Lag() != 0 {
			t.Errorf("%+v", s)
		}
		if seen := got.seen(); !slices.Equal(seen, []source.Revision{1, 2}) {
			t.Errorf("applied %d", seen)
		}
	})
}

// TestLostNotification: polls bound how long a lost notification goes unnoticed.
func TestLostNotification(t *testing.T) {
	followed(t, func(t *testing.T, store *fake, _ *applied, f *source.Follower) {
		store.deaf = true
		store.publish()
		synctest.Wait()
		if s := f.Status(); s.Revision != 1 {
			t.Fatalf("the notification was not lost: %+v", s)
		}
		time.Sleep(2*time.Second + 200*time.Millisecond)
		synctest.Wait()
		if s := f.Status(); s.Revision != 2 {
			t.Errorf("behind after a poll: %+v", s)
		}
	}, source.WithPollInterval(2*time.Second))
}

// TestReconnect: after any outage, missed revisions are applied within half a second of
// the network's recovery, long before the next poll.
func TestReconnect(t *testing.T) {
	for _, cut := range []time.Duration{time.Millisecond, time.Second, time.Minute, 24 * time.Hour} {
		t.Run(cut.String(), func(t *testing.T) {
			followed(t, func(t *testing.T, store *fake, _ *applied, f *source.Follower) {
				store.set(errDown)
				store.publish()
				time.Sleep(cut)
				store.set(nil)
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				if s := f.Status(); s.Revision != 2 || !s.Listening || s.Err != nil {
					t.Errorf("half a second after recovery: %+v", s)
				}
			}, source.WithPollInterval(time.Hour))
		})
	}
}

// TestRejected: a rejected revision is tried once, the previous one stays in force, and
// the next one is applied.
func TestRejected(t *testing.T) {
	followed(t, func(t *testing.T, store *fake, got *applied, f *source.Follower) {
		bad := errors.New("no good policy")
		got.mu.Lock()
		got.refuse[2] = bad
		got.mu.Unlock()
		store.publish()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := f.Status(); s.Revision != 1 || s.Latest != 2 || !errors.Is(s.Err, bad) || s.Lag() == 0 || s.Age() > 10*time.Second {
			t.Errorf("%+v", s)
		}
		store.set(errDown)
		time.Sleep(time.Minute)
		if s := f.Status(); !errors.Is(s.Err, bad) || s.ListenErr == nil {
			t.Errorf("in an outage: %+v", s)
		}
		store.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := f.Status(); !errors.Is(s.Err, bad) || s.Listens != 2 {
			t.Errorf("after an outage: %+v", s)
		}
		if err := f.WaitFor(t.Context(), 2); !errors.Is(err, bad) {
			t.Errorf("waiting for it: %v", err)
		}
		if err := f.Refresh(t.Context()); !errors.Is(err, bad) {
			t.Errorf("refreshing: %v", err)
		}
		if seen := got.seen(); !slices.Equal(seen, []source.Revision{1, 2, 2}) {
			t.Errorf("applied %d, want 2 twice: upon notification, and upon Refresh", seen)
		}
		store.publish()
		synctest.Wait()
		if s := f.Status(); s.Revision != 3 || s.Err != nil || s.Lag() != 0 {
			t.Errorf("after the next: %+v", s)
		}
	})
}

// TestWrongSources: invalid results of a source change nothing.
func TestWrongSources(t *testing.T) {
	for name, tt := range map[string]struct {
		tamper func(*source.Fetched)
		want   error
	}{
		"an older revision": {func(got *source.Fetched) {
			*got = source.Fetched{State: source.State{Revision: 1}, Content: &source.Content{Revision: 1}}
		}, source.ErrStepBack},
		"empty":                   {func(got *source.Fetched) { *got = source.Fetched{} }, source.ErrEmpty},
		"emptied, as by eviction": {func(got *source.Fetched) { *got = source.Fetched{} }, source.ErrStepBack},
		"content of another revision": {func(got *source.Fetched) {
			got.Content = &source.Content{Revision: got.Revision + 1}
		}, nil},
		"content under another revision": {func(got *source.Fetched) {
			if got.Content == nil {
				c, err := source.NewContent(got.Revision, []source.File{{Name: "policy.csv", Content: fmt.Append(nil, got.Revision, "")}})
				if err != nil || c.Hash() != got.Hash {
					panic("the content is another one")
				}
				got.Content = c
			}
			c := *got.Content
			c.Revision++
			got.Content = &c
		}, nil},
		"half of the content": {func(got *source.Fetched) {
			got.Content, got.Hash = &source.Content{Revision: got.Revision}, "of all of it"
		}, nil},
		"a revision without its content": {func(got *source.Fetched) { got.Revision, got.Content = got.Revision+1, nil }, nil},
		"a panic":                        {func(*source.Fetched) { panic("at the store") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			followed(t, func(t *testing.T, store *fake, got *applied, f *source.Follower) {
				store.publish()
				synctest.Wait()
				store.mu.Lock()
				store.tampered = tt.tamper
				store.mu.Unlock()
				if err := f.Refresh(t.Context()); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("refresh: %v, want %v", err, tt.want)
				}
				if s := f.Status(); s.Revision != 2 || s.Latest != 2 || s.Err == nil {
					t.Errorf("%+v", s)
				}
				store.mu.Lock()
				store.tampered = nil
				store.mu.Unlock()
				time.Sleep(time.Second)
				synctest.Wait()
				if s := f.Status(); s.Err != nil {
					t.Errorf("after recovery: %+v", s)
				}
				if seen := got.seen(); !slices.Equal(seen, []source.Revision{1, 2}) {
					t.Errorf("applied %d", seen)
				}
			})
		})
	}
}

// TestSumsAreComputedOnce: who follows a source need not hash again, for comparison, what
// the follower has hashed, whatever the source.
func TestSumsAreComputedOnce(t *testing.T) {
	store := newFake()
	store.publish()
	files := []source.File{{Name: "policy.csv", Content: []byte("p, ann, /, GET\n")}, {Name: "model.conf", Content: []byte("m")}}
	store.tampered = func(got *source.Fetched) {
		got.Hash = source.HashFiles(files)
		got.Content.Files = files // not in order
	}
	f, err := source.Follow(t.Context(), store, func(_ context.Context, c *source.Content) error {
		for i, file := range c.Files {
			hashed := false
			if got := c.Sum(i, func() { hashed = true }); hashed || got != source.SumFile(file.Content, nil) {
				t.Errorf("%s: hashed again %t, to %x", file.Name, hashed, got)
			}
		}
		if _, found := c.File("model.conf"); !found {
			t.Error("a file is not found")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestNumberGivenTwice: a store that lost its newest revision reuses its number.
// Instances that had the lost one apply the new one.
func TestNumberGivenTwice(t *testing.T) {
	followed(t, func(t *testing.T, store *fake, got *applied, f *source.Follower) {
		store.publish()
		synctest.Wait()
		store.mu.Lock()
		store.newest = 1
		store.mu.Unlock()
		if err := f.Refresh(t.Context()); !errors.Is(err, source.ErrStepBack) {
			t.Errorf("while it is lost: %v", err)
		}
		store.mu.Lock()
		store.fork = " by others"
		store.mu.Unlock()
		store.publish()
		time.Sleep(time.Second)
		synctest.Wait()
		if s := f.Status(); s.Revision != 2 || s.Err != nil {
			t.Errorf("%+v", s)
		}
		if seen := got.seen(); !slices.Equal(seen, []source.Revision{1, 2, 2}) {
			t.Errorf("applied %d, want both that are called 2", seen)
		}
	})
}

// TestApplyThatPanics is a rejection.
func TestApplyThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		_, err := source.Follow(t.Context(), store, func(context.Context, *source.Content) error { panic("at the parser") })
		var panicked *core.PanicError
		if !errors.As(err, &panicked) {
			t.Errorf("%v", err)
		}
	})
}

// TestStaleness: the bound counts from when a confirmation was requested.
func TestStaleness(t *testing.T) {
	var told []bool
	followed(t, func(t *testing.T, store *fake, _ *applied, f *source.Follower) {
		time.Sleep(time.Hour)
		store.set(errDown)
		time.Sleep(5 * time.Second) // the last confirmation is at most 2.2 s before
		synctest.Wait()
		if s := f.Status(); s.Stale {
			t.Errorf("stale after %v", s.Age())
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if s := f.Status(); !s.Stale || s.Age() < 10*time.Second-time.Millisecond {
			t.Errorf("not stale after %v", s.Age())
		}
		store.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := f.Status(); s.Stale || s.Age() > time.Second {
			t.Errorf("stale after recovery: %+v", s)
		}
		store.set(errDown)
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if s := f.Status(); !s.Stale {
			t.Errorf("not stale in a second outage: %+v", s)
		}
		if !slices.Equal(told, []bool{true, false, true}) {
			t.Errorf("reported %v", told)
		}
	}, source.WithPollInterval(2*time.Second), source.WithMaxStaleness(10*time.Second, func(s source.Status) { told = append(told, s.Stale) }))
}

// TestWaitForWhileApplying: the rejection of a revision does not affect the next one,
// which is being applied.
func TestWaitForWhileApplying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		f, err := source.Follow(t.Context(), store, func(_ context.Context, c *source.Content) error {
			time.Sleep(time.Second)
			if c.Revision == 2 {
				return errors.New("no good policy")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		store.publish()
		time.Sleep(3 * time.Second)
		store.publish()
		synctest.Wait()
		if err := f.WaitFor(t.Context(), 3); err != nil {
			t.Error(err)
		}
	})
}

func TestWaitFor(t *testing.T) {
	followed(t, func(t *testing.T, store *fake, _ *applied, f *source.Follower) {
		store.deaf = true
		store.publish()
		began := time.Now()
		if err := f.WaitFor(t.Context(), 2); err != nil || time.Since(began) > time.Second { // it asks at once
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := f.WaitFor(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an unpublished revision: %v", err)
		}
		store.set(errDown)
		down, cancelDown := context.WithTimeout(t.Context(), time.Minute)
		defer cancelDown()
		if err := f.WaitFor(down, 3); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errDown) {
			t.Errorf("while the source is down: %v", err)
		}
		go func() {
			time.Sleep(time.Minute)
			_ = f.Close()
		}()
		if err := f.WaitFor(t.Context(), 3); !errors.Is(err, source.ErrClosed) {
			t.Errorf("closed while waiting: %v", err)
		}
		if err := f.Refresh(t.Context()); !errors.Is(err, source.ErrClosed) {
			t.Errorf("refresh when closed: %v", err)
		}
	}, source.WithPollInterval(time.Hour))
}

// TestHerd: a thousand instances that lose their store at once each call it less than
// three times a second during the outage, spread over time, and all have the newest
// revision half a second after it.
func TestHerd(t *testing.T) {
	const instances = 1000
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		all := make([]*source.Follower, instances)
		for i := range all {
			var err error
			if all[i], err = source.Follow(t.Context(), store, new(applied).apply); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = all[i].Close() }()
		}
		synctest.Wait()
		store.set(errDown)
		time.Sleep(30 * time.Second) // waits have reached their maximum
		store.mu.Lock()
		store.asked = nil
		store.mu.Unlock()
		begin := time.Now()
		time.Sleep(10 * time.Second)
		buckets := map[int64]int{}
		store.mu.Lock()
		asked := len(store.asked)
		for _, at := range store.asked {
			buckets[at.Sub(begin).Milliseconds()/100]++
		}
		store.mu.Unlock()
		if most := instances * 10 * 3; asked > most || asked == 0 {
			t.Errorf("%d calls in 10 s, want at most %d", asked, most)
		}
		for at, n := range buckets {
			if n > instances/2 {
				t.Errorf("%d instances called in the same tenth of a second, %d", n, at)
			}
		}
		store.publish()
		store.set(nil)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		for i, f := range all {
			if s := f.Status(); s.Revision != 2 {
				t.Fatalf("instance %d: %+v", i, s)
			}
		}
	})
}

// TestWrongSetup is an error of Follow.
func TestWrongSetup(t *testing.T) {
	store := newFake()
	store.publish()
	for i, o := range []source.Option{
		nil, source.WithPollInterval(time.Millisecond), source.WithTimeout(0), source.WithStartTimeout(-1), source.WithMaxRetryInterval(5),
		source.WithPollInterval(math.MaxInt64), source.WithMaxRetryInterval(math.MaxInt64),
		source.WithMaxStaleness(0, nil), source.WithStatusObserver(nil), source.WithLastGoodFile(""),
	} {
		if f, err := source.Follow(t.Context(), store, new(applied).apply, o); err == nil {
			t.Errorf("option %d is accepted", i)
			_ = f.Close()
		}
	}
	if _, err := source.Follow(t.Context(), nil, new(applied).apply); err == nil {
		t.Error("a nil source is accepted")
	}
	if _, err := source.Follow(t.Context(), store, nil); err == nil || !strings.Contains(err.Error(), "must not be nil") {
		t.Errorf("a nil function: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, err := source.Follow(t.Context(), newFake(), new(applied).apply); !errors.Is(err, source.ErrEmpty) || time.Since(began) > 0 {
			t.Errorf("an empty source: %v after %v", err, time.Since(began))
		}
	})
}

// TestListeningEnds: a source that returns from listening without an error listens no
// more, and one that does not listen is followed as by default, never stale.
func TestListeningEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		f, err := source.Follow(t.Context(), returning{store}, new(applied).apply)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := f.Status(); s.Listening || s.ListenErr == nil || s.Stale || s.Err != nil {
			t.Errorf("%+v", s)
		}
	})
}

// returning is a source that does not listen.
type returning struct{ source.Source }

func (returning) Listen(context.Context, func()) error { return nil }

// TestRefreshEndsWithItsContext: the fetch continues.
func TestRefreshEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		f, err := source.Follow(t.Context(), store, func(_ context.Context, c *source.Content) error {
			time.Sleep(time.Duration(c.Revision-1) * time.Minute)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		store.mu.Lock()
		store.deaf = true
		store.mu.Unlock()
		store.publish()
		for range 2 { // the second one waits for the first
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := f.Refresh(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := f.Status(); s.Revision != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// TestObserversThatPanic have no effect, on any of the goroutines that call them.
func TestObserversThatPanic(t *testing.T) {
	told, stale := 0, 0
	followed(t, func(t *testing.T, store *fake, _ *applied, f *source.Follower) {
		store.publish()
		synctest.Wait()
		store.set(errDown)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := f.Status(); s.Revision != 2 || !s.Stale {
			t.Errorf("%+v", s)
		}
		store.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := f.Status(); s.Stale || s.Err != nil || told == 0 || stale != 2 {
			t.Errorf("%+v after %d and %d calls", s, told, stale)
		}
	}, source.WithStatusObserver(func(source.Status) { told++; panic("no room") }),
		source.WithMaxStaleness(10*time.Second, func(source.Status) { stale++; panic("no room") }))
}
