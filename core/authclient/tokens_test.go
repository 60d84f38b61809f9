package authclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// A thousand goroutines with a token that expires repeatedly: exactly one refresh for
// each expiry, no request lost and no 403 repeated.
func TestAThousandGoroutinesRefreshOnceForEachExpiry(t *testing.T) {
	const goroutines, rounds, each = 1000, 3, 1
	tokens := &issuer{}
	s := serveGuarded(t, bearerGuard(t, tokens))
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxConnsPerHost, base.MaxIdleConnsPerHost = 64, 64
	defer base.CloseIdleConnections()
	transport, err := authclient.New(base, bearerSource(t, tokens.fetch), []string{s.URL})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport, Timeout: authtest.TimeLimit(time.Minute)}
	if status, _ := do(t, client, "GET", s.URL, ""); status != 200 {
		t.Fatalf("status %d", status)
	}
	s.served.Store(0)
	var forbidden, good, lost atomic.Int64
	for round := range rounds {
		tokens.endAfter(goroutines / 2) // in the middle of the round
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for i := range each {
					path := "/a"
					if (g+i)%10 == 0 {
						path = "/admin"
					}
					switch status, _ := do(t, client, "GET", s.URL+path, ""); status {
					case 200:
						good.Add(1)
					case 403:
						forbidden.Add(1)
					default:
						lost.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if n := tokens.fetched(); n != round+2 {
			t.Errorf("%d tokens after %d expiries", n, round+1)
		}
	}
	const all = goroutines * rounds * each
	if good.Load() != all*9/10 || lost.Load() != 0 || s.served.Load() != good.Load() {
		t.Errorf("%d good, %d lost, %d served, of %d", good.Load(), lost.Load(), s.served.Load(), all)
	}
	if n := int64(s.answered(403)); n != forbidden.Load() || n != all/10 {
		t.Errorf("%d times 403 for %d calls", n, forbidden.Load())
	}
	if s.answered(401) == 0 {
		t.Error("no request met an expired token")
	}
	t.Logf("%d requests, %d of them 401, %d tokens", s.requests.Load(), s.answered(401), tokens.fetched())
}

// A 401 to the previous token must not invalidate the current one.
func TestLateRefusalRefreshesNothing(t *testing.T) {
	tokens := &issuer{}
	source := bearerSource(t, tokens.fetch)
	held, release := make(chan struct{}), make(chan struct{})
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			if r.URL.Path == "/late" {
				close(held)
				<-release
			}
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(401)
		}
	}))
	c := clientOf(t, source, []string{s.URL})
	var wg sync.WaitGroup
	wg.Go(func() {
		if status, _ := do(t, c, "GET", s.URL+"/late", ""); status != 200 {
			t.Errorf("late: status %d", status)
		}
	})
	<-held
	if status, _ := do(t, c, "GET", s.URL+"/quick", ""); status != 200 {
		t.Errorf("quick: status %d", status)
	}
	close(release)
	wg.Wait()
	if tokens.fetched() != 2 {
		t.Errorf("%d tokens, want 2", tokens.fetched())
	}
}

func TestTokensAreReplacedBeforeExpiry(t *testing.T) {
	for _, c := range []struct {
		name         string
		life, after  time.Duration
		wantReplaced bool
	}{
		{"long before", time.Hour, 59 * time.Minute, false},
		{"just before", time.Hour, time.Hour - 9*time.Second, true},
		{"a short life", 8 * time.Second, 5 * time.Second, false},
		{"the last quarter of a short life", 8 * time.Second, 7 * time.Second, true},
		{"ended when it came", -time.Second, 0, true},
		{"no end", 0, 1000 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen, now, fetched := &script{answers: []string{"200"}}, newClock(), 0
			s := serve(t, seen)
			client := clientOf(t, bearerSource(t, func(context.Context) (string, time.Time, error) {
				fetched++
				if c.life == 0 {
					return "t", time.Time{}, nil
				}
				return "t", now.now().Add(c.life), nil
			}, authclient.WithTokenClock(now.now)), []string{s.URL})
			do(t, client, "GET", s.URL, "")
			now.advance(c.after)
			do(t, client, "GET", s.URL, "")
			if replaced := fetched == 2; replaced != c.wantReplaced {
				t.Errorf("fetched %d times", fetched)
			}
			equal(t, "sent", seen.sent("Authorization"), []string{"Bearer t", "Bearer t"})
		})
	}
}

// answers200 is a transport without a socket.
type answers200 struct{}

func (answers200) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// The request that started a fetch may be cancelled; others that wait get the token.
func TestFetchOutlivesTheRequestThatNeededIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		source := bearerSource(t, func(ctx context.Context) (string, time.Time, error) {
			select {
			case <-release:
				return "t", time.Time{}, nil
			case <-ctx.Done():
				return "", time.Time{}, ctx.Err()
			}
		}, authclient.WithTimeout(time.Minute))
		transport, err := authclient.New(answers200{}, source, []string{"https://api.example"})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(ctx context.Context) chan error {
			done := make(chan error, 1)
			go func() {
				req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.example/x", nil)
				_, err := transport.RoundTrip(req)
				done <- err
			}()
			return done
		}
		ctx, cancel := context.WithCancel(t.Context())
		first := ask(ctx)
		synctest.Wait()
		second := ask(t.Context())
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %v", err)
		}
		close(release)
		if err := <-second; err != nil {
			t.Errorf("the second: %v", err)
		}
		source.Invalidate()
		release = make(chan struct{})
		third := ask(t.Context()) // never released
		if err := <-third; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an endless fetch: %v", err)
		}
	})
}

func TestInvalidateDuringAFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		releases, calls := []chan struct{}{make(chan struct{}), make(chan struct{})}, 0
		source := bearerSource(t, func(context.Context) (string, time.Time, error) {
			calls++
			<-releases[calls-1]
			return []string{"old", "new"}[calls-1], time.Time{}, nil
		})
		authorize := func() chan string {
			got := make(chan string, 1)
			go func() {
				req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://api.example/x", nil)
				if _, err := source.Authorize(req); err != nil {
					t.Error(err)
				}
				got <- req.Header.Get("Authorization")
			}()
			synctest.Wait()
			return got
		}
		before := authorize()
		source.Invalidate()
		after := authorize()
		if calls != 1 {
			t.Error("two calls at a time")
		}
		close(releases[0])
		if v := <-before; v != "Bearer old" {
			t.Errorf("the caller before: %s", v)
		}
		later := authorize() // the old token has arrived and must not be cached
		close(releases[1])
		if v := <-after; v != "Bearer new" {
			t.Errorf("the caller after: %s", v)
		}
		if v := <-later; v != "Bearer new" || calls != 2 {
			t.Errorf("a later caller: %s after %d calls", v, calls)
		}
	})
}

func TestInvalidTokens(t *testing.T) {
	s := serve(t, &script{answers: []string{"200"}})
	for name, fetch := range map[string]authclient.TokenFunc{
		"empty":   func(context.Context) (string, time.Time, error) { return "", time.Time{}, nil },
		"two":     func(context.Context) (string, time.Time, error) { return "hunter2\r\nX: y", time.Time{}, nil },
		"a panic": func(context.Context) (string, time.Time, error) { panic("no key") },
	} {
		_, err := clientOf(t, bearerSource(t, fetch), []string{s.URL}).Get(s.URL)
		var none *authclient.SourceError
		if !errors.As(err, &none) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.requests.Load() != 0 {
		t.Error("something was sent")
	}
}
