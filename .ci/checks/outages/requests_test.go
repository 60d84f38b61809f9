//go:build unix

package outages_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// tries is how often each request is sent during a fault, cancelled ones aside.
const tries = 4

// request is one of a client.
type request struct {
	name string
	// want is the answer without a fault.
	want int
	// alone says that the instance decides by itself while the store cannot be asked, so
	// that the answer is want in any case.
	alone bool
	// prepare makes what is needed to send it some times, while there is no fault.
	prepare func(a *app) func(ctx context.Context, try int) *http.Response
}

// each prepares something for each time that a request is sent.
func each[V any](prepare func(a *app) V, send func(ctx context.Context, a *app, v V) *http.Response) func(a *app) func(context.Context, int) *http.Response {
	return func(a *app) func(context.Context, int) *http.Response {
		var all []V
		for range 2 * tries {
			all = append(all, prepare(a))
		}
		return func(ctx context.Context, try int) *http.Response { return send(ctx, a, all[try]) }
	}
}

// get asks for a path with a field.
func get(path, field string) func(ctx context.Context, a *app, v string) *http.Response {
	return func(ctx context.Context, a *app, v string) *http.Response {
		return a.send(ctx, http.MethodGet, path, "", field, v)
	}
}

// used is prepare, with what it makes sent once.
func used(prepare func(a *app) string, send func(ctx context.Context, a *app, v string) *http.Response) func(a *app) string {
	return func(a *app) string {
		v := prepare(a)
		if resp := send(context.Background(), a, v); resp.StatusCode >= 300 {
			panic(fmt.Sprint("in preparation: ", resp.Status))
		}
		return v
	}
}

func signedOut(a *app) string {
	cookie := a.signIn()
	if resp := a.send(context.Background(), http.MethodPost, "/session/logout", "", "Cookie", cookie); resp.StatusCode != http.StatusNoContent {
		panic(fmt.Sprint("logout: ", resp.Status))
	}
	return cookie
}

func tokensOf(a *app) pair { return a.pair("/tokens/login", credentials) }

func tokensEnded(a *app) pair {
	p := tokensOf(a)
	if resp := a.send(context.Background(), http.MethodPost, "/tokens/logout", refreshForm(p)); resp.StatusCode != http.StatusNoContent {
		panic(fmt.Sprint("logout: ", resp.Status))
	}
	return p
}

func post(path string) func(ctx context.Context, a *app, cookie string) *http.Response {
	return func(ctx context.Context, a *app, cookie string) *http.Response {
		return a.send(ctx, http.MethodPost, path, "", "Cookie", cookie)
	}
}

func postTokens(path string) func(ctx context.Context, a *app, p pair) *http.Response {
	return func(ctx context.Context, a *app, p pair) *http.Response {
		return a.send(ctx, http.MethodPost, path, refreshForm(p))
	}
}

func withAccess(ctx context.Context, a *app, p pair) *http.Response {
	return a.send(ctx, http.MethodGet, "/token", "", "Authorization", "Bearer "+p.Access)
}

func login(path string) func(ctx context.Context, a *app, _ string) *http.Response {
	return func(ctx context.Context, a *app, _ string) *http.Response {
		return a.send(ctx, http.MethodPost, path, credentials)
	}
}

func nothing(*app) string { return "" }

// ofSessions are the requests of a service with sessions and tokens.
func ofSessions() []request {
	return []request{
		{"a session", 204, false, each((*app).signIn, get("/session", "Cookie"))},
		{"a session that has ended", 401, false, each(signedOut, get("/session", "Cookie"))},
		{"a login", 303, false, each(nothing, login("/session/login"))},
		{"a logout", 204, false, each((*app).signIn, post("/session/logout"))},
		{"a rotation", 204, false, each((*app).signIn, post("/session/rotate"))},
		{"an access token", 204, true, each(tokensOf, withAccess)},
		{"an access token whose family has ended", 401, true, each(tokensEnded, withAccess)},
		{"a login for tokens", 200, false, each(nothing, login("/tokens/login"))},
		{"a refresh", 200, false, each(tokensOf, postTokens("/tokens/refresh"))},
		{"a refresh of a family that has ended", 401, false, each(tokensEnded, postTokens("/tokens/refresh"))},
		{"a logout of a family", 204, false, each(tokensOf, postTokens("/tokens/logout"))},
	}
}

var clients atomic.Int64

// client is an address that nobody else has.
func client(*app) string {
	n := clients.Add(1)
	return fmt.Sprintf("198.51.%d.%d:80", n>>8&255, n&255)
}

func guesses(password string) func(ctx context.Context, a *app, addr string) *http.Response {
	return func(ctx context.Context, a *app, addr string) *http.Response {
		r, _ := http.NewRequest(http.MethodGet, address, nil)
		r.SetBasicAuth("alice", password)
		return a.send(ctx, http.MethodGet, "/basic", "", "Authorization", r.Header.Get("Authorization"), "Remote", addr)
	}
}

// guesser is an address that has used up its budget.
func guesser(a *app) string {
	addr := client(a)
	for range 4 {
		guesses("wrong")(context.Background(), a, addr)
	}
	return addr
}

func answers(path string) func(a *app) string {
	return func(a *app) string { return a.answer(path) }
}

func proofs(path string) func(a *app) string {
	return func(a *app) string { return a.proof(path) }
}

func proves(path string) func(ctx context.Context, a *app, proof string) *http.Response {
	return func(ctx context.Context, a *app, proof string) *http.Response {
		return a.send(ctx, http.MethodGet, path, "", "Authorization", "DPoP "+opaque, "DPoP", proof)
	}
}

// ofCounts are the requests of a service that counts with others.
func ofCounts() (all []request) {
	all = []request{
		{"a password", 204, true, each(client, guesses("right"))},
		{"a guess over the budget", 429, true, each(guesser, guesses("right"))},
	}
	for _, suffix := range []string{"", "-alone"} {
		alone, d, p := suffix != "", "/digest"+suffix, "/dpop"+suffix
		all = append(all,
			request{"an answer" + suffix, 204, alone, each(answers(d), get(d, "Authorization"))},
			request{"an answer that was used" + suffix, 401, true, each(used(answers(d), get(d, "Authorization")), get(d, "Authorization"))},
			request{"a proof" + suffix, 204, alone, each(proofs(p), proves(p))},
			request{"a proof that was used" + suffix, 401, alone, each(used(proofs(p), proves(p)), proves(p))},
		)
	}
	return all
}

// fails has a fault while requests are answered, and looks what becomes of them.
func fails(t *testing.T, a *app, requests []request, begin, end func()) {
	t.Helper()
	sends := make([]func(context.Context, int) *http.Response, len(requests))
	for i, r := range requests {
		sends[i] = ready(t, a, r)
	}
	begin()
	var all sync.WaitGroup
	for i, r := range requests {
		for try := range 2 * tries {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				gone := try >= tries // the client, in the middle
				if gone {
					time.AfterFunc(time.Duration(try)*time.Millisecond, cancel)
				}
				began := time.Now()
				resp := sends[i](ctx, try)
				if took := time.Since(began); took > authtest.TimeLimit(5*time.Second) {
					t.Errorf("%s takes %v", r.name, took)
				}
				after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
				switch {
				case resp.StatusCode == r.want:
				case resp.StatusCode == http.StatusServiceUnavailable && after > 0 && (gone || !r.alone):
				default:
					t.Errorf("%s (the client has gone: %v) is answered with %d, Retry-After %d, want %d or 503", r.name, gone, resp.StatusCode, after, r.want)
				}
			})
		}
	}
	all.Wait()
	end()
	recovers(t, a, requests)
}

// ready prepares a request, again where a slow machine had the store take too long.
func ready(t *testing.T, a *app, r request) (send func(context.Context, int) *http.Response) {
	t.Helper()
	prepare := func() (why any) {
		defer func() { why = recover() }()
		send = r.prepare(a)
		return nil
	}
	why := prepare()
	for limit := time.Now().Add(authtest.TimeLimit(20 * time.Second)); why != nil && time.Now().Before(limit); why = prepare() {
		time.Sleep(20 * time.Millisecond)
	}
	if why != nil {
		t.Fatalf("%s: %v", r.name, why)
	}
	return send
}

// recovers waits until each request is answered as without a fault.
func recovers(t *testing.T, a *app, requests []request) {
	t.Helper()
	limit := time.Now().Add(authtest.TimeLimit(20 * time.Second))
	for _, r := range requests {
		for {
			status := prepared(a, r)
			if status == r.want {
				break
			}
			if time.Now().After(limit) {
				t.Errorf("afterwards %s is answered with %d, want %d", r.name, status, r.want)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// prepared is the answer to a request of which nothing has been prepared, 0 if it cannot
// be.
func prepared(a *app, r request) (status int) {
	defer func() { _ = recover() }()
	return r.prepare(a)(context.Background(), 0).StatusCode
}

// settled waits until there are no more goroutines than before, but for a few.
func settled(t *testing.T, before int) {
	t.Helper()
	limit := time.Now().Add(authtest.TimeLimit(20 * time.Second))
	for n := runtime.NumGoroutine(); n > before+5; n = runtime.NumGoroutine() {
		if time.Now().After(limit) {
			b := make([]byte, 1<<20)
			t.Errorf("%d goroutines, and %d before:\n%.20000s", n, before, b[:runtime.Stack(b, true)])
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
