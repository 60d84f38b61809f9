package providers_test

import (
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/session"
)

// shop is an application that people sign in to. Browsers know it as localhost and
// the provider as 127.0.0.1, so that the two are different sites to them.
type shop struct {
	name, url string
	cookie    string // the session's
	listener  net.Listener
	build     func(*core.Guard, *openid.SignIn) server
	events    authtest.Recorder
	ahead     atomic.Int64 // how far the clock of its sessions is ahead
}

// openShops serves an application on each framework, and a provider that knows all
// of them. more are further providers of each.
func openShops(t *testing.T, more ...*openid.Provider) (*provider, []*shop) {
	t.Helper()
	scripts(t) // which may leave out the test
	var shops []*shop
	addresses := map[string]string{}
	for _, f := range frameworks {
		s := newShop(t, f.name, f.build)
		shops, addresses[f.name] = append(shops, s), s.url
	}
	p := startProviderFor(t, addresses, es256(t, "1"))
	for _, s := range shops {
		s.open(t, p.issuer, more)
	}
	return p, shops
}

// newShop is an application that has its address.
func newShop(t *testing.T, name string, build func(*core.Guard, *openid.SignIn) server) *shop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return &shop{name: name, url: "http://localhost:" + port, cookie: "session-" + name, listener: l, build: build}
}

// open serves the application until the test ends.
func (s *shop) open(t *testing.T, issuer string, more []*openid.Provider) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	answers, err := respond.New(respond.WithSignInRedirect("/login"))
	must(err)
	sessions, err := session.New(session.WithSignInPage("/login"), session.WithSignInRedirect("/account"),
		session.WithCookieName(s.cookie), session.WithPlainHTTPForDevelopment(),
		session.WithClock(func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }),
		session.WithAnswers(core.WithResponder(answers), core.WithObserver(&s.events)))
	must(err)
	guard, err := core.NewGuard([]core.Authenticator{sessions}, core.WithResponder(answers), core.WithObserver(new(authtest.Recorder)))
	must(err)
	own, err := openid.NewProvider(issuer, s.name, openid.WithClientSecret("secret of "+s.name), openid.WithClaims(jwtauth.WithRoles("roles")))
	must(err)
	signIn, err := openid.New(sessions, s.url, append([]*openid.Provider{own}, more...))
	must(err)
	t.Cleanup(own.Close)
	app := s.build(guard, signIn)
	ended := make(chan error, 1)
	go func() { ended <- app.serve(s.listener) }()
	t.Cleanup(func() {
		_ = app.shutdown(authtest.TimeLimit(2 * time.Second)) // the browser may hold a connection
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// wantRefused checks how the last sign-in or logout has ended.
func (s *shop) wantRefused(t *testing.T, reason core.Reason) {
	t.Helper()
	if e := s.events.Last(t); e.Outcome != core.OutcomeUnauthenticated || e.Reason != reason {
		t.Errorf("%s: %s %s %s (%v), want a refusal for %s", s.name, e.Gate, e.Outcome, e.Reason, e.Cause, reason)
	}
}

// person uses a browser with cookies and without scripts.
type person struct {
	t    *testing.T
	name string
	*http.Client
}

func newPerson(t *testing.T, name string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, name, &http.Client{Jar: jar, Timeout: limit, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// page is an answer.
type page struct {
	url    *url.URL
	status int
	header http.Header
	text   string
}

// send makes a request as a browser does for a link, or for a form.
func (p *person) send(address string, form url.Values) page {
	p.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	}
	return p.do(r)
}

func (p *person) do(r *http.Request) page {
	p.t.Helper()
	resp, err := p.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return page{r.URL, resp.StatusCode, resp.Header, string(text)}
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	firstLink  = regexp.MustCompile(`<a class="button" href="([^"]+)"`)
	hiddenOnes = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// next fills in the form of a page of the provider, or follows the first link of a
// sign-in page.
func (p *person) next(shown page) (address string, form url.Values) {
	if action := formAction.FindStringSubmatch(shown.text); action != nil {
		form = url.Values{"login": {p.name}, "password": {"any"}, "logout": {"yes"}}
		for _, field := range hiddenOnes.FindAllStringSubmatch(shown.text, -1) {
			form.Set(field[1], html.UnescapeString(field[2]))
		}
		return html.UnescapeString(action[1]), form
	}
	if link := firstLink.FindStringSubmatch(shown.text); link != nil {
		return html.UnescapeString(link[1]), nil
	}
	return "", nil
}

// walk makes a request, follows redirects and does what pages ask for, until it comes
// to an address that begins with stop, which it does not open, or to a page that asks
// for nothing.
func (p *person) walk(address string, form url.Values, stop string) page {
	p.t.Helper()
	for range 20 {
		got := p.send(address, form)
		address, form = got.header.Get("Location"), nil
		if address == "" {
			if address, form = p.next(got); address == "" {
				return got
			}
		}
		to, err := got.url.Parse(address)
		if err != nil {
			p.t.Fatal(err)
		}
		if address = to.String(); strings.HasPrefix(address, stop) {
			return page{url: to}
		}
	}
	p.t.Fatalf("%s: too many steps", address)
	return page{}
}

// begin goes from a page of s to the provider and through it, and returns the address
// that it sends the browser back to.
func (p *person) begin(s *shop, path string) *url.URL {
	p.t.Helper()
	got := p.walk(s.url+path, nil, s.url+"/openid/callback/")
	if got.status != 0 {
		p.t.Fatalf("%s: %d at %s: %s", path, got.status, got.url, got.text)
	}
	return got.url
}

// signIn goes all the way from a page of s and back.
func (p *person) signIn(s *shop, path string) {
	p.t.Helper()
	if got := p.send(p.begin(s, path).String(), nil); got.status != http.StatusSeeOther || got.header.Get("Location") != path {
		p.t.Fatalf("callback: %d to %q, want %s; %v", got.status, got.header.Get("Location"), path, s.events.Last(p.t).Cause)
	}
}

// wantSignedIn checks whom s takes the browser for; "" for nobody.
func (p *person) wantSignedIn(s *shop, name string) {
	p.t.Helper()
	got := p.send(s.url+"/account", nil)
	switch who, _, _ := strings.Cut(got.text, " "); {
	case name == "" && (got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/login?")):
		p.t.Errorf("%s: %d %q, want to be led to the sign-in", s.name, got.status, got.text)
	case name != "" && (got.status != http.StatusOK || who != name):
		p.t.Errorf("%s: %d %q, want 200 for %s", s.name, got.status, got.text, name)
	}
}

// callAPI asks for a page as a script does.
func (p *person) callAPI(s *shop, path string) page {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	return p.do(r)
}

// session is the value of the session cookie of s, or "".
func (p *person) session(s *shop) string {
	address, err := url.Parse(s.url)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range p.Jar.Cookies(address) {
		if c.Name == s.cookie {
			return c.Value
		}
	}
	return ""
}

// setSession gives the browser a session cookie.
func (p *person) setSession(s *shop, value string) {
	address, err := url.Parse(s.url)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Jar.SetCookies(address, []*http.Cookie{{Name: s.cookie, Value: value, Path: "/", HttpOnly: true}})
}
