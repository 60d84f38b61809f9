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
	"github.com/sallyport-go/sallyport/core/internal/errtype"
)

var wrappingCases = []testCase{
	{"invariant 16 a wrapped scheme is protected as it is bare", wrapped},
}

// pins is a scheme that needs every kind of protection: a cookie that browsers send, with
// an account and a guessable PIN in it, which is removed if it is wrong.
type pins struct{}

func (pins) Scheme() core.Scheme {
	return core.Scheme{
		Name: "Pin", Sender: core.SentByBrowser, Vary: []string{"Cookie"},
		Attempt: func(r core.Request) (string, bool) {
			value, n := r.Cookie("pin")
			account, _, _ := strings.Cut(value, ".")
			return account, n > 0
		},
		Inform: func(_ core.Request, _ *core.Principal, err error) []core.Field {
			if !errtype.In[*core.CredentialError](err) {
				return nil
			}
			return []core.Field{{Name: "Set-Cookie", Value: "pin=; Max-Age=0"}}
		},
	}
}

func (pins) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	value, n := r.Cookie("pin")
	if n == 0 {
		return nil, core.ErrNoCredentials
	}
	account, pin, _ := strings.Cut(value, ".")
	if pin != "1234" {
		return nil, &core.CredentialError{Reason: core.ReasonWrongSecret, Code: core.CodeInvalidCredentials}
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: account})
}

func (pins) Challenges(core.Request, error) []challenge.Challenge { return realm("Pin") }

// embedding is a wrapper of the kind that applications write to count or to log.
type embedding struct{ core.Authenticator }

// wrapped checks that wrapping a scheme removes none of its protection, at any gate.
func wrapped(t *testing.T, f Framework) {
	for _, kind := range kinds {
		l := &ledger{refusals: map[string]error{"bob": &core.LimitError{RetryAfter: time.Second, Err: errors.New("too many")}}}
		g, rec := guardOf(t, []core.Authenticator{embedding{pins{}}}, core.WithAttemptLimiter(l), core.WithAuthorizer(only("alice")))
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
		a := Send(t, d.addr, Request("POST", "/door", "Cookie: pin=alice.1234", "Sec-Fetch-Site: cross-site", "Content-Length: 0"))
		refused(t, kind+" from another site", a, http.StatusForbidden, core.CodeCrossSite)
		if e := rec.Last(t); e.Reason != core.ReasonCrossSite || e.Scheme != "Pin" {
			t.Errorf("%s: event %s of %s", kind, e.Reason, e.Scheme)
		}
		l.heard()
		d.refuses(http.StatusTooManyRequests, core.CodeTooManyAttempts, "Cookie: pin=bob.1234")
		a = d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, "Cookie: pin=alice.1")
		if got := a.Header.Values("Set-Cookie"); len(got) != 1 || got[0] != "pin=; Max-Age=0" {
			t.Errorf("%s: Set-Cookie %q", kind, got)
		}
		a = d.admits("alice", "Cookie: pin=alice.1234")
		if got := a.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "private" || a.vary() != "cookie" {
			t.Errorf("%s: Cache-Control %q, Vary %q", kind, got, a.vary())
		}
		if asked, reports := l.heard(); asked != "bob; alice; alice" || reports != "alice: wrong_secret; alice: <nil>" {
			t.Errorf("%s: asked %q, told %q", kind, asked, reports)
		}
	}
}
