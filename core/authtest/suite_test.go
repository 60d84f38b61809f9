package authtest

import (
	"net"
	"strings"
	"testing"
)

// TestFrameworkSaysWhatIsMissing: the error names all missing fields at once.
func TestFrameworkSaysWhatIsMissing(t *testing.T) {
	if err := NetHTTP().check(); err != nil {
		t.Error(err)
	}
	for name, drop := range map[string]func(*Framework){
		"Package": func(f *Framework) { f.Package = "" },
		"Serve":   func(f *Framework) { f.Serve = nil },
		"Native":  func(f *Framework) { f.Native = nil },
		"Writers": func(f *Framework) { f.Writers = map[string]Handler{} },
	} {
		f := NetHTTP()
		drop(&f)
		if err := f.check(); err == nil || !strings.HasPrefix(err.Error(), "authtest: Framework."+name+" is ") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if err := new(Framework).check(); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("of an empty one: %v", err)
	}
}

// TestCasesOfWhatAFrameworkLacksAreSkipped: they neither pass nor fail, and do not build an
// app.
func TestCasesOfWhatAFrameworkLacksAreSkipped(t *testing.T) {
	f := NetHTTP()
	f.LongLived, f.NativeCode, f.Form, f.HTTP2 = nil, nil, nil, false
	f.Serve = func(t testing.TB, _ net.Listener, _ App) { t.Error("an app was built") }
	cases := map[string]func(*testing.T, Framework){
		"error handler": answersErrors, "handler's error": handlerError, "files of forms": formFiles,
		"hijacking": failsToHijack, "streams": resetStreams,
	}
	for _, c := range recheckCases[:len(recheckCases)-1] { // the last one needs no connection that stays open
		cases[c.name] = c.run
	}
	for name, run := range cases {
		skipped := false
		t.Run(name, func(t *testing.T) {
			defer func() { skipped = t.Skipped() }()
			run(t, f)
		})
		if !skipped {
			t.Errorf("%s: not skipped", name)
		}
	}
}
