package authclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authclient"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

// issuer issues tokens and verifies them for the service. One token is valid at a time,
// for a number of uses or until it is revoked.
type issuer struct {
	mu     sync.Mutex
	issued int
	uses   int   // left; negative for any number
	down   error // returned by the verifier instead of a verdict
}

// fetch is a [authclient.TokenFunc].
func (i *issuer) fetch(context.Context) (string, time.Time, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.issued++
	i.uses = -1
	return fmt.Sprintf("token-%d", i.issued), time.Time{}, nil
}

// endAfter ends the current token after a number of uses.
func (i *issuer) endAfter(uses int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.uses = uses
}

func (i *issuer) revoke() { i.endAfter(0) }

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.issued
}

func (i *issuer) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.down != nil:
		return nil, i.down
	case token != fmt.Sprintf("token-%d", i.issued) || i.uses == 0:
		return nil, &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken, Err: errors.New("expired")}
	}
	i.uses--
	return core.NewPrincipal(core.PrincipalInfo{ID: "erin", Scopes: []string{"read"}})
}

// guardOf returns a guard without an observer.
func guardOf(t testing.TB, schemes ...core.Authenticator) *core.Guard {
	t.Helper()
	g, err := core.NewGuard(schemes, core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func bearerGuard(t testing.TB, i *issuer) *core.Guard {
	t.Helper()
	scheme, err := bearer.New("reports", i)
	if err != nil {
		t.Fatal(err)
	}
	return guardOf(t, scheme)
}

// service is a server on a socket that counts requests.
type service struct {
	*httptest.Server
	requests atomic.Int64 // all
	served   atomic.Int64 // those that reached the handler behind the gates
	statuses sync.Map     // of answers: int → *atomic.Int64
	handler  http.Handler
}

// serve runs h, at a server of its own.
func serve(t testing.TB, h http.Handler) *service {
	t.Helper()
	s := &service{handler: h}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		rec := &statusWriter{ResponseWriter: w, status: 200}
		s.handler.ServeHTTP(rec, r)
		n, _ := s.statuses.LoadOrStore(rec.status, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	}))
	t.Cleanup(s.Close)
	return s
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (s *service) answered(status int) int {
	if n, ok := s.statuses.Load(status); ok {
		return int(n.(*atomic.Int64).Load())
	}
	return 0
}

// serveGuarded is a service behind a guard: / requires a principal, /admin a role that no
// one has, /scoped a scope that no one has. The answer is the request's body.
func serveGuarded(t testing.TB, g *core.Guard) *service {
	t.Helper()
	mux := http.NewServeMux()
	s := serve(t, mux)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.served.Add(1)
		_, _ = io.Copy(w, r.Body)
	})
	mux.Handle("/", httpauth.Authenticate(g)(echo))
	mux.Handle("/admin", httpauth.Require(g, rule.Role("admin"))(echo))
	mux.Handle("/scoped", httpauth.Require(g, rule.Scope("write"))(echo))
	return s
}

// callerTime limits how long the clients of the tests wait for an answer.
var callerTime = authtest.TimeLimit(time.Minute)

// clientOf returns a client with credentials for the given servers.
func clientOf(t testing.TB, source authclient.Source, origins []string, opts ...authclient.Option) *http.Client {
	t.Helper()
	transport, err := authclient.New(nil, source, origins, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: transport, Timeout: callerTime}
}

func bearerSource(t testing.TB, fetch authclient.TokenFunc, opts ...authclient.TokenOption) *authclient.Tokens {
	t.Helper()
	tokens, err := authclient.Bearer(fetch, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// do sends a request and returns the status and the body.
func do(t testing.TB, c *http.Client, method, url, body string) (int, string) {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	return doRequest(t, c, req)
}

func doRequest(t testing.TB, c *http.Client, req *http.Request) (int, string) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// script answers with one line after the other: a status and header fields. The last one
// serves all further requests.
type script struct {
	mu      sync.Mutex
	answers []string
	seen    []*http.Request
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Clone(context.Background()))
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	s.mu.Unlock()
	lines := strings.Split(answer, "\n")
	var status int
	_, _ = fmt.Sscan(lines[0], &status)
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		w.Header().Add(name, value)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "said "+lines[0])
}

// sent returns the values of a field in the requests so far; "" for none.
func (s *script) sent(field string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []string
	for _, r := range s.seen {
		values = append(values, strings.Join(r.Header.Values(field), "|"))
	}
	return values
}

// naps is a clock that stands still and a sleep that takes no time.
type naps struct {
	mu    sync.Mutex
	slept []time.Duration
}

func (n *naps) now() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

func (n *naps) sleep(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slept = append(n.slept, d)
	return ctx.Err()
}

func (n *naps) option() authclient.Option { return authclient.WithClock(n.now, n.sleep) }

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
