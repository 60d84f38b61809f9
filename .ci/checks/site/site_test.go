package site

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/browsers"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

const root = "../../.."

// screenshots is the environment variable with the folder for pictures.
const screenshots = "SALLYPORT_SCREENSHOTS"

// limit only keeps a test from hanging.
var limit = authtest.TimeLimit(5 * time.Minute)

// widths are those of a phone and of a small desktop.
var widths = []int64{390, 1280}

// pages are the pages of docs by their names on the site.
func pages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d pages: %v", len(files), err)
	}
	names := make([]string, len(files))
	for i, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if name == "README" {
			name = "index"
		}
		names[i] = name + ".html"
	}
	return names
}

// serve builds the site and serves it below a path, as GitHub Pages does.
func serve(t *testing.T) string {
	t.Helper()
	programs.Need(t, "node")
	programs.Need(t, "npm")
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, filepath.Join(root, ".ci", "site", "build"), dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "" && strings.Contains(string(out), "npm error network") {
			t.Skipf("not run: npm cannot be reached\n%s", out)
		}
		t.Fatalf("build: %v\n%s", err, out)
	}
	s := httptest.NewServer(http.StripPrefix("/sallyport/", http.FileServer(http.Dir(dir))))
	t.Cleanup(s.Close)
	return s.URL + "/sallyport/"
}

// tab shows pages of the site.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site string

	mu    sync.Mutex
	wrong []string
}

// openTab opens a tab. When the test ends it checks that no request left the
// site, all were answered, and the console is silent.
func openTab(t *testing.T, browser context.Context, site string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &tab{t: t, ctx: ctx, site: site}
	t.Cleanup(closeTab)
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, wrong := range p.wrong {
			t.Error(wrong)
		}
	})
	return p
}

func (p *tab) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.site) && e.Request.URL != "data:," {
			p.wrong = append(p.wrong, "a page asks for "+e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		p.wrong = append(p.wrong, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		p.wrong = append(p.wrong, e.Entry.Text+" "+e.Entry.URL)
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	for i, step := range steps {
		if err := chromedp.Do(ctx, step); err != nil {
			p.t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

// value runs an action in a tab and returns its value.
func value[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (p *tab) resize(width int64) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 844, DeviceScaleFactor: 1, Mobile: width < 600,
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// look is what a page looks like from inside.
type look struct {
	Title    string   `json:"title"`
	Headings int      `json:"headings"`
	Wide     int64    `json:"wide"`
	Current  int      `json:"current"`
	Broken   []string `json:"broken"`
}

// lookAt is evaluated in a page. Broken are its fragments that lead nowhere and
// images that were not loaded.
const lookAt = `({
	title: document.title,
	headings: document.querySelectorAll("main h1").length,
	wide: document.documentElement.scrollWidth,
	current: document.querySelectorAll("nav [aria-current]").length,
	broken: [
		...[...document.querySelectorAll('a[href^="#"]')].filter(a => !document.getElementById(decodeURIComponent(a.hash.slice(1)))).map(a => a.hash),
		...[...document.images].filter(i => !i.complete || i.naturalWidth === 0).map(i => i.src),
	],
})`

// TestSite reads every page at both widths and searches for what one of them is
// about.
func TestSite(t *testing.T) {
	browser := browsers.Start(t) // first: it is left out with -short
	p := openTab(t, browser, serve(t))
	for _, width := range widths {
		p.resize(width)
		for _, page := range pages(t) {
			p.do(chromedp.Navigate(p.site + page))
			got, current := value(p, chromedp.Evaluate[look](lookAt)), 1
			if page == "index.html" {
				current = 0
			}
			if got.Title == "" || got.Headings != 1 || got.Wide > width || got.Current != current || len(got.Broken) > 0 {
				t.Errorf("%s, %d px wide: %+v", page, width, got)
			}
			p.shot(page, width)
		}
		p.search(width)
	}
	p.do(
		chromedp.Navigate(p.site+"playground.html"),
		chromedp.Click(chromedp.CSS(`main a[href="play.html"]`)),
		chromedp.WaitVisible(chromedp.CSS(".verdict.allow")),
	)
}

// search types a few words and follows the first result.
func (p *tab) search(width int64) {
	p.t.Helper()
	first, heading := chromedp.CSS("#results li:first-child a"), chromedp.CSS("main h1")
	p.do(
		chromedp.Navigate(p.site+"gin.html"),
		chromedp.SendKeys(chromedp.CSS("#query"), "dpop nonce"),
		chromedp.WaitVisible(first),
	)
	found := value(p, chromedp.Text(first))
	p.shot("search.html", width)
	p.do(
		chromedp.Click(first),
		chromedp.WaitNotPresent(chromedp.CSS(`nav [aria-current][href="gin.html"]`)),
		chromedp.WaitReady(heading),
	)
	text, page := value(p, chromedp.Text(heading)), value(p, chromedp.Location())
	if !strings.HasPrefix(found, "Bound tokens") || !strings.HasPrefix(text, "Bound tokens") || !strings.HasPrefix(page, p.site+"bound-tokens.html") {
		p.t.Errorf("a search for dpop nonce found %q and led to %s, %q", found, page, text)
	}
}

// shot takes pictures of some pages where they are asked for.
func (p *tab) shot(page string, width int64) {
	p.t.Helper()
	folder, name := os.Getenv(screenshots), strings.TrimSuffix(page, ".html")
	if folder == "" || !slices.Contains([]string{"index", "tokens", "client-behaviour", "search"}, name) {
		return
	}
	picture := value(p, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%d.png", name, width)), picture, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// TestPagesSuitTheSite: what .ci/site reads from a page is there.
func TestPagesSuitTheSite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d pages: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s does not begin with its title: \"# …\"", filepath.Base(file))
		}
	}
}
