package fasthttpauth_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

// newCtx is the context of a request with a header.
func newCtx(target string, header ...string) *fasthttp.RequestCtx {
	var req fasthttp.Request
	req.Header.DisableNormalizing()
	req.SetRequestURI(target)
	req.Header.SetHost("app.example")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7).To4(), Port: 80}, discard{})
	return ctx
}

// TestView: a view returns copies, and counts repeated fields.
func TestView(t *testing.T) {
	ctx := newCtx("/a?q=1&q=2", "Authorization", "one", "Authorization", "two", "Cookie", "c=1; c=2; d=3")
	var v fasthttpauth.View
	v.Show(ctx, false)
	kept := map[string]string{"target": v.Target(), "host": v.Host()}
	counts := map[string]int{}
	kept["header"], counts["header"] = v.Header("Authorization")
	kept["none"], counts["none"] = v.Header("X-None")
	kept["cookie"], counts["cookie"] = v.Cookie("c")
	kept["query"], counts["query"] = v.Query("q")
	ctx.Request.Reset()
	ctx.Request.SetRequestURI("/overwritten-by-the-next-request?q=overwritten")
	ctx.Request.Header.Set("Authorization", "overwritten")
	for what, want := range map[string]string{"target": "/a?q=1&q=2", "host": "app.example", "header": "one", "none": "", "cookie": "1", "query": "1"} {
		if kept[what] != want {
			t.Errorf("%s: %q, want %q", what, kept[what], want)
		}
	}
	for what, want := range map[string]int{"header": 2, "none": 0, "cookie": 2, "query": 2} {
		if counts[what] != want {
			t.Errorf("%s: %d, want %d", what, counts[what], want)
		}
	}
	if v.RemoteAddr() != "192.0.2.7:80" || v.RemoteAddrPort().String() != "192.0.2.7:80" || v.TLS() != nil {
		t.Errorf("%s, %s, %v", v.RemoteAddr(), v.RemoteAddrPort(), v.TLS())
	}
	ctx.SetRemoteAddr(&net.UnixAddr{Name: "socket"})
	if v.RemoteAddrPort().IsValid() {
		t.Error("a socket has an address and a port")
	}
	var raw fasthttpauth.View
	raw.Show(newCtx("/", "authORIZATION", "one", "Authorization", "two"), true)
	if value, n := raw.Header("Authorization"); value != "one" || n != 2 {
		t.Errorf("as sent: %q, %d", value, n)
	}
	if v.Forget(); strings.Contains(fmt.Sprintf("%#v", v), "one") {
		t.Error("a view that is to be used again holds credentials")
	}
	for _, rawNames := range []bool{false, true} {
		for want, sent := range map[[2]string][]string{
			{"id", "trace"}: {"X-Request-Id", "id", "X-Request-Id", "other", "Traceparent", "trace"},
			{"", "trace"}:   {"Traceparent", "trace"},
			{"id", ""}:      {"X-Request-Id", "id"},
			{"", ""}:        {"X-Request-Id", "", "X-Request-Id", "other"},
		} {
			var v fasthttpauth.View
			v.Show(newCtx("/", sent...), rawNames)
			id, trace := v.IDs()
			first, _ := v.Header("X-Request-Id")
			if id != want[0] || trace != want[1] || first != id {
				t.Errorf("%q: the IDs are %q and %q, the field %q", sent, id, trace, first)
			}
		}
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
		if fasthttpauth.CopyOfMethod(method) != method {
			t.Errorf("%s is another one", method)
		}
	}
}

// TestFields: lists are merged, challenges and cookies added, others replaced.
func TestFields(t *testing.T) {
	var h fasthttp.ResponseHeader
	h.Set("Vary", "Origin")
	h.Set("X-One", "old")
	fields := []core.Field{
		{Name: "Vary", Value: "Authorization, origin"}, {Name: "Www-Authenticate", Value: "A"}, {Name: "Www-Authenticate", Value: "B"},
		{Name: "X-One", Value: "new"}, {Name: "vary", Value: "Authorization"},
	}
	fasthttpauth.AddFields(&h, fields...)
	want := map[string][]string{"Vary": {"Origin", "Authorization"}, "Www-Authenticate": {"A", "B"}, "X-One": {"new"}}
	for name, lines := range want {
		got := h.PeekAll(name)
		if len(got) != len(lines) {
			t.Errorf("%s: %q, want %q", name, got, lines)
			continue
		}
		for i, line := range lines {
			if string(got[i]) != line {
				t.Errorf("%s: %q, want %q", name, got, lines)
			}
		}
	}
	fasthttpauth.Undo(&h, []core.Field{{Name: "Vary", Value: "Authorization"}, {Name: "X-One", Value: "new"}})
	if string(h.Peek("Vary")) != "Origin" || len(h.Peek("X-One")) > 0 {
		t.Errorf("%s", h.Header())
	}
}

// TestSealKeepsTheHandshake: the connection of a sealed request still has its addresses and
// TLS state.
func TestSealKeepsTheHandshake(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	var ctx fasthttp.RequestCtx
	ctx.Init2(tls.Server(server, new(tls.Config)), discard{}, false)
	ctx.SetRemoteAddr(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 7).To4(), Port: 80})
	fasthttpauth.Seal(&ctx)
	fasthttpauth.Seal(&ctx) // once is enough
	conn := ctx.Conn()
	if _, err := conn.Write([]byte("late")); err == nil {
		t.Error("the connection takes what is written")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || conn.SetReadDeadline(ctx.Time()) == nil || conn.SetWriteDeadline(ctx.Time()) == nil {
		t.Error("the connection is open")
	}
	if !ctx.IsTLS() || ctx.TLSConnectionState() == nil || ctx.RemoteAddr().String() != "192.0.2.7:80" || ctx.LocalAddr() == nil || conn.RemoteAddr() == nil {
		t.Errorf("TLS %v, address %v", ctx.IsTLS(), ctx.RemoteAddr())
	}
	if fasthttpauth.Rewritten(&newCtx("/a?b").Request, "GET") || !fasthttpauth.Rewritten(&newCtx("/a").Request, "POST") {
		t.Error("what is rewritten")
	}
}

// TestFieldsBehindTheBody: a trailer field of a chunked request is never a credential,
// which is a field that occurs once, whether names are normalized or not, the value is
// lent, or the request is copied. Where fasthttp shows it depends on its version.
func TestFieldsBehindTheBody(t *testing.T) {
	for _, rawNames := range []bool{false, true} {
		for field, want := range map[string]bool{"Remote-User": false, "X-Sent": true, "X-None": false, "Authorization": true} {
			for _, body := range []string{"", "3\r\nabc\r\n"} {
				ctx := new(fasthttp.RequestCtx)
				ctx.Init(new(fasthttp.Request), nil, discard{})
				ctx.Request.Header.DisableNormalizing()
				if !rawNames {
					ctx.Request.Header.EnableNormalizing()
				}
				sent := "POST / HTTP/1.1\r\nHost: app.example\r\nx-sent: 1\r\nauthorization: Name alice\r\nTransfer-Encoding: chunked\r\n\r\n" + body + "0\r\nRemote-User: alice\r\n\r\n"
				if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(sent))); err != nil {
					t.Fatal(err)
				}
				var v fasthttpauth.View
				v.Show(ctx, rawNames)
				_, n := v.Header(field)
				v.Decide(t.Context())
				_, lent := v.Lend(field)
				if _, kept := v.Detach("POST", adapter.Matched{}).Header(field); (n == 1) != want || (lent == 1) != want || (kept == 1) != want {
					t.Errorf("%s behind %q: %d lines, %d are lent, %d kept, want one: %v", field, body, n, lent, kept, want)
				}
			}
		}
	}
}
