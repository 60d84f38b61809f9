package basic

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// slow is a verifier that waits to be released.
type slow struct {
	asked   atomic.Int64
	release chan error
}

func (s *slow) VerifyPassword(ctx context.Context, user, _ string) (*core.Principal, error) {
	s.asked.Add(1)
	select {
	case err := <-s.release:
		if err != nil {
			return nil, err
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// C10: the images of a page, asked for at once, cost one hash.
func TestC10SimultaneousRequestsShareOneVerification(t *testing.T) {
	for name, want := range map[string]error{"right": nil, "wrong": ErrWrongPassword} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slow{release: make(chan error)}
				c := mustCache(t, s)
				done := make(chan error, 20)
				for range 20 {
					go func() {
						_, err := c.VerifyPassword(t.Context(), "alice", "secret")
						done <- err
					}()
				}
				synctest.Wait()
				if n := s.asked.Load(); n != 1 {
					t.Errorf("%d verifications, want 1", n)
				}
				go func() { _, _ = c.VerifyPassword(t.Context(), "alice", "other") }()
				synctest.Wait()
				if n := s.asked.Load(); n != 2 {
					t.Errorf("another password waits for this one")
				}
				s.release <- want
				s.release <- want
				for range 20 {
					if err := <-done; !errors.Is(err, want) {
						t.Errorf("%v, want %v", err, want)
					}
				}
				synctest.Wait()
				if n, _ := c.calls.Size(); n != 0 {
					t.Errorf("%d verifications are left over", n)
				}
			})
		})
	}
}

func TestARequestThatEndsLeavesTheOthersTheirVerification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{release: make(chan error)}
		c := mustCache(t, s)
		first, end := context.WithCancel(t.Context())
		done := make(chan error, 3)
		verify := func(ctx context.Context) {
			_, err := c.VerifyPassword(ctx, "alice", "secret")
			done <- err
		}
		go verify(first)
		synctest.Wait()
		for range 2 {
			go verify(t.Context())
		}
		synctest.Wait()
		end()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the request that ended: %v", err)
		}
		synctest.Wait()
		if n := s.asked.Load(); n != 2 {
			t.Errorf("%d verifications, want a second one for those who wait", n)
		}
		s.release <- nil
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("a request that waited: %v", err)
			}
		}
	})
}

func TestWhoWaitsMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{release: make(chan error)}
		c := mustCache(t, s)
		go func() { _, _ = c.VerifyPassword(t.Context(), "alice", "secret") }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p, err := c.VerifyPassword(ctx, "alice", "secret")
		var down *core.UnavailableError
		if p != nil || !errors.As(err, &down) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v; want an UnavailableError", p, err)
		}
		s.release <- nil
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var asked atomic.Int64
		c := mustCache(t, VerifierFunc(func(_ context.Context, user, _ string) (*core.Principal, error) {
			if asked.Add(1) == 1 {
				<-release
				panic("ouch")
			}
			return core.NewPrincipal(core.PrincipalInfo{ID: user})
		}))
		panicked := make(chan any, 1)
		go func() {
			defer func() { panicked <- recover() }()
			_, _ = c.VerifyPassword(t.Context(), "alice", "secret")
		}()
		synctest.Wait()
		done := make(chan error, 1)
		go func() {
			_, err := c.VerifyPassword(t.Context(), "alice", "secret")
			done <- err
		}()
		synctest.Wait()
		close(release)
		if <-panicked == nil {
			t.Error("the panic was swallowed")
		}
		if err := <-done; err != nil {
			t.Errorf("who waited: %v", err)
		}
	})
}
