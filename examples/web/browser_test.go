package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
)

// screenshots is the environment variable that names a folder for pictures of
// the pages. Without it none are taken.
const screenshots = "WEB_SCREENSHOTS"

// stepLimit is how long one step in a browser may take.
var stepLimit = authtest.TimeLimit(3 * time.Minute)

// tab is a page in a browser with cookies of its own, and what it did besides
// showing itself. It looks at one site.
type tab struct {
	t       *testing.T
	ctx     context.Context
	site    *testSite
	refused []int // statuses the browser may complain of

	mu       sync.Mutex
	requests []string
	problems []string
}

// openTab opens an empty tab. When the test ends it checks that every request
// was for the site and nothing went wrong.
func openTab(t *testing.T, browser context.Context, site *testSite) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	p := &tab{t: t, ctx: ctx, site: site}
	t.Cleanup(closeTab)
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.check)
	return p
}

// openTabBeside opens a tab with the cookies of another, to look at any site.
func openTabBeside(t *testing.T, p *tab) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(p.ctx)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &tab{t: t, ctx: ctx, site: p.site}
}

// expect lets the browser complain of answers with the given statuses, which it
// does of any that a script got and that is not a success.
func (p *tab) expect(statuses ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = append(p.refused, statuses...)
}

var complaint = regexp.MustCompile(`^Failed to load resource: the server responded with a status of (\d{3}) `)

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
		if m := complaint.FindStringSubmatch(e.Entry.Text); m != nil && slices.ContainsFunc(p.refused, func(status int) bool {
			return m[1] == fmt.Sprint(status)
		}) {
			return
		}
		p.problems = append(p.problems, e.Entry.Text+" "+e.Entry.URL)
	}
}

// check finds requests that left the site and what the console says.
func (p *tab) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, request := range p.requests {
		if !strings.HasPrefix(request, p.site.url+"/") && request != "data:," {
			p.t.Errorf("the page asks for %s", request)
		}
	}
	if len(p.requests) == 0 {
		p.t.Error("no request was seen, not even that for a page")
	}
	if len(p.problems) > 0 {
		p.t.Errorf("the console says %q", p.problems)
	}
}

// do takes steps, each in time.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for i, step := range steps {
		ctx, cancel := context.WithTimeout(p.ctx, stepLimit)
		err := chromedp.Do(ctx, step)
		cancel()
		if err != nil {
			p.t.Fatalf("step %d, at %s: %v", i+1, p.location(), err)
		}
	}
}

// value runs an action in a tab and returns its value.
func value[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepLimit)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (p *tab) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.site.url + path))
}

// sees waits until an element is on the page.
func (p *tab) sees(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// location is the address of the page without the site.
func (p *tab) location() string {
	ctx, cancel := context.WithTimeout(p.ctx, stepLimit)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(v, p.site.url)
}

// wantAt checks where the tab is.
func (p *tab) wantAt(path string) {
	p.t.Helper()
	if got := p.location(); got != path {
		p.t.Errorf("the page is %s, want %s", got, path)
	}
}

// wantText checks what an element says.
func (p *tab) wantText(selector, text string) {
	p.t.Helper()
	p.sees(selector)
	if got := value(p, chromedp.Text(chromedp.CSS(selector))); !strings.Contains(got, text) {
		p.t.Errorf("%s says %q, want %q", selector, got, text)
	}
}

// fill fills in a sign-in form and sends it.
func (p *tab) fill(form, user, password string) {
	p.t.Helper()
	p.do(
		chromedp.WaitVisible(chromedp.CSS(form)),
		chromedp.SetValue(chromedp.CSS(form+" [name=user]"), user),
		chromedp.SetValue(chromedp.CSS(form+" [name=password]"), password),
		chromedp.Click(chromedp.CSS(form+" [type=submit]")),
	)
}

// wantForm checks that a form that was refused waits for the password alone.
func (p *tab) wantForm(form, user string) {
	p.t.Helper()
	state := `(f => [f.user.value, f.password.value, document.activeElement.name])(document.querySelector(` + strconv.Quote(form) + `))`
	if got := value(p, chromedp.Evaluate[[]string](state)); !slices.Equal(got, []string{user, "", "password"}) {
		p.t.Errorf("user, password and focus of %s are %q, want %q, no password, and the focus on it", form, got, user)
	}
}

// The forms of the sign-in page and of the dialog.
const (
	signInForm   = `form[action="/login"]`
	signInDialog = `dialog[open] form`
)

// signIn gives the tab the cookie of a new session and sees the reports.
func (p *tab) signIn(user string) {
	p.t.Helper()
	cookie := p.site.session(p.t, user)
	_, err := chromedp.Call(p.ctx, network.SetCookie, network.SetCookieParams{
		Name: cookie.Name, Value: cookie.Value, URL: p.site.url, HTTPOnly: new(cookie.HttpOnly), SameSite: network.CookieSameSiteLax,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.open("/app")
	p.sees("#reports")
}

// shot takes pictures, light and dark, where they are asked for.
func (p *tab) shot(name string) {
	p.t.Helper()
	folder := os.Getenv(screenshots)
	if folder == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		if err != nil {
			p.t.Fatal(err)
		}
		picture := value(p, chromedp.CaptureScreenshot())
		if err := os.WriteFile(filepath.Join(folder, name+"-"+scheme+".png"), picture, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}); err != nil {
		p.t.Fatal(err)
	}
}
