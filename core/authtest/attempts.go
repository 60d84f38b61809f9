package authtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

var attemptCases = []testCase{
	{"a limited attempt is 429 whatever it sends", attemptLimited},
}

// ledger is a limiter that refuses some accounts and records its calls.
type ledger struct {
	refusals map[string]error

	mu      sync.Mutex
	asked   []string
	reports []string
}

func (l *ledger) Allow(_ context.Context, r core.Request, account string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, account)
	if !strings.HasPrefix(r.RemoteAddr(), "127.0.0.1:") {
		return &core.InternalError{Err: fmt.Errorf("peer %q", r.RemoteAddr())}
	}
	return l.refusals[account]
}

func (l *ledger) Report(_ context.Context, _ core.Request, account string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports = append(l.reports, fmt.Sprintf("%s: %v", account, err))
}

// heard returns what the limiter was asked and told since the last call.
func (l *ledger) heard() (asked, reports string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked, reports = strings.Join(l.asked, "; "), strings.Join(l.reports, "; ")
	l.asked, l.reports = nil, nil
	return asked, reports
}

// limitedDoor serves a door for passwords behind a limiter. verified counts the passwords
// that were checked.
func limitedDoor(t *testing.T, f Framework, kind string, l core.AttemptLimiter) (d *door, rec *Recorder, verified *atomic.Int64) {
	t.Helper()
	verified = new(atomic.Int64)
	a, err := basic.New("r", basic.VerifierFunc(func(ctx context.Context, user, password string) (*core.Principal, error) {
		verified.Add(1)
		return passwords(ctx, user, password)
	}))
	if err != nil {
		t.Fatal(err)
	}
	g, rec := guardOf(t, []core.Authenticator{a, sessions{}}, core.WithAttemptLimiter(l), core.WithAuthorizer(guests{only("bob", "carol")}))
	return newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("bob", "carol")}}), rec, verified
}

// attemptLimited checks that an attempt over the limit is refused without checking its
// password (RFC 6585 §4): the answer reveals neither whether the password was right nor
// whether the account exists.
func attemptLimited(t *testing.T, f Framework) {
	limit := &core.LimitError{RetryAfter: 6500 * time.Millisecond, Err: errors.New("address 127.0.0.1 has failed 20 times")}
	for _, kind := range kinds {
		l := &ledger{refusals: map[string]error{"bob": limit, "unknown": limit, "hasty": &core.LimitError{Err: limit.Err}}}
		d, rec, verified := limitedDoor(t, f, kind, l)
		var first Answer
		for i, header := range []string{login("bob", "open sesame"), login("bob", "wrong"), login("unknown", "open sesame")} {
			a := d.refuses(http.StatusTooManyRequests, core.CodeTooManyAttempts, header, "Cookie: session=carol")
			challenged(t, kind, a, "")
			if v := a.Header.Get("Retry-After"); v != "7" {
				t.Errorf("%s: Retry-After %q for 6.5 s", kind, v)
			}
			if i == 0 {
				first = a
			} else if diff := difference(first, a); diff != "" {
				t.Errorf("%s: answers differ: %s", kind, diff)
			}
			e := rec.Last(t)
			if e.Outcome != core.OutcomeLimited || e.Status != 429 || e.Reason != core.ReasonTooManyAttempts || e.Scheme != "Basic" ||
				e.PrincipalID != "" || !errors.Is(e.Cause, limit) {
				t.Errorf("%s: event %+v", kind, e)
			}
		}
		if v := d.get(login("hasty", "x")).Header.Get("Retry-After"); v != "1" {
			t.Errorf("%s: Retry-After %q for no time", kind, v)
		}
		if asked, reports := l.heard(); verified.Load() != 0 || reports != "" || asked != "bob; bob; unknown; hasty" {
			t.Errorf("%s: %d passwords looked at, asked %q, told %q", kind, verified.Load(), asked, reports)
		}
		d.admits("carol", login("carol", "open sesame"))
	}
}
