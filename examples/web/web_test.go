package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/examples/shared/browsers"
)

// TestSiteInABrowser uses the site as people do, on every framework.
func TestSiteInABrowser(t *testing.T) {
	browser := browsers.Start(t, chromedp.WindowSize(1100, 760))
	scenarios := []struct {
		name string
		run  func(t *testing.T, browser context.Context, s *testSite)
	}{
		{"sign in and see data", signInAndSeeData},
		{"a session ends while a page is open", sessionEndsInUse},
		{"another user signs in to an open page", anotherUserSignsIn},
		{"403 is shown once and nothing repeated", forbiddenIsFinal},
		{"a page that is not allowed", forbiddenPage},
		{"F13 deep link, sign-in and back to it", deepLink},
		{"F12 return_to leads nowhere else", openRedirects},
		{"F10 another origin's forms and scripts", crossSite},
		{"503 waits and tries again", outage},
		{"nothing is left after the sign-out", signOut},
	}
	eachFramework(t, func(t *testing.T, s *testSite) {
		for _, sc := range scenarios {
			t.Run(sc.name, func(t *testing.T) {
				s.events.take()
				sc.run(t, browser, s)
			})
		}
	})
}

func signInAndSeeData(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.open("/")
	p.shot("home")
	p.open("/login")
	p.shot("sign-in")
	p.expect(http.StatusUnprocessableEntity)
	p.fill(signInForm, "alice", "wrong")
	p.wantText("[role=alert]", "Wrong user or password.")
	p.wantForm(signInForm, "alice")
	p.shot("sign-in-wrong")
	p.fill(signInForm, "alice", "alice-pass")
	p.wantText("#reports", "Delivery times by region")
	p.wantText("#roles", "admin, viewer")
	p.wantAt("/app")
	p.shot("app")
	p.click(`a[href="/app/reports/7"]`)
	p.wantText("#report", "Delivery times by region")
	p.wantAt("/app/reports/7")
	p.shot("report")
	p.do(chromedp.NavigateBack())
	p.sees("#reports")
	p.wantAt("/app")
}

func sessionEndsInUse(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.signIn("victor")
	s.endSessions()
	s.events.take()
	p.expect(http.StatusUnauthorized, http.StatusUnprocessableEntity)

	// Two calls at once, one dialog, and each of them repeated once.
	p.click("#refresh")
	p.sees(signInDialog)
	p.shot("dialog")
	s.events.want(t, "GET", "/api/summary", 401)
	s.events.want(t, "GET", "/api/reports", 401)
	p.fill(signInDialog, "victor", "wrong")
	p.wantText("dialog [role=alert]", "Wrong user or password.")
	p.wantForm(signInDialog, "victor")
	p.shot("dialog-wrong")
	p.fill(signInDialog, "victor", "victor-pass")
	p.do(chromedp.WaitNotVisible(chromedp.ID("sign-in")), chromedp.WaitNotPresent(chromedp.CSS("#view[aria-busy]")))
	p.wantText("#reports", "Delivery times by region")
	s.events.want(t, "GET", "/api/summary", 401, 200)
	s.events.want(t, "GET", "/api/reports", 401, 200)
	if text := value(p, chromedp.TextContent(chromedp.ID("notice"))); text != "" {
		t.Errorf("the page still says %q", text)
	}

	// Whoever closes the dialog is not asked again until the next act.
	s.endSessions()
	p.click("#refresh")
	p.sees(signInDialog)
	p.click("dialog [data-close]")
	p.wantText("#notice.failure", "You are signed out.")
	s.events.want(t, "GET", "/api/summary", 401, 200, 401)
	p.click("#again")
	p.fill(signInDialog, "victor", "victor-pass")
	p.do(chromedp.WaitNotVisible(chromedp.ID("sign-in")), chromedp.WaitNotPresent(chromedp.CSS("#view[aria-busy]")))
	p.do(chromedp.WaitNotPresent(chromedp.ID("again")))
}

// anotherUserSignsIn: what alice was about to do is not done by victor.
func anotherUserSignsIn(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.signIn("alice")
	p.click(`a[href="/app/reports/8"]`)
	p.sees("#approve")
	s.endSessions()
	p.expect(http.StatusUnauthorized)
	p.click("#approve")
	p.fill(signInDialog, "victor", "victor-pass")
	p.sees(`body[data-user="victor"] #approve`)
	p.wantAt("/app/reports/8")
	s.events.want(t, "POST", "/api/reports/8/approval", 401)
}

func forbiddenIsFinal(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.signIn("victor")
	p.expect(http.StatusForbidden)
	p.click(`a[href="/app/reports/7"]`)
	p.click("#approve")
	p.wantText("#notice.forbidden", "You have no permission")
	p.shot("no-permission")
	p.click(`nav a[href="/app/members"]`)
	p.do(chromedp.WaitNotPresent(chromedp.CSS("#view[aria-busy]")))
	p.wantText("#notice.forbidden", "You have no permission")

	// Whatever a page would repeat, it has by the time the next view is there.
	p.click(`nav a[href="/app"]`)
	p.sees("#reports")
	s.events.want(t, "POST", "/api/reports/7/approval", 403)
	s.events.want(t, "GET", "/api/members", 403)
	if n := value(p, chromedp.Evaluate[int](`document.querySelectorAll("dialog[open]").length`)); n != 0 {
		t.Error("a 403 has opened the sign-in dialog")
	}
}

func forbiddenPage(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.signIn("victor")
	p.expect(http.StatusForbidden)
	p.click(`nav a[href="/admin"]`)
	p.wantText("main .status", "403")
	p.shot("403")
	s.events.want(t, "GET", "/admin", 403)
	p.click(`a[href^="/login?return_to="]`)
	p.wantText("#signed-in", "victor")
	p.shot("switch-account")
	p.fill(signInForm, "alice", "alice-pass")
	p.wantText("#administration", "Only admins see this page.")
	p.wantAt("/admin")
	p.shot("admin")
}

func deepLink(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.open("/app/reports/7?tab=comments")
	p.sees(signInForm)
	p.wantAt("/login?return_to=" + url.QueryEscape("/app/reports/7?tab=comments"))
	p.fill(signInForm, "victor", "victor-pass")
	p.wantText("#report", "Delivery times by region")
	p.wantAt("/app/reports/7?tab=comments")

	// An address that a redirect has led to already is not led on: a page says
	// what to do.
	s.endSessions()
	p.expect(http.StatusUnauthorized)
	p.open("/app?return_to=/app")
	p.wantText("main .status", "401")
	p.shot("401")
	p.click(`a[href^="/login"]`)
	p.sees(signInForm)
}

// openRedirects: return_to is whatever the maker of a link likes.
func openRedirects(t *testing.T, browser context.Context, s *testSite) {
	evil := startStranger(t)
	host := strings.TrimPrefix(evil.sameSite, "http://")
	p := openTab(t, browser, s)
	for _, to := range []string{"//" + host + "/", `/\` + host + "/"} {
		p.open("/login?return_to=" + url.QueryEscape(to))
		p.fill(signInForm, "victor", "victor-pass")
		p.sees("#reports")
		p.wantAt("/app")
	}
	if n := evil.hits.Load(); n != 0 {
		t.Errorf("%d requests reached the other origin", n)
	}
}

// crossSite: pages of another origin send what alice's browser may do. To the
// browser, another port is the same site, so that it adds her cookie, and
// "localhost" is another one.
func crossSite(t *testing.T, browser context.Context, s *testSite) {
	evil := startStranger(t)
	p := openTab(t, browser, s)
	p.signIn("alice")
	attacker := openTabBeside(t, p)
	approve, login := s.url+"/api/reports/7/approval", s.url+"/login"
	as := "&user=victor&password=victor-pass"
	for _, attack := range []struct {
		page, target string
		fields       string
		status       int
	}{
		{evil.sameSite + "/form", approve, "", 403},
		{evil.sameSite + "/fetch", approve, "", 403},
		{evil.sameSite + "/form", s.url + "/logout", "", 403},
		{evil.sameSite + "/fetch", s.url + "/logout", "", 403},
		{evil.sameSite + "/form", login, as, 403},
		{evil.crossSite + "/form", approve, "", 401}, // Lax: without the cookie
		{evil.crossSite + "/fetch", approve, "", 401},
		{evil.crossSite + "/form", login, as, 403},
	} {
		s.events.take()
		form := strings.HasSuffix(attack.page, "/form")
		attacker.do(chromedp.Navigate(attack.page + "?target=" + url.QueryEscape(attack.target) + attack.fields))
		if form {
			attacker.do(chromedp.WaitVisible(chromedp.CSS("main .status")))
		} else {
			attacker.do(chromedp.Poll[chromedp.Void](`document.title === "answered"`))
		}
		got := s.events.take()
		if len(got) != 1 || got[0].Status != attack.status || got[0].Method != http.MethodPost {
			t.Errorf("%s → %s: the verdicts were %+v, want one with %d", attack.page, attack.target, got, attack.status)
		}
	}
	// alice is signed in as before, and nothing is approved.
	p.open("/app/reports/7")
	p.wantText("#report", "Delivery times by region")
	p.wantText("#view .badge", "draft")
	p.sees(`body[data-user="alice"]`)
}

func outage(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.signIn("victor")
	s.events.take()
	p.expect(http.StatusServiceUnavailable)
	s.store.down.Store(true)
	p.click("#refresh")
	p.wantText("#notice.wait", "Trying again in")
	p.shot("busy")
	s.store.down.Store(false)
	p.do(chromedp.WaitNotPresent(chromedp.CSS("#view[aria-busy]")))
	p.wantText("#reports", "Delivery times by region")
	if text := value(p, chromedp.TextContent(chromedp.ID("notice"))); text != "" {
		t.Errorf("the page still says %q", text)
	}
	var last time.Time
	for _, e := range s.events.take() {
		if e.Resource != "/api/summary" {
			continue
		}
		if gap := e.Time.Sub(last); !last.IsZero() && gap < retryAfter {
			t.Errorf("asked again after %v, and Retry-After was %v", gap, retryAfter)
		}
		last = e.Time
	}

	s.store.down.Store(true)
	defer s.store.down.Store(false)
	p.open("/app")
	p.wantText("main .status", "503")
	p.shot("503")
	p.click(`main a[href=""]`)
	p.sees("main .status") // it is down as before
	s.store.down.Store(false)
	p.click(`main a[href=""]`)
	p.wantText("#reports", "Delivery times by region")
	p.wantAt("/app")
}

func signOut(t *testing.T, browser context.Context, s *testSite) {
	p := openTab(t, browser, s)
	p.signIn("alice")
	p.open("/admin")
	p.sees("#administration")
	p.click("#sign-out")
	p.sees(`a.button[href="/app"]`) // of the start page

	// Back to the administration, then to the reports.
	for range 2 {
		p.do(chromedp.NavigateBack())
		p.sees(signInForm)
		if text := value(p, chromedp.Text(chromedp.CSS("body"))); strings.Contains(text, "Only admins") || strings.Contains(text, "Delivery") {
			t.Errorf("after the sign-out the Back button shows %q", text)
		}
	}
}
