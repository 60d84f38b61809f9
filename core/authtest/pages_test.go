package authtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
)

var pageSemantics = []testCase{
	{"J03 A21 a redirect to sign in is 303, not stored, and for people alone", loginRedirects},
	{"F12 a path to return to is one of this site", returnTo},
	{"J01 a page of a refusal has the status of the refusal", pageStatuses},
	{"J02 what crawlers fetch by themselves is outside, and led nowhere", pagesOutside},
	{"J04 pages are kept out of search indexes, whoever asks", pagesUnindexed},
	{"J05 an outage is 503 with Retry-After in every format", pageOutage},
	{"J05 A23 too many attempts are 429 with Retry-After in every format", pageLimited},
	{"J06 pages are escaped and may do nothing", pagesEscaped},
	{"F13 only navigations are led to sign in, and never in circles", loginNavigations},
	{"A23 each client gets its format, and its status", eachClient},
	{"A18 A22 pages stand beside CORS and are hidden with all else", pagesBeside},
}

const fetches = "Sec-Fetch-Mode: cors\nSec-Fetch-Dest: empty"

const (
	pageType    = "text/html; charset=utf-8"
	problemType = "application/problem+json"
	textType    = "text/plain; charset=utf-8"
)

// refusals lists what causes each refusal of a pageDoor.
var refusals = []struct {
	header string
	status int
}{
	{"X-None: 1", 401}, {as("bad"), 401}, {as("bob"), 403}, {as("alice") + "\n" + as("bob"), 400}, {as("down"), 503}, {as("panic"), 500},
}

// soft fails the test unless a is a refusal, in the format of the media type, that no
// crawler can take for a page.
func soft(t testing.TB, what string, a Answer, status int, mediaType string) {
	t.Helper()
	if a.Status != status || a.Header.Get("Content-Type") != mediaType || a.Header.Get("Cache-Control") != "no-store" ||
		a.Header.Get("X-Robots-Tag") != "noindex" || a.Header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(a.Body, handled) {
		t.Errorf("%s: %d, want %d as %s: %v", what, a.Status, status, mediaType, a.Header)
	}
	if _, err := a.challenges(); err != nil || (a.Header.Get("WWW-Authenticate") != "") != (status == http.StatusUnauthorized) {
		t.Errorf("%s: %d with challenges %q (%v)", what, status, a.Header.Values("WWW-Authenticate"), err)
	}
	for _, name := range []string{"accept", "authorization", "sec-fetch-mode", "sec-fetch-dest"} {
		if !a.lists("Vary", name) {
			t.Errorf("%s: Vary %q lacks %s", what, a.vary(), name)
		}
	}
}

func pageStatuses(t *testing.T, f Framework) {
	d := pageDoor(t, f)
	for _, browser := range []string{wantsPage, wantsPage + "\n" + navigates, "Accept: */*\n" + navigates} {
		for _, r := range refusals {
			a := d.get(browser, r.header)
			soft(t, r.header, a, r.status, pageType)
			if !strings.Contains(a.Body, "<h1>") || !strings.HasSuffix(a.Body, "</html>\n") {
				t.Errorf("%s: no whole page: %q", r.header, a.Body)
			}
		}
		head := Send(t, d.addr, Request("HEAD", "/door", browser))
		soft(t, "HEAD", head, http.StatusUnauthorized, pageType)
		if head.Body != "" {
			t.Errorf("HEAD: body %q", head.Body)
		}
	}
	d.admits("alice", wantsPage, as("alice"))
}

// pagesOutside: RFC 9309 §2.3.1. With gates around the whole app such paths are refused,
// and still not redirected to a sign-in page, which crawlers would read as the file.
func pagesOutside(t *testing.T, f Framework) {
	g, _ := guard(t, answers(t, respond.WithSignInRedirect("/login")))
	paths := []string{"/robots.txt", "/.well-known/security.txt", "/favicon.ico"}
	gate := Gate{Kind: "Authenticate", Guard: g}
	d := &door{t: t}
	open := App{Routes: []Route{d.route(gate)}}
	shut := App{Use: []Gate{gate}}
	for _, path := range paths {
		route := Route{Pattern: path, Methods: []string{"GET"}, Handler: ok}
		open.Routes, shut.Routes = append(open.Routes, route), append(shut.Routes, route)
	}
	d.addr = f.Start(t, open)
	addr := f.Start(t, shut)
	for _, path := range paths {
		for _, header := range []string{wantsPage, wantsPage + "\n" + as("bad"), wantsPage + "\n" + as("down")} {
			if a := Send(t, d.addr, Request("GET", path, header)); a.Status != http.StatusOK {
				t.Errorf("%s: %d", path, a.Status)
			}
		}
		soft(t, path, Send(t, addr, Request("GET", path, wantsPage)), http.StatusUnauthorized, pageType)
	}
	if a := d.get(wantsPage); a.Status != http.StatusSeeOther {
		t.Errorf("the door: %d", a.Status)
	}
}

// pagesUnindexed: crawlers get the same answers as people.
func pagesUnindexed(t *testing.T, f Framework) {
	d := pageDoor(t, f, respond.WithSignInPage("/login"))
	want := d.get(wantsPage)
	soft(t, "a browser", want, http.StatusUnauthorized, pageType)
	for _, agent := range []string{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/7.88.1", ""} {
		if diff := difference(want, d.get(wantsPage, "User-Agent: "+agent)); diff != "" {
			t.Errorf("%s: %s", agent, diff)
		}
	}
	if got := want.Header.Get("Referrer-Policy"); got != "same-origin" || !strings.Contains(want.Body, `<meta name="robots" content="noindex">`) {
		t.Errorf("Referrer-Policy %q: %s", got, want.Body)
	}
	direct := d.get(wantsPage, as("bob"))
	if got := direct.Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("403: Referrer-Policy %q", got)
	}
}

func pageOutage(t *testing.T, f Framework) {
	d := pageDoor(t, f, respond.WithSignInRedirect("/login"), respond.WithTexts(respond.English(), respond.German()))
	for _, tt := range []struct{ header, mediaType, text string }{
		{wantsPage + "\n" + navigates, pageType, "Try again in 5 seconds."},
		{wantsPage + "\nAccept-Language: de-AT, en;q=0.5", pageType, "Versuchen Sie es in 5 Sekunden noch einmal."},
		{"Accept: */*", problemType, `"error":"temporarily_unavailable"`},
		{"Accept: text/plain", textType, "Try again later."},
	} {
		a := d.get(tt.header, as("down"))
		soft(t, tt.header, a, http.StatusServiceUnavailable, tt.mediaType)
		if a.Header.Get("Retry-After") != "5" || !strings.Contains(a.Body, tt.text) {
			t.Errorf("%s: Retry-After %q: %s", tt.header, a.Header.Get("Retry-After"), a.Body)
		}
	}
}

// pageLimited: RFC 6585 §4. A rate-limited client is not redirected to the sign-in page.
func pageLimited(t *testing.T, f Framework) {
	b, err := basic.New("app", passwords)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{refusals: map[string]error{"bob": &core.LimitError{RetryAfter: 3 * time.Minute}}}
	g, _ := guardOf(t, []core.Authenticator{b}, core.WithAttemptLimiter(l), answers(t, respond.WithSignInRedirect("/login")))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, tt := range []struct{ header, mediaType, text string }{
		{wantsPage + "\n" + navigates, pageType, "Try again in 3 minutes."},
		{"Accept: */*", problemType, `"error":"too_many_attempts"`},
		{"Accept: text/plain", textType, "Wait before the next one."},
	} {
		a := d.get(tt.header, login("bob", "open sesame"))
		soft(t, tt.header, a, http.StatusTooManyRequests, tt.mediaType)
		if a.Header.Get("Retry-After") != "180" || !strings.Contains(a.Body, tt.text) {
			t.Errorf("%s: Retry-After %q: %s", tt.header, a.Header.Get("Retry-After"), a.Body)
		}
	}
}

// pagesEscaped: in CVE-2026-42554 the client chose a format that put its own text into a
// page.
func pagesEscaped(t *testing.T, f Framework) {
	const evil = `"><script>alert(1)</script>`
	g, _ := guard(t, answers(t, respond.WithSignInPage("/login"), respond.WithSwitchAccount("/switch")))
	d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Public("plan_required", evil, rule.Role("pro"))}})
	for _, target := range []string{"/door", "/door?return_to=" + evil, "/door?" + evil} {
		for _, header := range []string{"X-None: 1", as("bob")} {
			a := Send(t, d.addr, Request("GET", target, wantsPage, header, "X-Request-Id: "+evil, "Accept-Language: "+evil, "Referer: "+evil))
			if a.Status != http.StatusUnauthorized && a.Status != http.StatusForbidden || strings.Contains(a.Body, "<script") || strings.Contains(a.Body, evil) {
				t.Errorf("%s: %d %s", target, a.Status, a.Body)
			}
			policy := a.Header.Get("Content-Security-Policy")
			for _, must := range []string{"default-src 'none'", "style-src 'sha256-", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, must) || strings.Contains(policy, "unsafe") {
					t.Errorf("policy %q", policy)
				}
			}
		}
	}
	if a := d.get(wantsPage, as("bob")); !strings.Contains(a.Body, "&lt;script&gt;alert(1)") {
		t.Errorf("a message on purpose is missing: %s", a.Body)
	}
}

func loginNavigations(t *testing.T, f Framework) {
	g, _ := guard(t, answers(t, respond.WithSignInRedirect("/login")))
	methods := []string{"GET", "HEAD", "POST"}
	addr := f.Start(t, App{Use: []Gate{{Kind: "Authenticate", Guard: g}}, Routes: []Route{
		{Pattern: "/door", Methods: methods, Handler: ok}, {Pattern: "/login", Methods: methods, Handler: ok},
	}})
	for _, tt := range []struct {
		name, method, target, header string
		mediaType                    string
	}{
		{"fetch", "GET", "/door", "Accept: */*\n" + fetches, problemType},
		{"fetch of a page", "GET", "/door", "Accept: text/html\n" + fetches, pageType},
		{"a script, whatever it fetches", "GET", "/door", "Accept: text/html\nSec-Fetch-Mode: same-origin", pageType},
		{"XMLHttpRequest", "GET", "/door", wantsPage + "\nX-Requested-With: XMLHttpRequest", pageType},
		{"a program", "GET", "/door", "Accept: application/json", problemType},
		{"nothing said", "GET", "/door", "X-None: 1", problemType},
		{"a program with a token", "GET", "/door", wantsPage + "\nAuthorization: Bearer x", pageType},
		{"a frame", "GET", "/door", wantsPage + "\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: iframe", pageType},
		{"a form that was sent", "POST", "/door", wantsPage + "\n" + navigates + "\nContent-Length: 0", pageType},
		{"the sign-in page behind the gate", "GET", "/login", wantsPage + "\n" + navigates, pageType},
		{"the same with a query", "GET", "/login?return_to=%2Fdoor", wantsPage + "\n" + navigates, pageType},
		{"a page that was led here", "GET", "/door?return_to=%2Fdoor", wantsPage + "\n" + navigates, pageType},
	} {
		a := Send(t, addr, Request(tt.method, tt.target, tt.header))
		soft(t, tt.name, a, http.StatusUnauthorized, tt.mediaType)
		if got := a.Header.Get("Location"); got != "" {
			t.Errorf("%s: led to %q", tt.name, got)
		}
	}
	if a := Send(t, addr, Request("GET", "/door", wantsPage, navigates)); a.Status != http.StatusSeeOther {
		t.Errorf("a browser: %d", a.Status)
	}
}

func eachClient(t *testing.T, f Framework) {
	d := pageDoor(t, f)
	for _, tt := range []struct{ accept, mediaType string }{
		{"X-None: 1", problemType},
		{"Accept: */*", problemType},
		{"Accept: application/json", problemType},
		{"Accept: application/json, text/plain, */*", problemType},
		{"Accept: text/plain", textType},
		{"Accept: text/html;q=0.4, text/plain;q=0.5", textType},
		{"Accept: text/html;q=0, */*", problemType},
		{"Accept: text/html;q=0, */*\n" + navigates, problemType},
		{"Accept: image/png", problemType},
		{"Accept: */*;q=0", problemType},
		{"Accept: */*\n" + fetches, problemType},
		{"Accept: image/avif,image/webp,*/*;q=0.8\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image", problemType},
		{wantsPage, pageType},
	} {
		for _, r := range refusals {
			soft(t, tt.accept+", "+r.header, d.get(tt.accept, r.header), r.status, tt.mediaType)
		}
	}
}

// pagesBeside: the guard's own fields, and concealing, are the same with every responder.
func pagesBeside(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithCORS(front), answers(t, respond.WithSignInRedirect("/login")))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	a := d.get("Accept: */*", fetches, "Origin: "+front)
	soft(t, "fetch", a, http.StatusUnauthorized, problemType)
	if a.Header.Get("Access-Control-Allow-Origin") != front || !a.lists("Vary", "Origin") {
		t.Errorf("%v", a.Header)
	}
	addr := f.Start(t, App{Routes: []Route{{Pattern: "/one", Methods: []string{"GET"}, Handler: ok,
		Gates: []Gate{{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))}}}}})
	hidden, unknown := Send(t, addr, Request("GET", "/one", wantsPage, navigates)), Send(t, addr, Request("GET", "/nah", wantsPage, navigates))
	if diff := fieldDifference(hidden.Header, unknown.Header); hidden.Status != http.StatusNotFound || diff != "" {
		t.Errorf("hidden: %d, %s", hidden.Status, diff)
	}
}

// header lines of a browser that navigates to a page.
const (
	wantsPage = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	navigates = "Sec-Fetch-Mode: navigate\nSec-Fetch-Dest: document"
)

// answers is a responder for all kinds of clients.
func answers(t testing.TB, opts ...respond.Option) core.Option {
	t.Helper()
	n, err := respond.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return core.WithResponder(n)
}

// pageDoor is a door for alice that answers with pages.
func pageDoor(t testing.TB, f Framework, opts ...respond.Option) *door {
	t.Helper()
	g, _ := guard(t, core.WithAuthorizer(only("alice")), answers(t, opts...))
	return newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
}

// loginRedirects: RFC 9110 §15.4.4; caches would store 301 and 308.
func loginRedirects(t *testing.T, f Framework) {
	d := pageDoor(t, f, respond.WithSignInRedirect("/login"))
	for _, method := range []string{"GET", "HEAD"} {
		a := Send(t, d.addr, Request(method, "/door?a=b%20c&d", wantsPage, navigates))
		if got := a.Header.Values("Location"); a.Status != http.StatusSeeOther || len(got) != 1 || got[0] != "/login?return_to=%2Fdoor%3Fa%3Db%2520c%26d" {
			t.Errorf("%s: %d to %q", method, a.Status, got)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Robots-Tag") != "noindex" || a.Header.Get("WWW-Authenticate") != "" || a.Body != "" {
			t.Errorf("%s: %v %q", method, a.Header, a.Body)
		}
		for _, name := range []string{"Accept", "Authorization", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "X-Requested-With"} {
			if !a.lists("Vary", name) {
				t.Errorf("%s: Vary %q lacks %s", method, a.vary(), name)
			}
		}
	}
	if n := d.runs.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
}

// returnTo: routers and clients may change the target.
func returnTo(t *testing.T, f Framework) {
	g, _ := guard(t, answers(t, respond.WithSignInRedirect("/login")))
	addr := f.Start(t, App{Use: []Gate{{Kind: "Authenticate", Guard: g}}, Routes: []Route{
		{Pattern: "/door", Methods: []string{"GET"}, Handler: ok}, {Pattern: "/files/*", Methods: []string{"GET"}, Handler: ok},
	}})
	for _, target := range []string{
		"//evil.com", "///evil.com", "/%2fevil.com", "/%5cevil.com", `/\evil.com`, "/.//evil.com", "/..//evil.com", "/files/..//evil.com", "/files//evil.com",
		"/files/%2e%2e/%2fevil.com", "/files/%0d%0aX:%20y", "/files/a%00", "http://evil.com/door", "/files/" + strings.Repeat("a", 2048),
	} {
		a, err := send(addr, Request("GET", target, wantsPage, navigates))
		if err != nil {
			t.Errorf("%.40s: %v", target, err)
		}
		if got := a.Header.Get("Location"); got != "" && (strings.Contains(got, "evil") || strings.Contains(got, respond.ReturnToParam)) || a.Status == http.StatusOK {
			t.Errorf("%.40s: %d to %q", target, a.Status, got)
		}
	}
	for _, target := range []string{"/door", "/door?x=//evil.com", "/files/a/b%20c?next=https://evil.com/"} {
		a := Send(t, addr, Request("GET", target, wantsPage, navigates))
		u, err := url.Parse(a.Header.Get("Location"))
		if err != nil || u.Path != "/login" || u.Host != "" || respond.ReturnTo(u.Query().Get(respond.ReturnToParam)) != target {
			t.Errorf("%s: %d to %q (%v)", target, a.Status, u, err)
		}
	}
}
