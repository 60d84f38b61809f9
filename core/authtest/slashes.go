package authtest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// slashSegments are texts for one segment. passes reports whether the segment may pass if
// encoded slashes are allowed: all parts between them must be ordinary names.
var slashSegments = []struct {
	text  string
	clear bool
}{
	{"@scope%2Fname", true}, {"a%2fb", true}, {"a%2Fb%2Fc", true}, {"%61%2Fb", true}, {"secret%2Fx", true}, {"...%2Fx", true},
	{"%2Fa", false}, {"a%2F", false}, {"a%2F%2Fb", false}, {"..%2Fa", false}, {"a%2F..%2Fb", false}, {"a%2F.", false}, {"a%2F%2E%2E", false},
	{"a%252Fb", false}, {"a%25%32%46b", false}, {"a%25%32Fb%2Fc", false}, {"a%2Fb%252F", false}, {"a%2Fb%25", false}, {"a%2Fb%5Cc", false},
	{"a%2F%00", false}, {"a%2F%0A", false}, {"a%2F%zz", false}, {"a%2F%FF", false}, {"%2F", false}, {"%2F%2F", false},
}

// slashApp has routes with parameters for one segment and for several, and a guard that
// allows everything except what begins with "secret".
type slashApp struct {
	addr string
	rec  *Recorder
	got  []string // what the last handler received, and what Request.Param returned
}

func newSlashApp(t *testing.T, f Framework, opts ...core.Option) *slashApp {
	a := new(slashApp)
	var g *core.Guard
	policy := AuthorizerFunc(func(_ *core.Principal, access core.Access) (core.Decision, error) {
		return core.Decision{Allowed: !strings.Contains(access.Resource.Path, "/secret")}, nil
	})
	g, a.rec = guard(t, append(opts, core.WithAuthorizer(policy))...)
	keep := func(pattern string, names ...string) Handler {
		return func(x Exchange) error {
			a.got = []string{pattern}
			for _, name := range names {
				a.got = append(a.got, strings.Clone(x.Param(name)), x.Request().Param(name))
			}
			return ok(x)
		}
	}
	gate := []Gate{{Kind: "Authorize", Guard: g}}
	a.addr = f.Start(t, App{Routes: []Route{
		{Pattern: "/pkg/:name", Gates: gate, Handler: keep("/pkg/:name", "name")},
		{Pattern: "/pkg/:name/:version", Gates: gate, Handler: keep("/pkg/:name/:version", "name", "version")},
		{Pattern: "/tree/*", Gates: gate, Handler: keep("/tree/*", "*")},
		{Pattern: "/both/:name/*", Gates: gate, Handler: keep("/both/:name/*", "name", "*")},
	}})
	return a
}

// encodedSlashes checks invariant 8. By default no path with an encoded slash reaches a
// handler. With the option, only paths whose encoded slashes are all inside single-segment
// parameters do, and policies see each as "%2F".
func encodedSlashes(t *testing.T, f Framework) {
	for _, option := range [][]core.Option{nil, {core.WithEncodedSlashes()}} {
		a := newSlashApp(t, f, option...)
		for _, s := range slashSegments {
			for _, target := range []string{"/pkg/" + s.text, "/pkg/" + s.text + "/", "/pkg/x/" + s.text, "/pkg/" + s.text + "/1", "/tree/" + s.text, "/tree/x/" + s.text, "/both/x/" + s.text, "/both/a%2Fb/" + s.text} {
				passes := option != nil && s.clear && !f.RoutesDecoded && strings.HasPrefix(target, "/pkg/") && !strings.Contains(target, "/secret")
				a.request(t, target, passes)
			}
		}
	}
}

// request requests a target. If a trailing slash belongs to no route, 404 is accepted like
// 200.
func (a *slashApp) request(t *testing.T, target string, passes bool) {
	t.Helper()
	a.got = nil
	answer := Send(t, a.addr, "GET "+target+" HTTP/1.1\nHost: localhost\nAuthorization: Name alice")
	if reached := a.got != nil; reached != (answer.Status == 200) || reached && !passes {
		t.Errorf("%s: %d, the handler got %q", target, answer.Status, a.got)
		return
	} else if !reached {
		if passes && !strings.HasSuffix(target, "/") {
			t.Errorf("%s: %d %s", target, answer.Status, answer.Body)
		}
		return
	}
	want := a.got[0]
	for i := 1; i < len(a.got); i += 2 {
		raw, decoded := a.got[i], a.got[i+1]
		if once, err := url.PathUnescape(raw); raw != decoded && (err != nil || once != decoded) {
			t.Errorf("%s: the handler gets %q, Request.Param gives %q", target, raw, decoded)
		}
		_, rest, _ := strings.Cut(want[1:], ":")
		name, _, _ := strings.Cut(rest, "/")
		want = strings.Replace(want, ":"+name, strings.ReplaceAll(decoded, "/", "%2F"), 1)
	}
	if judged := a.rec.Last(t).Resource; judged != want {
		t.Errorf("%s: policy judged %q, the handler serves %q", target, judged, want)
	}
}
