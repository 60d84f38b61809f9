package providers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/examples/checks/internal/openidprovider"
)

// TestSignIn goes through the life of a session on every framework: from a deep link
// to the provider and back to it, calls by scripts, the end of the session, a new
// sign-in without a question, and the logout here and there.
func TestSignIn(t *testing.T) {
	p, shops := openShops(t)
	t.Parallel()
	for _, s := range shops {
		t.Run(s.name, func(t *testing.T) {
			alice := newPerson(t, "alice")
			alice.wantUnauthenticated(s)
			alice.signIn(s, "/account?page=2")
			const want = "alice editor=true admin=false"
			if got := alice.send(s.url+"/account?page=2", nil); got.status != http.StatusOK || got.text != want {
				t.Errorf("page: %d %q, want 200 %q", got.status, got.text, want)
			}
			if got := alice.callAPI(s, "/account"); got.status != http.StatusOK || got.text != want {
				t.Errorf("API call: %d %q, want 200 %q", got.status, got.text, want)
			}
			first := alice.session(s)
			s.ahead.Store(int64(13 * time.Hour))
			alice.wantUnauthenticated(s)
			alice.signIn(s, "/account?page=3")
			alice.wantSignedIn(s, "alice")
			if second := alice.session(s); second == first || second == "" {
				t.Errorf("session %q after %q, want another one", second, first)
			}
			last := alice.session(s)
			if got := alice.walk(s.url+"/logout", url.Values{}, "http://none.invalid"); got.url.String() != s.url+"/" || got.text != home {
				t.Errorf("logout ends at %s: %d %q, want %s/", got.url, got.status, got.text, s.url)
			}
			if e := s.events.Last(t); e.Gate != "logout" || e.Outcome != core.OutcomeAllowed {
				t.Errorf("the provider's logout token: %s %s %s (%v)", e.Gate, e.Outcome, e.Reason, e.Cause)
			}
			alice.wantUnauthenticated(s)
			alice.setSession(s, last)
			alice.wantUnauthenticated(s)
			// The provider does not know the browser any more either: somebody else may
			// sign in there.
			alice.name = "bob"
			alice.signIn(s, "/account")
			alice.wantSignedIn(s, "bob")
		})
	}
	t.Run("logout at the provider", func(t *testing.T) { logoutAtProvider(t, p, shops) })
	if t.Failed() {
		t.Logf("provider: %s", &p.running.log)
	}
}

// TestSignInAtAnotherProvider is the same at a provider of another kind, which has other
// ways: it is written in Go, does not name itself in its answers, and knows no
// back-channel.
func TestSignInAtAnotherProvider(t *testing.T) {
	t.Parallel()
	s := newShop(t, "nethttp", nethttpApp)
	p := openidprovider.Start(t, "alice", map[string]string{s.name: s.url})
	s.open(t, p.URL, nil)
	alice := newPerson(t, "alice")
	alice.wantUnauthenticated(s)
	back := alice.begin(s, "/account?page=2")
	if got := alice.send(back.String(), nil); got.header.Get("Location") != "/account?page=2" {
		t.Fatalf("callback: %d to %q; %v", got.status, got.header.Get("Location"), s.events.Last(t).Cause)
	}
	const want = "alice editor=true admin=false"
	if got := alice.callAPI(s, "/account"); got.status != http.StatusOK || got.text != want {
		t.Errorf("API call: %d %q, want 200 %q", got.status, got.text, want)
	}
	newPerson(t, "mallory").wantRefused(s, back.String(), openid.ReasonUnknownSignIn)
	one, two := newPerson(t, "alice"), newPerson(t, "alice")
	stolen := one.begin(s, "/account").Query().Get("code")
	two.wantRefused(s, with(two.begin(s, "/account"), "code", stolen), openid.ReasonBadCode)

	if got := alice.walk(s.url+"/logout", url.Values{}, "http://none.invalid"); got.url.String() != s.url+"/" || got.text != home {
		t.Errorf("logout ends at %s: %d %q, want %s/", got.url, got.status, got.text, s.url)
	}
	if got := p.Ended(); len(got) != 1 || got[0] != s.name {
		t.Errorf("logged out at the provider: %q, want %s", got, s.name)
	}
	alice.wantUnauthenticated(s)
}

// wantUnauthenticated checks what nobody gets: a page leads to the sign-in, and a call
// by a script is 401 with a challenge.
func (p *person) wantUnauthenticated(s *shop) {
	p.t.Helper()
	p.wantSignedIn(s, "")
	got := p.callAPI(s, "/account")
	if lines := got.header.Values("WWW-Authenticate"); got.status != http.StatusUnauthorized || len(lines) != 1 {
		p.t.Errorf("API call: %d with challenges %q, want 401 with one", got.status, lines)
	} else if _, err := challenge.Parse(lines[0]); err != nil {
		p.t.Errorf("challenge %s: %v", lines[0], err)
	}
}

// logoutAtProvider: one person is signed in to all applications, by one sign-in at the
// provider, and logs out there, which tells them. Another one stays signed in.
func logoutAtProvider(t *testing.T, p *provider, shops []*shop) {
	alice, bob := newPerson(t, "alice"), newPerson(t, "bob")
	for _, s := range shops {
		alice.signIn(s, "/account")
		bob.signIn(s, "/account")
	}
	alice.walk(p.issuer+"/session/end", nil, "http://none.invalid")
	for _, s := range shops {
		if e := s.events.Last(t); e.Gate != "logout" || e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" {
			t.Errorf("%s: %s %s %q (%v), want alice's logout", s.name, e.Gate, e.Outcome, e.PrincipalID, e.Cause)
		}
		alice.wantUnauthenticated(s)
		bob.wantSignedIn(s, "bob")
	}
}

// TestSignInAttacks are refused on every framework.
func TestSignInAttacks(t *testing.T) {
	evil := newEvil(t)
	p, shops := openShops(t, evil.provider(t))
	t.Parallel()
	evil.honest = p.issuer
	for _, s := range shops {
		for _, attack := range []struct {
			name string
			try  func(*testing.T, *shop)
		}{
			{"state swap", attackStateSwap}, {"code replay", attackCodeReplay}, {"code injection", attackCodeInjection},
			{"login CSRF", attackLoginCSRF}, {"fixation", attackFixation}, {"open redirect", attackOpenRedirect}, {"mix-up", evil.attackMixUp},
		} {
			t.Run(s.name+"/"+attack.name, func(t *testing.T) { attack.try(t, s) })
		}
	}
}

// with is an address with another query parameter.
func with(address *url.URL, name, value string) string {
	query := address.Query()
	query.Set(name, value)
	changed := *address
	changed.RawQuery = query.Encode()
	return changed.String()
}

// wantRefused has p open the address that a provider sends it to, and checks that
// nobody is signed in.
func (p *person) wantRefused(s *shop, back string, reason core.Reason) {
	p.t.Helper()
	got := p.send(back, nil)
	if to := got.header.Get("Location"); got.status != http.StatusSeeOther || !strings.HasPrefix(to, "/login?error=invalid_credentials") {
		p.t.Errorf("%d to %q, want 303 to the sign-in page with an error", got.status, to)
	}
	s.wantRefused(p.t, reason)
	p.wantSignedIn(s, "")
}

func attackStateSwap(t *testing.T, s *shop) {
	alice, mallory := newPerson(t, "alice"), newPerson(t, "mallory")
	one, two := alice.begin(s, "/account?tab=1"), alice.begin(s, "/account?tab=2")
	foreign := mallory.begin(s, "/account")
	alice.wantRefused(s, with(one, "state", foreign.Query().Get("state")), openid.ReasonUnknownSignIn)
	// Of her own, in another tab: the provider finds that the proof does not fit.
	alice.wantRefused(s, with(one, "state", two.Query().Get("state")), openid.ReasonBadCode)
}

func attackCodeReplay(t *testing.T, s *shop) {
	alice, thief := newPerson(t, "alice"), newPerson(t, "alice")
	back := alice.begin(s, "/account")
	address, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	thief.Jar.SetCookies(address, alice.Jar.Cookies(address))
	if got := alice.send(back.String(), nil); got.header.Get("Location") != "/account" {
		t.Fatalf("callback: %d to %q", got.status, got.header.Get("Location"))
	}
	thief.wantRefused(s, back.String(), openid.ReasonUnknownSignIn) // even with the cookie
	newPerson(t, "mallory").wantRefused(s, back.String(), openid.ReasonUnknownSignIn)
	alice.wantSignedIn(s, "alice")
}

func attackCodeInjection(t *testing.T, s *shop) {
	alice, mallory := newPerson(t, "alice"), newPerson(t, "mallory")
	stolen := alice.begin(s, "/account").Query().Get("code")
	mallory.wantRefused(s, with(mallory.begin(s, "/account"), "code", stolen), openid.ReasonBadCode)
}

func attackLoginCSRF(t *testing.T, s *shop) {
	alice, mallory := newPerson(t, "alice"), newPerson(t, "mallory")
	back := mallory.begin(s, "/account").String()
	alice.wantRefused(s, back, openid.ReasonUnknownSignIn)
	alice.begin(s, "/account")
	alice.wantRefused(s, back, openid.ReasonUnknownSignIn)
}

func attackFixation(t *testing.T, s *shop) {
	alice, mallory := newPerson(t, "alice"), newPerson(t, "mallory")
	mallory.signIn(s, "/account")
	fixed := mallory.session(s)
	back := alice.begin(s, "/account")
	alice.setSession(s, fixed)
	if got := alice.send(back.String(), nil); got.header.Get("Location") != "/account" {
		t.Fatalf("callback: %d to %q", got.status, got.header.Get("Location"))
	}
	if alice.session(s) == fixed {
		t.Error("the session was kept")
	}
	alice.wantSignedIn(s, "alice")
	mallory.wantSignedIn(s, "")
}

func attackOpenRedirect(t *testing.T, s *shop) {
	alice := newPerson(t, "alice")
	for _, to := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/%2F/evil.example", "\t//evil.example", "javascript:alert(1)"} {
		back := alice.begin(s, "/login?return_to="+url.QueryEscape(to))
		if got := alice.send(back.String(), nil).header.Get("Location"); got != "/account" {
			t.Errorf("%q: goes on to %q, want /account", to, got)
		}
	}
}

// evil is a provider that people may choose, and that leads them to another one.
type evil struct {
	*httptest.Server
	honest string
	client string       // that it claims to be there
	asked  atomic.Int64 // codes it was given
}

func newEvil(t *testing.T) *evil {
	t.Helper()
	e := new(evil)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": e.URL, "authorization_endpoint": e.URL + "/auth",
			"token_endpoint": e.URL + "/token", "jwks_uri": e.URL + "/jwks"})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) { e.asked.Add(1) })
	mux.HandleFunc("GET /auth", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		query.Set("client_id", e.client)
		http.Redirect(w, r, e.honest+"/auth?"+query.Encode(), http.StatusSeeOther)
	})
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

func (e *evil) provider(t *testing.T) *openid.Provider {
	t.Helper()
	p, err := openid.NewProvider(e.URL, "shop", openid.WithName("evil"), openid.WithIDPrefix("evil:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// attackMixUp: the victim chooses evil, which leads on to the honest provider. The
// answer is that one's, and evil does not get its code.
func (e *evil) attackMixUp(t *testing.T, s *shop) {
	e.client = s.name
	alice := newPerson(t, "alice")
	back := alice.begin(s, "/login?provider=evil")
	if back.Query().Get("iss") != e.honest || back.Query().Get("code") == "" {
		t.Fatalf("callback %s is not that of the honest provider", back)
	}
	alice.wantRefused(s, back.String(), core.ReasonWrongIssuer)
	// And under the address of the honest one.
	back = alice.begin(s, "/login?provider=evil")
	alice.wantRefused(s, strings.Replace(back.String(), "/evil?", "/default?", 1), openid.ReasonUnknownSignIn)
	if e.asked.Load() != 0 {
		t.Error("evil was given a code")
	}
}
