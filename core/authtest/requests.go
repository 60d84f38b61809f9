package authtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// The cases about what an adapter presents of a request, independent of schemes.
var requestCases = []testCase{
	{"F03 what a request carries, and how often", carried},
	{"the method, target and host of a request are as they were sent", targets},
	{"the body of a request, however it is framed", bodiesRead},
	{"the peer of a connection", peers},
}

// echo is a route that answers with the result of say.
func echo(say func(r core.Request) string) Route {
	return Route{Pattern: "/echo", Methods: []string{"GET", "POST"}, Endpoint: func(_ context.Context, r core.Request) core.Response {
		return core.Response{Status: http.StatusOK, Fields: []core.Field{{Name: "Content-Type", Value: "text/plain"}}, Body: []byte(say(r))}
	}}
}

// carried checks that schemes can detect credentials that occur twice, or in two places,
// and so refuse them.
func carried(t *testing.T, f Framework) {
	addr := f.Start(t, App{Routes: []Route{echo(func(r core.Request) string {
		header, h := r.Header("X-Key")
		cookie, c := r.Cookie("key")
		query, q := r.Query("key")
		return fmt.Sprintf("%d %s, %d %s, %d %s", h, header, c, cookie, q, query)
	})}})
	for _, tt := range []struct{ query, header, want string }{
		{"", "Accept: */*", "0 , 0 , 0 "},
		{"", "X-Key: a", "1 a, 0 , 0 "},
		{"", "x-key:  a b  ", "1 a b, 0 , 0 "},
		{"", "X-Key:", "1 , 0 , 0 "},
		{"", "X-Key: a\nAccept: */*\nx-key: b\nX-KEY:", "3 a, 0 , 0 "},
		{"", "X_Key: a\nX-Key-2: a\nKey: a", "0 , 0 , 0 "},
		{"", "Cookie: theme=dark; key=a", "0 , 1 a, 0 "},
		{"", "Cookie: key=", "0 , 1 , 0 "},
		{"", "Cookie: key=a; theme=dark; key=b", "0 , 2 a, 0 "},
		{"", "Cookie: key=a\nCookie: key=a", "0 , 2 a, 0 "},
		{"", "Cookie: KEY=a; key2=b", "0 , 0 , 0 "},
		{"", "Cookie: key", "0 , 0 , 0 "},
		{"", "Cookie: key; key = a ;b=c", "0 , 1 a, 0 "},
		{"", "Cookie: key=\"a\"", "0 , 1 a, 0 "},
		{"", "Cookie: key=a\xff", "0 , 1 a\xff, 0 "},
		{"", "Cookie: key=a; key=\xff", "0 , 2 a, 0 "},
		{"", "Cookie: key=a; key=b\"c", "0 , 2 a, 0 "},
		{"", "Cookie: key=a\nCookie: b=c; key=\\", "0 , 2 a, 0 "},
		{"", "Cookie: key=a\tb; key\t=c", "0 , 2 a\tb, 0 "},
		{"", "Cookie: key=a;\tkey=b", "0 , 2 a, 0 "},
		{"", "Cookie:\tkey=a\t", "0 , 1 a, 0 "},
		{"", "Cookie: key\t=c", "0 , 1 c, 0 "},
		{"?key=a%20b%2B", "Accept: */*", "0 , 0 , 1 a b+"},
		{"?key", "Accept: */*", "0 , 0 , 1 "},
		{"?key=&a=b&key=c", "Accept: */*", "0 , 0 , 2 "},
		{"?KEY=a&key2=b", "Accept: */*", "0 , 0 , 0 "},
		{"?k%65y=a&&key=+b", "Accept: */*", "0 , 0 , 2 a"},
		{"?key=%zz", "Accept: */*", "0 , 0 , 1 %zz"},
		{"?key=a&key=%zz", "Accept: */*", "0 , 0 , 2 a"},
		{"?key=a;b", "Accept: */*", "0 , 0 , 1 a;b"},
		{"?key=a&key=b;c", "Accept: */*", "0 , 0 , 2 a"},
		{"?a=b;key=c", "Accept: */*", "0 , 0 , 0 "},
		{"?key=c", "Cookie: key=b\nX-Key: a", "1 a, 1 b, 1 c"},
	} {
		a := Send(t, addr, Request("GET", "/echo"+tt.query, tt.header))
		if a.Status != http.StatusOK || a.Body != tt.want {
			t.Errorf("%q with %q: %d %q, want %q", tt.query, tt.header, a.Status, a.Body, tt.want)
		}
	}
}

// targets checks that the request's target is exactly what the client sent, whatever the
// router makes of it: proofs, signatures and return paths depend on it.
func targets(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithResponder(core.ResponderFunc(func(r core.Request, d *core.Denial) core.Response {
		return core.Response{Status: d.Kind.Status(), Body: []byte(r.Method() + " " + r.Target() + " " + r.Host())}
	})))
	methods := []string{"GET", "POST"}
	addr := f.Start(t, App{Use: []Gate{{Kind: "Authenticate", Guard: g}}, Routes: []Route{
		{Pattern: "/door", Methods: methods, Handler: ok}, {Pattern: "/files/*", Methods: methods, Handler: ok},
	}})
	for _, target := range []string{
		"/door", "/door?", "/door?a=b%20c&d=/x//y&return_to=https://evil.example", "/%64oor?%41", "http://app.example/door?a",
		"/files/a%2Fb/c+d;e", "/files/%2e%2e/%2fevil.example", "/files//evil.example", "//evil.example", "/..//evil.example",
	} {
		for _, method := range methods {
			a := Send(t, addr, Request(method, target, "Content-Length: 0"))
			if want := method + " " + target + " app.example"; a.Body != want {
				t.Errorf("%d %q, want %q", a.Status, a.Body, want)
			}
		}
	}
}

// bodiesRead checks that an endpoint reads exactly the body that the client sent.
func bodiesRead(t *testing.T, f Framework) {
	addr := f.Start(t, App{Routes: []Route{echo(func(r core.Request) string {
		b, ok := r.(core.BodyReader)
		if !ok {
			return fmt.Sprintf("%T has no body", r)
		}
		text, err := io.ReadAll(b.Body())
		media, n := r.Header("Content-Type")
		return fmt.Sprintf("%s, %d %s, %v", text, n, media, err)
	})}})
	for _, body := range []string{"", "user=alice&password=open+sesame", `{"user":"alice"}`, strings.Repeat("x", 70_000)} {
		for _, media := range []string{"application/x-www-form-urlencoded", "application/json; charset=utf-8"} {
			for framing, rest := range map[string]string{
				fmt.Sprintf("Content-Length: %d", len(body)): body,
				"Transfer-Encoding: chunked":                 chunked(body),
			} {
				a := Send(t, addr, Request("POST", "/echo", "Content-Type: "+media, framing)+"\n\n"+rest)
				if want := body + ", 1 " + media + ", <nil>"; a.Status != http.StatusOK || a.Body != want {
					t.Errorf("%.20q with %s: %d %.60q", body, framing, a.Status, a.Body)
				}
			}
		}
	}
}

// chunked encodes a body as a single chunk.
func chunked(body string) string {
	if body == "" {
		return "0\r\n\r\n"
	}
	return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
}

// peers checks that the peer is that of the connection, which attempt limits, trusted
// proxies and development keys rely on.
func peers(t *testing.T, f Framework) {
	for _, peer := range []net.Addr{
		&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 4711},
		&net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 80},
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 4711, Zone: "lo"},
		&net.UnixAddr{Name: "@", Net: "unix"},
	} {
		l := must.Have(net.Listen("tcp", "127.0.0.1:0"))(t)
		f.Serve(t, from{l, peer}, App{Routes: []Route{echo(core.Request.RemoteAddr)}})
		a := Send(t, l.Addr().String(), Request("GET", "/echo", "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1"))
		if a.Status != http.StatusOK || a.Body != peer.String() {
			t.Errorf("%s: %d, peer %q", peer, a.Status, a.Body)
		}
	}
}

// from is a listener whose connections have a peer address chosen by the test.
type from struct {
	net.Listener
	peer net.Addr
}

func (l from) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return connFrom{c, l.peer}, nil
}

type connFrom struct {
	net.Conn
	peer net.Addr
}

func (c connFrom) RemoteAddr() net.Addr { return c.peer }
