package respond_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
)

// F13, J03: only people who open a page are led to the sign-in page.
func TestLoginRedirect(t *testing.T) {
	n := newResponder(t, respond.WithSignInRedirect("/login"))
	browser := []string{wantsPage, navigates, opensDoc}
	with := func(line string) []string { return append(browser[:3:3], line) }
	stepUp := &core.Denial{Kind: core.Unauthenticated, Code: core.CodeStepUp}
	ended := &core.Denial{Kind: core.Unauthenticated, Code: core.CodeInvalidCredentials}
	for _, tt := range []struct {
		name           string
		d              *core.Denial
		method, target string
		header         []string
		want           string // "" for no redirect
	}{
		{"a browser", unknown, "GET", "/reports?a=b&c", browser, "/login?return_to=%2Freports%3Fa%3Db%26c"},
		{"a browser of old", unknown, "GET", "/reports", browser[:1], "/login?return_to=%2Freports"},
		{"HEAD", unknown, "HEAD", "/reports", browser, "/login?return_to=%2Freports"},
		{"a session that has ended", ended, "GET", "/reports", browser, "/login?return_to=%2Freports"},
		{"the front page", unknown, "GET", "/", browser, "/login"},
		{"a target that cannot be returned to", unknown, "GET", "//evil.com", browser, "/login"},
		{"nor one that is long", unknown, "GET", "/" + strings.Repeat("a", 2048), browser, "/login"},
		{"nor the absolute form", unknown, "GET", "http://app.example/reports", browser, "/login"},
		{"POST is not replayed", unknown, "POST", "/reports", browser, ""},
		{"nor is PUT", unknown, "PUT", "/reports", browser, ""},
		{"whoever is signed in", refused, "GET", "/reports", browser, ""},
		{"an outage", down, "GET", "/reports", browser, ""},
		{"a step-up", stepUp, "GET", "/reports", browser, ""},
		{"curl", unknown, "GET", "/reports", []string{"Accept: */*"}, ""},
		{"nothing said", unknown, "GET", "/reports", nil, ""},
		{"a client of JSON", unknown, "GET", "/reports", []string{"Accept: application/json"}, ""},
		{"a browser that prefers JSON", unknown, "GET", "/reports", []string{"Accept: application/json, text/html;q=0.5", navigates, opensDoc}, ""},
		{"fetch", unknown, "GET", "/reports", []string{"Accept: */*", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, ""},
		{"fetch of a page", unknown, "GET", "/reports", []string{"Accept: text/html", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, ""},
		{"a script, whatever it fetches", unknown, "GET", "/reports", []string{"Accept: text/html", "Sec-Fetch-Mode: same-origin"}, ""},
		{"fetch of a page of old", unknown, "GET", "/reports", []string{"Accept: text/html", "X-Requested-With: XMLHttpRequest"}, ""},
		{"a frame", unknown, "GET", "/reports", []string{wantsPage, navigates, "Sec-Fetch-Dest: iframe"}, ""},
		{"two modes", unknown, "GET", "/reports", with(navigates), ""},
		{"two destinations", unknown, "GET", "/reports", with(opensDoc), ""},
		{"credentials of a program", unknown, "GET", "/reports", with("Authorization: Bearer x"), ""},
		{"the sign-in page itself", unknown, "GET", "/login", browser, ""},
		{"with a query", unknown, "GET", "/login?lang=de", browser, ""},
		{"in other letters", unknown, "GET", "/LOGIN/", browser, ""},
		{"escaped", unknown, "GET", "/%6Cogin", browser, ""},
		{"behind a proxy that hides it", unknown, "GET", "/x?return_to=%2Freports", browser, ""},
		{"robots.txt", unknown, "GET", "/robots.txt", browser[:1], ""},
		{"favicon.ico", unknown, "GET", "/favicon.ico", browser[:1], ""},
		{"well-known", unknown, "GET", "/.well-known/change-password", browser, ""},
		{"a target that cannot be read", unknown, "GET", "reports", browser, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := n.Respond(asked(tt.method, tt.target, tt.header...), tt.d)
			status := tt.d.Kind.Status()
			if tt.want != "" {
				status = http.StatusSeeOther
			}
			if got := strings.Join(field(resp.Fields, "Location"), "|"); got != tt.want || resp.Status != status {
				t.Errorf("%d to %q, want %d to %q", resp.Status, got, status, tt.want)
			}
			if (len(resp.Body) == 0) != (tt.want != "") {
				t.Errorf("body %q", resp.Body)
			}
			for name, want := range map[string]string{
				"Vary":         "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest, X-Requested-With, Authorization",
				"X-Robots-Tag": "noindex",
			} {
				if got := strings.Join(field(resp.Fields, name), "|"); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestTheSignInPageMayHaveAQuery(t *testing.T) {
	n := newResponder(t, respond.WithSignInRedirect("/login?tenant=a"))
	resp := n.Respond(get(wantsPage, navigates), unknown)
	if got := field(resp.Fields, "Location"); len(got) != 1 || got[0] != "/login?tenant=a&return_to=%2Freports%3Fyear%3D2026" {
		t.Errorf("%q", got)
	}
}

// The links of pages say where to return to; WithSignInPage redirects nobody.
func TestLinksOfPages(t *testing.T) {
	linked := newResponder(t, respond.WithSignInPage("/login"), respond.WithSwitchAccount("/switch"), respond.WithContact("the <office>", "mailto:o@example.com"))
	bare := newResponder(t)
	stepUp := &core.Denial{Kind: core.Unauthenticated, Code: core.CodeStepUp}
	unasked := &core.Denial{Kind: core.Forbidden, Code: core.CodeStepUp}
	limited := &core.Denial{Kind: core.Limited, Code: core.CodeTooManyAttempts}
	crossSite := &core.Denial{Kind: core.Forbidden, Code: core.CodeCrossSite}
	const back = "?return_to=%2Freports%3Fyear%3D2026"
	for _, tt := range []struct {
		name  string
		r     core.Request
		d     *core.Denial
		links []string
	}{
		{"401", get(wantsPage), unknown, []string{"/login" + back}},
		{"a step-up", get(wantsPage), stepUp, []string{"/login" + back}},
		{"a step-up that no scheme asks for", get(wantsPage), unasked, []string{"/login" + back}},
		{"POST", asked("POST", "/reports", wantsPage), unknown, []string{"/login"}},
		{"a link that was followed", asked("GET", "/x?return_to=%2Fy", wantsPage), unknown, []string{"/login"}},
		{"hostile", asked("GET", `/x?"><script>alert(1)</script>`, wantsPage), unknown, []string{"/login?return_to=%2Fx%3F%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E"}},
		{"403", get(wantsPage), refused, []string{"/switch" + back, "mailto:o@example.com"}},
		{"another site", get(wantsPage), crossSite, nil},
		{"503", get(wantsPage), down, []string{""}},
		{"503 on another page", asked("GET", "/other", wantsPage), down, []string{""}},
		{"503 by HEAD", asked("HEAD", "/reports", wantsPage), down, []string{""}},
		{"503 to a form", asked("POST", "/reports", wantsPage), down, nil},
		{"503 to the sign-in form", asked("POST", "/Login/?x=1", wantsPage), down, []string{""}},
		{"503 to DELETE", asked("DELETE", "/reports", wantsPage), down, nil},
		{"429", get(wantsPage), limited, []string{""}},
		{"429 to a form", asked("POST", "/reports", wantsPage), limited, nil},
		{"400", get(wantsPage), &core.Denial{Kind: core.Ambiguous, Code: core.CodeAmbiguousPath}, nil},
		{"500", get(wantsPage), &core.Denial{Kind: core.Faulty, Code: core.CodeInternal}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := linked.Respond(tt.r, tt.d)
			var links []string
			for _, part := range strings.Split(string(resp.Body), `<a `)[1:] {
				_, href, _ := strings.Cut(part, `href="`)
				href, _, _ = strings.Cut(href, `"`)
				links = append(links, href)
			}
			if resp.Status != tt.d.Kind.Status() || strings.Join(links, "|") != strings.Join(tt.links, "|") {
				t.Errorf("%d with links %q, want %q", resp.Status, links, tt.links)
			}
			if strings.Contains(string(resp.Body), "<script") || strings.Contains(string(resp.Body), "<office") {
				t.Errorf("J06: %s", resp.Body)
			}
			// Links to nowhere else need no option, and where they lead is known.
			body := string(bare.Respond(tt.r, tt.d).Body)
			retry := slices.Equal(tt.links, []string{""}) && tt.r.Method() != "POST"
			if strings.Count(body, "<a ") != strings.Count(body, `<a class="button" href="">Try again</a>`) ||
				strings.Contains(body, "<a ") != retry || strings.Contains(body, "actions\">") != retry {
				t.Errorf("links that nobody asked for, or no link to try again: %s", body)
			}
		})
	}
}

// FuzzLoginRedirect: F12. Whatever the target, Location stays on the site and
// what comes back from it is where ReturnTo lets a browser go.
func FuzzLoginRedirect(f *testing.F) {
	for _, s := range elsewhere {
		f.Add(s)
	}
	f.Add("/reports?x=//evil&return_to=/a")
	n := newResponder(f, respond.WithSignInRedirect("/login"), respond.WithSwitchAccount("/switch"))
	f.Fuzz(func(t *testing.T, target string) {
		r := asked("GET", target, wantsPage)
		for _, location := range field(n.Respond(r, unknown).Fields, "Location") {
			staysHere(t, location)
			u, err := url.Parse(location)
			if err != nil || u.Path != "/login" || u.Host != "" {
				t.Fatalf("%q: %q (%v)", target, location, err)
			}
			if back := u.Query().Get(respond.ReturnToParam); back != "" && (back != target || respond.ReturnTo(back) != back) {
				t.Fatalf("%q came back as %q", target, back)
			}
		}
		body := string(n.Respond(r, refused).Body)
		if strings.Count(body, "<") != strings.Count(string(n.Respond(get(wantsPage), refused).Body), "<") {
			t.Fatalf("%q: markup in %s", target, body)
		}
	})
}
