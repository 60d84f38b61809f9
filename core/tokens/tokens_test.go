package tokens_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/tokens"
)

func TestAccessTokensHaveTheFactsOfTheLogin(t *testing.T) {
	b := newBench(t, tokens.WithClaims("plan", "seats", "none"))
	start := b.clock.Now()
	p := login(t, b.manager)
	for range 3 {
		who, err := b.verify(p.Access)
		if err != nil {
			t.Fatal(err)
		}
		plan, _ := who.Claim("plan")
		seats, _ := who.Claim("seats")
		_, leaks := who.Claim("secret")
		if who.ID() != "alice" || !who.HasRole("editor") || !who.HasScope("reports:read") || who.Tenant() != "acme" ||
			plan != "pro" || seats != 3.0 || leaks || !who.AuthTime().Equal(start) {
			t.Errorf("principal %v, plan %v, seats %v, authenticated at %v", who, plan, seats, who.AuthTime())
		}
		b.clock.Advance(time.Hour)
		p = gets(t, b.manager, p.Refresh)
	}
}

func TestFamiliesEnd(t *testing.T) {
	b := newBench(t, tokens.WithIdleTimeout(time.Hour), tokens.WithAbsoluteTimeout(3*time.Hour))
	idle, used := login(t, b.manager), login(t, b.manager)
	for range 3 {
		b.clock.Advance(59 * time.Minute)
		used = gets(t, b.manager, used.Refresh)
	}
	b.refuses(b.manager, idle.Refresh, core.ReasonExpired)
	b.clock.Advance(2 * time.Minute)
	if who, err := b.verify(used.Access); err != nil || who.Expires().After(b.clock.Now().Add(time.Minute)) {
		t.Errorf("an access token lives longer than its family: %v, %v", who, err)
	}
	b.clock.Advance(time.Minute)
	b.refuses(b.manager, used.Refresh, tokens.ReasonUnknown) // the store has deleted it
	if n := len(b.store.Keys()); n > 16 {
		t.Errorf("%d entries for 2 families", n)
	}
}

// TestIncompleteBodies: an incomplete body says nothing about a token, and no client
// discards its own because of it.
func TestIncompleteBodies(t *testing.T) {
	b := newBench(t)
	p := login(t, b.manager)
	for name, e := range map[string]core.Endpoint{
		"login": b.manager.LoginEndpoint(users), "refresh": b.manager.RefreshEndpoint(), "logout": b.manager.LogoutEndpoint(),
	} {
		body := io.MultiReader(strings.NewReader("refresh_token="+p.Refresh[:20]), iotest.ErrReader(io.ErrUnexpectedEOF))
		r := httptest.NewRequest(http.MethodPost, "http://app.example/", body)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if resp := e(t.Context(), httpauth.Request(r)); resp.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, resp.Status)
		}
		if e := b.events.Last(t); e.Outcome != core.OutcomeClientGone || e.Reason != core.ReasonClientGone {
			t.Errorf("%s: event %s, %s", name, e.Outcome, e.Reason)
		}
	}
	gets(t, b.manager, p.Refresh)
}

// TestStoreHasNoToken: no token can be made from the store's content, and a family takes
// no more space the longer it is used.
func TestStoreHasNoToken(t *testing.T) {
	b := newBench(t)
	p := login(t, b.manager)
	seen := []string{p.Refresh, p.Access}
	for range 40 {
		b.clock.Advance(time.Minute)
		p = gets(t, b.manager, p.Refresh)
		seen = append(seen, p.Refresh, p.Access)
	}
	contents := b.store.Contents() + strings.Join(b.store.Keys(), " ")
	for _, token := range seen {
		if strings.Contains(contents, token) || strings.Contains(contents, token[:43]) || strings.Contains(contents, token[48:]) {
			t.Error("a token, its secret or its code is in the store")
		}
	}
	if n := len(b.store.Keys()); n > 11 {
		t.Errorf("%d entries for one family", n)
	}
}

func TestReload(t *testing.T) {
	var now core.PrincipalInfo
	var fails error
	b := newBench(t, tokens.WithReload(func(_ context.Context, p *core.Principal) (*core.Principal, error) {
		if p.ID() != "alice" || !p.HasRole("editor") || p.Tenant() != "acme" {
			t.Errorf("asked for %v", p)
		}
		if fails != nil {
			return nil, fails
		}
		return core.NewPrincipal(now)
	}))
	p := login(t, b.manager)
	now = core.PrincipalInfo{ID: "alice", Roles: []string{"admin"}}
	p = gets(t, b.manager, p.Refresh)
	if who, err := b.verify(p.Access); err != nil || !who.HasRole("admin") || who.HasRole("editor") {
		t.Errorf("%v, %v", who, err)
	}
	for _, outage := range []error{errors.New("database down"), core.ErrNoCredentials, core.ErrAmbiguousCredentials} {
		fails = outage
		if got := refresh(t, b.manager, p.Refresh); got.Status != http.StatusServiceUnavailable {
			t.Errorf("%v: %d", outage, got.Status)
		}
		b.clock.Advance(time.Minute)
	}
	fails = nil
	p = gets(t, b.manager, p.Refresh) // nothing was used up
	now.ID = "bob"
	if got := refresh(t, b.manager, p.Refresh); got.Status != http.StatusInternalServerError {
		t.Errorf("another ID: %d", got.Status)
	}
	fails = &core.CredentialError{Reason: core.ReasonUnknownPrincipal}
	b.refuses(b.manager, p.Refresh, core.ReasonRevoked)
	fails, now.ID = nil, "alice"
	b.refuses(b.manager, p.Refresh, tokens.ReasonUnknown)
}

func TestLogoutEverywhere(t *testing.T) {
	b := newBench(t)
	list, err := revoke.New(revoke.WithClock(b.clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	b.manager = b.newManager(tokens.WithRevocation(list))
	first, second := login(t, b.manager), login(t, b.manager)
	b.clock.Advance(2 * time.Second)
	if err := b.manager.LogoutEverywhere(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	later := login(t, b.manager) // within the same second
	for _, p := range []pair{first, second} {
		b.refuses(b.newManager(), p.Refresh, core.ReasonRevoked)
		if _, err := b.verify(p.Access, jwtauth.WithRevocation(b.manager.Revocation())); err == nil {
			t.Error("an earlier access token is valid")
		}
	}
	if _, err := b.verify(later.Access, jwtauth.WithRevocation(b.manager.Revocation())); err != nil {
		t.Error(err)
	}
	gets(t, b.manager, later.Refresh)
	if err := b.manager.LogoutEverywhere(t.Context(), ""); err == nil {
		t.Error("an empty subject is accepted")
	}
}

func TestLoginAs(t *testing.T) {
	b := newBench(t)
	who, err := core.NewPrincipal(alice)
	if err != nil {
		t.Fatal(err)
	}
	p := call(t, b.manager.LoginAs(who))
	if p.Status != http.StatusOK {
		t.Fatal(p.Status)
	}
	gets(t, b.manager, p.Refresh)
	if p := call(t, b.manager.LoginAs(nil)); p.Status != http.StatusInternalServerError {
		t.Errorf("nobody: %d", p.Status)
	}
	info := alice
	info.Expires = b.clock.Now()
	expired, err := core.NewPrincipal(info)
	if err != nil {
		t.Fatal(err)
	}
	if p := call(t, b.manager.LoginAs(expired)); p.Status != http.StatusInternalServerError {
		t.Errorf("an expired principal: %d", p.Status)
	}
	info = core.PrincipalInfo{ID: b.signer.Client()}
	client, err := core.NewPrincipal(info)
	if err != nil {
		t.Fatal(err)
	}
	if p := call(t, b.manager.LoginAs(client)); p.Status != http.StatusInternalServerError {
		t.Errorf("a user of the client's name: %d", p.Status)
	}
}

// TestTokenTooLongForACookie is 500 for the developer to see, since a browser would
// silently drop the cookie.
func TestTokenTooLongForACookie(t *testing.T) {
	b := newBench(t, tokens.WithCookies("__Host-token", "__Host-refresh"))
	info := core.PrincipalInfo{ID: "alice", Roles: []string{strings.Repeat("x", 4000)}}
	who, err := core.NewPrincipal(info)
	if err != nil {
		t.Fatal(err)
	}
	if p := call(t, b.manager.LoginAs(who)); p.Status != http.StatusInternalServerError {
		t.Errorf("%d", p.Status)
	}
	if e := b.events.Last(t); e.Cause == nil || !strings.Contains(e.Cause.Error(), "too long for a cookie") {
		t.Errorf("event %+v", e)
	}
}

// TestBrokenRecords are 500, never a login and never a panic.
func TestBrokenRecords(t *testing.T) {
	for _, junk := range []string{"", "{}", "null", `{"f":2}`, "7x", `{"f":1,"id":"alice"}`} {
		b := newBench(t)
		p := login(t, b.manager)
		b.store.Overwrite(func([]byte) []byte { return []byte(junk) })
		if got := refresh(t, b.manager, p.Refresh); got.Status != http.StatusInternalServerError {
			t.Errorf("%q: %d", junk, got.Status)
		}
		if got := call(t, b.manager.LogoutEndpoint(), "refresh_token", p.Refresh); got.Status != http.StatusNoContent {
			t.Errorf("%q: logout %d", junk, got.Status)
		}
	}
}

func TestMisassembly(t *testing.T) {
	signer := newSigner(t)
	if _, err := tokens.New(nil); err == nil {
		t.Error("no signer is accepted")
	}
	if _, err := tokens.New(newSigner(t, jwtsign.WithLifetime(8*24*time.Hour))); err == nil {
		t.Error("access tokens that outlive their families are accepted")
	}
	for name, opts := range map[string][]tokens.Option{
		"nil option": {nil}, "nil store": {tokens.WithStore(nil)}, "nil clock": {tokens.WithClock(nil)}, "nil reload": {tokens.WithReload(nil)},
		"nil list": {tokens.WithRevocation((*revoke.List)(nil))}, "no realm": {tokens.WithRealm("")}, "realm": {tokens.WithRealm("\n")},
		"timeout": {tokens.WithStoreTimeout(0)}, "idle": {tokens.WithIdleTimeout(0)}, "absolute": {tokens.WithAbsoluteTimeout(time.Second)},
		"idle beyond absolute": {tokens.WithIdleTimeout(48 * time.Hour), tokens.WithAbsoluteTimeout(24 * time.Hour)},
		"cookie names":         {tokens.WithCookies("token", "__Host-refresh")}, "no name": {tokens.WithCookies("__Host-", "__Host-refresh")},
		"one name": {tokens.WithCookies("__Host-a", "__Host-a")}, "bad name": {tokens.WithCookies("__Host-a b", "__Host-r")},
		"strict without cookies": {tokens.WithStrictSameSite()}, "persistent without cookies": {tokens.WithPersistentCookie()},
		"claim sub": {tokens.WithClaims("sub")}, "claim roles": {tokens.WithClaims("plan", "roles")}, "claim": {tokens.WithClaims("")},
		"answers": {tokens.WithAnswers(core.WithTrustedOrigins("app.example"))},
	} {
		if _, err := tokens.New(signer, opts...); err == nil || !strings.HasPrefix(err.Error(), "tokens: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := tokens.New(signer)
	if err != nil {
		t.Fatal(err)
	}
	if m.Revocation() != nil {
		t.Error("a nil checker is accepted")
	}
	for _, users := range []basic.Verifier{nil, basic.VerifierFunc(nil)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no one can log in, without an error")
				}
			}()
			m.LoginEndpoint(users)
		}()
	}
}

// FuzzParse: a text is at most one token, with one spelling.
func FuzzParse(f *testing.F) {
	b := newBench(f)
	p := login(f, b.manager)
	for _, seed := range []string{p.Refresh, p.Access, "", p.Refresh[:90], p.Refresh + "=", p.Refresh[:90] + "\n", strings.Repeat("_", 91)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := tokens.Parse(text)
		if err == nil && token.String() != text {
			t.Errorf("%q is formatted as %q", text, token)
		}
		if err != nil && len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Errorf("the error contains the token: %v", err)
		}
	})
}

// TestRevocationEndsFamilies: a revocation added elsewhere ends the families that began
// before it.
func TestRevocationEndsFamilies(t *testing.T) {
	for _, e := range []revoke.Entry{{Subject: "alice"}, {All: true}, {Subject: "alice", Issuer: "https://api.example"}} {
		b := newBench(t)
		list, err := revoke.New(revoke.WithClock(b.clock.Now))
		if err != nil {
			t.Fatal(err)
		}
		b.manager = b.newManager(tokens.WithRevocation(list))
		p := gets(t, b.manager, login(t, b.manager).Refresh)
		b.clock.Advance(time.Minute)
		e.IssuedBefore = b.clock.Now()
		p = gets(t, b.manager, p.Refresh)
		b.clock.Advance(time.Minute)
		if err := list.Revoke(e); err != nil {
			t.Fatal(err)
		}
		b.refuses(b.manager, p.Refresh, core.ReasonRevoked)
		gets(t, b.manager, login(t, b.manager).Refresh)
	}
}
