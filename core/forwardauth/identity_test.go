package forwardauth_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// passes asks about a request of a principal made of info.
func passes(t *testing.T, info core.PrincipalInfo, opts ...forwardauth.Option) http.Header {
	t.Helper()
	guard, err := core.NewGuard([]core.Authenticator{known{info}}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := guard.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	s, err := forwardauth.New(gate, trusted(t), forwardauth.Nginx(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	w := send(s.Check, asks("nginx", "GET", "/open"))
	if w.Code != 200 || w.Body.Len() > 0 {
		t.Fatalf("%+v: %d", info, w.Code)
	}
	return w.Header()
}

// read is a list as applications read it.
func read(t *testing.T, value string) []string {
	t.Helper()
	var out []string
	for item := range strings.SplitSeq(value, ",") {
		if item == "" {
			continue
		}
		decoded, err := url.PathUnescape(item)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, decoded)
	}
	return out
}

// TestIdentityFields: hostile names stay what they are and end no line, and
// lists cannot be read two ways.
func TestIdentityFields(t *testing.T) {
	hostile := []string{
		"alice", "alice@example.org", "a,b", "a%2Cb", "a\r\nX-Auth-Roles: admin", "a\x00b", "Zoë", "a b", " a ", `"a"`, `a\b`, "a;b",
		"\xff", "\x7f", "+", "a+b", "%", "spiffe://example.org/a/b",
	}
	for _, id := range hostile {
		h := passes(t, core.PrincipalInfo{ID: id, Tenant: id, Roles: hostile, Scopes: hostile})
		for _, name := range []string{"X-Auth-User", "X-Auth-Tenant"} {
			if got := read(t, h.Get(name)); !reflect.DeepEqual(got, []string{id}) {
				t.Errorf("%s of %q is %q, read as %q", name, id, h.Get(name), got)
			}
		}
		for _, name := range []string{"X-Auth-Roles", "X-Auth-Scopes"} {
			if got := read(t, h.Get(name)); !slices.Equal(got, hostile) {
				t.Errorf("%s %q is read as %q", name, h.Get(name), got)
			}
		}
		for name, lines := range h {
			if strings.HasPrefix(name, "X-Auth-") && (len(lines) != 1 || strings.ContainsFunc(lines[0], func(r rune) bool { return r <= ' ' || r > '~' })) {
				t.Errorf("%s %q", name, lines)
			}
		}
	}
}

// TestIdentityFieldsAreAlwaysThere, so that what a client sent is overwritten.
func TestIdentityFieldsAreAlwaysThere(t *testing.T) {
	h := passes(t, core.PrincipalInfo{ID: "alice", Roles: []string{""}})
	for name, want := range map[string]string{"X-Auth-User": "alice", "X-Auth-Roles": "", "X-Auth-Scopes": "", "X-Auth-Tenant": ""} {
		if got := h.Values(name); !reflect.DeepEqual(got, []string{want}) {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if h = passes(t, core.PrincipalInfo{ID: "alice", Roles: []string{"", "clerk"}}); h.Get("X-Auth-Roles") != "clerk" {
		t.Errorf("an empty role beside another: %q", h.Get("X-Auth-Roles"))
	}
	h = passes(t, core.PrincipalInfo{ID: "alice", Tenant: "north"}, forwardauth.WithIdentity(forwardauth.Identity{User: "Remote-User", Tenant: "Remote-Org"}))
	if h.Get("Remote-User") != "alice" || h.Get("Remote-Org") != "north" {
		t.Errorf("own names: %v", h)
	}
	for name := range h {
		if name == "" || strings.HasPrefix(name, "X-Auth-") {
			t.Errorf("own names: %s is sent too", name)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	guard, err := core.NewGuard([]core.Authenticator{authtest.Names{}})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := guard.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	some := trusted(t)
	identity := func(id forwardauth.Identity) []forwardauth.Option {
		return []forwardauth.Option{forwardauth.WithIdentity(id)}
	}
	for want, c := range map[string]struct {
		gate    *core.Gate
		trusted *proxy.Trust
		proxy   forwardauth.Proxy
		opts    []forwardauth.Option
	}{
		"gate is nil":                  {nil, some, forwardauth.Nginx(), nil},
		"no trusted proxy":             {gate, nil, forwardauth.Nginx(), nil},
		"no proxy":                     {gate, some, forwardauth.Proxy{}, nil},
		`prefix "check"`:               {gate, some, forwardauth.Envoy("check"), nil},
		`prefix "/check/": must`:       {gate, some, forwardauth.Envoy("/check/"), nil},
		`prefix "/": must`:             {gate, some, forwardauth.Envoy("/"), nil},
		`prefix "/a/../b"`:             {gate, some, forwardauth.Envoy("/a/../b"), nil},
		`prefix "/a?b": must`:          {gate, some, forwardauth.Envoy("/a?b"), nil},
		"option 1 is nil":              {gate, some, forwardauth.Nginx(), []forwardauth.Option{nil}},
		"logger is nil":                {gate, some, forwardauth.Nginx(), []forwardauth.Option{forwardauth.WithLogger(nil)}},
		"no field for the user":        {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{Roles: "X-Roles"})},
		`"X_User": use letters`:        {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{User: "X_User"})},
		`"X User": use letters`:        {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{User: "X User"})},
		`"-": use letters`:             {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{User: "-"})},
		`"x-user" is given twice`:      {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{User: "X-User", Tenant: "x-user"})},
		`"Authorization" already`:      {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{User: "Authorization"})},
		`"X-SALLYPORT-ANSWER" already`: {gate, some, forwardauth.Nginx(), identity(forwardauth.Identity{User: "X-SALLYPORT-ANSWER"})},
	} {
		if _, err := forwardauth.New(c.gate, c.trusted, c.proxy, c.opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := forwardauth.New(gate, some, forwardauth.Envoy("")); err != nil {
		t.Errorf("Envoy without a prefix: %v", err)
	}
}

// TestWhatRulesSeeOfTheRequest: the original one's query, host and TLS, and
// never the certificate of the proxy.
func TestWhatRulesSeeOfTheRequest(t *testing.T) {
	var got core.Request
	guard, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := guard.Require(authtest.AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		got = a.Request
		return core.Decision{Allowed: true}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := forwardauth.New(gate, trusted(t), forwardauth.Nginx())
	if err != nil {
		t.Fatal(err)
	}
	for proto, secure := range map[string]bool{"https": true, "wss": true, "http": false, "": false, "HTTPS, http": false} {
		r := asks("nginx", "GET", "/a?q=1%2B1&q=%zz&q=2;x&%zz=3", alice, "Cookie: c=v", "X-Forwarded-Proto: "+proto)
		r.URL.RawQuery = "q=proxy"
		r.TLS = &tls.ConnectionState{ServerName: "proxy"}
		r.SetPathValue("id", "proxy")
		if w := send(s.Check, r); w.Code != 200 {
			t.Fatal(w.Code)
		}
		if state := got.TLS(); (state != nil) != secure || state != nil && (state.ServerName != "" || state.PeerCertificates != nil) {
			t.Errorf("X-Forwarded-Proto %q: TLS %+v", proto, state)
		}
	}
	r := asks("nginx", "GET", "/a", alice, "X-Forwarded-Proto: https", "X-Forwarded-Proto: http")
	if send(s.Check, r); got.TLS() != nil {
		t.Error("two lines of X-Forwarded-Proto are TLS")
	}
	send(s.Check, asks("nginx", "GET", "/a?q=1%2B1&q=%zz&q=2;x&%zz=3", alice, "Cookie: c=v"))
	if v, n := got.Query("q"); v != "1+1" || n != 3 {
		t.Errorf("q is %q, %d times", v, n)
	}
	if v, n := got.Query("none"); v != "" || n != 0 {
		t.Errorf("none is %q, %d times", v, n)
	}
	if v, n := got.Cookie("c"); v != "v" || n != 1 {
		t.Errorf("cookie %q, %d times", v, n)
	}
	if got.Param("id") != "" || got.Host() != "app.example" || got.Target() != "/a?q=1%2B1&q=%zz&q=2;x&%zz=3" || got.RemoteAddr() != peer {
		t.Errorf("id %q, host %q, target %q, peer %q", got.Param("id"), got.Host(), got.Target(), got.RemoteAddr())
	}
}
