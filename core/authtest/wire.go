package authtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// Answer is a response that was read completely.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Request returns the text of a request for [Send]: a request line and header lines "Name:
// value".
func Request(method, target string, header ...string) string {
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: app.example"}, header...)
	return strings.Join(lines, "\n")
}

// Send sends a request to addr exactly as given, except that "\n" is sent as CRLF and that
// "Connection: close" and a final blank line are added, and reads the answer. The first
// word must be the method.
func Send(t testing.TB, addr, request string) Answer {
	t.Helper()
	a, err := send(addr, request)
	if err != nil {
		t.Fatalf("send %q: %v", request, err)
	}
	return a
}

func send(addr, request string) (Answer, error) {
	c, err := dial(addr)
	if err != nil {
		return Answer{}, err
	}
	defer c.close()
	head, body, _ := strings.Cut(request, "\n\n")
	return c.roundTrip(strings.TrimSuffix(head, "\n") + "\nConnection: close\n\n" + body)
}

// client is a connection that is kept open between requests.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, TimeLimit(time.Minute))
	if err != nil {
		return nil, err
	}
	return newClient(conn), nil
}

func newClient(conn net.Conn) *client { return &client{conn, bufio.NewReader(conn)} }

func (c *client) close() { _ = c.conn.Close() }

// write sends a request, with "\n" in its head sent as CRLF, and limits the time until the
// last byte of the answer.
func (c *client) write(request string) error {
	if err := c.conn.SetDeadline(time.Now().Add(TimeLimit(time.Minute))); err != nil {
		return err
	}
	head, body, _ := strings.Cut(request, "\n\n")
	_, err := io.WriteString(c.conn, strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n")+"\r\n\r\n"+body)
	return err
}

// roundTrip sends a request as write does, and reads the answer.
func (c *client) roundTrip(request string) (Answer, error) {
	if err := c.write(request); err != nil {
		return Answer{}, err
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body := io.Reader(resp.Body)
	if method == http.MethodHead && resp.Close { // there is no body, or it is what follows
		body = c.in
	}
	b, err := io.ReadAll(body)
	return Answer{resp.StatusCode, resp.Header, string(b)}, err
}

// challenges returns the challenges of a. Each field line must hold exactly one challenge
// that parses by RFC 9110 §11 and has a quoted realm (§11.5), so that no client can mistake
// two joined challenges for one.
func (a Answer) challenges() ([]challenge.Challenge, error) {
	var all []challenge.Challenge
	for _, line := range a.Header.Values("WWW-Authenticate") {
		cs, err := challenge.Parse(line)
		if err != nil {
			return nil, fmt.Errorf("challenge %q: %w", line, err)
		}
		if len(cs) != 1 {
			return nil, fmt.Errorf("line %q holds %d challenges", line, len(cs))
		}
		if _, ok := cs[0].Param("realm"); !ok || !strings.Contains(line, ` realm="`) {
			return nil, fmt.Errorf("challenge %q: no quoted realm", line)
		}
		all = append(all, cs[0])
	}
	return all, nil
}

// code returns the stable code in the body of a refusal, or "".
func (a Answer) code() string {
	var doc struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(a.Body), &doc); err != nil {
		return ""
	}
	return doc.Error
}

// check returns an error unless a is a well-formed refusal with the given status and code.
// It checks what all refusals have in common on every framework.
func (a Answer) check(status int, code string) error {
	if a.Status != status {
		return fmt.Errorf("status %d, want %d; body %q", a.Status, status, a.Body)
	}
	cs, err := a.challenges()
	switch {
	case err != nil:
		return err
	case status == http.StatusUnauthorized && len(cs) == 0:
		return errors.New("401 without a challenge")
	case a.code() != code:
		return fmt.Errorf("code %q, want %q; body %q", a.code(), code, a.Body)
	case a.Header.Get("Cache-Control") != "no-store" || len(a.Header.Values("Cache-Control")) != 1:
		return fmt.Errorf("Cache-Control %q on a denial", a.Header.Values("Cache-Control"))
	case strings.Contains(a.Body, handled):
		return fmt.Errorf("the handler's words in a denial: %q", a.Body)
	case (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) != (a.Header.Get("Retry-After") != ""):
		return fmt.Errorf("Retry-After %q on %d", a.Header.Get("Retry-After"), status)
	}
	return nil
}

// refused fails the test unless a is a refusal of the given status and code.
func refused(t testing.TB, what string, a Answer, status int, code string) {
	t.Helper()
	if err := a.check(status, code); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// fieldDifference returns the names of the fields that differ between two headers, or "".
// Date is ignored.
func fieldDifference(a, b http.Header) string {
	a, b = a.Clone(), b.Clone()
	a.Del("Date")
	b.Del("Date")
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !slices.Equal(a[name], b[name]) {
			return fmt.Sprintf("%s %q and %q", name, a[name], b[name])
		}
		delete(b, name)
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		return fmt.Sprintf("%s %q in one alone", name, b[name])
	}
	return ""
}
