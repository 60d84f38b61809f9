//go:build unix

package outages_test

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// storm is for how long connections are ended, again and again.
const storm = 5 * time.Second

// TestStorms: while each connection of two instances is ended after a moment, also those that
// listen, nothing that was answered with success is lost, and nothing counts twice.
func TestStorms(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		s := startPostgres(t)
		c, err := pgx.Connect(t.Context(), s.URL("sallyport"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
		weather := []string{
			"select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and random() < 0.3",
			"select pg_cancel_backend(pid) from pg_stat_activity where usename = 'app' and state = 'active'",
		}
		inStorm(t, func() stores { return postgresStores(s.URL("app"), 10*patience()) }, 200*time.Millisecond, func(n int) error {
			_, err := c.Exec(t.Context(), weather[n%len(weather)])
			return err
		})
	})
	t.Run("Redis", func(t *testing.T) {
		s := redistest.Start(t)
		c := goredis.NewClient(&goredis.Options{Addr: s.Addr(), PoolSize: 1})
		defer func() { _ = c.Close() }()
		weather := [][]any{
			{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, {"SCRIPT", "FLUSH"}, {"CLIENT", "KILL", "TYPE", "pubsub"}, {"CLIENT", "PAUSE", 20, "WRITE"},
		}
		inStorm(t, func() stores { return redisStores(s.URL()) }, 10*time.Millisecond, func(n int) error {
			return c.Do(t.Context(), weather[n%len(weather)]...).Err()
		})
	})
}

// inStorm has weather hit every so often.
func inStorm(t *testing.T, open func() stores, every time.Duration, weather func(n int) error) {
	of := newShared(t)
	var apps [2]*app
	var on stores
	for i := range apps {
		on = open()
		defer on.close()
		apps[i] = newApp(t, of, on, 10*patience())
	}
	all := &fates{t: t, apps: apps}
	until := time.Now().Add(storm)
	var workers sync.WaitGroup
	for n := range 4 {
		workers.Go(func() {
			for i := n; time.Now().Before(until) && !t.Failed(); i++ {
				all.session(apps[i%2], apps[i/2%2])
				all.family(apps[i%2], apps[i/2%2])
				if on.replays != nil {
					all.once(apps[0].proof("/dpop"), proves("/dpop"))
					all.once(apps[0].answer("/digest"), get("/digest", "Authorization"))
				}
			}
		})
	}
	for n := 0; time.Now().Before(until); n++ {
		if err := weather(n); err != nil {
			t.Fatal(err)
		}
		time.Sleep(every)
	}
	workers.Wait()
	requests := ofSessions()
	if on.replays != nil {
		requests = append(requests, ofCounts()...)
	}
	for _, a := range apps {
		recovers(t, a, requests)
	}
	all.judge()
}

// fates are what became of sessions, tokens and things that count once.
type fates struct {
	t    *testing.T
	apps [2]*app

	mu               sync.Mutex
	ended            []pair // at a logout
	did, unavailable atomic.Int64
}

// persist sends a request until it is not answered with 503, and returns the answer.
func (f *fates) persist(send func() *http.Response, want int, what string) *http.Response {
	f.t.Helper()
	limit := time.Now().Add(authtest.TimeLimit(30 * time.Second))
	for {
		resp := send()
		switch {
		case resp.StatusCode == want:
			f.did.Add(1)
			return resp
		case resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "":
			f.t.Errorf("%s is answered with %d, want %d or 503", what, resp.StatusCode, want)
			runtime.Goexit()
		case time.Now().After(limit):
			f.t.Errorf("%s stays unavailable", what)
			runtime.Goexit()
		}
		f.unavailable.Add(1)
	}
}

// session begins at one instance, and ends at another.
func (f *fates) session(x, y *app) {
	ctx := context.Background()
	resp := f.persist(func() *http.Response { return login("/session/login")(ctx, x, "") }, http.StatusSeeOther, "a login")
	if len(resp.Cookies()) == 0 {
		return
	}
	cookie := resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
	f.persist(func() *http.Response { return get("/session", "Cookie")(ctx, y, cookie) }, http.StatusNoContent, "a session")
	f.persist(func() *http.Response { return post("/session/logout")(ctx, y, cookie) }, http.StatusNoContent, "a logout")
	for _, a := range f.apps {
		f.persist(func() *http.Response { return get("/session", "Cookie")(ctx, a, cookie) }, http.StatusUnauthorized, "a session after its logout")
	}
}

// family is that of tokens.
func (f *fates) family(x, y *app) {
	ctx := context.Background()
	resp := f.persist(func() *http.Response { return login("/tokens/login")(ctx, x, "") }, http.StatusOK, "a login for tokens")
	var first, second pair
	if err := json.NewDecoder(resp.Body).Decode(&first); err != nil {
		return
	}
	resp = f.persist(func() *http.Response { return postTokens("/tokens/refresh")(ctx, y, first) }, http.StatusOK, "a refresh")
	if err := json.NewDecoder(resp.Body).Decode(&second); err != nil {
		return
	}
	f.persist(func() *http.Response { return postTokens("/tokens/logout")(ctx, x, second) }, http.StatusNoContent, "a logout of tokens")
	for _, a := range f.apps {
		f.persist(func() *http.Response { return postTokens("/tokens/refresh")(ctx, a, second) }, http.StatusUnauthorized, "a refresh after the logout")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, first, second)
}

// once sends to both instances at the same moment what counts once.
func (f *fates) once(v string, send func(ctx context.Context, a *app, v string) *http.Response) {
	var good atomic.Int32
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			switch resp := send(context.Background(), f.apps[n%2], v); resp.StatusCode {
			case http.StatusNoContent:
				good.Add(1)
			case http.StatusUnauthorized, http.StatusServiceUnavailable:
			default:
				f.t.Errorf("%d", resp.StatusCode)
			}
		})
	}
	all.Wait()
	if good.Load() > 1 {
		f.t.Errorf("%.20s counts %d times", v, good.Load())
	}
	f.did.Add(int64(good.Load()))
}

// judge looks at access tokens that a logout has ended, once both instances know.
func (f *fates) judge() {
	f.t.Helper()
	limit := time.Now().Add(authtest.TimeLimit(20 * time.Second))
	for _, a := range f.apps {
		for _, p := range f.ended {
			for withAccess(context.Background(), a, p).StatusCode != http.StatusUnauthorized {
				if time.Now().After(limit) {
					f.t.Fatal("an access token outlives its logout")
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	f.t.Logf("%d steps, %d answers of 503, %d families", f.did.Load(), f.unavailable.Load(), len(f.ended)/2)
	if len(f.ended) == 0 || f.unavailable.Load() == 0 {
		f.t.Error("nothing was tried")
	}
}
