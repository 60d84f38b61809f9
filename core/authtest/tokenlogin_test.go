package authtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/session"
	issuing "github.com/sallyport-go/sallyport/core/tokens"
)

// loginApp is an app whose users log in with tokens: POST /login, /refresh and /logout, and
// a door for access tokens.
type loginApp struct {
	*door
	*Recorder
	cookies bool
	ahead   *atomic.Int64 // nanoseconds that the app's clock is ahead
	manager *issuing.Manager
}

// shared is what instances may have in common.
type shared struct {
	key      *jwtsign.Key
	store    session.Store // nil for one of its own
	audience string        // "" for "front"
	ahead    *atomic.Int64
}

const (
	accessCookie  = "__Host-token"
	refreshCookie = "__Host-refresh"
)

// newLoginApp serves a loginApp with tokens in bodies or in cookies.
func newLoginApp(t *testing.T, f Framework, cookies bool, with shared, opts ...issuing.Option) *loginApp {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if with.key == nil {
		with.key, err = jwtsign.GenerateKey()
		must(err)
	}
	if with.audience == "" {
		with.audience = "front"
	}
	if with.ahead == nil {
		with.ahead = new(atomic.Int64)
	}
	fr := &loginApp{door: &door{t: t}, Recorder: new(Recorder), cookies: cookies, ahead: with.ahead}
	now := func() time.Time { return began.Add(time.Duration(fr.ahead.Load())) }
	signer, err := jwtsign.New(with.key, jwtsign.WithIssuer(issuer), jwtsign.WithAudience(with.audience), jwtsign.WithClock(now))
	must(err)
	opts = append(opts, issuing.WithClock(now), issuing.WithRealm("r"), issuing.WithAnswers(core.WithObserver(fr.Recorder)))
	if with.store != nil {
		opts = append(opts, issuing.WithStore(with.store))
	}
	var places []bearer.Option
	if cookies {
		opts = append(opts, issuing.WithCookies(accessCookie, refreshCookie))
		places = append(places, bearer.WithCookie(accessCookie))
	}
	fr.manager, err = issuing.New(signer, opts...)
	must(err)
	rules := []jwtauth.Option{
		jwtauth.WithIssuer(issuer), jwtauth.WithAudience(with.audience), jwtauth.WithAccessTokenProfile(),
		jwtauth.WithClock(now), jwtauth.WithLeeway(0),
	}
	if list := fr.manager.Revocation(); list != nil {
		rules = append(rules, jwtauth.WithRevocation(list))
	}
	verifier, err := jwtauth.New(signer, rules...)
	must(err)
	g, err := core.NewGuard([]core.Authenticator{bearerOn(t, verifier, places...)}, core.WithObserver(fr.Recorder))
	must(err)
	methods := []string{"GET", "POST"}
	fr.addr = f.Start(t, App{Routes: []Route{
		fr.route(Gate{Kind: "Authenticate", Guard: g}),
		{Methods: methods, Pattern: "/login", Endpoint: fr.manager.LoginEndpoint(passwords)},
		{Methods: methods, Pattern: "/refresh", Endpoint: fr.manager.RefreshEndpoint()},
		{Methods: methods, Pattern: "/logout", Endpoint: fr.manager.LogoutEndpoint()},
	}})
	return fr
}

// bothWays runs a case with tokens in bodies and with tokens in cookies.
func bothWays(run func(t *testing.T, f Framework, cookies bool)) func(*testing.T, Framework) {
	return func(t *testing.T, f Framework) {
		for _, cookies := range []bool{false, true} {
			t.Run(map[bool]string{false: "bodies", true: "cookies"}[cookies], func(t *testing.T) { run(t, f, cookies) })
		}
	}
}

// began is the time at which the clocks of all apps start. Only wait advances them, however
// long a busy machine takes.
var began = time.Now()

// wait advances the app's clock.
func (fr *loginApp) wait(d time.Duration) { fr.ahead.Add(int64(d)) }

// post sends fields as a JSON object or, with form, as a form.
func (fr *loginApp) post(form bool, target string, fields map[string]string, header ...string) Answer {
	fr.t.Helper()
	a, err := send(fr.addr, posted(form, target, fields, header...))
	if err != nil {
		fr.t.Fatal(err)
	}
	return a
}

func posted(form bool, target string, fields map[string]string, header ...string) string {
	media, body := "application/json", ""
	if form {
		values := url.Values{}
		for name, value := range fields {
			values.Set(name, value)
		}
		media, body = "application/x-www-form-urlencoded", values.Encode()
	} else if text, err := json.Marshal(fields); err == nil {
		body = string(text)
	}
	return Request("POST", target, append(header, "Content-Type: "+media, fmt.Sprintf("Content-Length: %d", len(body)))...) + "\n\n" + body
}

func (fr *loginApp) login(user, password string, header ...string) Answer {
	fr.t.Helper()
	return fr.post(false, "/login", map[string]string{"user": user, "password": password}, header...)
}

// present sends a request with a refresh token.
func (fr *loginApp) present(target, refresh string, header ...string) string {
	if fr.cookies {
		return Request("POST", target, append(header, "Cookie: "+refreshCookie+"="+refresh, "Content-Length: 0")...)
	}
	return posted(false, target, map[string]string{"refresh_token": refresh}, header...)
}

func (fr *loginApp) refresh(refresh string, header ...string) Answer {
	fr.t.Helper()
	return Send(fr.t, fr.addr, fr.present("/refresh", refresh, header...))
}

// tokenPair is the tokens of a login or a refresh.
type tokenPair struct{ access, refresh string }

// pairOf returns the tokens of an answer, which must be in the body or in cookies, not
// both.
func (fr *loginApp) pairOf(a Answer) (p tokenPair, err error) {
	var body struct {
		Access  string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil || a.Status != http.StatusOK {
		return p, fmt.Errorf("%d %q", a.Status, a.Body)
	}
	set := map[string]string{}
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		set[c.Name] = c.Value
	}
	p = tokenPair{body.Access, body.Refresh}
	if fr.cookies {
		p = tokenPair{set[accessCookie], set[refreshCookie]}
	}
	switch {
	case fr.cookies && (body.Access != "" || body.Refresh != "" || len(set) != 2):
		err = fmt.Errorf("body %q with cookies %q", a.Body, a.Header["Set-Cookie"])
	case !fr.cookies && (len(set) > 0 || body.Type != "Bearer"):
		err = fmt.Errorf("body %q with cookies %q", a.Body, a.Header["Set-Cookie"])
	case p.access == "" || len(p.refresh) < 86 || body.Expires < 590 || body.Expires > 601:
		err = fmt.Errorf("tokens %+v for %d s", p, body.Expires)
	case strings.Join(a.Header.Values("Cache-Control"), "|") != "no-store" || a.Header.Get("Content-Type") != "application/json":
		err = fmt.Errorf("header %v", a.Header)
	}
	return p, err
}

// gets fails the test unless an answer has tokens.
func (fr *loginApp) gets(a Answer) tokenPair {
	fr.t.Helper()
	p, err := fr.pairOf(a)
	if err != nil {
		fr.t.Fatal(err)
	}
	return p
}

// enters returns the header line with an access token.
func (fr *loginApp) enters(access string) string {
	if fr.cookies {
		return "Cookie: " + accessCookie + "=" + access
	}
	return "Authorization: Bearer " + access
}

// over fails the test unless a refresh token is refused with the reason.
func (fr *loginApp) over(what, refresh string, reason core.Reason) {
	fr.t.Helper()
	a := fr.refresh(refresh)
	refused(fr.t, what, a, http.StatusUnauthorized, core.CodeInvalidCredentials)
	if e := fr.Last(fr.t); e.Gate != "refresh" || e.Reason != reason || e.PrincipalID != "" {
		fr.t.Errorf("%s: event %s %s for %q, want %s", what, e.Gate, e.Reason, e.PrincipalID, reason)
	}
	fr.plain(what, a)
	if fr.cookies {
		fr.emptied(what, a)
	}
}

// plain fails the test unless the challenge has no error code: with one, clients would
// refresh again.
func (fr *loginApp) plain(what string, a Answer) {
	fr.t.Helper()
	if got := strings.Join(a.Header.Values("WWW-Authenticate"), "|"); got != `Bearer realm="r"` {
		fr.t.Errorf("%s: challenge %q", what, got)
	}
}

// emptied fails the test unless the answer clears both cookies.
func (fr *loginApp) emptied(what string, a Answer) {
	fr.t.Helper()
	cookies := (&http.Response{Header: a.Header}).Cookies()
	for _, c := range cookies {
		if c.MaxAge >= 0 || c.Value != "" || !c.Secure || c.Path != "/" {
			fr.t.Errorf("%s: cookie %s", what, c)
		}
	}
	if len(cookies) != 2 {
		fr.t.Errorf("%s: cookies %q", what, a.Header["Set-Cookie"])
	}
}

// failing is a store that the test can make fail.
type failing struct {
	mu   sync.Mutex
	kept map[string][]byte
	down bool
}

func newFailing() *failing { return &failing{kept: map[string][]byte{}} }

var errDown = errors.New("connection refused")

func (s *failing) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *failing) Find(key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, false, errDown
	}
	data, found := s.kept[key]
	return data, found, nil
}

func (s *failing) Commit(key string, data []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	s.kept[key] = data
	return nil
}

func (s *failing) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	delete(s.kept, key)
	return nil
}

// newList returns an empty list of revoked tokens.
func newList(t *testing.T) *revoke.List {
	t.Helper()
	l, err := revoke.New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}
