package forwardauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// judgedAsRead compares the path that is judged with the one that net/url finds,
// whichever proxy tells of it.
func judgedAsRead(t *testing.T, target string) {
	if target == "" {
		return
	}
	own := &http.Request{Method: "GET", RequestURI: "/p" + target, URL: &url.URL{}, Header: http.Header{}}
	told := &http.Request{Method: "GET", RequestURI: "/check", URL: &url.URL{}, Header: http.Header{
		"X-Original-Method": {"GET"}, "X-Original-Uri": {target},
		"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {target}, "X-Forwarded-Host": {"a"},
	}}
	var paths []string
	for _, o := range []*original{
		Nginx().original(&adapter.View{Request: told}),
		Traefik().original(&adapter.View{Request: told}),
		Envoy("/p").original(&adapter.View{Request: own}),
	} {
		rt, err := o.Route()
		path := ""
		if err == nil {
			path, err = adapter.CanonicalPath(rt)
		}
		if err != nil && !errors.Is(err, core.ErrAmbiguousPath) {
			t.Fatalf("%q: %v", target, err)
		}
		if o.Target() != target {
			t.Fatalf("target %q became %q", target, o.Target())
		}
		o.Query("a")
		paths = append(paths, path)
	}
	if paths[0] != paths[1] || paths[0] != paths[2] {
		t.Fatalf("%q is judged as %q", target, paths)
	}
	if paths[0] == "" {
		return
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatalf("%q is judged as %q, and no target: %v", target, paths[0], err)
	}
	want := u.Path
	if want != "/" {
		want = strings.TrimSuffix(want, "/")
	}
	if paths[0] != want || u.Host != "" {
		t.Fatalf("%q is judged as %q, and %q to net/url", target, paths[0], want)
	}
}
