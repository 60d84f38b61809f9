package core_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// room is a limiter that allows a number of concurrent attempts.
type room struct {
	mu          sync.Mutex
	left        int
	asked, told int
	ends        []error
}

func (l *room) Allow(context.Context, core.Request, string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.left == 0 {
		return &core.LimitError{RetryAfter: time.Second, Pending: true, Err: errors.New("all under way")}
	}
	l.left--
	return nil
}

func (l *room) Report(ctx context.Context, _ core.Request, _ string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left++
	l.told++
	l.ends = append(l.ends, err, ctx.Err())
}

// slow is a scheme with a slow verifier.
type slow struct {
	guessable
	takes time.Duration
}

func (s slow) Authenticate(context.Context, core.Request) (*core.Principal, error) {
	time.Sleep(s.takes)
	return s.answers["alice"].p, nil
}

// Correct passwords that are sent concurrently wait for each other, and none is refused.
func TestAttemptsWaitForOthersUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := newScheme(t, "Basic"), &room{left: 5}
		g, _ := newGuard(t, []core.Authenticator{slow{guessable{s}, 200 * time.Millisecond}}, core.WithAttemptLimiter(l))
		gate := mounted(t)(g.Authenticate())
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if v := gate.Check(t.Context(), get("/", "Authorization: Basic alice")); v.Response != nil {
					t.Errorf("status %d", v.Response.Status)
				}
			})
		}
		all.Wait()
		if l.told != 50 || l.left != 5 {
			t.Errorf("%d attempts were settled, room for %d is left", l.told, l.left)
		}
	})
}

func TestWaitingForOtherAttemptsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := newScheme(t, "Basic"), &room{}
		g, o := newGuard(t, []core.Authenticator{guessable{s}}, core.WithAttemptLimiter(l))
		gate := mounted(t)(g.Authenticate())
		begin := time.Now()
		v := gate.Check(t.Context(), get("/", "Authorization: Basic alice"))
		if v.Response == nil || v.Response.Status != 429 || s.asked != 0 || l.told != 0 {
			t.Fatalf("%+v, asked %d times, told %d times", v.Response, s.asked, l.told)
		}
		if took := time.Since(begin); took < 5*time.Second || took > 6*time.Second || l.asked > 200 {
			t.Errorf("it took %v and asked %d times", took, l.asked)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		gate.Check(ctx, get("/", "Authorization: Basic alice"))
		if took := time.Since(begin); took != time.Second || !errors.Is(o.last(t).Cause, context.DeadlineExceeded) {
			t.Errorf("a request that has ended waits %v, cause %v", took, o.last(t).Cause)
		}
	})
}

// An attempt is settled once, however it ends.
func TestEveryAttemptIsSettled(t *testing.T) {
	for name, tt := range map[string]struct {
		cancel bool
		line   string
	}{"a panic": {line: "Authorization: Basic panic"}, "a request that ended": {cancel: true, line: "Authorization: Basic wrong"}} {
		t.Run(name, func(t *testing.T) {
			l := &room{left: 1}
			g, _ := newGuard(t, []core.Authenticator{guessable{newScheme(t, "Basic")}}, core.WithAttemptLimiter(l))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.cancel {
				cancel()
			}
			mounted(t)(g.Authenticate()).Check(ctx, get("/", tt.line))
			if l.told != 1 || l.left != 1 || l.ends[0] == nil || l.ends[1] != nil {
				t.Errorf("told %d times: %v", l.told, slices.Clone(l.ends))
			}
		})
	}
}
