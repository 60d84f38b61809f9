package main

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/examples/shared/browsers"
)

//go:embed testdata/looks.js
var looks string

// TestPagesLookRight shows every page of the site in windows as narrow as a
// phone, and as wide as a desk's, in light and dark. The pages are the same on
// all frameworks.
func TestPagesLookRight(t *testing.T) {
	s := startSite(t, "nethttp")
	p := openTab(t, browsers.Start(t), s)
	p.expect(http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)
	at := func(path, selector string) func() {
		return func() {
			p.open(path)
			p.sees(selector)
		}
	}
	for _, page := range []struct {
		name string
		show func()
	}{
		{"home", at("/", "h1")},
		{"not-found", at("/nothing", "h1")},
		{"sign-in", at("/login", signInForm)},
		{"sign-in-wrong", func() {
			p.fill(signInForm, "alice", "wrong")
			p.wantText("[role=alert]", "Wrong user or password.")
		}},
		{"401", at("/app?return_to=/app", ".status")},
		{"list", func() { p.signIn("alice") }},
		{"list-of-long-words", func() {
			p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#reports a").textContent = "Unpronounceable".repeat(6);
				document.querySelector(".who span").prepend("a.person.of.a.very.long.name@department.example")`))
		}},
		{"report", at("/app/reports/7", "#report")},
		{"report-approved", at("/app/reports/5", "#report")},
		{"members", at("/app/members", "#members")},
		{"admin", at("/admin", "#administration")},
		{"signed-in", at("/login", "#signed-in")},
		{"403", func() {
			p.signIn("victor")
			p.open("/admin")
			p.wantText(".status", "403")
		}},
		{"forbidden", func() {
			p.open("/app/members")
			p.sees("#notice.forbidden")
		}},
		{"dialog", func() {
			p.open("/app")
			p.sees("#reports")
			s.endSessions()
			p.click("#refresh")
			p.sees(signInDialog)
		}},
		{"dialog-wrong", func() {
			p.fill(signInDialog, "victor", "wrong")
			p.wantText("dialog [role=alert]", "Wrong user or password.")
		}},
		{"503", func() {
			p.signIn("victor")
			s.store.down.Store(true)
			p.open("/app")
			p.wantText(".status", "503")
		}},
	} {
		page.show()
		p.wantLooks(page.name)
	}
}

// TestRefusalsLookRight shows the pages of package respond in both languages,
// with all that may be on them.
func TestRefusalsLookRight(t *testing.T) {
	browser := browsers.Start(t)
	for _, texts := range []respond.Texts{respond.English(), respond.German()} {
		answers, err := respond.New(respond.WithTexts(texts), respond.WithSignInPage("/login"), respond.WithSwitchAccount("/login"),
			respond.WithContact("the administrators of the reporting department", "mailto:office@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			code := r.URL.Path[1:]
			r.Header.Set("X-Request-Id", strings.Repeat("0123456789abcdef", 8))
			resp := answers.Respond(httpauth.Request(r), &core.Denial{Kind: kinds[code], Code: code, RetryAfter: time.Minute})
			for _, f := range resp.Fields {
				w.Header().Set(f.Name, f.Value)
			}
			_, _ = w.Write(resp.Body) // the browser complains of other statuses
		}))
		t.Cleanup(site.Close)
		p := openTab(t, browser, &testSite{url: site.URL})
		for code := range kinds {
			p.open("/" + code)
			p.wantText("h1", texts.Denials[code].Title)
			p.wantLooks("respond-" + texts.Language + "-" + code)
		}
	}
}

// kinds are those of the refusals, by their codes.
var kinds = map[string]core.Kind{
	core.CodeInvalidRequest: core.Ambiguous, core.CodeAuthenticationRequired: core.Unauthenticated, core.CodeStepUp: core.Unauthenticated,
	core.CodeForbidden: core.Forbidden, core.CodeTooManyAttempts: core.Limited, core.CodeUnavailable: core.Unavailable, core.CodeInternal: core.Faulty,
}

// wantLooks checks the page that the tab shows, in windows of several widths
// and in light and dark, and takes pictures where they are asked for.
func (p *tab) wantLooks(name string) {
	p.t.Helper()
	for _, width := range []int64{320, 390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			p.look(width, scheme)
			for _, complaint := range value(p, chromedp.Evaluate[[]string](looks)) {
				p.t.Errorf("%s, %d px, %s: %s", name, width, scheme, complaint)
			}
			if folder := os.Getenv(screenshots); folder != "" {
				picture := value(p, chromedp.CaptureScreenshot())
				if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), picture, 0o600); err != nil {
					p.t.Fatal(err)
				}
			}
		}
	}
}

// look sets the width of the window and the colours that are preferred, and
// has things stand still.
func (p *tab) look(width int64, scheme string) {
	p.t.Helper()
	size := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 760, DeviceScaleFactor: 1}
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, size); err != nil {
		p.t.Fatal(err)
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		p.t.Fatal(err)
	}
}
