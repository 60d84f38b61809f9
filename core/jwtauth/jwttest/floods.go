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

// floods sends huge tokens, some with a million separators (CVE-2025-30204). Whether the
// server answers or the gate, it must do so without waiting for more, and stay available.
func floods(t *testing.T, f authtest.Framework) {
	issuer := signs(t, newKey(t), 0)
	a := newApp(t, f, issuer)
	good := tokenBy(t, issuer, "read")
	letters := func(n int) string { return strings.Repeat("A", n) }
	for name, token := range map[string]string{
		"20 kB of letters": letters(20_000), "20 kB of dots": strings.Repeat(".", 20_000), "900 kB of dots": strings.Repeat(".", 900_000),
		"a good token and 900 kB": good + letters(900_000), "a million dots": strings.Repeat(".", 1_000_000),
		"a good header and a million dots": good[:20] + strings.Repeat(".", 1_000_000),
		"3 MB of letters":                  letters(3_000_000), "3 MB in three parts": letters(1_000_000) + "." + letters(1_000_000) + "." + letters(1_000_000),
	} {
		seen, runs := len(a.events.Events()), a.runs.Load()
		got, err := flood(a.addr, token)
		events := a.events.Events()[seen:]
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Errorf("%s: no answer at once", name)
		case a.runs.Load() != runs || len(events) > 1:
			t.Errorf("%s: the handler ran, or there are %d events; then %v", name, len(events), err)
		case len(events) == 1 && (err != nil || got.Status != http.StatusUnauthorized || events[0].Reason != core.ReasonMalformed):
			t.Errorf("%s: %d %v for %s", name, got.Status, err, events[0].Reason)
		case len(events) == 1:
		case err != nil:
			t.Logf("%s: the server itself hangs up: %v", name, err)
		case got.Status != http.StatusBadRequest && got.Status != http.StatusRequestHeaderFieldsTooLarge:
			t.Errorf("%s: %d without an event", name, got.Status)
		default:
			t.Logf("%s: the server itself answers %d", name, got.Status)
		}
		a.answers("a good token after "+name, http.StatusOK, core.ReasonAllowed, "", authorization(good))
	}
}

// flood sends a token of any size. A server may answer, or close the connection, before it
// has read all of it; the error is then that of reading.
func flood(addr, token string) (authtest.Answer, error) {
	conn, err := net.DialTimeout("tcp", addr, authtest.TimeLimit(time.Minute))
	if err != nil {
		return authtest.Answer{}, err
	}
	written := make(chan struct{})
	defer func() {
		_ = conn.Close() // also unblocks the writer
		<-written
	}()
	if err := conn.SetDeadline(time.Now().Add(authtest.TimeLimit(time.Minute))); err != nil {
		close(written)
		return authtest.Answer{}, err
	}
	go func() {
		defer close(written)
		head := authtest.Request("GET", "/reports", authorization(token), "Connection: close")
		_, _ = io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n") // errors show in the answer
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return authtest.Answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(resp.Body)
	if err != nil && resp.StatusCode != http.StatusUnauthorized {
		err = nil // reset after the answer, because the rest was not read
	}
	return authtest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}, err
}
