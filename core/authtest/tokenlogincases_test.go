package authtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	issuing "github.com/sallyport-go/sallyport/core/tokens"
)

var tokenLoginCases = []testCase{
	{"F05 a login gives an access token and a refresh token", bothWays(tokenLogin)},
	{"invariant 6 all failed logins get the same answer", bothWays(tokenLoginFails)},
	{"invariant 13 what cannot be read is no login", bothWays(tokenLoginUnread)},
	{"failed logins are events and are counted", bothWays(tokenLoginLimited)},
	{"a refresh gives the next tokens, and twice the same", bothWays(tokenRefresh)},
	{"a hundred refreshes at once log nobody out", bothWays(tokenRefreshParallel)},
	{"invariant 4 an outage uses no token up", bothWays(tokenOutage)},
	{"a logout ends the family of its token", bothWays(tokenLogout)},
	{"attack: refresh token reuse", bothWays(tokenReuse)},
	{"attack: fixation", tokenFixation},
	{"F10 attack: login, refresh and logout by another site", bothWays(tokenCrossSite)},
	{"attack: open redirect", bothWays(tokenRedirect)},
	{"attack: token substitution between families", bothWays(tokenSubstitution)},
	{"invariant 18 attack: tokens of another audience or kind", bothWays(tokenAudience)},
}

const openSesame = "open sesame"

func tokenLogin(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{})
	for _, form := range []bool{false, true} {
		a := fr.post(form, "/login", map[string]string{"user": "alice", "password": openSesame, "other": "x"})
		fr.admits("alice", fr.enters(fr.gets(a).access))
		if !cookies {
			continue
		}
		for _, c := range (&http.Response{Header: a.Header}).Cookies() {
			want := map[string]http.SameSite{accessCookie: http.SameSiteLaxMode, refreshCookie: http.SameSiteStrictMode}[c.Name]
			if !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != want || c.MaxAge != 0 {
				t.Errorf("cookie %s", c)
			}
		}
	}
	for _, e := range fr.Events()[:1] {
		if e.Gate != "sign_in" || e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" || e.Route == "" {
			t.Errorf("event %+v", e)
		}
	}
	for _, target := range []string{"/login", "/refresh", "/logout"} {
		a := Send(t, fr.addr, Request("GET", target+"?user=alice&password=open+sesame"))
		if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "POST" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: %d %v", target, a.Status, a.Header)
		}
	}
}

// tokenLoginFails: neither status nor fields nor body reveal why.
func tokenLoginFails(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{})
	var first Answer
	for _, tt := range []struct {
		user, password string
		reason         core.Reason
	}{
		{"alice", "wrong", core.ReasonWrongSecret},
		{"unknown", openSesame, core.ReasonUnknownPrincipal},
		{"", openSesame, core.ReasonMalformed},
		{"alice", "", core.ReasonMalformed},
		{"a:b", openSesame, core.ReasonMalformed},
		{"alice\x00", openSesame, core.ReasonMalformed},
		{"alice", strings.Repeat("x", 7<<10), core.ReasonMalformed},
	} {
		a := fr.login(tt.user, tt.password)
		what := fmt.Sprintf("%.10q with %.10q", tt.user, tt.password)
		refused(t, what, a, http.StatusUnauthorized, core.CodeInvalidCredentials)
		fr.plain(what, a)
		if e := fr.Last(t); e.Gate != "sign_in" || e.Reason != tt.reason || e.PrincipalID != "" {
			t.Errorf("%s: event %s %s for %q", what, e.Gate, e.Reason, e.PrincipalID)
		}
		if first.Status == 0 {
			first = a
		} else if d := fieldDifference(a.Header, first.Header); d != "" || a.Body != first.Body {
			t.Errorf("%s: told apart by %s or body %q", what, d, a.Body)
		}
	}
	refused(t, "busy", fr.login("busy", openSesame), http.StatusServiceUnavailable, core.CodeUnavailable)
}

func tokenLoginUnread(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{})
	const form, object = "application/x-www-form-urlencoded", "application/json"
	for _, tt := range []struct {
		media, body string
		status      int
	}{
		{"", "", 401}, {object, "", 401}, {form, "", 401}, {"text/plain", `{"user":"alice","password":"open sesame"}`, 401},
		{"", `{"user":"alice","password":"open sesame"}`, 401}, {"multipart/form-data; boundary=x", "--x--", 401},
		{object, `{"user":"alice","password":"open sesame"`, 401}, {object, `["alice","open sesame"]`, 401},
		{object, `{"user":"alice","password":["open sesame"]}`, 401}, {object, `{"user":"alice","password":null}`, 401},
		{object, `{"user":"alice","user":"alice","password":"open sesame"}`, 401}, {object, `{"User":"alice","password":"open sesame"}`, 401},
		{object, `{"user":"alice","password":"open sesame"} {}`, 401}, {form, "user=alice&password=%zz", 401},
		{form, "user=alice&password=open+sesame&pad=" + strings.Repeat("x", 16<<10), 401},
		{form, "user=alice&user=bob&password=open+sesame", 400},
	} {
		header := []string{fmt.Sprintf("Content-Length: %d", len(tt.body))}
		if tt.media != "" {
			header = append(header, "Content-Type: "+tt.media)
		}
		a := Send(t, fr.addr, Request("POST", "/login", header...)+"\n\n"+tt.body)
		code := map[int]string{401: core.CodeInvalidCredentials, 400: core.CodeInvalidRequest}[tt.status]
		refused(t, fmt.Sprintf("%s %.70q", tt.media, tt.body), a, tt.status, code)
	}
	body := `{"user":"alice","password":"open sesame"}`
	a := Send(t, fr.addr, Request("POST", "/login", "Transfer-Encoding: chunked", "Content-Type: application/json; charset=utf-8")+
		fmt.Sprintf("\n\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
	fr.gets(a)
}

func tokenLoginLimited(t *testing.T, f Framework, cookies bool) {
	l := &ledger{refusals: map[string]error{"locked": &core.LimitError{RetryAfter: time.Minute}}}
	fr := newLoginApp(t, f, cookies, shared{}, issuing.WithAnswers(core.WithAttemptLimiter(l)))
	for _, password := range []string{openSesame, "wrong"} {
		refused(t, "locked", fr.login("locked", password), http.StatusTooManyRequests, core.CodeTooManyAttempts)
		if e := fr.Last(t); e.Gate != "sign_in" || e.Outcome != core.OutcomeLimited {
			t.Errorf("event %+v", e)
		}
	}
	p := fr.gets(fr.login("alice", openSesame))
	fr.login("alice", "wrong")
	fr.login("a:b", "wrong")
	asked, reports := l.heard()
	if asked != "locked; locked; alice; alice; " || !strings.HasPrefix(reports, "alice: <nil>; alice: wrong_secret") || !strings.Contains(reports, "; : malformed") {
		t.Errorf("asked %q, told %q", asked, reports)
	}
	fr.gets(fr.refresh(p.refresh))
	if asked, _ := l.heard(); asked != "" {
		t.Errorf("a refresh asks the limiter for %q", asked)
	}
}

func tokenRefresh(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{})
	first := fr.gets(fr.login("alice", openSesame))
	second := fr.gets(fr.refresh(first.refresh))
	if second.refresh == first.refresh || second.access == first.access {
		t.Error("nothing was exchanged")
	}
	if e := fr.Last(t); e.Gate != "refresh" || e.Outcome != core.OutcomeAllowed || e.PrincipalID != "alice" {
		t.Errorf("event %+v", e)
	}
	fr.admits("alice", fr.enters(second.access))
	fr.wait(9 * time.Second) // another tab, or an answer that was lost
	again := fr.gets(fr.refresh(first.refresh))
	if again.refresh != second.refresh {
		t.Error("the same token has two successors")
	}
	for range 12 { // more than there are times of use in the store
		fr.wait(10 * time.Minute)
		third := fr.gets(fr.refresh(second.refresh))
		fr.admits("alice", fr.enters(third.access))
		second = third
	}
	for name, a := range map[string]Answer{
		"no token":           Send(t, fr.addr, Request("POST", "/refresh", "Content-Length: 0")),
		"in the query":       Send(t, fr.addr, Request("POST", "/refresh?refresh_token="+second.refresh, "Content-Length: 0")),
		"in the other place": (&loginApp{door: fr.door, cookies: !cookies}).refresh(second.refresh),
	} {
		refused(t, name, a, http.StatusUnauthorized, core.CodeAuthenticationRequired)
		fr.plain(name, a)
	}
	fr.wait(8 * 24 * time.Hour)
	fr.over("idle for too long", second.refresh, core.ReasonExpired)
}

func tokenRefreshParallel(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{store: newFailing()})
	p := fr.gets(fr.login("alice", openSesame))
	for range 2 {
		answers := make([]tokenPair, 100)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				a, err := send(fr.addr, fr.present("/refresh", p.refresh))
				if err == nil {
					answers[i], err = fr.pairOf(a)
				}
				if err != nil {
					t.Errorf("refresh %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		for i, a := range answers {
			if a.refresh != answers[0].refresh {
				t.Errorf("refresh %d: another successor", i)
			}
		}
		p = answers[0]
		fr.admits("alice", fr.enters(p.access))
	}
}

func tokenOutage(t *testing.T, f Framework, cookies bool) {
	store := newFailing()
	fr := newLoginApp(t, f, cookies, shared{store: store})
	p := fr.gets(fr.login("alice", openSesame))
	store.set(true)
	for what, a := range map[string]Answer{
		"login": fr.login("alice", openSesame), "refresh": fr.refresh(p.refresh),
		"logout": Send(t, fr.addr, fr.present("/logout", p.refresh)),
	} {
		refused(t, what, a, http.StatusServiceUnavailable, core.CodeUnavailable)
		if set := a.Header["Set-Cookie"]; set != nil {
			t.Errorf("%s touches the cookies: %q", what, set)
		}
	}
	fr.admits("alice", fr.enters(p.access))
	store.set(false)
	fr.wait(time.Minute)
	fr.gets(fr.refresh(p.refresh))
}

func tokenLogout(t *testing.T, f Framework, cookies bool) {
	for _, revoked := range []bool{false, true} {
		var opts []issuing.Option
		if revoked {
			opts = append(opts, issuing.WithRevocation(newList(t)))
		}
		fr := newLoginApp(t, f, cookies, shared{}, opts...)
		p, other := fr.gets(fr.login("alice", openSesame)), fr.gets(fr.login("alice", openSesame))
		p = fr.gets(fr.refresh(p.refresh))
		for range 2 { // whoever is out may leave once more
			a := Send(t, fr.addr, fr.present("/logout", p.refresh))
			if a.Status != http.StatusNoContent || a.Body != "" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("logout: %d %v %q", a.Status, a.Header, a.Body)
			}
			if cookies {
				fr.emptied("logout", a)
			}
		}
		fr.over("after the logout", p.refresh, issuing.ReasonUnknown)
		if revoked {
			fr.refuses(http.StatusUnauthorized, core.CodeInvalidToken, fr.enters(p.access))
		} else {
			fr.admits("alice", fr.enters(p.access))
		}
		fr.admits("alice", fr.enters(other.access))
		fr.gets(fr.refresh(other.refresh))
	}
}

// tokenReuse: RFC 9700 §4.14.2. Whether the thief or the user is first, both are signed
// out.
func tokenReuse(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{}, issuing.WithRevocation(newList(t)))
	for _, later := range []int{1, 2, 11} { // exchanges before the stolen token shows up
		stolen := fr.gets(fr.login("alice", openSesame))
		p, other := stolen, fr.gets(fr.login("alice", openSesame))
		for range later {
			p = fr.gets(fr.refresh(p.refresh))
			fr.wait(11 * time.Second)
		}
		fr.over("the stolen token", stolen.refresh, issuing.ReasonReused)
		fr.over("the user's token", p.refresh, issuing.ReasonUnknown)
		fr.over("the stolen token again", stolen.refresh, issuing.ReasonUnknown)
		fr.refuses(http.StatusUnauthorized, core.CodeInvalidToken, fr.enters(p.access))
		fr.gets(fr.refresh(other.refresh)) // another login of the same user
	}
}

// tokenFixation: tokens from before a login are of no use after it.
func tokenFixation(t *testing.T, f Framework) {
	fr := newLoginApp(t, f, true, shared{})
	planted := fr.gets(fr.login("mallory", openSesame))
	a := fr.login("alice", openSesame, "Cookie: "+refreshCookie+"="+planted.refresh+"; "+accessCookie+"="+planted.access)
	p := fr.gets(a)
	if p.refresh[:43] == planted.refresh[:43] {
		t.Error("the family goes on under another name")
	}
	fr.over("the planted token", planted.refresh, issuing.ReasonUnknown)
	fr.admits("alice", fr.enters(fr.gets(fr.refresh(p.refresh)).access))
	for _, junk := range []string{"", "x", altered(planted.refresh, 3)} {
		fr.gets(fr.login("alice", openSesame, "Cookie: "+refreshCookie+"="+junk))
	}
}

// tokenCrossSite: another site can neither log anyone in or out, nor use up a token, nor
// count a failure.
func tokenCrossSite(t *testing.T, f Framework, cookies bool) {
	l := &ledger{}
	fr := newLoginApp(t, f, cookies, shared{}, issuing.WithAnswers(core.WithAttemptLimiter(l), core.WithTrustedOrigins("https://front.example")))
	p, ended := fr.gets(fr.login("alice", openSesame)), fr.gets(fr.login("alice", openSesame))
	Send(t, fr.addr, fr.present("/logout", ended.refresh))
	if asked, _ := l.heard(); asked != "alice; alice" {
		t.Errorf("the limiter is asked for %q at two logins and a logout", asked)
	}
	for _, tt := range crossSiteMatrix {
		header := lines(tt.header)
		if !tt.refused {
			p = fr.gets(fr.refresh(p.refresh, header...))
			fr.gets(fr.login("alice", openSesame, header...))
			l.heard()
			continue
		}
		for what, request := range map[string]string{
			"login":   posted(true, "/login", map[string]string{"user": "alice", "password": openSesame}, header...),
			"refresh": fr.present("/refresh", p.refresh, header...),
			"logout":  fr.present("/logout", p.refresh, header...),
			// Browsers do not send cookies there (rfc6265bis §5.6.7), but let an answer
			// delete them.
			"logout without a token":           posted(true, "/logout", nil, header...),
			"logout with one that has ended":   fr.present("/logout", ended.refresh, header...),
			"logout with an access token only": posted(true, "/logout", nil, append(header, fr.enters(p.access))...),
		} {
			a := Send(t, fr.addr, request)
			refused(t, what+" with "+tt.header, a, http.StatusForbidden, core.CodeCrossSite)
			if a.Header["Set-Cookie"] != nil {
				t.Errorf("%s with %s: cookies %q", what, tt.header, a.Header["Set-Cookie"])
			}
		}
		if asked, _ := l.heard(); asked != "" {
			t.Errorf("%s: the limiter is asked for %q", tt.header, asked)
		}
		fr.wait(11 * time.Second) // nothing was used up
	}
	fr.gets(fr.refresh(p.refresh, "Origin: https://front.example", "Sec-Fetch-Site: same-site"))
}

// tokenRedirect: no answer redirects, whatever the request says.
func tokenRedirect(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{})
	elsewhere := map[string]string{"user": "alice", "password": openSesame, "return_to": "https://evil.example", "redirect_uri": "//evil.example"}
	const query = "?return_to=https://evil.example&next=//evil.example"
	a := fr.post(true, "/login"+query, elsewhere)
	p := fr.gets(a)
	for _, a := range []Answer{
		a, fr.refresh(p.refresh), fr.login("alice", "wrong"),
		Send(t, fr.addr, fr.present("/refresh"+query, p.refresh)), Send(t, fr.addr, fr.present("/logout"+query, p.refresh)),
	} {
		if a.Status >= 300 && a.Status < 400 || a.Header.Get("Location") != "" || a.Header.Get("Refresh") != "" || strings.Contains(a.Body, "evil") {
			t.Errorf("%d %v %q", a.Status, a.Header, a.Body)
		}
	}
}

// tokenSubstitution: secret, number and code of a token belong together.
func tokenSubstitution(t *testing.T, f Framework, cookies bool) {
	fr := newLoginApp(t, f, cookies, shared{})
	alice, bob := fr.gets(fr.login("alice", openSesame)), fr.gets(fr.login("bob", openSesame))
	next := fr.gets(fr.refresh(alice.refresh))
	// 32 bytes of secret end within the 43rd of 91 letters, 4 of number in the 48th.
	for what, forged := range map[string]string{
		"bob's code":       alice.refresh[:48] + bob.refresh[48:],
		"bob's secret":     bob.refresh[:42] + alice.refresh[42:],
		"the next number":  alice.refresh[:43] + next.refresh[43:48] + alice.refresh[48:],
		"another number":   altered(alice.refresh, 46),
		"another code":     altered(alice.refresh, 60),
		"another secret":   altered(alice.refresh, 10),
		"one letter less":  alice.refresh[:90],
		"one letter more":  alice.refresh + "A",
		"bob's and more":   bob.refresh[:43] + alice.refresh[43:],
		"an access token":  bob.access,
		"a hash of itself": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
	} {
		if forged == alice.refresh || forged == next.refresh || forged == bob.refresh {
			t.Fatalf("%s: nothing is forged", what)
		}
		refused(t, what, fr.refresh(forged), http.StatusUnauthorized, core.CodeInvalidCredentials)
	}
	fr.gets(fr.refresh(next.refresh)) // forgeries end nothing
	fr.gets(fr.refresh(bob.refresh))
}

// tokenAudience: two services of one issuer with one store and one key do not accept each
// other's tokens, and no token is accepted for the purpose of another.
func tokenAudience(t *testing.T, f Framework, cookies bool) {
	key, err := jwtsign.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	with := shared{key: key, store: newFailing(), ahead: new(atomic.Int64)}
	fr := newLoginApp(t, f, cookies, with)
	with.audience = "elsewhere"
	other := newLoginApp(t, f, cookies, with)
	p, foreign := fr.gets(fr.login("alice", openSesame)), other.gets(other.login("alice", openSesame))
	fr.over("a refresh token of another audience", foreign.refresh, issuing.ReasonUnknown)
	other.over("a refresh token of another audience", p.refresh, issuing.ReasonUnknown)
	fr.refuses(http.StatusUnauthorized, core.CodeInvalidToken, fr.enters(foreign.access))
	other.refuses(http.StatusUnauthorized, core.CodeInvalidToken, other.enters(p.access))
	fr.refuses(http.StatusUnauthorized, core.CodeInvalidToken, fr.enters(p.refresh))
	fr.over("an access token", p.access, core.ReasonMalformed)
	fr.gets(fr.refresh(p.refresh))
	other.gets(other.refresh(foreign.refresh))
}
