package sample

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
)

func TestPath(t *testing.T) {
	for route, want := range map[string]string{
		"/":                       "/",
		"/reports":                "/reports",
		"/reports/:id":            "/reports/W",
		"/reports/{id}":           "/reports/W",
		"/files/{path...}":        "/files/W",
		"/files/*path":            "/files/W",
		"/files/*":                "/files/W",
		"/files/+":                "/files/W",
		"/a/:x/b/:y?":             "/a/W/b/W",
		"/a/:x<int>":              "/a/987654321",
		"/a/{x:[0-9]+}":           "/a/987654321",
		"/posts/{$}":              "/posts",
		"/flights/:from-:to":      "/flights/W-W",
		"/docs/:name.pdf":         "/docs/W.pdf",
		"/v1/reports/:id/publish": "/v1/reports/W/publish",
	} {
		if got := Path(route, "W"); got != want {
			t.Errorf("%s: got %s, want %s", route, got, want)
		}
	}
}

func TestWordOccursNowhereElse(t *testing.T) {
	if got := Word([]string{"/a", "/Sample/x"}); got != "sample2" {
		t.Errorf("got %s", got)
	}
}

func TestObjects(t *testing.T) {
	for _, c := range []struct {
		function, text string
		want           []string
	}{
		{"==", "/a/:id", []string{"/a/:id"}},
		{"g2", "group", []string{"group"}},
		{"keyMatch", "/a/*", []string{"/a/W", "/a/W/W"}},
		{"keyMatch", "/a*", []string{"/aW", "/aW/W", "/a"}},
		{"keyMatch2", "/a/:id", []string{"/a/W"}},
		{"keyMatch2", "/*", []string{"/W", "/W/W", "/"}},
		{"keyMatch2", "*", []string{"/W", "/W/W", "/"}},
		{"keyMatch3", "/a/{id}/b", []string{"/a/W/b"}},
		{"keyMatch5", "/a/{id}/*", []string{"/a/W/W", "/a/W/W/W"}},
		{"globMatch", "/a/*/[bc]", []string{"/a/W/b"}},
		{"globMatch", "/a/?", []string{"/a/x"}},
		{"regexMatch", `^/a/\d+$`, []string{"/a/0"}},
		{"regexMatch", `^/(a|b)/[^/]+/c$`, []string{"/a/a/c"}},
		{"regexMatch", `^/(a|b)/[^/]+/$`, nil},
		{"globMatch", "*", []string{"W"}},
		{"regexMatch", `^/x{2}/.*$`, []string{"/xx/W", "/xx/WW", "/xx/W/W"}},
		{"regexMatch", `(`, nil},
	} {
		if got := Objects(casbinrules.Pattern{Text: c.text, Function: c.function}, "W"); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: got %q, want %q", c.function, c.text, got, c.want)
		}
	}
}

func TestCrossMatchesBothPatterns(t *testing.T) {
	for _, c := range []struct{ p, q, want string }{
		{"/:a/y", "/x/:b", "/x/y"},
		{"/x/:a/z", "/:b/y/*", "/x/y/z"},
		{"/x/*", "/:a/y/z", "/x/y/z"},
		{"/x/:a", "/x/y", ""}, // is the second one
		{"/x/:a", "/y/:b", ""},
		{"/:a", "/:b/c", ""},
		{"/:a", "/:b", ""},
	} {
		p, q := casbinrules.Pattern{Text: c.p, Function: "keyMatch2"}, casbinrules.Pattern{Text: c.q, Function: "keyMatch2"}
		if got, ok := Cross(p, q, "W"); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s and %s: got %s, %v, want %q", c.p, c.q, got, ok, c.want)
		}
	}
}

func TestActions(t *testing.T) {
	for _, c := range []struct {
		function, text string
		want           []string
	}{
		{"==", "GET", []string{"GET"}},
		{"==", "*", []string{"GET", "POST", "PUT", "PATCH", "DELETE"}},
		{"regexMatch", "^(GET|publish)$", []string{"GET", "publish"}},
		{"regexMatch", "^update/[a-z]+$", []string{"update/a"}},
		{"globMatch", "update/*", []string{"update/sample"}},
		{"keyMatch2", "action/:name", []string{"action/sample"}},
	} {
		if got := Actions(casbinrules.Pattern{Text: c.text, Function: c.function}); !slices.Equal(got, c.want) {
			t.Errorf("%s %s: got %q, want %q", c.function, c.text, got, c.want)
		}
	}
}
