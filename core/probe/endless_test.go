package probe_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-go/sallyport/core/probe"
)

// TestEndlessHeads: reading the head of an answer ends even if the service never ends it.
func TestEndlessHeads(t *testing.T) {
	const enough = 64 << 20
	for name, more := range map[string]string{
		"fields":   "X-A: " + strings.Repeat("a", 1000) + "\r\n",
		"one line": strings.Repeat("a", 1000),
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var sent atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-B: ")
			for err == nil && sent.Load() < enough {
				var n int
				n, err = io.WriteString(conn, more)
				sent.Add(int64(n))
			}
			_ = conn.Close()
		}()
		client, err := probe.NewClient("http://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if a := client.Send(t.Context(), probe.Request{Method: "GET", Target: "/"}); a.Err == nil {
			t.Errorf("%s: status %d", name, a.Status)
		}
		client.Close()
		_ = l.Close()
		<-done
		if sent.Load() >= enough {
			t.Errorf("%s: all of it was read", name)
		}
	}
}
