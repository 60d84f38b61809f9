package openid_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/session"
)

// with returns an address with a query parameter changed, or removed by "".
func with(address, name, value string) string {
	u := must(url.Parse(address))
	q := u.Query()
	if q.Set(name, value); value == "" {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func stateOf(address string) string { return must(url.Parse(address)).Query().Get("state") }

// TestAttackStateSwap: the answer to one sign-in with the state of another.
func TestAttackStateSwap(t *testing.T) {
	t.Parallel()
	a, _ := simple(t)
	b := a.browser()
	one, two := b.ask(b.begin("/one")), b.ask(b.begin("/two"))
	b.wantRefused(b.get(with(one, "state", stateOf(two))), openid.ReasonBadCode) // its verifier does not match
	id, sealed, _ := strings.Cut(stateOf(one), ".")
	other, otherSealed, _ := strings.Cut(stateOf(two), ".")
	for name, state := range map[string]string{
		"none": "", "of another form": "x", "sealed for another": id + "." + otherSealed, "cookie of another": other + "." + sealed,
		"changed": id + "." + flip(sealed), "cut off": id + "." + sealed[:20], "empty": id + ".", "long": id + "." + strings.Repeat("A", 8<<10),
	} {
		t.Run(name, func(t *testing.T) {
			b.wantRefused(b.get(with(one, "state", state)), openid.ReasonUnknownSignIn)
		})
	}
	b.wantRefused(b.get(one+"&state="+url.QueryEscape(stateOf(one))), openid.ReasonUnknownSignIn)
	r := must(http.NewRequest(http.MethodGet, one, nil))
	for range 2 {
		r.AddCookie(&http.Cookie{Name: "openid-" + id, Value: b.cookies["openid-"+id]})
	}
	resp := must(client.Do(r))
	_ = resp.Body.Close()
	if e := a.last("sign_in"); b.cookies["openid-"+id] == "" || len(resp.Cookies()) > 0 || e.Reason != openid.ReasonUnknownSignIn {
		t.Errorf("two cookies: %d %v, %s", resp.StatusCode, resp.Header, e.Reason)
	}
}

// flip returns s with another first character.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// TestAttackCodeReplay: a used answer comes again, from the browser's history or from
// someone who has seen the address.
func TestAttackCodeReplay(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	b := a.browser()
	back := b.ask(b.begin("/account"))
	kept := maps.Clone(b.cookies)
	if to := b.get(back); to.location != "/account" {
		t.Fatalf("to %q", to.location)
	}
	asked := p.asked.Load()
	thief := a.browser()
	thief.wantRefused(thief.get(back), openid.ReasonUnknownSignIn)
	thief.cookies = kept // even with the cookie
	thief.wantRefused(thief.get(back), openid.ReasonUnknownSignIn)
	if p.asked.Load() != asked {
		t.Error("the provider was called again")
	}
	b.wantSignedIn("alice")
}

// TestAttackLoginCSRF: the attacker's own answer in another person's browser.
func TestAttackLoginCSRF(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	attacker, victim := a.browser(), a.browser()
	p.user = "mallory"
	back := attacker.ask(attacker.begin("/account"))
	victim.wantRefused(victim.get(back), openid.ReasonUnknownSignIn)
	victim.begin("/account") // and has a sign-in of their own in progress
	victim.wantRefused(victim.get(back), openid.ReasonUnknownSignIn)
	p.user = "alice"
	victim.signIn("/account")
	if to := victim.get(back); !strings.HasPrefix(to.location, "/login?error=") {
		t.Errorf("to %q", to.location)
	}
	victim.wantSignedIn("alice")
}

// TestAttackMixUp: an answer is accepted only from the provider that was used.
func TestAttackMixUp(t *testing.T) {
	t.Parallel()
	honest, evil := newIDP(t), newIDP(t)
	evil.metadata["authorization_response_iss_parameter_supported"] = false // arbitrarily
	a := newApp(t, setUp{providers: []*openid.Provider{
		defaultProvider(t, honest, openid.WithName("honest")),
		defaultProvider(t, evil, openid.WithName("evil"), openid.WithIDPrefix("evil:")),
	}})
	b := a.browser()
	begin := func(name string) string { return b.ask(b.get("/login?provider=" + name).location) }

	b.wantRefused(b.get(with(begin("honest"), "iss", evil.URL)), core.ReasonWrongIssuer)
	b.wantRefused(b.get(with(begin("honest"), "iss", "")), core.ReasonWrongIssuer)
	b.wantRefused(b.get(begin("honest")+"&iss="+url.QueryEscape(honest.URL)), core.ReasonWrongIssuer)

	// The victim chose evil, which led on to honest with the same state. Honest sends its
	// code to its own address.
	back := begin("honest")
	b.wantRefused(b.get(with(back, "state", stateOf(begin("evil")))), openid.ReasonUnknownSignIn)
	b.wantRefused(b.get(strings.Replace(with(back, "state", stateOf(begin("evil"))), "/honest?", "/evil?", 1)), core.ReasonWrongIssuer)
	if evil.asked.Load() != 0 {
		t.Error("the code of one provider was sent to the other")
	}
}

// TestAttackIDToken: what the ID token says has to be true of this sign-in.
func TestAttackIDToken(t *testing.T) {
	t.Parallel()
	now := time.Now().Unix()
	other := newIDP(t)
	for _, tt := range []struct {
		name   string
		claims map[string]any
		reason core.Reason
	}{
		{"nonce replay", map[string]any{"nonce": "of another sign-in"}, openid.ReasonWrongNonce},
		{"no nonce", map[string]any{"nonce": nil}, openid.ReasonWrongNonce},
		{"nonce of another type", map[string]any{"nonce": []string{"x"}}, openid.ReasonWrongNonce},
		{"another issuer", map[string]any{"iss": other.URL}, core.ReasonWrongIssuer},
		{"another audience", map[string]any{"aud": "bank"}, core.ReasonWrongAudience},
		{"another authorized party", map[string]any{"aud": []string{"shop", "bank"}, "azp": "bank"}, core.ReasonWrongAudience},
		{"no authorized party", map[string]any{"aud": []string{"shop", "bank"}}, core.ReasonWrongAudience},
		{"expired", map[string]any{"exp": now - 600}, core.ReasonExpired},
		{"no exp", map[string]any{"exp": nil}, core.ReasonBadClaim},
		{"no sub", map[string]any{"sub": nil}, core.ReasonBadClaim},
		{"a client with the name of a user", map[string]any{"sub": "shop", "azp": "shop"}, core.ReasonBadClaim},
		{"from the future", map[string]any{"iat": now + 600}, core.ReasonNotYetValid},
		{"an access token", map[string]any{"header typ": "dpop+jwt"}, core.ReasonWrongType},
		{"a logout token", map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}, core.ReasonWrongType},
		{"roles of another type", map[string]any{"groups": 7}, core.ReasonBadClaim},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, p := simple(t)
			p.claims = tt.claims
			b := a.browser()
			b.wantRefused(b.get(b.ask(b.begin("/account"))), tt.reason)
		})
	}
	t.Run("an ID and no sub", func(t *testing.T) { // which names the sessions to end
		t.Parallel()
		p := newIDP(t)
		a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p, openid.WithClaims(jwtauth.WithID("email")))}})
		a.browser().signIn("/account")
		p.claims = map[string]any{"sub": nil}
		b := a.browser()
		b.wantRefused(b.get(b.ask(b.begin("/account"))), core.ReasonBadClaim)
	})
	t.Run("forged", func(t *testing.T) {
		t.Parallel()
		a, p := simple(t)
		b := a.browser()
		b.signIn("/account") // the keys are known
		p.signer = other.signer
		b = a.browser()
		b.wantRefused(b.get(b.ask(b.begin("/account"))), core.ReasonBadSignature)
	})
}

// TestAttackPKCEDowngrade: a code is never sent without its verifier, and a code
// requested elsewhere is not accepted.
func TestAttackPKCEDowngrade(t *testing.T) {
	t.Parallel()
	a, _ := simple(t)
	b := a.browser()
	to := b.begin("/account")
	if q := must(url.Parse(to)).Query(); q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
		t.Errorf("challenge %q", q)
	}
	b.wantRefused(b.get(b.ask(with(with(to, "code_challenge", ""), "code_challenge_method", ""))), openid.ReasonBadCode)

	// Code injection: another person's code in the attacker's own answer.
	thief := a.browser()
	stolen := must(url.Parse(b.ask(b.begin("/account")))).Query().Get("code")
	thief.wantRefused(thief.get(with(thief.ask(thief.begin("/account")), "code", stolen)), openid.ReasonBadCode)
}

// TestAttackFixation: whatever session cookie a browser brings, sign-in replaces it and
// ends its session.
func TestAttackFixation(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	mallory, alice := a.browser(), a.browser()
	p.user = "mallory"
	mallory.signIn("/account")
	fixed := mallory.cookies["session"]
	p.user = "alice"
	to := alice.begin("/account")
	alice.cookies["session"] = fixed
	alice.get(alice.ask(to))
	if alice.cookies["session"] == fixed || alice.cookies["session"] == "" {
		t.Error("the session ID was kept")
	}
	alice.wantSignedIn("alice")
	mallory.wantSignedIn("")
}

// TestAttackOpenRedirect: the way back stays on the site.
func TestAttackOpenRedirect(t *testing.T) {
	t.Parallel()
	a, _ := simple(t)
	for _, to := range []string{
		"https://evil.example", "//evil.example", `/\evil.example`, "/a//evil.example", "/%2F/evil.example", "javascript:alert(1)",
		"/../evil", "\t//evil.example", "/" + strings.Repeat("x", 1<<10),
	} {
		b := a.browser()
		if got := b.get(b.ask(b.get("/login?return_to=" + url.QueryEscape(to)).location)); got.location != "/account" {
			t.Errorf("%.40q: goes on to %q, want /account", to, got.location)
		}
		b = a.browser()
		if got := b.get("/login?error=x&return_to=" + url.QueryEscape(to)); strings.Contains(got.body, "evil") {
			t.Errorf("%.40q is on the page", to)
		}
	}
}

// TestCallbackWithError: a user who refuses consent is led back, and not in a circle.
func TestCallbackWithError(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	p.answer = url.Values{"error": {"access_denied"}, "error_description": {"<script>"}, "code": {""}}
	b := a.browser()
	got := b.get(b.ask(b.begin("/reports/7")))
	b.wantRefused(got, openid.ReasonRefused)
	page := b.get(got.location)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "did not work") || strings.Contains(page.body, "script>") ||
		!strings.Contains(page.body, "return_to=%2Freports%2F7") {
		t.Errorf("page %d: %s", page.StatusCode, page.body)
	}
	for _, csp := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), csp) {
			t.Errorf("no %q in the policy", csp)
		}
	}
	stranger := a.browser()
	stranger.wantRefused(stranger.get("/openid/callback/default?error=access_denied&state=x"), openid.ReasonUnknownSignIn)

	p.answer = url.Values{}
	back := b.ask(b.begin("/reports/7"))
	b.wantRefused(b.get(back+"&error=access_denied"), core.ReasonMalformed)
	b.wantRefused(b.get(with(b.ask(b.begin("/reports/7")), "code", "")), core.ReasonMalformed)
	b.wantRefused(b.get(with(b.ask(b.begin("/reports/7")), "code", "")+"&code="), core.ReasonMalformed)
	if got := b.send(http.MethodPost, back, url.Values{}); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.StatusCode)
	}
}

// TestFlowExpires: an answer that comes too late is refused.
func TestFlowExpires(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	var late time.Duration
	a := newApp(t, setUp{
		providers: []*openid.Provider{defaultProvider(t, p)},
		opts:      []openid.Option{openid.WithClock(func() time.Time { return time.Now().Add(late) })},
	})
	b := a.browser()
	back := b.ask(b.begin("/account"))
	late = openid.FlowLifetime
	b.wantRefused(b.get(back), openid.ReasonUnknownSignIn)
	late = -2 * time.Minute // by the clock of another server
	b.wantRefused(b.get(back), openid.ReasonUnknownSignIn)
	late = 0
	b.signIn("/account")
}

// TestStoreDown is 503 and signs no one in.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	store := &failing{entries: map[string][]byte{}}
	a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p)}, sessions: []session.Option{session.WithStore(store)}})
	b := a.browser()
	back := b.ask(b.begin("/account"))
	store.down.Store(true)
	if got := b.get(back); got.StatusCode != http.StatusServiceUnavailable || b.cookies["session"] != "" {
		t.Errorf("%d, want 503", got.StatusCode)
	}
	store.down.Store(false)
	if got := b.get(back); got.location != "/account" { // nothing was used up
		t.Errorf("after the outage: %d to %q", got.StatusCode, got.location)
	}
	store.down.Store(true)
	if got := a.browser().send(http.MethodPost, "/openid/logout/default", url.Values{"logout_token": {p.logoutToken(nil)}}); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("logout token: %d, want 503", got.StatusCode)
	}
}
