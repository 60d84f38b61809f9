package session_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
)

// An incomplete sign-in request tells nothing about a password: it is 503, not counted as a
// guess, and logged as a disconnected client.
func TestIncompleteSignIns(t *testing.T) {
	t.Parallel()
	limiter, err := attempts.New(attempts.WithAddressBudget(1, time.Minute, 1), attempts.WithAccountBudget(1, time.Minute, 1))
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan core.Event, 1)
	m, err := session.New(session.WithPlainHTTPForDevelopment(), session.WithAnswers(core.WithAttemptLimiter(limiter),
		core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) { events <- e }))))
	if err != nil {
		t.Fatal(err)
	}
	users := basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) {
		t.Error("a password is verified")
		return nil, basic.ErrWrongPassword
	})
	s := httptest.NewUnstartedServer(httpauth.Serve(m.LoginEndpoint(users)))
	// Only the body is cut off, however slow the machine is with the header.
	s.Config.ReadHeaderTimeout, s.Config.ReadTimeout = time.Minute, 100*time.Millisecond
	s.Start()
	defer s.Close()

	const head = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	closed := func(c *net.TCPConn) error { return c.CloseWrite() }
	stalled := func(*net.TCPConn) error { return nil }
	for name, c := range map[string]struct {
		text string
		then func(*net.TCPConn) error
	}{
		"closed":           {head + "Content-Length: 40\r\n\r\nuser=alice&pass", closed},
		"stalled":          {head + "Content-Length: 40\r\n\r\nuser=alice&pass", stalled},
		"closed, chunked":  {head + "Transfer-Encoding: chunked\r\n\r\n6\r\nuser=a\r\n", closed},
		"stalled, chunked": {head + "Transfer-Encoding: chunked\r\n\r\n6\r\nuser=a\r\n", stalled},
	} {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(authtest.TimeLimit(time.Minute)))
		if _, err := fmt.Fprint(conn, c.text); err != nil {
			t.Fatal(err)
		}
		if err := c.then(conn.(*net.TCPConn)); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || len(resp.Cookies()) > 0 {
			t.Errorf("%s: %s %v", name, resp.Status, resp.Header)
		}
		if e := <-events; e.Outcome != core.OutcomeClientGone || e.Status != core.StatusClientGone || e.Reason != core.ReasonClientGone {
			t.Errorf("%s: event %s %d %s, %v", name, e.Outcome, e.Status, e.Reason, e.Cause)
		}
	}
}
