// Package attemptstest is the part of the conformance suite for the limiter of package
// attempts.
package attemptstest

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Run runs every case against f over real sockets. Cases are independent and run in
// parallel. more returns additional options for the limiter of each case, such as a store
// of its own.
func Run(t *testing.T, f authtest.Framework, more ...func(*testing.T) attempts.Option) {
	for name, run := range map[string]func(*testing.T, starter){
		"an address over its budget is 429 whatever it sends":    overBudget,
		"the owner of an account is not locked out":              notLockedOut,
		"expired credentials, outages and visitors do not count": notCounted,
		"a header of a stranger names no client":                 stranger,
		"parallel guesses are no more than the budget":           parallelGuesses,
		"right passwords in parallel all pass":                   parallelSuccess,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, starter{f, more})
		})
	}
}

// starter starts apps.
type starter struct {
	authtest.Framework
	more []func(*testing.T) attempts.Option
}

// service is an app that requires passwords and has a stopped clock.
type service struct {
	t        *testing.T
	addr     string
	events   *authtest.Recorder
	verified atomic.Int64 // number of passwords verified
	elapsed  atomic.Int64
	together chan struct{} // closed when as many guesses are being verified as the budget allows
}

// budget is the number of failures that an address may have at once.
const budget = 3

// serve starts a service whose limiter allows an address 3 failures plus one a minute, and
// an account 5 plus one a minute.
func serve(t *testing.T, f starter, opts ...attempts.Option) *service {
	t.Helper()
	s := &service{t: t, events: new(authtest.Recorder), together: make(chan struct{})}
	for _, option := range f.more {
		opts = append(opts, option(t))
	}
	limiter := must.Have(attempts.New(append([]attempts.Option{
		attempts.WithAddressBudget(1, time.Minute, budget), attempts.WithAccountBudget(1, time.Minute, 5),
		attempts.WithClock(func() time.Time { return time.Unix(1_700_000_000, s.elapsed.Load()) }),
	}, opts...)...))(t)
	scheme := must.Have(basic.New("r", basic.VerifierFunc(s.verify)))(t)
	g := must.Have(core.NewGuard([]core.Authenticator{scheme}, core.WithAttemptLimiter(limiter), core.WithObserver(s.events)))(t)
	s.addr = f.Start(t, authtest.App{Routes: []authtest.Route{{
		Methods: []string{"GET"}, Pattern: "/reports",
		Gates:   []authtest.Gate{{Kind: "Authenticate", Guard: g}},
		Handler: func(x authtest.Exchange) error { return x.Text(http.StatusOK, x.Principal().ID()) },
	}}})
	return s
}

// verify knows every user except "nobody"; the password is "right".
func (s *service) verify(_ context.Context, user, password string) (*core.Principal, error) {
	n := s.verified.Add(1)
	if password == "together" {
		if n == budget {
			close(s.together)
		}
		<-s.together
	}
	switch {
	case password == "outage":
		return nil, &core.UnavailableError{Err: context.DeadlineExceeded}
	case password == "expired":
		return nil, &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidCredentials}
	case user == "nobody":
		return nil, basic.ErrUnknownUser
	case password != "right":
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
}

func (s *service) wait(d time.Duration) { s.elapsed.Add(int64(d)) }

// send sends credentials "user:password", or none for "", and header lines.
func (s *service) send(login string, header ...string) authtest.Answer {
	s.t.Helper()
	if login != "" {
		header = append(header, "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(login)))
	}
	return authtest.Send(s.t, s.addr, authtest.Request("GET", "/reports", header...))
}

// wants fails the test unless the answer has this status.
func (s *service) wants(status int, login string, header ...string) authtest.Answer {
	s.t.Helper()
	a := s.send(login, header...)
	if a.Status != status {
		s.t.Errorf("%q from %q: %d, want %d (%v)", login, header, a.Status, status, s.events.Last(s.t).Cause)
	}
	return a
}

// limited fails the test unless the attempt is refused without verification, for this many
// seconds.
func (s *service) limited(seconds int, login string, header ...string) {
	s.t.Helper()
	before := s.verified.Load()
	a := s.wants(http.StatusTooManyRequests, login, header...)
	if v := a.Header.Get("Retry-After"); v != strconv.Itoa(seconds) {
		s.t.Errorf("Retry-After %q, want %d", v, seconds)
	}
	if v := a.Header.Values("WWW-Authenticate"); len(v) != 0 {
		s.t.Errorf("challenges %q on a 429", v)
	}
	if s.verified.Load() != before {
		s.t.Error("a password was looked at")
	}
	user, _, _ := strings.Cut(login, ":")
	e := s.events.Last(s.t)
	if e.Outcome != core.OutcomeLimited || e.Cause == nil || strings.Contains(e.Cause.Error(), user) {
		s.t.Errorf("event %s with cause %v", e.Outcome, e.Cause)
	}
}

func overBudget(t *testing.T, f starter) {
	s := serve(t, f)
	s.wants(http.StatusOK, "alice:right")
	s.wants(http.StatusUnauthorized, "alice:wrong")
	s.wants(http.StatusUnauthorized, "nobody:wrong")
	s.wants(http.StatusUnauthorized, "bob:wrong")
	for _, login := range []string{"alice:right", "alice:wrong", "nobody:wrong", "carol:right"} {
		s.limited(60, login)
	}
	s.wants(http.StatusUnauthorized, "") // a request for the challenge is not an attempt
	s.wait(time.Minute)
	s.wants(http.StatusOK, "alice:right")
	s.wants(http.StatusUnauthorized, "bob:wrong")
	s.limited(60, "alice:right")
}

// behind makes this test a trusted proxy.
func behind(t *testing.T) attempts.Option {
	t.Helper()
	trusted := must.Have(proxy.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}))(t)
	return attempts.WithTrustedProxies(trusted)
}

func from(addr string) string { return "X-Forwarded-For: " + addr }

func notLockedOut(t *testing.T, f starter) {
	s := serve(t, f, behind(t))
	s.wants(http.StatusOK, "alice:right", from("198.51.100.1")) // from the office
	for i := range 5 {
		s.wants(http.StatusUnauthorized, "alice:wrong", from("192.0.2."+strconv.Itoa(i)))
		s.wants(http.StatusUnauthorized, "nobody:wrong", from("192.0.2."+strconv.Itoa(i+100)))
	}
	s.limited(60, "alice:right", from("192.0.2.1"))
	s.limited(60, "nobody:right", from("192.0.2.101"))
	s.wants(http.StatusOK, "bob:right", from("192.0.2.1"))
	s.wants(http.StatusOK, "alice:right", from("198.51.100.1"))
	s.wants(http.StatusOK, "alice:right", from("2001:db8::1")) // from home, for the first time
	s.wants(http.StatusUnauthorized, "alice:wrong", from("2001:db8::2"))
	s.wants(http.StatusOK, "alice:right", from("2001:db8::3"))
	s.wants(http.StatusUnauthorized, "alice:wrong", from("203.0.113.1"))
	s.limited(180, "alice:wrong", from("203.0.113.1"))
}

func notCounted(t *testing.T, f starter) {
	s := serve(t, f)
	for range 5 {
		s.wants(http.StatusUnauthorized, "alice:expired")
		s.wants(http.StatusServiceUnavailable, "alice:outage")
		s.wants(http.StatusUnauthorized, "")
		s.wants(http.StatusOK, "alice:right")
	}
}

// stranger checks that without a trusted proxy the limit applies to the peer of the
// connection.
func stranger(t *testing.T, f starter) {
	s := serve(t, f)
	for i := range 3 {
		s.wants(http.StatusUnauthorized, "alice:wrong", from("192.0.2."+strconv.Itoa(i)))
	}
	s.limited(60, "alice:right", from("192.0.2.9"))
}

// parallelGuesses sends guesses on many connections at once. Their verification takes until
// the allowed number of failures is under way.
func parallelGuesses(t *testing.T, f starter) {
	s := serve(t, f)
	statuses := s.atOnce(4*budget, "alice:together")
	if statuses[http.StatusUnauthorized] != budget || statuses[http.StatusTooManyRequests] != 3*budget {
		t.Errorf("statuses %v, want %d times 401 and 429 for the others", statuses, budget)
	}
	if n := s.verified.Load(); n != budget {
		t.Errorf("%d guesses were verified, want %d", n, budget)
	}
	s.limited(60, "alice:right")
}

// parallelSuccess checks that attempts under way delay requests with the right password but
// never get them refused.
func parallelSuccess(t *testing.T, f starter) {
	s := serve(t, f)
	if statuses := s.atOnce(8*budget, "alice:right"); statuses[http.StatusOK] != 8*budget {
		t.Errorf("statuses %v, want 200 for all", statuses)
	}
	s.wants(http.StatusUnauthorized, "alice:wrong") // no failure was counted
	s.wants(http.StatusUnauthorized, "alice:wrong")
	s.wants(http.StatusUnauthorized, "alice:wrong")
}

// atOnce returns the number of answers by status to n concurrent requests.
func (s *service) atOnce(n int, login string) map[int]int {
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			status := s.send(login).Status
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Wait()
	return statuses
}
