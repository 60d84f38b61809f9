package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
)

// bench is a manager with a clock and a store under the test's control.
type bench struct {
	t       testing.TB
	clock   *sessiontest.Clock
	store   *sessiontest.Store
	manager *session.Manager
}

func newBench(t testing.TB, opts ...session.Option) *bench {
	t.Helper()
	clock := sessiontest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	b := &bench{t: t, clock: clock, store: sessiontest.NewStore(clock.Now)}
	var err error
	b.manager, err = session.New(append([]session.Option{session.WithStore(b.store), session.WithClock(clock.Now)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// request has a Cookie field, or none if cookie is "".
func request(method, cookie string) core.Request {
	r := httptest.NewRequest(method, "http://app.example/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return httpauth.Request(r)
}

// principal returns a principal with claims.
func principal(t testing.TB, info core.PrincipalInfo) *core.Principal {
	t.Helper()
	p, err := core.NewPrincipal(info)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// login logs p in and returns the cookie for the next request.
func (b *bench) login(p *core.Principal, cookie string) string {
	b.t.Helper()
	fields, err := b.manager.Login(b.t.Context(), request(http.MethodPost, cookie), p)
	if err != nil {
		b.t.Fatal(err)
	}
	return cookieFrom(b.t, fields)
}

// cookieFrom returns the "name=value" of the cookie among fields.
func cookieFrom(t testing.TB, fields []core.Field) string {
	t.Helper()
	for _, f := range fields {
		if f.Name == "Set-Cookie" {
			pair, _, _ := strings.Cut(f.Value, ";")
			return pair
		}
	}
	t.Fatalf("no cookie in %v", fields)
	return ""
}
