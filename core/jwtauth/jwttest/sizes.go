package jwttest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// floods: CVE-2025-30204. Whoever answers, server or gate, does so without
// waiting for more, and goes on serving.
func floods(t *testing.T, b bench) {
	s := b.serve(t)
	good := s.keys.good(t, "ES256")
	for _, c := range []struct{ name, token string }{
		{"20 kB of letters", strings.Repeat("A", 20_000)},
		{"20 kB of dots", strings.Repeat(".", 20_000)},
		{"900 kB of dots", strings.Repeat(".", 900_000)},
		{"a good token and 900 kB", good + strings.Repeat("A", 900_000)},
		{"a million dots", strings.Repeat(".", 1_000_000)},
		{"a good header and a million dots", good[:20] + strings.Repeat(".", 1_000_000)},
		{"3 MB of letters", strings.Repeat("A", 3_000_000)},
		{"3 MB in three parts", strings.Repeat("A", 1_000_000) + "." + strings.Repeat("A", 1_000_000) + "." + strings.Repeat("A", 1_000_000)},
	} {
		seen, runs := len(s.events.Events()), s.runs.Load()
		a, err := flood(s.addr, c.token)
		events := s.events.Events()[seen:]
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Errorf("%s: no answer at once", c.name)
		case len(events) == 1 && err == nil:
			at := attempt{c.name, c.token, core.ReasonMalformed}
			if err := at.judge(a, events[0], s.runs.Load()-runs); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		case len(events) != 0 || s.runs.Load() != runs:
			t.Errorf("%s: %d events, %d runs, then %v", c.name, len(events), s.runs.Load()-runs, err)
		case err != nil:
			t.Logf("%s: the server itself hangs up: %v", c.name, err)
		case a.Status != http.StatusBadRequest && a.Status != http.StatusRequestHeaderFieldsTooLarge:
			t.Errorf("%s: %d without an event", c.name, a.Status)
		default:
			t.Logf("%s: the server itself answers %d", c.name, a.Status)
		}
		s.try(onPublic, attempt{"a good token after " + c.name, good, ""})
	}
}

// flood sends a token of any size. A server may answer, or hang up, before it
// has read the whole; the error is then that of reading.
func flood(addr, token string) (authtest.Answer, error) {
	conn, err := net.DialTimeout("tcp", addr, authtest.TimeLimit(time.Minute))
	if err != nil {
		return authtest.Answer{}, err
	}
	written := make(chan struct{})
	defer func() {
		_ = conn.Close() // ends the writing too
		<-written
	}()
	if err := conn.SetDeadline(time.Now().Add(authtest.TimeLimit(time.Minute))); err != nil {
		close(written)
		return authtest.Answer{}, err
	}
	go func() {
		defer close(written)
		head := authtest.Request("GET", onPublic, authorization(token), "Connection: close")
		_, _ = io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n") // the answer tells
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return authtest.Answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(resp.Body)
	if err != nil && resp.StatusCode != http.StatusUnauthorized {
		err = nil // reset after the status: the rest was not read
	}
	return authtest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}, err
}
