package openid_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/session"
)

// app is an application that people sign in to at OpenID providers.
type app struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	events []core.Event
}

// Observe implements core.Observer.
func (a *app) Observe(_ context.Context, e core.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e)
}

// last returns the last event of a gate.
func (a *app) last(gate string) core.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range slices.Backward(a.events) {
		if e.Gate == gate {
			return e
		}
	}
	a.t.Fatalf("no event of gate %s", gate)
	return core.Event{}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// defaultProvider is the provider of most tests.
func defaultProvider(t *testing.T, p *idp, opts ...openid.ProviderOption) *openid.Provider {
	t.Helper()
	provider, err := openid.NewProvider(p.URL, "shop", append([]openid.ProviderOption{
		openid.WithClientSecret("secret of shop"), openid.WithScopes("groups"), openid.WithClaims(jwtauth.WithRoles("groups")),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

type setUp struct {
	providers []*openid.Provider
	sessions  []session.Option
	opts      []openid.Option
}

func newApp(t *testing.T, set setUp) *app {
	t.Helper()
	a := &app{t: t}
	mux := http.NewServeMux()
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	answers := must(respond.New(respond.WithSignInRedirect("/login")))
	sessions := must(session.New(append([]session.Option{
		session.WithSignInPage("/login"), session.WithSignInRedirect("/account"), session.WithPlainHTTPForDevelopment(),
		session.WithAnswers(core.WithResponder(answers), core.WithObserver(a)),
	}, set.sessions...)...))
	guard := must(core.NewGuard([]core.Authenticator{sessions}, core.WithResponder(answers), core.WithObserver(a)))
	login, err := openid.New(sessions, a.URL, set.providers, set.opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(login.Close)
	mux.Handle("/login", httpauth.Serve(login.SignInEndpoint()))
	mux.Handle("/openid/callback/{provider}", httpauth.Serve(login.CallbackEndpoint()))
	mux.Handle("/logout", httpauth.Serve(login.LogoutEndpoint()))
	mux.Handle("/openid/logout/{provider}", httpauth.Serve(login.BackChannelEndpoint()))
	gate := httpauth.Authenticate(guard)
	mux.Handle("/", gate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := core.PrincipalFrom(r.Context())
		fmt.Fprintf(w, "%s %v editor=%v", p.ID(), r.URL, p.HasRole("editor"))
	})))
	return a
}

// simple is an app with one provider.
func simple(t *testing.T) (*app, *idp) {
	t.Helper()
	p := newIDP(t)
	return newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p)}}), p
}

// browser holds the cookies of one application.
type browser struct {
	t       *testing.T
	app     *app
	cookies map[string]string
	seen    strings.Builder // all responses
}

func (a *app) browser() *browser { return &browser{t: a.t, app: a, cookies: map[string]string{}} }

// transport is not the default one, since each test server that closes would close its
// idle connections.
var transport = http.DefaultTransport.(*http.Transport).Clone()

var client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// answer is a response.
type answer struct {
	*http.Response
	body, location string
}

// get opens a page, like someone who types the address or follows a link.
func (b *browser) get(address string) answer { return b.send(http.MethodGet, address, nil) }

func (b *browser) send(method, address string, form url.Values) answer {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.app.URL + address
	}
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	own := strings.HasPrefix(address, b.app.URL)
	if own {
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	resp, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if own {
		for _, c := range resp.Cookies() {
			if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
				delete(b.cookies, c.Name)
			}
		}
	}
	fmt.Fprintln(&b.seen, resp.Header, string(body))
	return answer{resp, string(body), resp.Header.Get("Location")}
}

// begin opens a page and follows redirects up to the provider's address.
func (b *browser) begin(path string) (toProvider string) {
	b.t.Helper()
	to := b.get(path)
	if to.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.location, "/login?") {
		b.t.Fatalf("%s: %d to %q, want the sign-in page", path, to.StatusCode, to.location)
	}
	to = b.get(to.location)
	if to.StatusCode != http.StatusSeeOther || !strings.Contains(to.location, "/authorize?") {
		b.t.Fatalf("sign-in page: %d to %q, want the provider", to.StatusCode, to.location)
	}
	return to.location
}

// ask lets the provider answer, and returns the address to which it sends the browser
// back.
func (b *browser) ask(toProvider string) (back string) {
	b.t.Helper()
	to := b.get(toProvider)
	if to.location == "" {
		b.t.Fatalf("provider: %d %s", to.StatusCode, to.body)
	}
	return to.location
}

// signIn goes from a page through sign-in back to the page.
func (b *browser) signIn(path string) answer {
	b.t.Helper()
	to := b.get(b.ask(b.begin(path)))
	if to.StatusCode != http.StatusSeeOther || to.location != path {
		b.t.Fatalf("callback: %d to %q, want %s; %v", to.StatusCode, to.location, path, b.app.last("sign_in").Cause)
	}
	return to
}

// wantSignedIn checks the user that a page sees; "" for none.
func (b *browser) wantSignedIn(id string) {
	b.t.Helper()
	page := b.get("/account")
	if got, _, _ := strings.Cut(page.body, " "); id == "" && page.StatusCode == http.StatusOK || id != "" && got != id {
		b.t.Errorf("signed in as %q (%d), want %q", got, page.StatusCode, id)
	}
}

// wantRefused checks that an answer leads back to the sign-in page with an error, that no
// one is signed in, and the event.
func (b *browser) wantRefused(a answer, reason core.Reason) {
	b.t.Helper()
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.location, "/login?error=invalid_credentials") {
		b.t.Errorf("%d to %q, want 303 to the sign-in page with an error", a.StatusCode, a.location)
	}
	if b.cookies["session"] != "" {
		b.t.Error("there is a session")
	}
	if e := b.app.last("sign_in"); e.Outcome != core.OutcomeUnauthenticated || e.Reason != reason || e.PrincipalID != "" {
		b.t.Errorf("event %s %s %q (%v), want 401 for %s", e.Outcome, e.Reason, e.PrincipalID, e.Cause, reason)
	}
	b.wantSignedIn("")
}
