package openid_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/openid"
)

// TestLogout ends the session here and leads on to the provider.
func TestLogout(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	b := a.browser()
	b.signIn("/account")
	kept := b.cookies["session"]
	if got := b.send(http.MethodGet, "/logout", nil); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.StatusCode)
	}
	b.wantSignedIn("alice")
	got := b.send(http.MethodPost, "/logout", url.Values{})
	want := p.URL + "/end?client_id=shop&post_logout_redirect_uri=" + url.QueryEscape(a.URL+"/")
	if got.StatusCode != http.StatusSeeOther || got.location != want || b.cookies["session"] != "" {
		t.Errorf("%d to %q, want %q", got.StatusCode, got.location, want)
	}
	b.cookies["session"] = kept
	b.wantSignedIn("")
	if got := a.browser().send(http.MethodPost, "/logout", url.Values{}); got.StatusCode != http.StatusNoContent {
		t.Errorf("without a session: %d", got.StatusCode)
	}
	b = a.browser()
	b.signIn("/account")
	r := must(http.NewRequest(http.MethodPost, a.URL+"/logout", nil))
	r.Header.Set("Origin", "https://evil.example")
	r.AddCookie(&http.Cookie{Name: "session", Value: b.cookies["session"]})
	if resp := must(client.Do(r)); resp.Body.Close() != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", resp.StatusCode)
	}
	b.wantSignedIn("alice")
}

// TestLogoutWithoutAPageThere ends the session here alone: one of a provider that has no
// such page, or of somebody who has not come from a provider.
func TestLogoutWithoutAPageThere(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	p.metadata["end_session_endpoint"] = ""
	b := a.browser()
	b.signIn("/account")
	if got := b.send(http.MethodPost, "/logout", url.Values{}); got.StatusCode != http.StatusNoContent || b.cookies["session"] != "" {
		t.Errorf("no page: %d to %q", got.StatusCode, got.location)
	}
	b.wantSignedIn("")

	p = newIDP(t)
	local := func(ctx context.Context, u *core.Principal) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: u.ID()}) // without iss
	}
	a = newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p, openid.WithPrincipalLookup(local))}})
	b = a.browser()
	b.signIn("/account")
	if got := b.send(http.MethodPost, "/logout", url.Values{}); got.StatusCode != http.StatusNoContent || b.cookies["session"] != "" {
		t.Errorf("of nobody's: %d to %q", got.StatusCode, got.location)
	}
}

// backChannel sends a logout token as a provider does.
func (a *app) backChannel(token string) answer {
	return a.browser().send(http.MethodPost, "/openid/logout/default", url.Values{"logout_token": {token}})
}

// TestBackChannelLogout ends the sessions of a sid, or all of a sub.
func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	signIn := func(user, sid string) *browser {
		p.user, p.claims = user, map[string]any{"sid": sid}
		b := a.browser()
		b.signIn("/account")
		return b
	}
	first, second, bob, none := signIn("alice", "1"), signIn("alice", "2"), signIn("bob", "3"), signIn("alice", "")
	p.user = "alice"
	want200 := func(token string) {
		t.Helper()
		if got := a.backChannel(token); got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s: %v", got.StatusCode, got.body, a.last("logout").Cause)
		}
	}
	want200(p.logoutToken(map[string]any{"sid": "1", "sub": nil}))
	first.wantSignedIn("")
	second.wantSignedIn("alice")
	none.wantSignedIn("alice")
	bob.wantSignedIn("bob")
	want200(p.logoutToken(nil))
	if e := a.last("logout"); e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" {
		t.Errorf("event %+v", e)
	}
	second.wantSignedIn("")
	none.wantSignedIn("")
	bob.wantSignedIn("bob")
	signIn("alice", "4").wantSignedIn("alice") // and may sign in again
	// A sign-in overtaken by its own logout comes too late.
	p.claims = map[string]any{"sid": "1"}
	late := a.browser()
	late.wantRefused(late.get(late.ask(late.begin("/account"))), core.ReasonRevoked)
}

// TestAttackLogoutToken: only the provider can end sessions, and each token works once.
func TestAttackLogoutToken(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	foreign := newIDP(t)
	b := a.browser()
	b.signIn("/account")
	now := time.Now().Unix()
	event := "http://schemas.openid.net/event/backchannel-logout"
	good := p.logoutToken(nil)
	parts := strings.Split(good, ".")
	for _, tt := range []struct {
		name, token string
		reason      core.Reason
	}{
		{"none", "", core.ReasonMalformed},
		{"forged", foreign.sign("logout+jwt", map[string]any{
			"iss": p.URL, "sub": "alice", "aud": "shop", "iat": now, "exp": now + 60, "jti": "1", "events": map[string]any{event: map[string]any{}},
		}, nil), core.ReasonBadSignature},
		{"not signed", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", core.ReasonBadAlgorithm},
		{"foreign", foreign.logoutToken(nil), core.ReasonBadSignature},
		{"expired", p.logoutToken(map[string]any{"exp": now - 600}), core.ReasonExpired},
		{"without exp", p.logoutToken(map[string]any{"exp": nil}), core.ReasonBadClaim},
		{"from the future", p.logoutToken(map[string]any{"iat": now + 600}), core.ReasonNotYetValid},
		{"without iat", p.logoutToken(map[string]any{"iat": nil}), core.ReasonBadClaim},
		{"of another issuer", p.logoutToken(map[string]any{"iss": foreign.URL}), core.ReasonWrongIssuer},
		{"without iss", p.logoutToken(map[string]any{"iss": nil}), core.ReasonWrongIssuer},
		{"for another client", p.logoutToken(map[string]any{"aud": "bank"}), core.ReasonWrongAudience},
		{"without aud", p.logoutToken(map[string]any{"aud": nil}), core.ReasonWrongAudience},
		{"without sub and sid", p.logoutToken(map[string]any{"sub": nil}), core.ReasonBadClaim},
		{"sid of another type", p.logoutToken(map[string]any{"sid": 7}), core.ReasonBadClaim},
		{"without jti", p.logoutToken(map[string]any{"jti": nil}), core.ReasonBadClaim},
		{"without events", p.logoutToken(map[string]any{"events": nil}), core.ReasonWrongType},
		{"another event", p.logoutToken(map[string]any{"events": map[string]any{"x": map[string]any{}}}), core.ReasonWrongType},
		{"event of another type", p.logoutToken(map[string]any{"events": map[string]any{event: true}}), core.ReasonWrongType},
		{"with a nonce", p.logoutToken(map[string]any{"nonce": "n"}), core.ReasonWrongType},
		{"an access token", p.logoutToken(map[string]any{"header typ": "at+jwt"}), core.ReasonWrongType},
		{"an ID token", p.idToken("shop", "n"), core.ReasonWrongType},
		{"long", good + strings.Repeat("A", 20<<10), core.ReasonMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := a.backChannel(tt.token)
			if got.StatusCode != http.StatusBadRequest || got.body != `{"error":"invalid_request"}` || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s", got.StatusCode, got.body)
			}
			if e := a.last("logout"); e.Reason != tt.reason || e.Outcome != core.OutcomeUnauthenticated {
				t.Errorf("event %s %s: %v, want %s", e.Outcome, e.Reason, e.Cause, tt.reason)
			}
			b.wantSignedIn("alice")
		})
	}
	if got := a.browser().send(http.MethodPost, "/openid/logout/default", url.Values{"logout_token": {good, good}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("two tokens: %d", got.StatusCode)
	}
	r := must(http.NewRequest(http.MethodPost, a.URL+"/openid/logout/default", strings.NewReader("logout_token="+good)))
	r.Header.Set("Content-Type", "text/plain") // which a form of another site may have
	if resp := must(client.Do(r)); resp.Body.Close() != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("of another type: %d", resp.StatusCode)
	}
	b.wantSignedIn("alice")
	if got := a.backChannel(good); got.StatusCode != http.StatusOK {
		t.Errorf("good: %d", got.StatusCode)
	}
	b.wantSignedIn("")
	b.signIn("/account")
	if got := a.backChannel(good); got.StatusCode != http.StatusBadRequest || a.last("logout").Reason != core.ReasonReplayed { // logout-token replay
		t.Errorf("again: %d", got.StatusCode)
	}
	b.wantSignedIn("alice")
	if got := a.browser().send(http.MethodPost, "/openid/logout/other", url.Values{"logout_token": {p.logoutToken(nil)}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("at another provider's address: %d", got.StatusCode)
	}
	if got := a.browser().send(http.MethodPut, "/openid/logout/default", url.Values{}); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", got.StatusCode)
	}
}

// failing is a store that fails when it is told to.
type failing struct {
	down    atomic.Bool
	mu      sync.Mutex
	entries map[string][]byte
}

var errDown = errors.New("down")

func (s *failing) Find(key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down.Load() {
		return nil, false, errDown
	}
	data, found := s.entries[key]
	return data, found, nil
}

func (s *failing) Commit(key string, data []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down.Load() {
		return errDown
	}
	s.entries[key] = data
	return nil
}

func (s *failing) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
	return nil
}
