package respond_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/respond"
)

func newResponder(t testing.TB, opts ...respond.Option) *respond.Negotiated {
	t.Helper()
	n, err := respond.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// asked is a request with header lines "Name: value".
func asked(method, target string, header ...string) core.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.RequestURI = target
	if u, err := r.URL.Parse(target); err == nil {
		r.URL = u
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return &adapter.View{Request: r}
}

// get is a GET of /reports.
func get(header ...string) core.Request { return asked("GET", "/reports?year=2026", header...) }

const (
	wantsPage = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	navigates = "Sec-Fetch-Mode: navigate"
	opensDoc  = "Sec-Fetch-Dest: document"

	problemType = "application/problem+json"
	textType    = "text/plain; charset=utf-8"
	pageType    = "text/html; charset=utf-8"
)

func contentType(resp core.Response) string {
	return strings.Join(field(resp.Fields, "Content-Type"), "|")
}

var (
	unknown = &core.Denial{Kind: core.Unauthenticated, Code: core.CodeAuthenticationRequired, Message: "Sign in."}
	refused = &core.Denial{Kind: core.Forbidden, Code: core.CodeForbidden, Message: "No."}
	down    = &core.Denial{Kind: core.Unavailable, Code: core.CodeUnavailable, Message: "Later.", RetryAfter: 29500 * time.Millisecond}
)

// A23.
func TestEachClientGetsItsFormat(t *testing.T) {
	std := newResponder(t)
	plain := newResponder(t, respond.WithAPI(respond.JSON()))
	both := newResponder(t, respond.WithAPI(respond.Problem(), respond.JSON()))
	texts := newResponder(t, respond.WithAPI(respond.Text(), respond.Problem()))
	for _, tt := range []struct {
		name   string
		n      *respond.Negotiated
		header []string
		want   string
	}{
		{"nothing said", std, nil, problemType},
		{"curl", std, []string{"Accept: */*"}, problemType},
		{"a client of JSON", std, []string{"Accept: application/json"}, problemType},
		{"a client of JSON, where JSON is the format", plain, []string{"Accept: application/json"}, "application/json"},
		{"a client of JSON, where both are", both, []string{"Accept: application/json"}, "application/json"},
		{"curl, where JSON is the format", plain, []string{"Accept: */*"}, "application/json"},
		{"curl, where text is the format", texts, []string{"Accept: */*"}, textType},
		{"text by name", std, []string{"Accept: text/plain"}, textType},
		{"a browser of old", std, []string{wantsPage}, pageType},
		{"a browser", std, []string{wantsPage, navigates, opensDoc}, pageType},
		{"a browser that takes anything", std, []string{"Accept: */*", navigates, opensDoc}, pageType},
		{"a browser that says nothing", std, []string{navigates}, pageType},
		{"a destination alone", std, []string{opensDoc}, pageType},
		{"a frame", std, []string{wantsPage, navigates, "Sec-Fetch-Dest: iframe"}, pageType},
		{"a browser that prefers JSON", std, []string{"Accept: application/json, text/html;q=0.9", navigates}, problemType},
		{"a browser that wants no page", std, []string{"Accept: text/html;q=0, */*", navigates}, problemType},
		{"fetch", std, []string{"Accept: */*", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"}, problemType},
		{"a picture", std, []string{"Accept: image/avif,image/*,*/*;q=0.8", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, problemType},
		{"a script that fetches parts of pages", std, []string{"Accept: text/html", "Sec-Fetch-Mode: cors"}, pageType},
		{"two modes", std, []string{"Accept: */*", navigates, "Sec-Fetch-Mode: cors"}, problemType},
		{"two destinations", std, []string{"Accept: */*", navigates, opensDoc, opensDoc}, problemType},
		{"HTML excluded", std, []string{"Accept: text/html;q=0, text/plain;q=0.1"}, textType},
		{"XHTML", std, []string{"Accept: application/xhtml+xml"}, pageType},
		{"nothing on offer", std, []string{"Accept: image/png"}, problemType},
		{"nothing at all", std, []string{"Accept: */*;q=0", navigates}, pageType},
		{"malformed", std, []string{`Accept: "`}, problemType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range []*core.Denial{unknown, refused, down} {
				resp := tt.n.Respond(get(tt.header...), d)
				if got := contentType(resp); got != tt.want || resp.Status != d.Kind.Status() || len(resp.Body) == 0 {
					t.Errorf("%d %s, want %d %s", resp.Status, got, d.Kind.Status(), tt.want)
				}
				if got := field(resp.Fields, "Vary"); strings.Join(got, "|") != "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest" {
					t.Errorf("Vary %q", got)
				}
				if got := field(resp.Fields, "X-Robots-Tag"); strings.Join(got, "|") != "noindex" {
					t.Errorf("J04: X-Robots-Tag %q", got)
				}
				if got := field(resp.Fields, "X-Content-Type-Options"); strings.Join(got, "|") != "nosniff" {
					t.Errorf("X-Content-Type-Options %q", got)
				}
			}
		})
	}
}

func challenged(t *testing.T, params ...challenge.Param) []challenge.Challenge {
	t.Helper()
	var cs []challenge.Challenge
	for _, c := range []struct {
		scheme string
		params []challenge.Param
	}{{"Basic", nil}, {"Bearer", params}} {
		made, err := challenge.New(c.scheme, append([]challenge.Param{{Name: "realm", Value: "r"}}, c.params...)...)
		if err != nil {
			t.Fatal(err)
		}
		cs = append(cs, made)
	}
	return cs
}

// I05, I07: what the challenge says is in the body too, in members of its own.
func TestBodiesSayWhatTheChallengeSays(t *testing.T) {
	scope := &core.Denial{Kind: core.Forbidden, Code: core.CodeInsufficientScope, Message: "m", Challenges: challenged(t,
		challenge.Param{Name: "error", Value: "insufficient_scope"}, challenge.Param{Name: "scope", Value: "read write"})}
	stepUp := &core.Denial{Kind: core.Unauthenticated, Code: core.CodeStepUp, Message: "m", Challenges: challenged(t,
		challenge.Param{Name: "error", Value: core.CodeStepUp}, challenge.Param{Name: "acr_values", Value: "gold"}, challenge.Param{Name: "max_age", Value: "600"})}
	odd := &core.Denial{Kind: core.Unauthenticated, Code: core.CodeStepUp, Message: "m", Challenges: challenged(t,
		challenge.Param{Name: "error", Value: core.CodeStepUp}, challenge.Param{Name: "max_age", Value: "soon"})}
	other := &core.Denial{Kind: core.Unauthenticated, Code: core.CodeInvalidToken, Message: "m", Challenges: challenged(t,
		challenge.Param{Name: "error", Value: core.CodeInvalidToken}, challenge.Param{Name: "scope", Value: "read"})}
	for _, tt := range []struct {
		d             *core.Denial
		problem, json string
	}{
		{scope, `{"title":"Forbidden","status":403,"detail":"m","error":"insufficient_scope","scope":"read write"}`,
			`{"error":"insufficient_scope","message":"m","scope":"read write"}`},
		{stepUp, `{"title":"Unauthorized","status":401,"detail":"m","error":"insufficient_user_authentication","acr_values":"gold","max_age":600}`,
			`{"error":"insufficient_user_authentication","message":"m","acr_values":"gold","max_age":600}`},
		{odd, `{"title":"Unauthorized","status":401,"detail":"m","error":"insufficient_user_authentication"}`,
			`{"error":"insufficient_user_authentication","message":"m"}`},
		{other, `{"title":"Unauthorized","status":401,"detail":"m","error":"invalid_token"}`, `{"error":"invalid_token","message":"m"}`},
	} {
		for range 2 { // the second comes from what is kept
			if got := string(respond.Problem().Respond(nil, tt.d).Body); got != tt.problem+"\n" {
				t.Errorf("got  %swant %s", got, tt.problem)
			}
			if got := string(respond.JSON().Respond(nil, tt.d).Body); got != tt.json+"\n" {
				t.Errorf("got  %swant %s", got, tt.json)
			}
		}
	}
}

// I06: a request ID is opaque and harmless, or left out.
func TestRequestIDs(t *testing.T) {
	const uuid = "4F5c2b3a-1111-4222-8333-abcdefabcdef"
	std, trace, none := newResponder(t), newResponder(t, respond.WithRequestID("x-trace")), newResponder(t, respond.WithRequestID(""))
	long := strings.Repeat("a", 128)
	for _, tt := range []struct {
		n              *respond.Negotiated
		header         string
		instance, text string
	}{
		{std, "X-Request-Id: 01JD-x_y.z~0", "01JD-x_y.z~0", "01JD-x_y.z~0"},
		{std, "X-Request-Id: " + uuid, "urn:uuid:" + uuid, uuid},
		{std, "X-Request-Id: " + uuid + "0", uuid + "0", uuid + "0"},
		{std, "X-Request-Id: " + long, long, long},
		{std, "X-Request-Id: " + long + "a", "", ""},
		{std, "X-Request-Id: ", "", ""},
		{std, "X-Request-Id: ../a", "", ""},
		{std, "X-Request-Id: -a", "", ""},
		{std, "X-Request-Id: a:b", "", ""},
		{std, "X-Request-Id: a/b?token=c", "", ""},
		{std, `X-Request-Id: "><script>`, "", ""},
		{std, "X-Request-Id: caf\xc3\xa9", "", ""},
		{trace, "X-Trace: t1", "t1", "t1"},
		{trace, "X-Request-Id: a", "", ""},
		{none, "X-Request-Id: a", "", ""},
	} {
		problem := string(tt.n.Respond(get("Accept: */*", tt.header), refused).Body)
		want := `{"title":"Forbidden","status":403,"detail":"No.","error":"forbidden"}` + "\n"
		line, markup := "No.\n", ""
		if tt.instance != "" {
			want = strings.Replace(want, `,"error"`, `,"instance":"`+tt.instance+`","error"`, 1)
			line += "Request ID: " + tt.text + "\n"
			markup = "Request ID: <code>" + tt.text + "</code>"
		}
		if problem != want {
			t.Errorf("%s: got  %swant %s", tt.header, problem, want)
		}
		if got := string(tt.n.Respond(get("Accept: text/plain", tt.header), refused).Body); got != line {
			t.Errorf("%s: text %q, want %q", tt.header, got, line)
		}
		page := string(tt.n.Respond(get(wantsPage, tt.header), refused).Body)
		if !strings.Contains(page, markup) || markup == "" && strings.Contains(page, "<code>") {
			t.Errorf("%s: page without %q", tt.header, markup)
		}
	}
	plain := newResponder(t, respond.WithAPI(respond.JSON()))
	if got := string(plain.Respond(get("X-Request-Id: a1"), refused).Body); got != `{"error":"forbidden","message":"No.","request_id":"a1"}`+"\n" {
		t.Errorf("JSON %s", got)
	}
	if got := string(std.Respond(get("X-Request-Id: a", "X-Request-Id: b"), refused).Body); strings.Contains(got, "instance") {
		t.Errorf("one of two IDs: %s", got)
	}
}

// A format of the application's own can stand for programs.
func TestAFormatOfTheApplication(t *testing.T) {
	xml := &page{types: []string{"application/xml"}, fields: []core.Field{{Name: "Content-Type", Value: "application/xml"}}}
	n := newResponder(t, respond.WithAPI(xml))
	if got := contentType(n.Respond(get("Accept: */*"), unknown)); got != "application/xml" {
		t.Errorf("%s", got)
	}
}

// What cannot work shows when a responder is made.
func TestNewRefuses(t *testing.T) {
	german := respond.German()
	for _, tt := range []struct {
		name string
		opts []respond.Option
		want string
	}{
		{"nil", []respond.Option{nil}, "option 1 is nil"},
		{"a format that is nil", []respond.Option{respond.WithAPI(nil)}, "format 1: is nil"},
		{"a format twice", []respond.Option{respond.WithAPI(respond.JSON(), respond.JSON())}, "format 2: *respond.format: another format sends application/json"},
		{"another format of pages", []respond.Option{respond.WithAPI(html())}, "another format sends text/html"},
		{"a sign-in page elsewhere", []respond.Option{respond.WithSignInPage("https://id.example/login")}, `sign-in page "https://id.example/login": give a path of this site`},
		{"a redirect elsewhere", []respond.Option{respond.WithSignInRedirect("//id.example")}, `sign-in page "//id.example"`},
		{"a redirect to nowhere", []respond.Option{respond.WithSignInRedirect("")}, `sign-in page ""`},
		{"a fragment before the parameter", []respond.Option{respond.WithSignInRedirect("/#login")}, `sign-in page "/#login"`},
		{"accounts elsewhere", []respond.Option{respond.WithSwitchAccount("switch")}, `page to switch accounts "switch"`},
		{"a contact without a text", []respond.Option{respond.WithContact(" ", "mailto:a@example.com")}, "contact: no text"},
		{"a contact that is a script", []respond.Option{respond.WithContact("x", "javascript:alert(1)")}, "contact \"javascript:alert(1)\""},
		{"a contact that is no URL", []respond.Option{respond.WithContact("x", ":")}, "contact: parse"},
		{"a contact without a host", []respond.Option{respond.WithContact("x", "https:")}, "contact \"https:\""},
		{"no texts", []respond.Option{respond.WithTexts()}, "name at least one language"},
		{"a language twice", []respond.Option{respond.WithTexts(german, german)}, `texts "de": given twice`},
		{"an empty style", []respond.Option{respond.WithStyle("</STYLE>")}, "cannot be inside a style element"},
		{"a template that is nil", []respond.Option{respond.WithTemplate(nil)}, "template is nil"},
		{"a policy of two lines", []respond.Option{respond.WithContentSecurityPolicy("a\r\nb")}, "content security policy"},
		{"an empty policy", []respond.Option{respond.WithContentSecurityPolicy("")}, "content security policy"},
		{"no field name", []respond.Option{respond.WithRequestID("X Request")}, `"X Request" is not the name of a header field`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := respond.New(tt.opts...)
			if err == nil || n != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "respond: ") {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestTextsThatLackSomething(t *testing.T) {
	for name, spoil := range map[string]func(*respond.Texts){
		"not a language tag":               func(x *respond.Texts) { x.Language = "" },
		`texts "en us": the lang`:          func(x *respond.Texts) { x.Language = "en us" },
		"language is not a language":       func(x *respond.Texts) { x.Language = "1en" },
		"the text for sign-in":             func(x *respond.Texts) { x.SignIn = "" },
		"or request ID is empty":           func(x *respond.Texts) { x.RequestID = "" },
		"switch-account":                   func(x *respond.Texts) { x.SwitchAccount = "" },
		"retry or":                         func(x *respond.Texts) { x.Retry = "" },
		`contact "Ask": must contain %s`:   func(x *respond.Texts) { x.Contact = "Ask" },
		`contact "%s %d": must contain %s`: func(x *respond.Texts) { x.Contact = "%s %d" },
		"the text for the wait":            func(x *respond.Texts) { x.Wait = nil },
		"wait is empty":                    func(x *respond.Texts) { x.Wait = func(int) string { return "" } },
		`message for "forbidden"`:          func(x *respond.Texts) { delete(x.Denials, core.CodeForbidden) },
		`for "invalid_credentials"`:        func(x *respond.Texts) { x.Denials[core.CodeInvalidCredentials] = respond.Wording{Title: "a"} },
	} {
		texts := respond.English()
		spoil(&texts)
		if _, err := respond.New(respond.WithTexts(texts)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q in it", err, name)
		}
	}
	if texts := respond.English(); texts.Denials[core.CodeForbidden].Title == "" {
		t.Error("one copy of the texts has changed another")
	}
}

// Answers that do not depend on the request cost little.
func TestAllocationsOfCommonAnswers(t *testing.T) {
	n := newResponder(t)
	r := asked("GET", "/", "Accept: */*")
	if got := testing.AllocsPerRun(200, func() { n.Respond(r, unknown) }); got > 1 {
		t.Errorf("%v allocations", got)
	}
}

func TestSignInFields(t *testing.T) {
	h := http.Header{}
	httpauth.AddFields(h, respond.SignInFields()...)
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"} {
		if h.Get(name) != want {
			t.Errorf("%s %q, want %q", name, h.Get(name), want)
		}
	}
}
