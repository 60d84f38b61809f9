package tokens_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/tokens"
)

// bench is a manager with a clock and a store under the test's control.
type bench struct {
	t       testing.TB
	clock   *sessiontest.Clock
	store   *sessiontest.Store
	signer  *jwtsign.Signer
	events  *authtest.Recorder
	manager *tokens.Manager
}

func newBench(t testing.TB, opts ...tokens.Option) *bench {
	t.Helper()
	clock := sessiontest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	b := &bench{t: t, clock: clock, store: sessiontest.NewStore(clock.Now), signer: newSigner(t, jwtsign.WithClock(clock.Now)), events: new(authtest.Recorder)}
	b.manager = b.newManager(opts...)
	return b
}

func newSigner(t testing.TB, opts ...jwtsign.Option) *jwtsign.Signer {
	t.Helper()
	key, err := jwtsign.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s, err := jwtsign.New(key, append([]jwtsign.Option{jwtsign.WithIssuer("https://api.example"), jwtsign.WithAudience("api")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newManager makes another manager on the same store, as on another server.
func (b *bench) newManager(opts ...tokens.Option) *tokens.Manager {
	b.t.Helper()
	m, err := tokens.New(b.signer, append([]tokens.Option{
		tokens.WithStore(b.store), tokens.WithClock(b.clock.Now), tokens.WithAnswers(core.WithObserver(b.events)),
	}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// users know alice and her attributes.
var users = basic.VerifierFunc(func(_ context.Context, user, password string) (*core.Principal, error) {
	if user != "alice" {
		return nil, basic.ErrUnknownUser
	}
	if password != "right" {
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(alice)
})

var alice = core.PrincipalInfo{
	ID: "alice", Roles: []string{"editor"}, Scopes: []string{"reports:read"}, Tenant: "acme",
	Claims: map[string]any{"plan": "pro", "seats": 3.0, "secret": "x"},
}

// pair is an endpoint's answer.
type pair struct {
	Status  int
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// call sends a form to an endpoint.
func call(t testing.TB, e core.Endpoint, fields ...string) (p pair) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "http://app.example/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp := e(t.Context(), httpauth.Request(r))
	if resp.Status == http.StatusOK {
		if err := json.Unmarshal(resp.Body, &p); err != nil {
			t.Error(err)
		}
	}
	p.Status = resp.Status
	return p
}

func login(t testing.TB, m *tokens.Manager) pair {
	t.Helper()
	p := call(t, m.LoginEndpoint(users), "user", "alice", "password", "right")
	if p.Status != http.StatusOK {
		t.Fatalf("login: %d", p.Status)
	}
	return p
}

func refresh(t testing.TB, m *tokens.Manager, token string) pair {
	t.Helper()
	return call(t, m.RefreshEndpoint(), "refresh_token", token)
}

// gets requires a refresh to succeed.
func gets(t testing.TB, m *tokens.Manager, token string) pair {
	t.Helper()
	p := refresh(t, m, token)
	if p.Status != http.StatusOK {
		t.Fatalf("refresh: %d", p.Status)
	}
	return p
}

// refuses requires 401 for a reason.
func (b *bench) refuses(m *tokens.Manager, token string, reason core.Reason) {
	b.t.Helper()
	if p := refresh(b.t, m, token); p.Status != http.StatusUnauthorized {
		b.t.Errorf("refresh: %d, want 401", p.Status)
	}
	if e := b.events.Last(b.t); e.Reason != reason {
		b.t.Errorf("event %s, want %s", e.Reason, reason)
	}
}

// verify returns the principal of an access token.
func (b *bench) verify(token string, opts ...jwtauth.Option) (*core.Principal, error) {
	b.t.Helper()
	v, err := jwtauth.New(b.signer, append(opts, jwtauth.WithIssuer("https://api.example"), jwtauth.WithAudience("api"),
		jwtauth.WithAccessTokenProfile(), jwtauth.WithTenant("tenant"), jwtauth.WithClock(b.clock.Now))...)
	if err != nil {
		b.t.Fatal(err)
	}
	return v.VerifyToken(b.t.Context(), token)
}
