package authtest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
)

var wrappingSemantics = []testCase{
	{"invariant 16 F10 a wrapped scheme is checked for other sites", wrappedCrossSite},
	{"invariant 16 a wrapped scheme's guesses are counted", wrappedGuesses},
	{"invariant 16 a wrapped scheme informs clients", wrappedInforms},
	{"invariant 16 A20 a wrapped scheme's successes are private", wrappedPrivate},
	{"invariant 16 a wrapper that hides protection fails at start-up", wrappedLies},
}

type unwrapped struct{ core.Authenticator }

type renaming struct{ core.Authenticator }

type naming struct{ inner core.Authenticator }

func (u unwrapped) Unwrap() core.Authenticator { return u.Authenticator }

func (w renaming) Scheme() core.Scheme {
	s := w.Authenticator.Scheme()
	s.Name = "Other"
	return s
}

func (n naming) Scheme() core.Scheme { return n.inner.Scheme() }

func (n naming) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	return n.inner.Authenticate(ctx, r)
}

func (n naming) Challenges(r core.Request, err error) []challenge.Challenge {
	return n.inner.Challenges(r, err)
}

var wrappers = map[string]func(core.Authenticator) core.Authenticator{
	"bare":              func(a core.Authenticator) core.Authenticator { return a },
	"embedded":          func(a core.Authenticator) core.Authenticator { return embedding{a} },
	"embedded, pointer": func(a core.Authenticator) core.Authenticator { return &embedding{a} },
	"embedded twice":    func(a core.Authenticator) core.Authenticator { return embedding{&embedding{a}} },
	"with Unwrap":       func(a core.Authenticator) core.Authenticator { return unwrapped{a} },
	"renamed":           func(a core.Authenticator) core.Authenticator { return renaming{a} },
	"in a field":        func(a core.Authenticator) core.Authenticator { return &naming{a} },
}

// eachWrapper runs f for a door behind pins in each wrapper.
func eachWrapper(t *testing.T, f Framework, run func(t *testing.T, d *door, rec *Recorder), opts ...core.Option) {
	for name, wrap := range wrappers {
		for _, kind := range kinds {
			t.Run(name+", "+kind, func(t *testing.T) {
				g, rec := guardOf(t, []core.Authenticator{wrap(pins{})}, append(opts, core.WithAuthorizer(only("alice")))...)
				run(t, newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}}), rec)
			})
		}
	}
}

func wrappedCrossSite(t *testing.T, f Framework) {
	eachWrapper(t, f, func(t *testing.T, d *door, rec *Recorder) {
		for site, status := range map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusOK} {
			a := Send(t, d.addr, Request("POST", "/door", "Cookie: pin=alice.1234", "Sec-Fetch-Site: "+site, "Content-Length: 0"))
			if a.Status != status {
				t.Errorf("POST, %s: %d %q", site, a.Status, a.Body)
			}
			if e := rec.Last(t); (e.Reason == core.ReasonCrossSite) != (status == http.StatusForbidden) {
				t.Errorf("POST, %s: event %+v", site, e)
			}
		}
	})
}

func wrappedGuesses(t *testing.T, f Framework) {
	l := &ledger{refusals: map[string]error{"bob": &core.LimitError{RetryAfter: time.Second, Err: errors.New("too many")}}}
	eachWrapper(t, f, func(t *testing.T, d *door, _ *Recorder) {
		d.refuses(http.StatusTooManyRequests, core.CodeTooManyAttempts, "Cookie: pin=bob.1234")
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, "Cookie: pin=alice.1")
		d.admits("alice", "Cookie: pin=alice.1234")
		d.get("Accept: */*")
		if asked, reports := l.heard(); asked != "bob; alice; alice" || reports != "alice: wrong_secret; alice: <nil>" {
			t.Errorf("asked %q, told %q", asked, reports)
		}
	}, core.WithAttemptLimiter(l))
}

func wrappedInforms(t *testing.T, f Framework) {
	eachWrapper(t, f, func(t *testing.T, d *door, _ *Recorder) {
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, "Cookie: pin=alice.1")
		if got := a.Header.Values("Set-Cookie"); len(got) != 1 || got[0] != "pin=; Max-Age=0" {
			t.Errorf("Set-Cookie %q", got)
		}
	})
}

func wrappedPrivate(t *testing.T, f Framework) {
	eachWrapper(t, f, func(t *testing.T, d *door, _ *Recorder) {
		a := d.admits("alice", "Cookie: pin=alice.1234")
		if got := a.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "private" || a.vary() != "cookie" {
			t.Errorf("Cache-Control %q, Vary %q", got, a.vary())
		}
	})
}

// lying claims that pins need no protection.
type lying struct{ pins }

func (lying) Scheme() core.Scheme { return byHeader("Pin") }

// wrappedLies: the tests of package core have what a wrapper may not claim.
func wrappedLies(t *testing.T, _ Framework) {
	for name, wrap := range wrappers {
		_, err := core.NewGuard([]core.Authenticator{wrap(lying{})})
		if err == nil || !strings.Contains(err.Error(), "lying wraps authtest.pins") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
