package main

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/probing"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/probe"
)

// browsers are the names of programs that can be driven.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "chrome"}

// startBrowser opens a tab of a browser with a new profile. Without a browser
// on the machine the test is left out, except where CI is set: there it fails.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("it opens a browser: left out with -short")
	}
	browser := ""
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			browser = found
			break
		}
	}
	switch {
	case browser == "" && os.Getenv("CI") != "":
		t.Fatalf("CI is set, and there is none of %s: install Debian's package chromium", strings.Join(browsers, ", "))
	case browser == "":
		t.Skipf("not run: it needs a browser, and there is none of %s on this machine", strings.Join(browsers, ", "))
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(browser), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900)}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "no-default-browser-check",
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(10*time.Minute))
	t.Cleanup(cancel)
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelBrowser)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

// tab is a page in a browser, and what it did besides showing itself.
type tab struct {
	ctx      context.Context
	address  string
	mu       sync.Mutex
	requests []string
	problems []string
}

// openPage opens a page and waits until something of it is there: what its script
// adds, if it has one.
func openPage(t *testing.T, page, shows string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "matrix.html")
	writeFile(t, file, page)
	p := &tab{ctx: startBrowser(t), address: (&url.URL{Scheme: "file", Path: file}).String()}
	if err := chromedp.Listen(p.ctx, p.note); err != nil {
		t.Fatal(err)
	}
	p.do(t, chromedp.Navigate(p.address), chromedp.WaitVisible(chromedp.CSS(shows)))
	return p
}

func (p *tab) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.problems = append(p.problems, "console."+string(e.Type))
	case *log.EventEntryAdded:
		p.problems = append(p.problems, e.Entry.Text)
	}
}

func (p *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// read runs an action in a tab and returns its value.
func read[T any](t *testing.T, p *tab, action chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(p.ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// quiet checks that nothing went over the network and nothing went wrong.
func (p *tab) quiet(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, request := range p.requests {
		if address, _, _ := strings.Cut(request, "#"); address != p.address && address != "data:," {
			t.Errorf("the page asks for %s", request)
		}
	}
	if len(p.requests) == 0 {
		t.Error("no request was seen, not even that for the page")
	}
	if len(p.problems) > 0 {
		t.Errorf("the console says %q", p.problems)
	}
}

// The scripts that say what a reader sees.
const (
	visibleRows = `[...document.querySelectorAll("#matrix tbody tr")].filter(r => r.checkVisibility()).map(r => r.innerText.replace(/\s+/g, " ").trim())`
	targetShown = `(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector("li:target").getBoundingClientRect())`
)

// TestMatrixPageInABrowser opens the page as a reviewer does: it filters, and
// follows a cell to the line that decides. Nothing may go over the network and
// nothing go wrong in the console.
func TestMatrixPageInABrowser(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, "", "init", ".", "--preset", "rbac-deny")
	page := run(t, dir, "", "matrix", "--format", "html")
	if page.code != 0 {
		t.Fatal(page.stderr)
	}
	p := openPage(t, page.stdout, "#filters")
	all := read(t, p, chromedp.Evaluate[[]string](visibleRows))
	if title := read(t, p, chromedp.Title()); title != "Who may do what" || len(all) < 10 {
		t.Errorf("the page is %q with %d rows", title, len(all))
	}

	p.do(t, chromedp.SendKeys(chromedp.ID("routes"), "patch reports"), chromedp.SendKeys(chromedp.ID("subjects"), "editor"))
	count := read(t, p, chromedp.Text(chromedp.ID("count")))
	rows := read(t, p, chromedp.Evaluate[[]string](visibleRows))
	if len(rows) != 1 || rows[0] != "PATCH /reports/:id allow :24" || !strings.HasPrefix(count, "1 of ") {
		t.Errorf("filtered, it shows %q, %q", rows, count)
	}
	if heads := read(t, p, chromedp.Text(chromedp.CSS("#matrix thead"))); !strings.Contains(heads, "editor") || strings.Contains(heads, "viewer") {
		t.Errorf("filtered, the heading is %q", heads)
	}

	const cell = chromedp.CSS("#matrix tbody tr:not([hidden]) td.allow:not([hidden]) a")
	target := read(t, p, chromedp.AttributeValue(cell, "href"))
	p.do(t, chromedp.Click(cell), chromedp.WaitVisible(chromedp.CSS("li:target")))
	line := read(t, p, chromedp.Text(chromedp.CSS("li:target")))
	hash := read(t, p, chromedp.Evaluate[string]("location.hash"))
	if strings.Join(strings.Fields(line), " ") != "p, editor, /reports/:id, PATCH, allow" || hash != target.Value {
		t.Errorf("the cell for %s leads to %s, line %q", target.Value, hash, line)
	}
	if !read(t, p, chromedp.Evaluate[bool](targetShown)) {
		t.Error("the line is out of view")
	}
	p.quiet(t)
}

// TestMatrixPageDoesNotRunWhatThePolicySays puts markup and script into names.
func TestMatrixPageDoesNotRunWhatThePolicySays(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "policy.csv"),
		`p, "</script><script>document.title='run'</script>", "/<img src=x onerror=document.title='run'>", GET`+"\n"+
			`p, "role"" onmouseover=""x", /a, GET`+"\n")
	page := run(t, dir, "", "matrix", "-m", "rbac", "--format", "html")
	if page.code != 0 {
		t.Fatal(page.stderr)
	}
	p := openPage(t, page.stdout, "#filters")
	if title := read(t, p, chromedp.Title()); title != "Who may do what" {
		t.Errorf("the title is %q", title)
	}
	foreign := `document.querySelectorAll("img, script:not(:last-of-type), [onmouseover], [onerror]").length`
	if n := read(t, p, chromedp.Evaluate[int](foreign)); n != 0 {
		t.Errorf("%d elements are the policy's own", n)
	}
	p.quiet(t)
}

// TestProbePageFiltersFindings: by fault, route and who asked, by keyboard too, and a
// link to a finding that is left out shows it.
func TestProbePageFiltersFindings(t *testing.T) {
	ask := func(as, target string) probe.Request {
		return probe.Request{Purpose: probe.Plain, Method: "GET", Target: target, As: as}
	}
	r := &probe.Report{
		Exchanges: []probe.Exchange{
			{Request: ask(probe.Anonymous, "/a"), Answer: probe.Answer{Status: 403}}, {Request: ask("erin", "/a"), Answer: probe.Answer{Status: 401}},
			{Request: ask(probe.Anonymous, "/b"), Answer: probe.Answer{Status: 403}},
		},
		Findings: []probe.Finding{
			{Code: probe.FaultAnonymousForbidden, Method: "GET", Path: "/a", As: probe.Anonymous, Request: ask(probe.Anonymous, "/a")},
			{Code: probe.FaultAnonymousForbidden, Method: "GET", Path: "/b", As: probe.Anonymous, Request: ask(probe.Anonymous, "/b")},
			{Code: probe.FaultSignedInUnauthorized, Method: "GET", Path: "/a", As: "erin", Request: ask("erin", "/a")},
		},
	}
	var page strings.Builder
	if err := probing.NewResult("http://x", "", r, probe.Settings{}, nil).WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	p := openPage(t, page.String(), "#filters")
	shows := func(want string) {
		t.Helper()
		got := read(t, p, chromedp.Evaluate[string](`[...document.querySelectorAll("article")].filter(a => a.offsetParent).map(a => a.id).join(" ") + ", " + document.getElementById("count").textContent`))
		if got != want {
			t.Errorf("shows %q, want %q", got, want)
		}
	}
	shows("f1 f2 f3, 3 of 3 findings")
	p.do(t, chromedp.SendKeys(chromedp.CSS("#route"), "get /B"))
	shows("f2, 1 of 3 findings")
	p.do(t, chromedp.Navigate(p.address+"#f3"), chromedp.WaitVisible(chromedp.CSS("#f3")))
	shows("f1 f2 f3, 3 of 3 findings")
	p.do(t, chromedp.SendKeys(chromedp.CSS("#who"), "erin"))
	shows("f3, 1 of 3 findings")
	p.do(t, chromedp.SendKeys(chromedp.CSS("#code"), "anonymous_forbidden"))
	shows(", 0 of 3 findings")
	if len(p.problems) > 0 {
		t.Errorf("the browser complains: %q", p.problems)
	}
}
