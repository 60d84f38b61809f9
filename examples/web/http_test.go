package main

import (
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

var client = &http.Client{
	Timeout:       authtest.TimeLimit(time.Minute),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send sends a request; a form makes it one of a form. The body of the response
// has been read.
func send(t *testing.T, method, address string, header http.Header, form url.Values) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // it was read to its end
	resp.Body = io.NopCloser(strings.NewReader(string(body)))
	return resp
}

// navigation is what a browser says that opens a page, and script what it says
// for fetch.
var (
	navigation = http.Header{"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Site": {"none"}}
	script     = http.Header{"Accept": {"application/json"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Site": {"same-origin"}}
)

// TestAnswers is the status and the fields of every kind of answer: J01 (no
// soft denial), J02, J03, J04, J05, J06, A19.
func TestAnswers(t *testing.T) {
	eachFramework(t, func(t *testing.T, s *testSite) {
		cookie := s.session(t, "victor")
		victor := cookie.Name + "=" + cookie.Value
		for _, c := range []struct {
			name, method, path string
			as                 http.Header
			cookie             string
			status             int
			public             bool // may be kept and listed
			mediaType          string
		}{
			{"start page", "GET", "/", navigation, "", 200, true, "text/html"},
			{"start page by HEAD", "HEAD", "/", navigation, "", 200, true, "text/html"},
			{"robots.txt", "GET", "/robots.txt", nil, "", 200, true, "text/plain"},
			{"sign-in page", "GET", "/login", navigation, "", 200, false, "text/html"},
			{"sign-in page from somewhere", "GET", "/login?return_to=/app", navigation, "", 200, false, "text/html"},
			{"no such page", "GET", "/nothing", navigation, "", 404, false, "text/html"},
			{"no such file", "GET", "/static/0/app.js", navigation, "", 404, false, "text/html"},
			{"app, anonymous", "GET", "/app", navigation, "", 303, false, ""},
			{"app, anonymous, by HEAD", "HEAD", "/app", navigation, "", 303, false, ""},
			{"app, with a cookie that is none", "GET", "/app", navigation, "session=x", 303, false, ""},
			{"app", "GET", "/app", navigation, victor, 200, false, "text/html"},
			{"app by HEAD", "HEAD", "/app", navigation, victor, 200, false, "text/html"},
			{"administration", "GET", "/admin", navigation, victor, 403, false, "text/html"},
			{"API, anonymous", "GET", "/api/me", script, "", 401, false, "application/problem+json"},
			{"API, anonymous, unsafe", "POST", "/api/reports/7/approval", script, "", 401, false, "application/problem+json"},
			{"API", "GET", "/api/me", script, victor, 200, false, "application/json"},
			{"API, no such report", "GET", "/api/reports/99", script, victor, 404, false, "application/problem+json"},
			{"API, not allowed", "GET", "/api/members", script, victor, 403, false, "application/problem+json"},
		} {
			header := c.as.Clone()
			if c.cookie != "" {
				header.Set("Cookie", c.cookie)
			}
			resp := send(t, c.method, s.url+c.path, header, nil)
			h := resp.Header
			if resp.StatusCode != c.status || !strings.HasPrefix(h.Get("Content-Type"), c.mediaType) || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %d %v", c.name, resp.StatusCode, h)
			}
			if got := h.Get("Cache-Control"); c.public != strings.HasPrefix(got, "public") || !c.public && got != "no-store" {
				t.Errorf("%s: Cache-Control is %q", c.name, got)
			}
			if got := h.Get("X-Robots-Tag"); c.public != (got == "") {
				t.Errorf("%s: X-Robots-Tag is %q", c.name, got)
			}
			if csp := h.Get("Content-Security-Policy"); c.mediaType == "text/html" && (!strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe")) {
				t.Errorf("%s: the policy is %q", c.name, csp)
			}
			// A script is asked to sign in by a name that no browser acts on.
			if got := h.Values("WWW-Authenticate"); (c.status == 401) != (len(got) == 1 && strings.HasPrefix(got[0], "Session ")) {
				t.Errorf("%s: the challenges are %q", c.name, got)
			}
		}
	})
}

// TestOutageIsNoSignOut: J05.
func TestOutageIsNoSignOut(t *testing.T) {
	eachFramework(t, func(t *testing.T, s *testSite) {
		header := navigation.Clone()
		cookie := s.session(t, "victor")
		header.Set("Cookie", cookie.Name+"="+cookie.Value)
		s.store.down.Store(true)
		for _, path := range []string{"/app", "/api/me"} {
			resp := send(t, http.MethodGet, s.url+path, header, nil)
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "2" || len(resp.Cookies()) > 0 {
				t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
			}
		}
		resp := send(t, http.MethodPost, s.url+"/login", navigation, url.Values{"user": {"victor"}, "password": {"victor-pass"}})
		if resp.StatusCode != http.StatusServiceUnavailable || len(resp.Cookies()) > 0 {
			t.Errorf("sign-in: %d %v", resp.StatusCode, resp.Header)
		}
	})
}

// TestStaticFilesAreKeptForEver: the address of a file changes with what is in
// any of them.
func TestStaticFilesAreKeptForEver(t *testing.T) {
	link := regexp.MustCompile(`(?:src|href)="(/static/[^"]*)"`)
	eachFramework(t, func(t *testing.T, s *testSite) {
		body, err := io.ReadAll(send(t, http.MethodGet, s.url+"/", navigation, nil).Body)
		if err != nil {
			t.Fatal(err)
		}
		links := link.FindAllStringSubmatch(string(body), -1)
		if len(links) < 2 {
			t.Fatalf("the start page has %d links to static files", len(links))
		}
		for _, l := range links {
			resp := send(t, http.MethodGet, s.url+l[1], nil, nil)
			if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s: %d %v", l[1], resp.StatusCode, resp.Header)
			}
		}
	})
}

// TestReturnTo: F12, from the sign-in page to where the browser goes. The form
// is sent for a few alone, since each takes a password hash.
func TestReturnTo(t *testing.T) {
	field := regexp.MustCompile(`name="return_to" value="([^"]*)"`)
	eachFramework(t, func(t *testing.T, s *testSite) {
		for from, want := range map[string]string{
			"":                          "/app",
			"/":                         "/app",
			"/admin":                    "/admin",
			"/app/reports/7?a=1#b":      "/app/reports/7?a=1#b",
			"//evil.example":            "/app",
			"///evil.example":           "/app",
			`/\evil.example`:            "/app",
			"/\t/evil.example":          "/app",
			"/.//evil.example":          "/app",
			"/app/..//evil.example":     "/app",
			"/%2e%2e//evil.example":     "/app",
			"/%5cevil.example":          "/app",
			"https://evil.example/":     "/app",
			"https:/evil.example/":      "/app",
			"evil.example":              "/app",
			"javascript:alert(1)":       "/app",
			"/a\r\nSet-Cookie: session": "/app",
		} {
			body, err := io.ReadAll(send(t, http.MethodGet, s.url+"/login?return_to="+url.QueryEscape(from), navigation, nil).Body)
			if err != nil {
				t.Fatal(err)
			}
			if m := field.FindSubmatch(body); m == nil || string(m[1]) != want {
				t.Errorf("%q: the form has %q, want %q", from, m, want)
			}
			if !slices.Contains([]string{"", "/admin", "//evil.example", `/\evil.example`, "https://evil.example/"}, from) {
				continue
			}
			resp := send(t, http.MethodPost, s.url+"/login", navigation, url.Values{"user": {"victor"}, "password": {"victor-pass"}, "return_to": {from}})
			if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != want {
				t.Errorf("%q: %d to %q, want 303 to %q", from, resp.StatusCode, got, want)
			}
		}
	})
}

// TestGuessingIsLimited: 429 with Retry-After, whatever the password, in the
// form that the client reads.
func TestGuessingIsLimited(t *testing.T) {
	eachFramework(t, func(t *testing.T, s *testSite) {
		var statuses []int
		for range 11 {
			// Refused unseen, which is quick.
			resp := send(t, http.MethodPost, s.url+"/login", navigation, url.Values{"user": {"alice"}, "password": {"\x01"}})
			statuses = append(statuses, resp.StatusCode)
		}
		want := append(slices.Repeat([]int{http.StatusUnprocessableEntity}, 10), http.StatusTooManyRequests)
		if !slices.Equal(statuses, want) {
			t.Errorf("the answers were %v, want %v", statuses, want)
		}
		for path, as := range map[string]http.Header{"/login": navigation, "/api/login": script} {
			resp := send(t, http.MethodPost, s.url+path, as, url.Values{"user": {"alice"}, "password": {"alice-pass"}})
			if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" || len(resp.Cookies()) > 0 {
				t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
			}
		}
	})
}

// TestFormsAreReadFromTheBodyAlone: a link cannot carry a password.
func TestFormsAreReadFromTheBodyAlone(t *testing.T) {
	eachFramework(t, func(t *testing.T, s *testSite) {
		resp := send(t, http.MethodPost, s.url+"/login?user=victor&password=victor-pass", navigation, url.Values{})
		if resp.StatusCode != http.StatusUnprocessableEntity || len(resp.Cookies()) > 0 {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	})
}

// TestUserNameIsShownAgain: the form keeps what was typed as the user's name,
// whatever that is, and never the password.
func TestUserNameIsShownAgain(t *testing.T) {
	input := regexp.MustCompile(`<input name="user" value="([^"]*)"`)
	s := startSite(t, "nethttp")
	const password = "wrong-\x01\"><b>pass" // refused unseen, which is quick
	for user, want := range map[string]string{
		"alice":                   "alice",
		"Ann Ö.":                  "Ann Ö.",
		`"><script>alert(1)`:      `"><script>alert(1)`,
		"":                        "",
		"a\xff":                   "",
		"a\x00":                   "",
		strings.Repeat("a", 4096): "",
	} {
		resp := send(t, http.MethodPost, s.url+"/login", navigation, url.Values{"user": {user}, "password": {password}})
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		m := input.FindSubmatch(body)
		if resp.StatusCode != http.StatusUnprocessableEntity || m == nil || html.UnescapeString(string(m[1])) != want {
			t.Errorf("%.20q: %d, and the form has %q, want %q", user, resp.StatusCode, m, want)
		}
		if strings.Contains(string(body), "wrong-") || strings.Contains(string(body), "<script>alert") {
			t.Errorf("%.20q: the password, or markup, is in %s", user, body)
		}
	}
}
