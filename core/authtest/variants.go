package authtest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

var variantCases = []testCase{
	{"a scheme adds fields to its answers", informing},
	{"an endpoint answers with status, fields and body", endpoints},
	{"invariant 7 fields are merged whatever letter case their names have", smallLetters},
}

// variant returns a guard made with With.
func variant(t testing.TB, g *core.Guard, opts ...core.Option) *core.Guard {
	t.Helper()
	return must.Have(g.With(opts...))(t)
}

// informer is Names with additional header fields for each answer.
type informer struct{ Names }

func (informer) Scheme() core.Scheme {
	s := byHeader("Name")
	s.Inform = information
	return s
}

func information(_ core.Request, p *core.Principal, err error) []core.Field {
	value := "none"
	if p != nil && err == nil {
		value = p.ID()
	}
	return []core.Field{{Name: "Authentication-Info", Value: value}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}}
}

func informing(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{informer{}})
	require := Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}}
	d := newDoorIn(t, f, App{}, func(x Exchange) error {
		x.AddFields(core.Field{Name: "Set-Cookie", Value: "c=3"})
		return nil
	}, Gate{Kind: "Authenticate", Guard: g}, require)
	direct := newDoor(t, f, require)
	for _, tt := range []struct {
		a       Answer
		info    string
		cookies string
	}{
		{d.admits("alice", as("alice")), "alice", "a=1 b=2 c=3"},
		{d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob")), "bob", "a=1 b=2"},
		{direct.refuses(http.StatusForbidden, core.CodeForbidden, as("bob")), "bob", "a=1 b=2"},
		{d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired), "none", "a=1 b=2"},
		{d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, as("bad")), "none", "a=1 b=2"},
	} {
		if got := strings.Join(tt.a.Header.Values("Authentication-Info"), "|"); got != tt.info {
			t.Errorf("%d: Authentication-Info %q, want %q", tt.a.Status, got, tt.info)
		}
		if got := strings.Join(tt.a.Header.Values("Set-Cookie"), " "); got != tt.cookies {
			t.Errorf("%d: Set-Cookie %q, want %q", tt.a.Status, got, tt.cookies)
		}
	}
}

func endpoints(t *testing.T, f Framework) {
	addr := f.Start(t, App{Routes: []Route{{Pattern: "/about/:name", Methods: []string{"GET", "HEAD"}, Endpoint: about}}})
	want := http.Header{"Content-Type": {"application/json"}, "Set-Cookie": {"a=1", "b=2"}}
	for _, method := range []string{"GET", "HEAD"} {
		a := Send(t, addr, Request(method, "/about/x%20y"))
		body := `"x y"`
		if method == "HEAD" {
			body = ""
		}
		if a.Status != http.StatusAccepted || a.Body != body {
			t.Errorf("%s: %d %q", method, a.Status, a.Body)
		}
		for name, values := range want {
			if !slices.Equal(a.Header.Values(name), values) {
				t.Errorf("%s: %s %q, want %q", method, name, a.Header.Values(name), values)
			}
		}
	}
}

// about answers with the parameter in its path.
func about(_ context.Context, r core.Request) core.Response {
	return core.Response{
		Status: http.StatusAccepted,
		Fields: []core.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}},
		Body:   []byte(strconv.Quote(r.Param("name"))),
	}
}

// smallLetters checks that field names are case-insensitive (RFC 9110 §5.1).
func smallLetters(t *testing.T, f Framework) {
	addr := f.Start(t, App{
		Before: []Handler{func(x Exchange) error {
			x.AddHeader("Vary", "Origin")
			x.AddHeader("Set-Cookie", "a=1")
			return nil
		}},
		Routes: []Route{{Pattern: "/about", Methods: []string{"GET"}, Endpoint: func(context.Context, core.Request) core.Response {
			return core.Response{Status: http.StatusUnauthorized, Fields: []core.Field{
				{Name: "vary", Value: "Cookie"}, {Name: "set-cookie", Value: "b=2"},
				{Name: "www-authenticate", Value: `Name realm="a"`}, {Name: "www-authenticate", Value: `Name realm="b"`},
			}}
		}}},
	})
	a := Send(t, addr, Request("GET", "/about"))
	cookies, challenges := a.Header.Values("Set-Cookie"), a.Header.Values("WWW-Authenticate")
	if a.vary() != "cookie origin" || len(cookies) != 2 || len(challenges) != 2 {
		t.Errorf("Vary %q, Set-Cookie %q, WWW-Authenticate %q", a.vary(), cookies, challenges)
	}
}
