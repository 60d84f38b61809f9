package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var signInCases = []testCase{
	{"F10 another site's sign-in is refused unseen and uncounted", crossSiteSignIn},
	{"every sign-in is an event", signInEvents},
	{"a sign-in over the limit is 429 unseen", limitedSignIn},
}

// limiter refuses attempts at one account, and records its calls.
type limiter struct {
	mu     sync.Mutex
	refuse string
	heard  []string
}

func (l *limiter) Allow(_ context.Context, _ core.Request, account string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, "allow "+account)
	if account == l.refuse {
		return &core.LimitError{RetryAfter: time.Minute, Err: errors.New("7 failures")}
	}
	return nil
}

func (l *limiter) Report(_ context.Context, _ core.Request, account string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, fmt.Sprintf("%s: %v", account, err))
}

func (l *limiter) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.heard, "; ")
}

func signIn(user, password string) string { return "/sign-in?user=" + user + "&password=" + password }

// crossSiteSignIn: a page of another site can neither lock its visitor out nor learn
// whether a password is right: status, body and fields are the same.
func crossSiteSignIn(t *testing.T, f authtest.Framework) {
	l := &limiter{refuse: "locked"}
	s := serve(t, f, session.WithAnswers(core.WithAttemptLimiter(l)))
	var first authtest.Answer
	for line, bad := range matrix {
		if !bad {
			continue
		}
		for _, target := range []string{signIn("alice", "right"), signIn("alice", "wrong"), signIn("alice", "outage"), signIn("locked", "right")} {
			a := s.browser(t).send("POST", target, line)
			refused(t, target+" with "+line, a, http.StatusForbidden, core.CodeCrossSite)
			a.Header.Del("Date")
			if first.Status == 0 {
				first = a
			} else if a.Body != first.Body || !reflect.DeepEqual(a.Header, first.Header) {
				t.Errorf("%s with %s: %v %q, want %v %q", target, line, a.Header, a.Body, first.Header, first.Body)
			}
			if e := s.events.Last(t); e.Gate != "sign_in" || e.Reason != core.ReasonCrossSite || e.PrincipalID != "" {
				t.Errorf("%s with %s: event %+v", target, line, e)
			}
		}
	}
	if heard := l.all(); heard != "" || s.verified.Load() != 0 {
		t.Errorf("the limiter heard %q, %d passwords were verified", heard, s.verified.Load())
	}
}

// signInEvents: one event for each sign-in, also if the application shows the form again
// instead of the answer.
func signInEvents(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	for _, tt := range []struct {
		password string
		status   int
		code     string
		outcome  core.Outcome
		reason   core.Reason
		id       string
	}{
		{"right", http.StatusOK, "", core.OutcomeAllowed, core.ReasonAllowed, "alice"},
		{"wrong", http.StatusUnauthorized, core.CodeInvalidCredentials, core.OutcomeUnauthenticated, core.ReasonWrongSecret, ""},
		{"outage", http.StatusServiceUnavailable, core.CodeUnavailable, core.OutcomeUnavailable, core.ReasonUnavailable, ""},
	} {
		before := len(s.events.Events())
		b := s.browser(t)
		a := b.send("POST", signIn("alice", tt.password))
		if tt.code == "" {
			if a.Status != tt.status || b.id == "" {
				t.Errorf("%s: %d %q, cookie %q", tt.password, a.Status, a.Body, b.id)
			}
		} else {
			refused(t, tt.password, a, tt.status, tt.code)
		}
		e := s.events.Last(t)
		if e.Gate != "sign_in" || e.Outcome != tt.outcome || e.Status != tt.status || e.Reason != tt.reason || e.PrincipalID != tt.id {
			t.Errorf("%s: event %+v", tt.password, e)
		}
		if n := len(s.events.Events()) - before; n != 1 {
			t.Errorf("%s: %d events", tt.password, n)
		}
	}
}

func limitedSignIn(t *testing.T, f authtest.Framework) {
	l := &limiter{refuse: "locked"}
	s := serve(t, f, session.WithAnswers(core.WithAttemptLimiter(l)))
	for _, password := range []string{"right", "wrong"} {
		a := s.browser(t).send("POST", signIn("locked", password))
		if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "60" || s.verified.Load() != 0 {
			t.Errorf("%s: %d, Retry-After %q, %d passwords verified", password, a.Status, a.Header.Get("Retry-After"), s.verified.Load())
		}
		if e := s.events.Last(t); e.Outcome != core.OutcomeLimited || e.Gate != "sign_in" {
			t.Errorf("%s: event %+v", password, e)
		}
	}
	s.browser(t).send("POST", signIn("alice", "right"))
	s.browser(t).send("POST", signIn("alice", "wrong"))
	if want := "allow locked; allow locked; allow alice; alice: <nil>; allow alice; alice: wrong_secret"; l.all() != want {
		t.Errorf("the limiter heard %q, want %q", l.all(), want)
	}
}
