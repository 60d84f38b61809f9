package respond_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
)

// page is a format of an application's own.
type page struct {
	types  []string
	fields []core.Field
}

func (p *page) MediaTypes() []string { return p.types }
func (p *page) Respond(core.Request, *core.Denial) core.Response {
	return core.Response{Status: 401, Fields: p.fields, Body: []byte("<p>")}
}

func html() *page {
	return &page{
		types:  []string{"text/html", "application/xhtml+xml"},
		fields: []core.Field{{Name: "Content-Type", Value: "text/html; charset=utf-8"}},
	}
}

// A23 and RFC 9110 §12.5.1.
func TestNegotiate(t *testing.T) {
	api := respond.Negotiate(respond.Problem(), respond.JSON(), respond.Text(), html())
	short := respond.Negotiate(respond.Text(), respond.Problem())
	const prob, json, text, page = "application/problem+json", "application/json", "text/plain; charset=utf-8", "text/html; charset=utf-8"
	tests := []struct {
		name      string
		responder core.Responder
		accept    []string
		want      string
	}{
		{"absent", api, nil, prob},
		{"empty", api, []string{""}, prob},
		{"anything", api, []string{"*/*"}, prob},
		{"by name", api, []string{"application/json"}, json},
		{"by name, in any letter case", api, []string{"Text/PLAIN"}, text},
		{"by name, with parameters", api, []string{"application/json; charset=utf-8"}, json},
		{"a browser", api, []string{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}, page},
		{"a common API client", api, []string{"application/json, text/plain, */*"}, prob},
		{"the highest quality", api, []string{"text/html;q=0.2, text/plain;q=0.5, application/json;q=0.4"}, text},
		{"thousandths", api, []string{"text/html;q=0.501, text/plain;q=0.5"}, page},
		{"equal quality, the earlier format", api, []string{"text/plain;q=0.5, application/json;q=0.5"}, json},
		{"a subtype wildcard", api, []string{"text/*"}, text},
		{"the more specific range wins", api, []string{"text/*, text/plain;q=0.1"}, page},
		{"q=0 excludes", api, []string{"text/*, text/plain;q=0"}, page},
		{"q=0 excludes from anything", api, []string{"application/problem+json;q=0, */*"}, json},
		{"q=0.000 excludes too", api, []string{"application/problem+json;q=0.000, application/json;q=0, */*;q=0.1"}, text},
		{"Q in upper case", api, []string{"application/json;Q=0, text/plain;Q=0.1"}, text},
		{"nothing on offer", api, []string{"image/png"}, prob},
		{"everything excluded", api, []string{"*/*;q=0"}, prob},
		{"all formats excluded one by one", short, []string{"text/plain;q=0, application/problem+json;q=0"}, text},
		{"empty members", api, []string{" , ,text/plain,, "}, text},
		{"a malformed member is ignored", api, []string{"text, text/html/x, */json, te xt/html, text/plain;q=0.1"}, text},
		{"a malformed quality is ignored", api, []string{"text/html;q=2, application/json;q=.9, text/html;q=1.001, text/html;q=0.1234, text/html;q=x, text/html;q=0x1, text/plain;q=0.1"}, text},
		{"two qualities are malformed", api, []string{"text/html;q=1;q=0.5, text/plain;q=0.1"}, text},
		{"a full stop is enough", api, []string{"text/html;q=0., text/plain;q=1."}, text},
		{"nothing but malformed members", api, []string{"*, ;q=1, text/"}, prob},
		{"a comma inside quotes", api, []string{`text/html;x="a,text/plain,b";q=0.2, application/json;q=0.3`}, json},
		{"an escaped quote inside quotes", api, []string{`text/html;x="\",text/plain;q=1,";q=0.2, application/json;q=0.3`}, json},
		{"a quote left open", api, []string{`text/plain;q=0.1, text/html;x="a, application/json`}, text},
		{"a range with parameters does not exclude what has none", api, []string{"text/plain;format=flowed;q=0, text/plain;q=0.5"}, text},
		{"the same range twice", api, []string{"text/plain;q=0.2, text/html;q=0.3, text/plain;q=0.4"}, text},
		{"problem details can be read as JSON", short, []string{"application/json"}, prob},
		{"problem details as JSON at the higher quality", short, []string{"application/json, text/plain;q=0.5"}, prob},
		{"problem details as JSON, nothing else wanted", short, []string{"application/json, */*;q=0"}, prob},
		{"JSON, but no problem details", short, []string{"application/json, application/problem+json;q=0"}, text},
		{"an own type goes before one that can be read", respond.Negotiate(respond.Problem(), respond.JSON()), []string{"application/json"}, json},
		{"a second type of an own format", api, []string{"application/xhtml+xml"}, page},
		{"too long to read", api, []string{"text/plain" + strings.Repeat(" ", 4096)}, prob},
		{"long, but within the limit", api, []string{"text/plain" + strings.Repeat(" ", 4000)}, text},
		{"too many members", api, []string{strings.Repeat("a/b,", 64) + "text/plain"}, prob},
		{"the first of several lines", api, []string{"text/plain", "application/json"}, text},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := tt.responder.Respond(request(tt.accept...), &core.Denial{Kind: core.Unauthenticated, Code: "c", Message: "m"})
			if got := field(resp.Fields, "Content-Type"); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("Accept %q: %q, want %s", tt.accept, got, tt.want)
			}
			if got := field(resp.Fields, "Vary"); !slices.Equal(got, []string{"Accept"}) {
				t.Errorf("Vary %q", got)
			}
			if resp.Status != http.StatusUnauthorized || len(resp.Body) == 0 {
				t.Errorf("status %d, body %q", resp.Status, resp.Body)
			}
		})
	}
}

// A23: never 406, and the Vary of format and scheme side by side, on every
// branch.
func TestNegotiationNeverChangesTheVerdict(t *testing.T) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	opt := core.WithResponder(respond.Negotiate(respond.Problem(), respond.Text()))
	for _, accept := range [][]string{nil, {"text/plain"}, {"image/png"}, {"*/*;q=0"}, {"%%%"}} {
		for status, a := range map[int]*auth{
			401: {err: core.ErrNoCredentials}, 403: {p: p}, 503: {err: fmt.Errorf("key server: timeout")},
		} {
			resp := exchange(t, a, accept, []core.Authorizer{rule.Role("a")}, opt)
			if resp.StatusCode != status {
				t.Errorf("Accept %q: %d, want %d", accept, resp.StatusCode, status)
			}
			vary := strings.Join(resp.Header.Values("Vary"), ", ")
			if vary != "Accept, Authorization" {
				t.Errorf("Accept %q, %d: Vary %q", accept, status, vary)
			}
			if got := resp.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
		}
	}
}

func TestNegotiateDoesNotWriteIntoAFormatsFields(t *testing.T) {
	h := html()
	h.fields = append(make([]core.Field, 0, 8), h.fields...)
	n := respond.Negotiate(h)
	n.Respond(request(), &core.Denial{Kind: core.Unauthenticated})
	if got := h.fields[:2][1]; got != (core.Field{}) {
		t.Errorf("wrote %v", got)
	}
}

func TestNegotiatePanicsOnFormatsThatCannotWork(t *testing.T) {
	var none *page
	for _, tt := range []struct {
		formats []respond.Format
		want    string
	}{
		{[]respond.Format{nil}, "respond.Negotiate: format 1: is nil"},
		{[]respond.Format{respond.Text(), none}, "respond.Negotiate: format 2: is nil"},
		{[]respond.Format{&page{}}, "has no media type"},
		{[]respond.Format{&page{types: []string{"text"}}}, `media type "text" is not type/subtype`},
		{[]respond.Format{&page{types: []string{"text/html", "Text/HTML"}}}, `media type "Text/HTML"`},
		{[]respond.Format{&page{types: []string{"text/*"}}}, `media type "text/*"`},
		{[]respond.Format{&page{types: []string{"text/html;q=1"}}}, `media type "text/html;q=1"`},
		{[]respond.Format{respond.Text(), respond.JSON(), respond.Text()}, "format 3: *respond.format: another format sends text/plain already"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("panic %q, want one with %q", got, tt.want)
				}
			}()
			respond.Negotiate(tt.formats[0], tt.formats[1:]...)
		}()
	}
}

// Whatever Accept holds, one of the formats answers, and one that Accept
// excludes by its exact name only when nothing else is acceptable.
func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{
		"", "*/*", "text/plain", "text/plain;q=0", "text/plain;q=0,application/json", `a/b;c="d,e\"";q=0.5,text/*`,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json;q=1.000", ";;,,//", "text/plain;q*0=0",
	} {
		f.Add(s)
	}
	n := respond.Negotiate(respond.JSON(), respond.Text())
	d := &core.Denial{Kind: core.Forbidden, Code: "c", Message: "m"}
	types := []string{"application/json", "text/plain; charset=utf-8"}
	accepted := func(t *testing.T, accept string) string {
		t.Helper()
		resp := n.Respond(request(accept), d)
		ct := field(resp.Fields, "Content-Type")
		if resp.Status != 403 || len(ct) != 1 || !slices.Contains(types, ct[0]) || !slices.Equal(field(resp.Fields, "Vary"), []string{"Accept"}) {
			t.Fatalf("Accept %q: %+v", accept, resp)
		}
		return ct[0]
	}
	f.Fuzz(func(t *testing.T, accept string) {
		first := accepted(t, accept)
		if again := accepted(t, accept); again != first {
			t.Errorf("Accept %q: %s, then %s", accept, first, again)
		}
		// A plain exclusion in front is heeded, unless the rest of the field
		// speaks of the type as well or is not read to its end.
		if !strings.Contains(strings.ToLower(accept), "json") && len(accept) < 1000 && strings.Count(accept, ",") < 60 {
			if got := accepted(t, "application/json;q=0, text/plain;q=0.001, "+accept); got != types[1] && !strings.Contains(strings.ToLower(accept), "plain") {
				t.Errorf("excluded, and sent all the same, by %q", accept)
			}
		}
	})
}
