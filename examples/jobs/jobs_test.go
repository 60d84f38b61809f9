package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/accounts"
	"github.com/sallyport-go/sallyport/examples/policy"
	"github.com/sallyport-go/sallyport/examples/shared/issuer"
)

// log is what a server has answered, in order: "GET /reports 200".
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) count(line string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, have := range l.lines {
		if have == line {
			n++
		}
	}
	return n
}

// around logs what h answers.
func (l *log) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		l.mu.Lock()
		l.lines = append(l.lines, fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, rec.Code))
		l.mu.Unlock()
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = rec.Body.WriteTo(w)
	})
}

// world is the reports service, with the token endpoint and the account service
// that belong to it. All of them listen on sockets.
type world struct {
	service   log
	url       string
	endpoint  *httptest.Server
	mu        sync.Mutex
	tokens    []string // to give out, the last one for good
	given     int
	outages   int // how many more times the account service is down
	endpoints int // how many more times the token endpoint is down
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := new(world)
	own, err := issuer.New("https://issuer.example", "reports")
	if err != nil {
		t.Fatal(err)
	}
	// The first token has expired, whatever the token endpoint says of it.
	for _, life := range []time.Duration{-time.Hour, time.Hour} {
		token, err := own.Token("victor", life, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.tokens = append(w.tokens, token)
	}
	accountService := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.countdown(&w.outages) {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		accounts.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(accountService.Close)
	w.endpoint = httptest.NewServer(http.HandlerFunc(w.token))
	t.Cleanup(w.endpoint.Close)
	service := httptest.NewServer(w.service.around(routes(t, own, accountService.URL)))
	t.Cleanup(service.Close)
	w.url = service.URL
	return w
}

// countdown reports whether n was positive and makes it less by one.
func (w *world) countdown(n *int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	*n--
	return *n >= 0
}

// token is a token endpoint (RFC 6749 §4.4).
func (w *world) token(rw http.ResponseWriter, r *http.Request) {
	if w.countdown(&w.endpoints) {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	rw.Header().Set("Content-Type", "application/json")
	if _, secret, _ := r.BasicAuth(); secret != "open-sesame" {
		rw.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(rw, `{"error":"invalid_client"}`)
		return
	}
	token := w.tokens[min(w.given, len(w.tokens)-1)]
	w.given++
	_ = json.NewEncoder(rw).Encode(map[string]any{
		"access_token": token, "token_type": "Bearer", "expires_in": 3600, "refresh_token": fmt.Sprintf("refresh-%d", w.given)})
}

// routes are those of the service, for tokens of an issuer, with the example
// servers' policy.
func routes(t *testing.T, own *issuer.Issuer, accountService string) http.Handler {
	set := must(own.KeySet())(t)
	keys := must(jwtauth.KeySetFromJWKS("own key", set))(t)
	tokens := must(jwtauth.New(keys, jwtauth.WithIssuer(own.Name()), jwtauth.WithAudience(own.Audience())))(t)
	scheme := must(bearer.New("reports", tokens))(t)
	rules := must(casbinrules.OpenFS(policy.Files, casbinrules.ModelFile(policy.Model), []string{policy.Rules}))(t)
	guard := must(core.NewGuard([]core.Authenticator{scheme}, core.WithAuthorizer(rules)))(t)
	lookup := must(accounts.Service(accountService))(t)

	mux := http.NewServeMux()
	answer := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { _, _ = io.Copy(rw, r.Body) })
	byPolicy := httpauth.Authorize(guard)
	mux.Handle("/reports", byPolicy(answer))
	mux.Handle("/reports/{id}", byPolicy(answer))
	mux.Handle("POST /notes", httpauth.Require(guard, rule.Account(lookup))(answer))
	return mux
}

// must is v, and fails the test for an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// queue is one that takes no time to wait.
func (w *world) queue(t *testing.T, secret string, workers int) (*queue, *naps) {
	t.Helper()
	q, err := newQueue(config{service: w.url, tokenURL: w.endpoint.URL, clientID: "jobs", workers: workers, attempts: 5}, secret)
	if err != nil {
		t.Fatal(err)
	}
	// A connection that was dialled and not needed would hold up the server's end.
	t.Cleanup(q.client.CloseIdleConnections)
	n := new(naps)
	q.sleep, q.random = n.sleep, func() float64 { return 0 }
	return q, n
}

type naps struct {
	mu    sync.Mutex
	slept []time.Duration
}

func (n *naps) sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slept = append(n.slept, d)
	return ctx.Err()
}

func read(t *testing.T, text string) []job {
	t.Helper()
	jobs, err := readJobs("test", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

// K01 to K03: what a 401, a 403 and a 503 come to, counted where they are given.
func TestQueueDoesWhatEachAnswerAsksFor(t *testing.T) {
	w := newWorld(t)
	w.outages = 2
	q, n := w.queue(t, "open-sesame", 1)
	var got []string
	for _, j := range read(t, "GET /reports\nPATCH /reports/7 x\nPOST /notes seen\nGET /nothing\nPUT /reports/7") {
		got = append(got, q.work(t.Context(), []job{j})[0].String())
	}
	want := []string{
		"done    GET /reports",
		`failed  PATCH /reports/7: 403 Forbidden ("forbidden"): "You are signed in, but not allowed to do this. Signing in again will not help."`,
		"done    POST /notes (3 attempts)",
		"failed  GET /nothing: 404 Not Found",
		`failed  PUT /reports/7: 403 Forbidden ("forbidden"): "You are signed in, but not allowed to do this. Signing in again will not help."`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("results\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	requests := []string{
		"GET /reports 401", "GET /reports 200", // a new token, and again
		"PATCH /reports/7 403",                                  // once
		"POST /notes 503", "POST /notes 503", "POST /notes 200", // waited for
		"GET /nothing 404", "PUT /reports/7 403",
	}
	if !slices.Equal(w.service.lines, requests) {
		t.Errorf("requests %q, want %q", w.service.lines, requests)
	}
	if waits := []time.Duration{10 * time.Second, 10 * time.Second}; !slices.Equal(n.slept, waits) { // as the service says
		t.Errorf("waited %v, want %v", n.slept, waits)
	}
	if w.given != 2 {
		t.Errorf("%d tokens", w.given)
	}
}

func TestQueueWithManyWorkersRefreshesOnce(t *testing.T) {
	w := newWorld(t)
	q, _ := w.queue(t, "open-sesame", 8)
	jobs := read(t, strings.Repeat("GET /reports\nPATCH /reports/7 x\n", 50))
	done := 0
	for _, r := range q.work(t.Context(), jobs) {
		if r.done {
			done++
		}
	}
	if done != 50 || w.given != 2 || w.service.count("GET /reports 200") != 50 || w.service.count("PATCH /reports/7 403") != 50 {
		t.Errorf("%d done with %d tokens; requests %q", done, w.given, w.service.lines)
	}
}

func TestQueueTellsAnOutageOfTheTokenEndpointFromARefusal(t *testing.T) {
	t.Run("down", func(t *testing.T) {
		w := newWorld(t)
		w.endpoints = 2
		q, n := w.queue(t, "open-sesame", 1)
		if r := q.work(t.Context(), read(t, "GET /reports"))[0]; !r.done || r.attempts != 3 {
			t.Errorf("%s", r)
		}
		if waits := []time.Duration{firstWait / 2, firstWait}; !slices.Equal(n.slept, waits) {
			t.Errorf("waited %v, want %v", n.slept, waits)
		}
	})
	t.Run("refused", func(t *testing.T) {
		w := newWorld(t)
		q, _ := w.queue(t, "wrong", 1)
		r := q.work(t.Context(), read(t, "GET /reports"))[0]
		if r.done || r.attempts != 1 || !strings.Contains(r.reason, "invalid_client") || len(w.service.lines) != 0 {
			t.Errorf("%s; requests %q", r, w.service.lines)
		}
	})
}

func TestQueueGivesUp(t *testing.T) {
	w := newWorld(t)
	w.outages = 100
	q, n := w.queue(t, "open-sesame", 1)
	if r := q.work(t.Context(), read(t, "POST /notes"))[0]; r.done || r.attempts != 5 || !strings.Contains(r.reason, "503") {
		t.Errorf("%s", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	q.sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	if r := q.work(ctx, read(t, "POST /notes"))[0]; r.done || !strings.Contains(r.reason, "interrupted") {
		t.Errorf("%s", r)
	}
	if r := q.work(ctx, read(t, "POST /notes"))[0]; r.done {
		t.Errorf("%s", r)
	}
	if len(n.slept) != 4 {
		t.Errorf("waited %v", n.slept)
	}
}

func TestBackoffGrowsToAMinute(t *testing.T) {
	for random, want := range map[float64][]time.Duration{
		0:   {250 * time.Millisecond, 500 * time.Millisecond, 30 * time.Second, 30 * time.Second},
		0.5: {375 * time.Millisecond, 750 * time.Millisecond, 45 * time.Second, 45 * time.Second},
	} {
		q := &queue{random: func() float64 { return random }}
		if got := []time.Duration{q.backoff(1), q.backoff(2), q.backoff(10), q.backoff(1000)}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// TestRun is the program as it is started by hand.
func TestRun(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	token, jobs := filepath.Join(dir, "token"), filepath.Join(dir, "jobs.txt")
	for name, text := range map[string]string{token: w.tokens[1] + "\n", jobs: "# work\n\nGET /reports\nPATCH /reports/7 x\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	err := run(t.Context(), []string{"-service", w.url, "-token-file", token, jobs}, func(string) string { return "" }, &out, io.Discard)
	if err == nil || err.Error() != "1 of 2 jobs failed" || !strings.HasPrefix(out.String(), "done    GET /reports\nfailed  PATCH /reports/7: 403") {
		t.Errorf("%v\n%s", err, &out)
	}
	for _, args := range [][]string{
		{}, {jobs}, {"-token-file", token}, {"-token-file", token, "-token-url", "https://x", jobs}, {"-token-url", "https://x", jobs},
		{"-token-file", token, "-workers", "0", jobs}, {"-token-file", token, "-x", jobs}, {"-token-file", token, token},
		{"-token-file", token, filepath.Join(dir, "none")}, {"-token-file", token, "-service", "http://api.example", jobs},
	} {
		if err := run(t.Context(), args, func(string) string { return "" }, io.Discard, io.Discard); err == nil || strings.Contains(err.Error(), "jobs failed") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestReadJobs(t *testing.T) {
	got := read(t, "# x\n GET /a?b=c \n\nPOST /b  {\"a\": 1}\n")
	want := []job{{"test:2", "GET", "/a?b=c", ""}, {"test:4", "POST", "/b", `{"a": 1}`}}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, text := range []string{"", "# x", "GET", "get /a", "GET a", "/a", "GET /" + strings.Repeat("x", 1<<17)} {
		if jobs, err := readJobs("test", strings.NewReader(text)); err == nil {
			t.Errorf("%.20q: %q", text, jobs)
		}
	}
	if _, err := readJobs("test", errorReader{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
