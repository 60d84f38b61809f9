package openid_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/session"
)

// TestSignIn goes from a deep link to the provider and back to it.
func TestSignIn(t *testing.T) {
	t.Parallel()
	a, p := simple(t)
	b := a.browser()
	if page := b.get("/reports/7?page=2"); page.StatusCode != http.StatusSeeOther {
		t.Errorf("navigation: %d, want 303", page.StatusCode)
	}
	b.signIn("/reports/7?page=2")
	if page := b.get("/reports/7?page=2"); page.body != "alice /reports/7?page=2 editor=true" {
		t.Errorf("page %q", page.body)
	}
	if e := a.last("sign_in"); e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" {
		t.Errorf("event %+v", e)
	}
	if got := p.secrets.Load(); got != "shop secret+of+shop" && got != "shop secret of shop" {
		t.Errorf("the client proved itself with %q", got)
	}
	if len(b.cookies) != 1 {
		t.Errorf("cookies %v, want that of the session alone", b.cookies)
	}
	for _, secret := range []string{"access-", "eyJ", "secret of shop", "code_verifier"} {
		if strings.Contains(b.seen.String(), secret) {
			t.Errorf("the browser was sent %q", secret)
		}
	}
}

// TestAPICall is 401 with a challenge, without a redirect.
func TestAPICall(t *testing.T) {
	t.Parallel()
	a, _ := simple(t)
	resp := must(http.Get(a.URL + "/reports/7"))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(resp.Header.Get("Www-Authenticate"), `login="/login"`) {
		t.Errorf("%d %q", resp.StatusCode, resp.Header.Get("Www-Authenticate"))
	}
}

// TestTabs begins sign-ins in several tabs and ends them in another order.
func TestTabs(t *testing.T) {
	t.Parallel()
	a, _ := simple(t)
	b := a.browser()
	first, second, third := b.begin("/first"), b.begin("/second"), b.begin("/third")
	for at, path := range map[string]string{second: "/second", third: "/third", first: "/first"} {
		if to := b.get(b.ask(at)); to.location != path {
			t.Errorf("tab of %s goes on to %q", path, to.location)
		}
	}
	b.wantSignedIn("alice")
	delete(b.cookies, "session")
	for range 20 {
		b.begin("/again")
	}
	if len(b.cookies) > 9 {
		t.Errorf("%d cookies", len(b.cookies))
	}
	b.signIn("/again")
}

// TestSeveralProviders: each is a link on the sign-in page, and people with the same name
// at two providers are two people.
func TestSeveralProviders(t *testing.T) {
	t.Parallel()
	one, two := newIDP(t), newIDP(t)
	a := newApp(t, setUp{providers: []*openid.Provider{
		defaultProvider(t, one, openid.WithName("one"), openid.WithLabel("The <First>")),
		defaultProvider(t, two, openid.WithName("two"), openid.WithIDPrefix("two:")),
	}})
	b := a.browser()
	page := b.get("/login?return_to=%2Freports%2F7")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "The &lt;First&gt;") ||
		!strings.Contains(page.body, `href="?provider=two&amp;return_to=%2Freports%2F7"`) {
		t.Fatalf("page %d: %s", page.StatusCode, page.body)
	}
	for name, id := range map[string]string{"one": "alice", "two": "two:alice"} {
		to := b.get("/login?provider=" + name + "&return_to=%2Freports%2F7")
		if to = b.get(b.ask(to.location)); to.location != "/reports/7" {
			t.Errorf("%s: goes on to %q", name, to.location)
		}
		b.wantSignedIn(id)
	}
	one.user = "two:alice"
	b = a.browser()
	b.wantRefused(b.get(b.ask(b.get("/login?provider=one").location)), core.ReasonBadClaim)
	if page := b.get("/login?provider=three"); page.StatusCode != http.StatusOK {
		t.Errorf("unknown provider: %d", page.StatusCode)
	}
}

// TestProviderDown is 503 with Retry-After at each step, and recovers.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	p.down.Store(true)
	a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p)}}) // starts anyway
	b := a.browser()
	want503 := func(got answer) {
		t.Helper()
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || got.Header.Get("Www-Authenticate") != "" {
			t.Errorf("%d with Retry-After %q, want 503", got.StatusCode, got.Header.Get("Retry-After"))
		}
	}
	want503(b.get("/login"))
	p.down.Store(false)
	want503(b.get("/login")) // it is not called again at once

	p = newIDP(t)
	a = newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p)}})
	a.browser().signIn("/warm") // so that the keys are available whenever they are fetched
	b = a.browser()
	back := b.ask(b.begin("/x"))
	p.down.Store(true)
	want503(b.get(back))
	if e := a.last("sign_in"); e.Outcome != core.OutcomeUnavailable {
		t.Errorf("event %s", e.Outcome)
	}
	b.begin("/x") // known metadata is still valid
	p.down.Store(false)
	b.signIn("/x")
	p.down.Store(true)
	b.wantSignedIn("alice")
}

// TestProviderAtFault is 503 if the provider or the set-up is to blame, not the person.
func TestProviderAtFault(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*idp){
		"wrong secret":        func(p *idp) { p.refusal = "invalid_client" },
		"wrong scope":         func(p *idp) { p.answer = url.Values{"error": {"invalid_scope"}, "code": {""}} },
		"temporarily":         func(p *idp) { p.answer = url.Values{"error": {"temporarily_unavailable"}, "code": {""}} },
		"another issuer":      func(p *idp) { p.metadata["issuer"] = "https://evil.example" },
		"token endpoint http": func(p *idp) { p.metadata["token_endpoint"] = "ftp://127.0.0.1/token" },
		"PKCE downgrade":      func(p *idp) { p.metadata["code_challenge_methods_supported"] = []string{"plain"} },
		"huge metadata":       func(p *idp) { p.metadata["more"] = strings.Repeat("x", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIDP(t)
			set(p)
			a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p)}})
			b := a.browser()
			got := b.get("/login")
			if got.StatusCode == http.StatusSeeOther {
				got = b.get(b.ask(got.location))
			}
			if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
				t.Errorf("%d to %q, want 503", got.StatusCode, got.location)
			}
			b.wantSignedIn("")
		})
	}
}

// TestPrincipalLookup lets the application determine the principal.
func TestPrincipalLookup(t *testing.T) {
	t.Parallel()
	p := newIDP(t)
	var fault error
	lookup := func(_ context.Context, who *core.Principal) (*core.Principal, error) {
		email, _ := who.Claim("email")
		if _, kept := who.Claim("nonce"); kept {
			t.Error("the nonce is kept")
		}
		if fault != nil {
			return nil, fault
		}
		return core.NewPrincipal(core.PrincipalInfo{ID: "user 7 " + email.(string)})
	}
	a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p, openid.WithPrincipalLookup(lookup), openid.WithClaims(jwtauth.WithID("email")))}})
	b := a.browser()
	b.signIn("/account")
	if page := b.get("/account"); !strings.HasPrefix(page.body, "user 7 alice@example.com ") {
		t.Errorf("page %q", page.body)
	}
	b = a.browser()
	fault = &core.CredentialError{Reason: core.ReasonUnknownPrincipal, Code: core.CodeInvalidCredentials}
	b.wantRefused(b.get(b.ask(b.begin("/account"))), core.ReasonUnknownPrincipal)
	fault = errors.New("database is down")
	if got := b.get(b.ask(b.begin("/account"))); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d, want 503", got.StatusCode)
	}
}

// TestClientsProveThemselves in the one way that the provider takes, and a public client
// only names itself.
func TestClientsProveThemselves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		secret   string
		methods  []string
		inHeader bool
	}{
		"by default":    {"s", nil, true},
		"in the header": {"s", []string{"client_secret_post", "client_secret_basic"}, true},
		"in the body":   {"s", []string{"client_secret_post"}, false},
		"public":        {"", nil, false},
	} {
		p := newIDP(t)
		if c.methods != nil {
			p.metadata["token_endpoint_auth_methods_supported"] = c.methods
		}
		way := &faulty{RoundTripper: transport, path: "/token"}
		inHeader := false
		look := func(r *http.Request) (*http.Response, error) {
			_, _, inHeader = r.BasicAuth()
			return transport.RoundTrip(r)
		}
		way.fault.Store(&look)
		opts := []openid.ProviderOption{openid.WithTransport(way)}
		if c.secret != "" {
			opts = append(opts, openid.WithClientSecret(c.secret))
		}
		own := must(openid.NewProvider(p.URL, "shop", opts...))
		t.Cleanup(own.Close)
		newApp(t, setUp{providers: []*openid.Provider{own}}).browser().signIn("/account")
		if got := p.secrets.Load(); got != "shop "+c.secret || inHeader != c.inHeader {
			t.Errorf("%s: %q, in the header: %v", name, got, inHeader)
		}
	}
}

// everywhere is a transport that never reaches anybody.
type everywhere func(*http.Request) (*http.Response, error)

func (f everywhere) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestPlainEndpointsAreRefused: a provider with https has no endpoint without it, where a
// code and the secret would be sent in the clear.
func TestPlainEndpointsAreRefused(t *testing.T) {
	t.Parallel()
	for endpoint, status := range map[string]int{"https://idp.example/token": http.StatusSeeOther, "http://idp.example/token": http.StatusServiceUnavailable} {
		metadata := `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys","authorization_endpoint":"https://idp.example/authorize","token_endpoint":"` + endpoint + `"}`
		p := must(openid.NewProvider("https://idp.example", "shop", openid.WithTransport(everywhere(says(200, strings.NewReader(metadata), "Content-Type", "application/json")))))
		t.Cleanup(p.Close)
		a := newApp(t, setUp{providers: []*openid.Provider{p}})
		if got := a.browser().get("/login"); got.StatusCode != status {
			t.Errorf("%s: %d, want %d: %v", endpoint, got.StatusCode, status, got.location)
		}
	}
}

// TestNew refuses invalid or unsafe configurations.
func TestNew(t *testing.T) {
	t.Parallel()
	p, q := newIDP(t), newIDP(t)
	good := must(session.New(session.WithSignInPage("/login")))
	one := defaultProvider(t, p)
	t.Cleanup(one.Close)
	other := defaultProvider(t, q, openid.WithName("other"))
	t.Cleanup(other.Close)
	plain := must(session.New(session.WithSignInPage("/login"), session.WithPlainHTTPForDevelopment()))
	again := defaultProvider(t, p, openid.WithName("again"), openid.WithIDPrefix("again:"))
	t.Cleanup(again.Close)
	for want, err := range map[string]error{
		`shop.example": must begin with https`: second(openid.New(plain, "http://shop.example", []*openid.Provider{one})),
		`"http://10.0.0.1": must begin with`:   second(openid.New(plain, "http://10.0.0.1", []*openid.Provider{one})),
		"have the issuer":                      second(openid.New(good, "https://shop.example", []*openid.Provider{one, again})),
		"made by NewProvider":                  second(openid.New(good, "https://shop.example", []*openid.Provider{new(openid.Provider)})),
		`path "/a/../"`:                        second(openid.New(good, "https://shop.example", []*openid.Provider{one}, openid.WithPath("/a/../"))),
		`path "/a b/"`:                         second(openid.New(good, "https://shop.example", []*openid.Provider{one}, openid.WithPath("/a b/"))),
		`redirect "//evil"`:                    second(openid.New(good, "https://shop.example", []*openid.Provider{one}, openid.WithLogoutRedirect("//evil"))),
		`scope "a b"`:                          second(openid.NewProvider("https://idp.example", "shop", openid.WithScopes("a b"))),
		"no sessions":                          second(openid.New(nil, "https://shop.example", []*openid.Provider{one})),
		"no page to sign in on":                second(openid.New(must(session.New()), "https://shop.example", []*openid.Provider{one})),
		"SameSite=Strict":                      second(openid.New(must(session.New(session.WithSignInPage("/login"), session.WithStrictSameSite())), "https://shop.example", []*openid.Provider{one})),
		"must begin with https":                second(openid.New(good, "http://shop.example", []*openid.Provider{one})),
		"is not https":                         second(openid.New(good, "http://localhost:8080", []*openid.Provider{one})),
		"no provider":                          second(openid.New(good, "https://shop.example", nil)),
		"are called":                           second(openid.New(good, "https://shop.example", []*openid.Provider{one, one})),
		"have the prefix":                      second(openid.New(good, "https://shop.example", []*openid.Provider{one, other})),
		"provider 1 is nil":                    second(openid.New(good, "https://shop.example", []*openid.Provider{nil})),
		"option 1 is nil":                      second(openid.New(good, "https://shop.example", []*openid.Provider{one}, nil)),
		"client ID is empty":                   second(openid.NewProvider("https://idp.example", "")),
		"issuer":                               second(openid.NewProvider("http://idp.example", "shop")),
		"WithoutIssuer":                        second(openid.NewProvider("https://idp.example", "shop", openid.WithClaims(jwtauth.WithoutIssuer()))),
		"WithoutExpiry":                        second(openid.NewProvider("https://idp.example", "shop", openid.WithClaims(jwtauth.WithoutExpiry()))),
		"ID prefix \"client:\"":                second(openid.NewProvider("https://idp.example", "shop", openid.WithIDPrefix("client:"))),
		"ID prefix \"c\"":                      second(openid.NewProvider("https://idp.example", "shop", openid.WithIDPrefix("c"))),
		"name":                                 second(openid.NewProvider("https://idp.example", "shop", openid.WithName("a/b"))),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// leaving counts how often its idle connections are closed.
type leaving struct {
	http.RoundTripper
	closed atomic.Int32
}

func (l *leaving) CloseIdleConnections() { l.closed.Add(1) }

// TestCloseClosesConnections, which would otherwise stay for more than a minute.
func TestCloseClosesConnections(t *testing.T) {
	transport := &leaving{RoundTripper: http.DefaultTransport}
	p, err := openid.NewProvider(newIDP(t).URL, "shop", openid.WithTransport(transport))
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if transport.closed.Load() == 0 {
		t.Error("connections are left open")
	}
}
