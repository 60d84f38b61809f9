package providers_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/browsers"
)

// TestSignInInBrowser has Chromium go through the life of a session on every
// framework, one after the other, with the cookies of all of them. The pages of the
// provider load a font from the network; no name but that of this machine resolves, so
// that the browser does not wait for it.
func TestSignInInBrowser(t *testing.T) {
	browser := browsers.Start(t, chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"))
	p, shops := openShops(t)
	if os.Getenv("SALLYPORT_LONG") == "" {
		shops = []*shop{shops[0], shops[len(shops)-1]} // net/http and fasthttp; "make long" has all
	}
	for _, s := range shops {
		t.Run(s.name, func(t *testing.T) { (&tab{t, browser, s}).live(p) })
	}
}

// tab looks at one application.
type tab struct {
	t    *testing.T
	ctx  context.Context
	shop *shop
}

// act does what leads to another page, and returns its address and text.
func (b *tab) act(action chromedp.Action[chromedp.Void]) (url, text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, authtest.TimeLimit(3*time.Minute))
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, action); err != nil {
		b.t.Fatal(err)
	}
	both, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + " " + document.body.innerText`))
	if err != nil {
		b.t.Fatal(err)
	}
	url, text, _ = strings.Cut(both, " ")
	return url, text
}

func (b *tab) open(path string) (url, text string) {
	b.t.Helper()
	return b.act(chromedp.Navigate(b.shop.url + path))
}

// run has a script leave the page, once it has returned.
func (b *tab) run(script string) (url, text string) {
	b.t.Helper()
	return b.act(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { `+script+`; return true })()`))
		return err
	}))
}

// submit fills in the form of the provider's page, and says yes to what it asks.
func (b *tab) submit() (url, text string) {
	b.t.Helper()
	return b.run(`
		const form = document.forms[0], yes = document.querySelector("button[name=logout]");
		for (const [name, value] of [["login", "alice"], ["password", "any"]])
			if (form.elements[name]) form.elements[name].value = value;
		setTimeout(() => yes ? yes.click() : form.requestSubmit())`)
}

// through answers the provider until the browser is back at the application.
func (b *tab) through(p *provider, url, text string) (string, string) {
	b.t.Helper()
	for range 5 {
		if !strings.HasPrefix(url, p.issuer) {
			break
		}
		url, text = b.submit()
	}
	return url, text
}

// live signs in, opens a page again, lets the session expire, and logs out.
func (b *tab) live(p *provider) {
	const want = "alice editor=true admin=false"
	wantPage := func(what, path, url, text string) {
		b.t.Helper()
		if url != b.shop.url+path || text != want {
			b.t.Fatalf("%s: %s %q, want %s and %q; %v", what, url, text, path, want, b.shop.events.Events())
		}
	}
	url, text := b.open("/account?page=2")
	if !strings.HasPrefix(url, p.issuer+"/interaction/") {
		b.t.Fatalf("a page for nobody leads to %s %q, want the provider", url, text)
	}
	url, text = b.through(p, url, text)
	wantPage("after the sign-in", "/account?page=2", url, text)
	url, text = b.run(`setTimeout(() => location.reload())`)
	wantPage("the page anew", "/account?page=2", url, text)

	b.shop.ahead.Store(int64(13 * time.Hour))
	if got := b.fetch("/account"); got != "401" {
		b.t.Errorf("a script's call after the session has expired: %s, want 401", got)
	}
	url, text = b.open("/account?page=3") // the provider still knows the browser
	wantPage("after the session has expired", "/account?page=3", url, text)
	if got := b.fetch("/account"); got != "200" {
		b.t.Errorf("a script's call: %s, want 200", got)
	}
	url, text = b.run(`
		const form = document.createElement("form");
		form.method = "post"; form.action = "/logout";
		document.body.append(form);
		setTimeout(() => form.submit())`)
	if url, text = b.through(p, url, text); url != b.shop.url+"/" || text != home {
		b.t.Errorf("the logout ends at %s %q, want %s/", url, text, b.shop.url)
	}
	if url, text = b.open("/account"); !strings.HasPrefix(url, p.issuer+"/interaction/") {
		b.t.Errorf("after the logout: %s %q, want the provider to ask who it is", url, text)
	}
}

// fetch is the status that a script of the page gets.
func (b *tab) fetch(path string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, authtest.TimeLimit(3*time.Minute))
	defer cancel()
	status, err := chromedp.Run(ctx, chromedp.Evaluate[string](`fetch("`+path+`").then(r => String(r.status))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return status
}
