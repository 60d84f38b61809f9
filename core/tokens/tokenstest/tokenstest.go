// Package tokenstest tests what several instances of package tokens share.
package tokenstest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/session/sessiontest"
	"github.com/sallyport-go/sallyport/core/tokens"
)

// RunStore tests the refresh state of three instances in a shared store. Each call of open
// returns another handle on the same store.
func RunStore(t *testing.T, open func(t *testing.T) session.ContextStore) {
	f := newFleet(t, open)
	t.Run("refreshes at the same time log nobody out", func(t *testing.T) { f.refreshesAtOnce(t) })
	t.Run("a token that was copied ends its family everywhere", func(t *testing.T) { f.reuse(t) })
	t.Run("a logout counts everywhere", func(t *testing.T) { f.logout(t) })
}

// fleet is three instances with a common clock, which is not ahead of the store's.
type fleet struct {
	clock     *sessiontest.Clock
	instances []*tokens.Manager
}

func newFleet(t *testing.T, open func(t *testing.T) session.ContextStore) *fleet {
	f := &fleet{clock: sessiontest.NewClock(time.Now())}
	key := must.Have(jwtsign.GenerateKey())(t)
	signer := must.Have(jwtsign.New(key, jwtsign.WithIssuer("https://api.example"), jwtsign.WithAudience("api"), jwtsign.WithClock(f.clock.Now)))(t)
	for range 3 {
		m := must.Have(tokens.New(signer, tokens.WithStore(open(t)), tokens.WithStoreTimeout(authtest.TimeLimit(5*time.Second)), tokens.WithClock(f.clock.Now),
			tokens.WithAnswers(core.WithLogger(slog.New(slog.DiscardHandler)))))(t)
		f.instances = append(f.instances, m)
	}
	return f
}

// send sends a form to an endpoint, and returns the status and the refresh token of the
// answer.
func send(t *testing.T, e core.Endpoint, fields ...string) (status int, token string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "https://app.example/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := e(t.Context(), httpauth.Request(r))
	var body struct {
		Refresh string `json:"refresh_token"`
	}
	if answer.Status == http.StatusOK {
		if err := json.Unmarshal(answer.Body, &body); err != nil {
			t.Error(err)
		}
	}
	return answer.Status, body.Refresh
}

func (f *fleet) login(t *testing.T) string {
	t.Helper()
	users := basic.VerifierFunc(func(_ context.Context, user, _ string) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: user})
	})
	status, token := send(t, f.instances[0].LoginEndpoint(users), "user", fmt.Sprint("user of ", t.Name()), "password", "right")
	if status != http.StatusOK {
		t.Fatalf("login: %d", status)
	}
	return token
}

func (f *fleet) refresh(t *testing.T, instance int, token string) (int, string) {
	t.Helper()
	return send(t, f.instances[instance%len(f.instances)].RefreshEndpoint(), "refresh_token", token)
}

// refreshesAtOnce sends 100 concurrent refreshes, like many tabs behind a load balancer,
// and checks each time that all get the same successor.
func (f *fleet) refreshesAtOnce(t *testing.T) {
	token := f.login(t)
	for round := range 2 {
		var mu sync.Mutex
		next := map[string]int{}
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() {
				status, got := f.refresh(t, n, token)
				if status != http.StatusOK {
					t.Errorf("round %d: %d", round, status)
				}
				mu.Lock()
				defer mu.Unlock()
				next[got]++
			})
		}
		all.Wait()
		if len(next) != 1 {
			t.Fatalf("round %d: %d successors", round, len(next))
		}
		for got := range next {
			token = got
		}
		f.clock.Advance(time.Minute)
	}
}

// reuse checks that reuse is detected by an instance that has not seen the first use of the
// token.
func (f *fleet) reuse(t *testing.T) {
	copied := f.login(t)
	status, mine := f.refresh(t, 0, copied)
	if status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	f.clock.Advance(11 * time.Second)
	if status, mine = f.refresh(t, 1, mine); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if status, _ := f.refresh(t, 2, copied); status != http.StatusUnauthorized {
		t.Errorf("the copy: %d", status)
	}
	for i := range f.instances {
		if status, _ := f.refresh(t, i, mine); status != http.StatusUnauthorized {
			t.Errorf("instance %d, after the copy was used: %d", i, status)
		}
	}
}

func (f *fleet) logout(t *testing.T) {
	left, everywhere, stays := f.login(t), f.login(t), f.login(t)
	if status, _ := send(t, f.instances[1].LogoutEndpoint(), "refresh_token", left); status != http.StatusNoContent {
		t.Errorf("logout: %d", status)
	}
	if status, _ := f.refresh(t, 2, left); status != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", status)
	}
	if status, _ := f.refresh(t, 2, stays); status != http.StatusOK {
		t.Errorf("another login: %d", status)
	}
	if err := f.instances[2].LogoutEverywhere(t.Context(), fmt.Sprint("user of ", t.Name())); err != nil {
		t.Fatal(err)
	}
	if status, _ := f.refresh(t, 0, everywhere); status != http.StatusUnauthorized {
		t.Errorf("after the logout everywhere: %d", status)
	}
}
