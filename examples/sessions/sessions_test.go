//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// passwords: each user's is its name with an exclamation mark.
var passwords = basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
	if password != user+"!" {
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
})

// TestMain keeps what the tests provoke out of their output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	redis.SetLogger(silent{})
	gin.SetMode(gin.TestMode)
	m.Run()
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// patient is [connect] with as much patience as the machine needs.
func patient(t *testing.T, addr string) *redis.Client {
	t.Helper()
	usual := connect(addr)
	options := *usual.Options()
	_ = usual.Close() // it has not connected yet
	for _, limit := range []*time.Duration{&options.DialTimeout, &options.ReadTimeout, &options.WriteTimeout} {
		*limit = authtest.TimeLimit(*limit)
	}
	client := redis.NewClient(&options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// serveAll serves the site on all frameworks, each with a client of Redis of its
// own, as if on another machine, and returns the base URLs by name.
func serveAll(t *testing.T, server *redisServer, opts ...session.Option) map[string]string {
	t.Helper()
	fresh := func() *site {
		limit := session.WithStoreTimeout(authtest.TimeLimit(5 * time.Second)) // longer than a busy machine takes
		s, err := newSite(patient(t, server.addr()), passwords, append([]session.Option{limit}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	servers := map[string]string{}
	for name, h := range map[string]http.Handler{"gin": fresh().routesGin(), "echo": fresh().routesEcho(), "echo5": fresh().routesEcho5(), "net/http": fresh().routesNetHTTP()} {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		servers[name] = srv.URL
	}
	for name, server := range map[string]demo.Server{"fiber": fiberServer{fresh().routesFiber()}, "fiber3": fiber3Server{fresh().routesFiber3()}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = server.Serve(l) // ends with Shutdown
		}()
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), authtest.TimeLimit(2*time.Second))
			defer cancel()
			_ = server.Shutdown(ctx) // the client may hold a connection that it never used
			<-done
		})
		servers[name] = "http://" + l.Addr().String()
	}
	return servers
}

var client = &http.Client{
	Timeout:       authtest.TimeLimit(2 * time.Minute),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send sends a request with a cookie; a form makes it a POST.
func send(ctx context.Context, method, address, cookie string, form url.Values) (status int, body, newCookie string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	for _, c := range resp.Cookies() {
		newCookie = c.Name + "=" + c.Value
	}
	return resp.StatusCode, string(b), newCookie, err
}

func ask(t *testing.T, method, address, cookie string) (status int, body string) {
	t.Helper()
	status, body, _, err := send(t.Context(), method, address, cookie, nil)
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

// login signs user in and returns the cookie. On a busy machine Redis may not have
// answered in time, which is 503: then it tries again.
func login(t *testing.T, server, user string) string {
	t.Helper()
	until := time.Now().Add(authtest.TimeLimit(time.Minute))
	for {
		status, body, cookie, err := send(t.Context(), "POST", server+"/login", "", url.Values{"user": {user}, "password": {user + "!"}})
		switch {
		case err == nil && status == http.StatusServiceUnavailable && time.Now().Before(until):
		case err != nil || status != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-session="):
			t.Fatalf("login at %s: %d %q %q %v", server, status, body, cookie, err)
		default:
			return cookie
		}
	}
}

// TestSessionsAreShared: who signs in on one server is signed in on all, until
// the one session, or all of them, are logged out on any.
func TestSessionsAreShared(t *testing.T) {
	servers := serveAll(t, startRedis(t))
	for from, server := range servers {
		first, second, bob := login(t, server, "alice"), login(t, server, "alice"), login(t, server, "bob")
		for on, other := range servers {
			if status, body := ask(t, "GET", other+"/me", first); status != http.StatusOK || body != "alice" {
				t.Errorf("signed in on %s: %d %q on %s", from, status, body, on)
			}
		}
		for _, other := range servers {
			if status, _ := ask(t, "POST", other+"/logout", first); status != http.StatusNoContent {
				t.Errorf("logout: %d", status)
			}
			break
		}
		for _, other := range servers {
			if status, _ := ask(t, "POST", other+"/logout/everywhere", second); status != http.StatusNoContent {
				t.Errorf("logout everywhere: %d", status)
			}
			break
		}
		for on, other := range servers {
			for cookie, want := range map[string]int{first: http.StatusUnauthorized, second: http.StatusUnauthorized, bob: http.StatusOK} {
				if status, _ := ask(t, "GET", other+"/me", cookie); status != want {
					t.Errorf("after the logouts: %d on %s, want %d", status, on, want)
				}
			}
		}
	}
}

// TestWrongPasswordBeginsNoSession on any framework.
func TestWrongPasswordBeginsNoSession(t *testing.T) {
	for name, server := range serveAll(t, startRedis(t)) {
		status, _, cookie, err := send(t.Context(), "POST", server+"/login", "", url.Values{"user": {"alice"}, "password": {"x"}})
		if err != nil || status != http.StatusUnauthorized || cookie != "" {
			t.Errorf("%s: %d %q %v", name, status, cookie, err)
		}
	}
}

// TestRedisForgetsInTime: entries have the expiry of what they say.
func TestRedisForgetsInTime(t *testing.T) {
	server := startRedis(t)
	servers := serveAll(t, server, session.WithIdleTimeout(20*time.Second), session.WithAbsoluteTimeout(time.Minute))
	cookie := login(t, servers["gin"], "alice")
	rdb := patient(t, server.addr())
	keys, err := rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 1 || strings.Contains(keys[0], strings.TrimPrefix(cookie, "__Host-session=")) {
		t.Fatalf("keys %q, %v", keys, err)
	}
	if ttl := rdb.TTL(t.Context(), keys[0]).Val(); ttl < 50*time.Second || ttl > time.Minute {
		t.Errorf("a session is kept for %v", ttl)
	}
	if status, _ := ask(t, "POST", servers["fiber"]+"/logout/everywhere", cookie); status != http.StatusNoContent {
		t.Errorf("logout everywhere: %d", status)
	}
	// What is left says that this session was ended, and that all were.
	keys, err = rdb.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 2 {
		t.Fatalf("keys %q, %v", keys, err)
	}
	ended, everywhere := rdb.TTL(t.Context(), keys[0]).Val(), rdb.TTL(t.Context(), keys[1]).Val()
	if ended > everywhere {
		ended, everywhere = everywhere, ended
	}
	if ended < 50*time.Second || ended > time.Minute+authtest.TimeLimit(time.Minute) {
		t.Errorf("a logout is kept for %v", ended)
	}
	if everywhere < 24*time.Hour || everywhere > 25*time.Hour {
		t.Errorf("a logout everywhere is kept for %v", everywhere)
	}
}

// TestOutageLogsNobodyOut: requests flow all the time. While Redis is dead, or
// hangs, they are answered with 503, and afterwards everybody is signed in as
// before.
func TestOutageLogsNobodyOut(t *testing.T) {
	for name, outage := range map[string]struct{ begin, end func(*redisServer) }{
		"killed": {(*redisServer).kill, (*redisServer).start},
		"hung": {
			func(r *redisServer) { r.signal(syscall.SIGSTOP) },
			func(r *redisServer) { r.signal(syscall.SIGCONT) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := startRedis(t)
			servers := serveAll(t, server, session.WithStoreTimeout(authtest.TimeLimit(200*time.Millisecond)))
			cookie := login(t, servers["gin"], "alice")
			load := startLoad(t, servers, cookie)
			load.await(http.StatusOK)
			outage.begin(server)
			load.await(http.StatusServiceUnavailable)
			for on, base := range servers {
				for _, path := range []string{"/login", "/logout", "/logout/everywhere"} {
					status, body, set, err := send(t.Context(), "POST", base+path, cookie, url.Values{"user": {"alice"}, "password": {"alice!"}})
					if err != nil || status != http.StatusServiceUnavailable || set != "" || strings.Contains(body, "127.0.0.1") {
						t.Errorf("%s on %s: %d %q %q %v", path, on, status, body, set, err)
					}
				}
			}
			outage.end(server)
			load.await(http.StatusOK)
			load.stop()
		})
	}
}

// load asks each server who is signed in, over and over.
type load struct {
	t      *testing.T
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu   sync.Mutex
	cond *sync.Cond
	last map[string]int // the newest status of each server
	bad  []string       // answers that must never be given
}

func startLoad(t *testing.T, servers map[string]string, cookie string) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{t: t, cancel: cancel, last: map[string]int{}}
	l.cond = sync.NewCond(&l.mu)
	for name, server := range servers {
		l.last[name] = 0
		l.wg.Go(func() {
			for ctx.Err() == nil {
				status, body, set, err := send(ctx, "GET", server+"/me", cookie, nil)
				if ctx.Err() == nil {
					l.note(name, status, body, set, err)
				}
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) note(name string, status int, body, set string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ok := status == http.StatusOK && body == "alice" || status == http.StatusServiceUnavailable
	if err != nil || !ok || set != "" {
		l.bad = append(l.bad, fmt.Sprintf("%s: %d %q %q %v", name, status, body, set, err))
	}
	l.last[name] = status
	l.cond.Broadcast()
}

// await returns when the newest answer of every server has status.
func (l *load) await(status int) {
	l.t.Helper()
	late := time.AfterFunc(authtest.TimeLimit(30*time.Second), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.bad = append(l.bad, fmt.Sprintf("no %d in time: %v", status, l.last))
		l.cond.Broadcast()
	})
	defer late.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.last {
		for l.last[name] != status && len(l.bad) == 0 {
			l.cond.Wait()
		}
	}
	if len(l.bad) > 0 {
		l.t.Fatalf("answers %q", l.bad)
	}
}

func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
	for _, bad := range l.bad {
		l.t.Error(bad)
	}
	l.bad = nil
}
