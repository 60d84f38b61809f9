package respond_test

import (
	"crypto/sha256"
	"encoding/base64"
	stdhtml "html"
	"html/template"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
)

// between is what stands between two marks, unescaped.
func between(t testing.TB, body, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, from)
	inside, _, closed := strings.Cut(rest, to)
	if !ok || !closed {
		t.Fatalf("no %q … %q in %s", from, to, body)
	}
	return stdhtml.UnescapeString(inside)
}

// J01, J05: each refusal has its page and its status.
func TestPages(t *testing.T) {
	n := newResponder(t)
	for _, tt := range []struct {
		d             core.Denial
		status        int
		title, inside string
	}{
		{core.Denial{Kind: core.Unauthenticated, Code: core.CodeAuthenticationRequired}, 401, "Please sign in", "You need to sign in to see this page."},
		{core.Denial{Kind: core.Unauthenticated, Code: core.CodeInvalidCredentials}, 401, "Please sign in again", "has ended"},
		{core.Denial{Kind: core.Unauthenticated, Code: core.CodeInvalidToken}, 401, "Please sign in again", "has ended"},
		{core.Denial{Kind: core.Unauthenticated, Code: core.CodeStepUp}, 401, "Please confirm that it is you", "stronger or more recent"},
		{core.Denial{Kind: core.Forbidden, Code: core.CodeForbidden, Message: "the API's words"}, 403, "You do not have access", "Signing in again with the same account will not help."},
		{core.Denial{Kind: core.Forbidden, Code: core.CodeInsufficientScope}, 403, "You do not have access", "permission"},
		{core.Denial{Kind: core.Forbidden, Code: core.CodeCrossSite}, 403, "This was not carried out", "another site"},
		{core.Denial{Kind: core.Forbidden, Code: "plan_required", Message: "Upgrade to <pro> & more."}, 403, "You do not have access", "Upgrade to <pro> & more."},
		{core.Denial{Kind: core.Forbidden, Code: "plan_required"}, 403, "You do not have access", "this account may not do this"},
		{core.Denial{Kind: core.Ambiguous, Code: core.CodeInvalidRequest}, 400, "This request is unclear", "contradict"},
		{core.Denial{Kind: core.Ambiguous, Code: core.CodeAmbiguousPath}, 400, "This address is unclear", "more than one way"},
		{core.Denial{Kind: core.Unavailable, Code: core.CodeUnavailable, RetryAfter: time.Second}, 503, "Back in a moment", "Try again in 1 second."},
		{core.Denial{Kind: core.Unavailable, Code: core.CodeUnavailable}, 503, "Back in a moment", "Try again in 1 second."},
		{core.Denial{Kind: core.Unavailable, Code: core.CodeUnavailable, RetryAfter: 29100 * time.Millisecond}, 503, "Back in a moment", "Try again in 30 seconds."},
		{core.Denial{Kind: core.Limited, Code: core.CodeTooManyAttempts, RetryAfter: 119 * time.Second}, 429, "Please wait a little", "Try again in 119 seconds."},
		{core.Denial{Kind: core.Limited, Code: core.CodeTooManyAttempts, RetryAfter: 121 * time.Second}, 429, "Please wait a little", "Try again in 3 minutes."},
		{core.Denial{Kind: core.Faulty, Code: core.CodeInternal, RetryAfter: time.Minute}, 500, "Something went wrong", "The fault is ours."},
	} {
		resp := n.Respond(get(wantsPage), &tt.d)
		body := string(resp.Body)
		title, heading := between(t, body, "<title>", "</title>"), between(t, body, "<h1>", "</h1>")
		if resp.Status != tt.status || title != tt.title || heading != tt.title {
			t.Errorf("%s: %d %q %q, want %d %q", tt.d.Code, resp.Status, title, heading, tt.status, tt.title)
		}
		if inside := between(t, body, "<main>", "</main>"); !strings.Contains(inside, tt.inside) || strings.Contains(inside, "the API's words") {
			t.Errorf("%s: no %q in %s", tt.d.Code, tt.inside, inside)
		}
		if strings.Contains(body, `class="wait"`) != (tt.status == http.StatusServiceUnavailable || tt.status == http.StatusTooManyRequests) {
			t.Errorf("%s: a wait, or none: %s", tt.d.Code, body)
		}
	}
}

// J06: the page can load, run, frame and send nothing, and its style passes.
func TestPagesAreStrict(t *testing.T) {
	own := newResponder(t, respond.WithStyle("h1 { color: #036 } /* <b> */"))
	for _, n := range []*respond.Negotiated{newResponder(t), own} {
		resp := n.Respond(get(wantsPage), refused)
		body := string(resp.Body)
		_, style, _ := strings.Cut(body, "<style>")
		style, _, _ = strings.Cut(style, "</style>")
		hash := sha256.Sum256([]byte(style))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
			"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		if got := field(resp.Fields, "Content-Security-Policy"); len(got) != 1 || got[0] != want || !strings.Contains(style, "color") {
			t.Errorf("policy %q for style %q", got, style)
		}
		if strings.Count(body, "<style") != 1 || strings.Contains(body, "style=") || strings.Contains(body, "<script") || strings.Contains(style, "url(") {
			t.Errorf("%s", body)
		}
		for _, link := range strings.Split(body, "href=")[1:] {
			if !strings.HasPrefix(link, `"data:,"`) {
				t.Errorf("a page without links loads %.40s", link)
			}
		}
		for _, must := range []string{`<!doctype html>`, `<html lang="en">`, `<meta charset="utf-8">`, `name="viewport"`, `<meta name="color-scheme" content="light dark">`,
			`<meta name="robots" content="noindex">`, "<main>", "<h1>"} {
			if strings.Count(body, must) != 1 {
				t.Errorf("%s is not there once", must)
			}
		}
		for name, value := range map[string]string{"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Content-Language": "en"} {
			if got := field(resp.Fields, name); len(got) != 1 || got[0] != value {
				t.Errorf("%s %q", name, got)
			}
		}
	}
}

// RFC 9110 §12.5.4, RFC 4647 §3.4.
func TestLanguages(t *testing.T) {
	swiss, hebrew := respond.German(), respond.English()
	swiss.Language, swiss.Denials[core.CodeForbidden] = "de-CH", respond.Wording{Title: "Kein Zugriff", Message: "Grüezi."}
	hebrew.Language, hebrew.RightToLeft = "he", true
	n := newResponder(t, respond.WithTexts(respond.English(), respond.German(), swiss, hebrew))
	delete(swiss.Denials, core.CodeForbidden) // a responder keeps a copy
	for accept, want := range map[string]string{
		"":                                "en",
		"*":                               "en",
		"fr":                              "en",
		"de":                              "de",
		"DE":                              "de",
		"de-AT":                           "de",
		"de-at-1996":                      "de",
		"de-CH":                           "de-CH",
		"de-CH-1996":                      "de-CH",
		"de-AT, en;q=0.5":                 "de",
		"fr, de;q=0.2, en;q=0.1":          "de",
		"en;q=0.1, de;q=0.2":              "de",
		"de;q=0.2 , en;q=0.2":             "de",
		"en , de":                         "en",
		"de;q=0, *":                       "en",
		"en;q=0, *;q=0.1":                 "de",
		"en;q=0":                          "en",
		"en-GB;q=0.9, de;q=0.8":           "en",
		"x,de_DE,1,deutschlandisch,he":    "he",
		"de;q=2, he;q=0.1":                "he",
		"de;level=1, he;q=0.1":            "he",
		"d":                               "en",
		strings.Repeat("a,", 64) + "de":   "en",
		"de" + strings.Repeat(" ", 4<<10): "en",
	} {
		resp := n.Respond(get(wantsPage, "Accept-Language: "+accept), refused)
		body := string(resp.Body)
		if got := field(resp.Fields, "Content-Language"); len(got) != 1 || got[0] != want || !strings.Contains(body, `lang="`+want+`"`) {
			t.Errorf("%q gives %q, want %s", accept, got, want)
		}
		if got := field(resp.Fields, "Vary"); strings.Join(got, "|") != "Accept-Language|Accept, Sec-Fetch-Mode, Sec-Fetch-Dest" {
			t.Errorf("%q: Vary %q", accept, got)
		}
		if title := between(t, body, "<h1>", "</h1>"); title != map[string]string{
			"en": "You do not have access", "he": "You do not have access", "de": "Sie haben keinen Zugriff", "de-CH": "Kein Zugriff"}[want] {
			t.Errorf("%q: %s", accept, title)
		}
		if strings.Contains(body, `dir="rtl"`) != (want == "he") {
			t.Errorf("%q: direction in %s", accept, body)
		}
	}
	german := n.Respond(get(wantsPage, "Accept-Language: de"), &core.Denial{Kind: core.Limited, Code: core.CodeTooManyAttempts, RetryAfter: 10 * time.Minute})
	if body := string(german.Body); !strings.Contains(body, "Versuchen Sie es in 10 Minuten noch einmal.") {
		t.Errorf("%s", body)
	}
	if got := field(n.Respond(get("Accept-Language: de"), refused).Fields, "Vary"); len(got) != 1 || strings.Contains(got[0], "Language") {
		t.Errorf("problem details vary on %q", got)
	}
}

func TestTemplatesOfTheApplication(t *testing.T) {
	own := template.Must(template.New("own").Parse(
		`<p lang="{{.Language}}">{{.Status}} {{.Code}}: {{.Title}}/{{.Message}}/{{.Wait}}/{{.SignIn.URL}}/{{.Contact.Text}}/{{.RequestID}}`))
	n := newResponder(t, respond.WithTemplate(own), respond.WithSignInPage("/in"), respond.WithContact("us", "/contact"),
		respond.WithContentSecurityPolicy("default-src 'self'"))
	for _, tt := range []struct {
		d    *core.Denial
		want string
	}{
		{unknown, `<p lang="en">401 authentication_required: Please sign in/You need to sign in to see this page.///in?return_to=%2fa//r1`},
		{&core.Denial{Kind: core.Forbidden, Code: "x", Message: "<b>"}, `<p lang="en">403 x: You do not have access/&lt;b&gt;///Ask us for access/r1`},
	} {
		resp := n.Respond(asked("GET", "/a", wantsPage, "X-Request-Id: r1"), tt.d)
		got := strings.ReplaceAll(stdhtml.UnescapeString(string(resp.Body)), "%2F", "%2f")
		if got != stdhtml.UnescapeString(tt.want) {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if got := field(resp.Fields, "Content-Security-Policy"); len(got) != 1 || got[0] != "default-src 'self'" {
			t.Errorf("policy %q", got)
		}
	}
}

func TestTemplatesThatFail(t *testing.T) {
	for name, text := range map[string]string{
		"can't evaluate field Nothing": `{{.Nothing}}`,
		"the page is empty":            ` `,
		"ends in a non-text context":   `<a href="`,
	} {
		if _, err := respond.New(respond.WithTemplate(template.Must(template.New("t").Parse(text)))); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", text, err)
		}
	}
	// One that fails for some requests alone gives nobody half a page.
	odd := template.Must(template.New("t").Parse(`<h1>{{if eq .Message "odd"}}{{template "missing"}}{{end}}`))
	if _, err := odd.New("missing").Parse(`{{index .Nothing 1}}`); err != nil {
		t.Fatal(err)
	}
	n := newResponder(t, respond.WithTemplate(odd))
	for _, header := range [][]string{{wantsPage}, {wantsPage, "X-Request-Id: a"}} {
		resp := n.Respond(get(header...), &core.Denial{Kind: core.Forbidden, Code: "own", Message: "odd"})
		if got := contentType(resp); resp.Status != 403 || got != problemType || strings.Contains(string(resp.Body), "<h1>") {
			t.Errorf("%d %s %s", resp.Status, got, resp.Body)
		}
	}
}

// FuzzPages: J06. A page shows whatever a denial says and never runs it.
func FuzzPages(f *testing.F) {
	for _, s := range []string{"plain", `"><script>alert(1)</script>`, "</title></style></script>", "{{.Style}}", "\xff\xc0\xaf", "a\r\nb\x00c", "<!--", "javascript:alert(1)", "\u2028", "&lt;"} {
		f.Add(s, s, s)
	}
	n := newResponder(f, respond.WithSignInPage("/login"), respond.WithTexts(respond.English(), respond.German()))
	f.Fuzz(func(t *testing.T, code, message, language string) {
		for _, kind := range []core.Kind{core.Unauthenticated, core.Forbidden, core.Faulty} {
			resp := n.Respond(get(wantsPage, "Accept-Language: "+language, "X-Request-Id: "+message), &core.Denial{Kind: kind, Code: "x" + code, Message: message + "."})
			body := string(resp.Body)
			if !utf8.ValidString(body) || resp.Status != kind.Status() || contentType(resp) != pageType {
				t.Fatalf("%d %q", resp.Status, body)
			}
			same := n.Respond(get(wantsPage, "Accept-Language: "+language, "X-Request-Id: "+message), &core.Denial{Kind: kind, Code: "own", Message: "m"})
			if strings.Count(body, "<") != strings.Count(string(same.Body), "<") || strings.Count(body, ">") != strings.Count(string(same.Body), ">") {
				t.Fatalf("markup of %q in %s", message, body)
			}
			for _, r := range body {
				if unicode.IsControl(r) && r != '\n' {
					t.Fatalf("%q in %q", r, body)
				}
			}
		}
	})
}
