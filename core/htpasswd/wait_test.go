package htpasswd

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// blocked is a file of one user whose comparisons wait until released, with what they all
// say then.
func blocked(t *testing.T, opts ...Option) (f *File, running *int, release chan struct{}) {
	t.Helper()
	return blockedFile(t, "alice:"+hashOf(t, "secret"), opts...)
}

func blockedFile(t *testing.T, text string, opts ...Option) (f *File, running *int, release chan struct{}) {
	t.Helper()
	f = mustParse(t, text, opts...)
	running, release = new(int), make(chan struct{})
	entered := make(chan int, 1)
	entered <- 0
	f.matches = func(*hash, []byte) (bool, error) {
		*running = <-entered + 1
		entered <- *running
		<-release
		return true, nil
	}
	return f, running, release
}

func wantBusy(t *testing.T, p *core.Principal, err, cause error) {
	t.Helper()
	var u *core.UnavailableError
	if p != nil || !errors.As(err, &u) || u.RetryAfter != time.Second || !errors.Is(err, cause) {
		t.Errorf("C09: %v, %v; want an UnavailableError with 1s and %v", p, err, cause)
	}
}

func TestComparisonsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, running, release := blocked(t, WithConcurrency(2))
		done := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := f.VerifyPassword(t.Context(), "alice", "secret")
				done <- err
			}()
		}
		synctest.Wait()
		if *running != 2 {
			t.Errorf("C09: %d comparisons at a time, want 2", *running)
		}
		close(release)
		for range 5 {
			if err := <-done; err != nil {
				t.Errorf("after its turn came: %v", err)
			}
		}
	})
}

// Argon2id is capped by its memory besides, whoever's hash it is that needs it.
func TestMemoryIsCapped(t *testing.T) {
	small := "alice:" + argon2idOf("x", 7168, 5, 1)
	big := "\nbob:" + argon2idOf("x", 100<<10, 1, 1)
	for _, c := range []struct {
		name, text string
		opts       []Option
		want       int
	}{
		{"256 MiB by default", small + big, []Option{WithConcurrency(20)}, 2},
		{"by the option", small + big, []Option{WithConcurrency(20), WithMaxMemory(500 << 20)}, 5},
		{"to one at a time", small + big, []Option{WithConcurrency(20), WithMaxMemory(100 << 20)}, 1},
		{"and by number", small, []Option{WithConcurrency(3)}, 3},
		{"by what a file needs", small, []Option{WithConcurrency(20), WithMaxMemory(70 << 20)}, 10},
		{"and not without argon2id", "alice:" + hashOf(t, "x"), []Option{WithConcurrency(19), WithMaxMemory(47104 << 10)}, 19},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, running, release := blockedFile(t, c.text, c.opts...)
				done := make(chan error, 25)
				for range 25 {
					go func() {
						_, err := f.VerifyPassword(t.Context(), "alice", "x")
						done <- err
					}()
				}
				synctest.Wait()
				if *running != c.want {
					t.Errorf("C09: %d comparisons at a time, want %d", *running, c.want)
				}
				close(release)
				for range 25 {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestWaitingIsBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []Option
		want time.Duration
	}{
		{"by 1s by default", nil, time.Second},
		{"by the option", []Option{WithMaxWait(3 * time.Second)}, 3 * time.Second},
		{"to nothing", []Option{WithMaxWait(0)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, _, release := blocked(t, append(c.opts, WithConcurrency(1))...)
				go func() { _, _ = f.VerifyPassword(t.Context(), "alice", "secret") }()
				synctest.Wait()
				for _, user := range []string{"alice", "nobody"} {
					start := time.Now()
					p, err := f.VerifyPassword(t.Context(), user, "secret")
					wantBusy(t, p, err, errBusy)
					if waited := time.Since(start); waited != c.want {
						t.Errorf("C09: %s waited %v, want %v", user, waited, c.want)
					}
				}
				close(release)
			})
		})
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, running, release := blocked(t, WithConcurrency(1))
		go func() { _, _ = f.VerifyPassword(t.Context(), "alice", "secret") }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		p, err := f.VerifyPassword(ctx, "alice", "secret")
		wantBusy(t, p, err, context.DeadlineExceeded)

		close(release)
		synctest.Wait()
		p, err = f.VerifyPassword(ctx, "alice", "secret")
		wantBusy(t, p, err, context.DeadlineExceeded)
		if *running != 1 {
			t.Error("C09: a comparison was begun for a request that had ended")
		}
	})
}

func TestPanicGivesItsTurnBack(t *testing.T) {
	f := mustParse(t, "alice:"+hashOf(t, "secret"), WithConcurrency(1), WithMaxWait(0))
	matches := f.matches
	f.matches = func(*hash, []byte) (bool, error) { panic("broken") }
	func() {
		defer func() { _ = recover() }()
		_, _ = f.VerifyPassword(t.Context(), "alice", "secret")
	}()
	f.matches = matches
	if _, err := f.VerifyPassword(t.Context(), "alice", "secret"); err != nil {
		t.Error(err)
	}
}
