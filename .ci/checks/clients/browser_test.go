package clients

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/examples/shared/browsers"
	"github.com/sallyport-go/sallyport/examples/shared/scenario"
)

// tab is one whose password dialogs are answered by the test.
type tab struct {
	ctx context.Context

	mu      sync.Mutex
	answers []string // passwords of erin to give, in order; then the dialog is cancelled
	dialogs []string // the scheme and realm of each dialog
}

// openTab opens a tab that knows nothing of what others have signed in to.
func openTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{ctx: ctx}
	if err := chromedp.Listen(b.ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	handle := true
	if _, err := chromedp.Call(b.ctx, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &handle}); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear lets every request pass and answers dialogs. A command that fails leaves
// its request waiting, and so the test.
func (b *tab) hear(event any) {
	switch e := event.(type) {
	case *fetch.EventRequestPaused:
		go func() {
			_, _ = chromedp.Call(b.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		}()
	case *fetch.EventAuthRequired:
		answer := b.dialog(e.AuthChallenge)
		go func() {
			_, _ = chromedp.Call(b.ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: e.RequestID, AuthChallengeResponse: answer})
		}()
	}
}

// dialog is what erin does at a password dialog.
func (b *tab) dialog(c *fetch.AuthChallenge) *fetch.AuthChallengeResponse {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dialogs = append(b.dialogs, c.Scheme+" "+c.Realm)
	if len(b.answers) == 0 {
		return &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseCancelAuth}
	}
	password := b.answers[0]
	b.answers = b.answers[1:]
	return &fetch.AuthChallengeResponse{
		Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: "erin", Password: password,
	}
}

// open opens a page with passwords for the dialogs to come. It returns the
// status, the text of the page, and the dialogs there were.
func (b *tab) open(t *testing.T, url string, passwords ...string) (status int64, text string, dialogs []string) {
	t.Helper()
	b.mu.Lock()
	b.answers, b.dialogs = passwords, nil
	b.mu.Unlock()
	r, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(url))
	if err != nil {
		t.Fatal(err)
	}
	return r.Status, evaluate[string](t, b, `document.body.innerText`), b.shown()
}

// shown are the dialogs since a page was last opened.
func (b *tab) shown() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dialogs
}

func evaluate[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scripted is the status and the challenges that a script of the page gets.
const scripted = `fetch("/me").then(async r => r.status + " " + r.headers.get("WWW-Authenticate") + " " + await r.text())`

// TestBrowser has Chromium try every server.
func TestBrowser(t *testing.T) {
	browser := browsers.Start(t)
	s := newSetting(t)
	withBasic := s.start(t)
	withDigest := s.start(t, "-digest", s.file("sha256.htdigest"))
	for _, c := range []struct {
		name    string
		servers []scenario.Server
		test    func(t *testing.T, b *tab, url, elsewhere string)
	}{
		{"asks for the password", withBasic, asksForThePassword},
		{"asks again", withBasic, asksAgain},
		{"prefers Digest", withDigest, prefersDigest},
		{"opens no dialog for scripts", withDigest, opensNoDialogForScripts},
		{"posts for pages of other origins in vain", withBasic, postsForOthers},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, c.servers, func(t *testing.T, url string) {
				elsewhere := c.servers[0].URL
				if elsewhere == url {
					elsewhere = c.servers[1].URL
				}
				c.test(t, openTab(t, browser), url, elsewhere)
			})
		})
	}
}

// asksForThePassword: Chromium's own dialog, a right password, and a script
// afterwards, whose requests carry the password without a dialog.
func asksForThePassword(t *testing.T, b *tab, url, _ string) {
	status, text, dialogs := b.open(t, url+"/me", "erin-pass")
	if status != 200 || who(t, text) != "erin by Basic" {
		t.Errorf("the page is %d: %s", status, text)
	}
	if got := strings.Join(dialogs, ", "); got != "basic "+realm {
		t.Errorf("dialogs %q", got)
	}
	if got := evaluate[string](t, b, scripted); !strings.HasPrefix(got, "200 null ") || len(b.shown()) != 1 {
		t.Errorf("a script gets %q, after dialogs %q", got, b.shown())
	}
}

// asksAgain: a wrong password is 401, upon which Chromium asks anew. Who gives
// up sees the refusal, and a right one helps.
func asksAgain(t *testing.T, b *tab, url, _ string) {
	status, text, dialogs := b.open(t, url+"/me", "guess")
	if status != 401 || who(t, text) != "invalid_credentials" || len(dialogs) != 2 {
		t.Errorf("given up, the page is %d: %s, after dialogs %q", status, text, dialogs)
	}
	status, text, dialogs = b.open(t, url+"/me", "guess", "erin-pass")
	if status != 200 || who(t, text) != "erin by Basic" || len(dialogs) != 2 {
		t.Errorf("the page is %d: %s, after dialogs %q", status, text, dialogs)
	}
}

// prefersDigest: offered both, Chromium takes Digest with SHA-256.
func prefersDigest(t *testing.T, b *tab, url, _ string) {
	status, text, dialogs := b.open(t, url+"/me", "guess", "erin-pass")
	if status != 200 || who(t, text) != "erin by Digest" {
		t.Errorf("the page is %d: %s", status, text)
	}
	if got := strings.Join(dialogs, ", "); got != "digest "+realm+", digest "+realm {
		t.Errorf("dialogs %q", got)
	}
}

// opensNoDialogForScripts: core.WithoutPrompts, A19. The navigation afterwards
// shows that there would have been one.
func opensNoDialogForScripts(t *testing.T, b *tab, url, _ string) {
	if status, text, dialogs := b.open(t, url+"/healthz"); status != 200 || len(dialogs) > 0 {
		t.Fatalf("the public page is %d: %s, after dialogs %q", status, text, dialogs)
	}
	got := evaluate[string](t, b, scripted)
	if !strings.HasPrefix(got, "401 Bearer ") || !strings.Contains(got, "xBasic ") || !strings.Contains(got, "xDigest ") || len(b.shown()) > 0 {
		t.Errorf("a script gets %q, after dialogs %q", got, b.shown())
	}
	if status, _, dialogs := b.open(t, url+"/me"); status != 401 || len(dialogs) != 1 {
		t.Errorf("the page is %d, after dialogs %q", status, dialogs)
	}
}

// postsForOthers: the browser adds the password to a form that a page of another
// origin sends, and the guard refuses it.
func postsForOthers(t *testing.T, b *tab, url, elsewhere string) {
	if status, _, _ := b.open(t, url+"/me", "erin-pass"); status != 200 {
		t.Fatalf("the page is %d", status)
	}
	own := evaluate[string](t, b, `fetch("/notes", {method: "POST"}).then(async r => r.status + " " + await r.text())`)
	if !strings.HasPrefix(own, "200 ") {
		t.Errorf("the own page gets %s", own)
	}
	b.open(t, elsewhere+"/healthz")
	send := chromedp.Evaluate[bool](`(() => {
		const form = document.body.appendChild(document.createElement("form"));
		form.method = "POST";
		form.action = "` + url + `/notes";
		form.submit();
		return true;
	})()`)
	answer, err := chromedp.RunResponse(b.ctx, chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err := send(ctx, page)
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	text := evaluate[string](t, b, `document.body.innerText`)
	if answer.Status != 403 || who(t, text) != "cross_site_request" || len(b.shown()) > 0 {
		t.Errorf("the form gets %d: %s, after dialogs %q", answer.Status, text, b.shown())
	}
}
