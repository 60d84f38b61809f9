package probe_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/probe"
)

// TestReferences: attributes count by their names, whatever their values contain, and only
// markup is unescaped.
func TestReferences(t *testing.T) {
	for _, tt := range []struct {
		name, kind, body string
		want             []string
	}{
		{"attributes", "text/html", `<A HREF="/a?x=1&amp;y=2"><img src='/b' SrcSet="/c 1x, /d 2x">`, []string{"/a?x=1&y=2", "/b", "/c", "/d"}},
		{"text of an attribute", "text/html", `<a title="write href=/x here" href=/a>`, []string{"/a"}},
		{"the first of two", "text/html", `<a href=/a href=/b>`, []string{"/a"}},
		{"names with characters that fold to ASCII", "text/html", "<img \u017frc=/x \u017frcset='/y 1x' src=/a>", []string{"/a"}},
		{"a script in a page", "text/html", `<script>fetch("/a?x=1&copy=2")</script>`, []string{"/a?x=1&copy=2"}},
		{"a script", "text/javascript", `fetch("/a?x=1&copy=2")`, []string{"/a?x=1&copy=2"}},
		{"a style attribute", "text/html", `<p style="background: url(/a?x=1&amp;y=2)">`, []string{"/a?x=1&y=2"}},
		{"a style sheet", "text/css", `@import "/a"; p { background: url('/b?x=1&copy=2') }`, []string{"/a", "/b?x=1&copy=2"}},
	} {
		x := probe.Exchange{Answer: probe.Answer{Header: http.Header{"Content-Type": {tt.kind}}, Body: tt.body}}
		if got := probe.References(x); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSameHost(t *testing.T) {
	for ref, want := range map[string]bool{
		"http://kiosk.example/a": true, "//KIOSK.example/a": true, "/a": true, "https://kiosk.example/a": true,
		"http://\u212Aiosk.example/a": false, "http://kio\u017fk.example/a": false, "//other.example/a": false, "": false,
	} {
		if target, ok := probe.SameHost("/", ref, "kiosk.example"); ok != want || ok && target != "/a" {
			t.Errorf("%q: %q, %v", ref, target, ok)
		}
	}
}
