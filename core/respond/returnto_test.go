package respond_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/respond"
)

// F12: what leads elsewhere, in some browser, proxy or library. Those of
// CVE-2021-21291, CVE-2022-40083, GHSA-mqqf-5wvp-8fh8 and CVE-2026-49820 are
// among them.
var elsewhere = []string{
	"", " ", "reports", "?next=//evil", "#top", ".", "..",
	"//evil.com", "///evil.com", "////evil.com", "//evil.com/..", "//[::1]/", "//user@evil.com",
	`/\evil.com`, `\\evil.com`, `\/evil.com`, `/\/evil.com`, `/a\..\\evil.com`, `/ok\x`,
	"https:evil.com", "https:/evil.com", "https://evil.com", "HTTPS://evil.com", "http://[::1]/", "http://app.example/",
	"javascript:alert(1)", "data:text/html,x", "vbscript:x", "mailto:a@evil.com", "x:/reports",
	"/\t/evil.com", "/\n/evil.com", "/\r/evil.com", "\t//evil.com", " //evil.com", "/ /evil.com", "/ok\r\nX: y", "/ok\x00", "/ok\x7f",
	"/\u2028/evil", "/\u00a0/evil.com", "/\uff0fevil.com", "/caf\u00e9", "/\xff",
	"/.//evil.com", "/..//evil.com", "/./evil.com", "/../evil.com", "/a/../..//evil.com", "/a/..", "/a/.", "/a//evil.com", "/a//",
	"/%2fevil.com", "/%2Fevil.com", "/%5cevil.com", "/%5Cevil.com", "/%2e%2e//evil.com", "/%2e%2e/evil.com", "/%2e/%2fevil.com", "/.%2f/evil.com",
	"/%09/evil.com", "/%0d%0aX:%20y", "/%00", "/a%2f%2fevil.com", "/a%2f..%2f%2fevil.com", "/%zz", "/%", "/ok#%zz",
	"/" + strings.Repeat("a", 2048),
}

func TestReturnToStaysOnTheSite(t *testing.T) {
	for _, s := range elsewhere {
		if got := respond.ReturnTo(s); got != "/" {
			t.Errorf("%q leads to %q", s, got)
		}
	}
	for _, s := range []string{
		"/", "/reports", "/reports/", "/reports/7?year=2026&all", "/ok?x=//evil", "/ok?next=https://evil.com/", "/ok?a=%0a%5c", "/ok#//evil",
		"/app#/inbox", "/@evil.com", "/a:b@c", "/;x", "/admin;x", "/a%2Fb", "/caf%C3%A9", "/%ff", "/...", "/.well-known/x", "/..a", "/a..", "/%252fevil.com",
		"/" + strings.Repeat("a", 2047),
	} {
		if got := respond.ReturnTo(s); got != s {
			t.Errorf("%q leads to %q", s, got)
		}
	}
}

// FuzzReturnTo: F12. However the result is read, it stays on the site.
func FuzzReturnTo(f *testing.F) {
	for _, s := range elsewhere {
		f.Add(s)
	}
	f.Add("/reports?x=//evil#/a")
	base, err := url.Parse("https://app.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := respond.ReturnTo(s)
		if got != s && got != "/" {
			t.Fatalf("%q was changed into %q", s, got)
		}
		u, err := base.Parse(got)
		if err != nil || u.Host != "app.example" || u.Scheme != "https" || u.User != nil {
			t.Fatalf("%q resolves to %v (%v)", got, u, err)
		}
		staysHere(t, got)
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodPost, "/login", nil), got, http.StatusSeeOther)
		staysHere(t, w.Header().Get("Location"))
		p, _, _ := strings.Cut(got, "?")
		p, _, _ = strings.Cut(p, "#")
		if decoded, err := url.PathUnescape(p); err != nil {
			t.Fatalf("%q: %v", got, err)
		} else {
			staysHere(t, decoded)
			staysHere(t, path.Clean(decoded))
		}
	})
}

// staysHere reads a location as browsers do, which drop tabs and line ends and
// take a backslash for a slash (URL standard, "basic URL parser").
func staysHere(t *testing.T, location string) {
	t.Helper()
	read := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(strings.TrimFunc(location, func(r rune) bool { return r <= ' ' }))
	if !strings.HasPrefix(read, "/") || strings.HasPrefix(read, "//") {
		t.Fatalf("%q leads elsewhere", location)
	}
}
