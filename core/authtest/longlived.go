package authtest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// longLived wraps a case about connections that stay open, which is skipped if the
// framework cannot keep one open.
func longLived(run func(*testing.T, Framework)) func(*testing.T, Framework) {
	return func(t *testing.T, f Framework) {
		if len(f.LongLived) == 0 {
			t.Skip("Framework.LongLived is empty: it says no way to keep a connection open")
		}
		run(t, f)
	}
}

// KeepStreaming calls serve with a writer to w that flushes every write, for
// [Framework.LongLived] on net/http.
func KeepStreaming(w http.ResponseWriter, serve func(io.Writer)) error {
	rc := http.NewResponseController(w)
	if err := rc.Flush(); err != nil {
		return err
	}
	serve(writerFunc(func(b []byte) (int, error) {
		n, err := w.Write(b)
		return n, errors.Join(err, rc.Flush())
	}))
	return nil
}

// KeepHijacked hijacks the connection and calls serve with it after the handler has
// returned, for [Framework.LongLived] on net/http.
func KeepHijacked(w http.ResponseWriter, serve func(io.Writer)) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	go ServeHijacked(conn, serve)
	return nil
}

// ServeHijacked writes a response header to a hijacked connection, calls serve and closes
// the connection.
func ServeHijacked(conn net.Conn, serve func(io.Writer)) {
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"); err == nil {
		serve(conn)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
