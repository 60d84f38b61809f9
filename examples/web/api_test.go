package main

import (
	_ "embed"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sallyport-go/sallyport/examples/shared/browsers"
)

//go:embed testdata/api_cases.js
var apiCases string

// TestWrapper runs the cases of testdata/api_cases.js in a browser.
func TestWrapper(t *testing.T) {
	p := openTab(t, browsers.Start(t, chromedp.WindowSize(1100, 760)), startSite(t, "nethttp"))
	p.open("/login")
	style := value(p, chromedp.Evaluate[string](`document.querySelector("link[rel=stylesheet]").href`))
	module := strings.TrimSuffix(style, "app.css") + "api.js"
	script := "(" + apiCases + ")(" + strconv.Quote(module) + ")"
	for _, wrong := range value(p, chromedp.Evaluate[[]string](script, chromedp.EvalAwaitPromise)) {
		t.Error(wrong)
	}
}
