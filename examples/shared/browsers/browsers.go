// Package browsers runs a browser for tests. It is apart from package programs for
// the size of what it imports: a test that opens no page need not link that.
package browsers

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// Names are those of the programs that [Start] can start.
func Names() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
}

// Start starts Chromium with a new profile and further options.
//
// With -short, as make test gives it, the test is left out; make check runs it.
func Start(t testing.TB, more ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("not run: it drives a browser, and -short is given")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(programs.Need(t, Names()...)),
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("proxy-server", "direct://"),
	}
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "no-default-browser-check",
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	// The test's own context ends before the browser can be told to close.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), authtest.TimeLimit(15*time.Minute))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(options, more...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a browser that is killed may still write to its profile
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("closing the browser: %v", err)
		}
	})
	return ctx
}
