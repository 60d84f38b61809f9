package authtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// unreadUploads checks that no part of a body that nobody has read, because the request is
// refused, has no route or goes to an endpoint or a handler that does without, is parsed as
// a request, however it is framed, and that the connection either stays usable or is
// closed. Of a form, no handler can read what follows the last part.
func unreadUploads(t *testing.T, f Framework) {
	g, _ := guard(t)
	d := &door{t: t}
	inner := Route{Pattern: "/inner", Methods: []string{"GET"}, Handler: d.handle}
	d.addr = f.Start(t, App{Routes: []Route{
		inner,
		{Pattern: "/upload", Methods: []string{"POST"}, Handler: ok, Gates: []Gate{{Kind: "Authenticate", Guard: g}}},
		{Pattern: "/passed", Methods: []string{"POST"}, Handler: ok, Gates: []Gate{{Kind: "Optional", Guard: g}}},
		{Pattern: "/open", Methods: []string{"POST"}, Handler: ok},
		{Pattern: "/check", Methods: []string{"POST"}, Handler: func(x Exchange) error { return x.Check(g, only("alice")) }},
		{Pattern: "/endpoint", Methods: []string{"POST"}, Endpoint: func(context.Context, core.Request) core.Response {
			return core.Response{Status: http.StatusAccepted}
		}},
	}})
	answers := map[string]int{"/upload": http.StatusUnauthorized, "/check": http.StatusUnauthorized, "/endpoint": http.StatusAccepted, "/passed": http.StatusOK, "/open": http.StatusOK, "/absent": http.StatusNotFound}
	smuggled := "GET /inner HTTP/1.1\r\nHost: app.example\r\n\r\n"
	for _, padding := range []int{0, 100, 4096, 8192, 9000, 70_000, 300_000} {
		body := strings.Repeat("x", padding) + smuggled
		// What follows the last part is not read by a parser of forms.
		form := "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nvalue\r\n--b--\r\n" + strings.Repeat("\r\n", padding/2) + smuggled
		for name, request := range map[string]string{
			"length":   fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body),
			"chunked":  fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
			"continue": fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", len(body), body),
			"form":     fmt.Sprintf("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s", len(form), form),
		} {
			for path, status := range answers {
				what := fmt.Sprintf("%s, %s, %d bytes", path, name, len(body))
				statuses, err := pipelined(d.addr, "POST "+path+" HTTP/1.1\r\nHost: app.example\r\n"+request+"GET /none HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n")
				statuses = slices.DeleteFunc(statuses, func(s int) bool { return s == http.StatusContinue })
				if err != nil || len(statuses) == 0 || statuses[0] != status || len(statuses) > 2 {
					t.Errorf("%s: %v %v", what, statuses, err)
				}
				if len(statuses) == 2 && statuses[1] != http.StatusNotFound {
					t.Errorf("%s: the next request is answered with %d", what, statuses[1])
				}
			}
		}
	}
	if n := d.runs.Load(); n != 0 {
		t.Errorf("%d requests were made of bodies", n)
	}
}

// pipelined sends requests at once, and returns the statuses of all answers until the
// connection is closed.
func pipelined(addr, requests string) ([]int, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	go func() { _, _ = io.WriteString(c.conn, requests) }() // the server may close before it has read everything
	return statusesOf(c.in)
}

func statusesOf(in *bufio.Reader) ([]int, error) {
	var statuses []int
	for {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			if len(statuses) > 0 {
				return statuses, nil // closed, or reset because of an unread body
			}
			return nil, err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		statuses = append(statuses, resp.StatusCode)
		if err != nil || resp.Close {
			return statuses, nil
		}
	}
}

// formFiles checks that the server still removes the files of a multipart form, which a
// handler has parsed, after the answer if there are gates.
func formFiles(t *testing.T, f Framework) {
	if f.Form == nil {
		t.Skip("Framework.Form is nil: the framework keeps no files of forms")
	}
	g, _ := guard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	other, _ := guard(t)
	var name string
	parse := func(x Exchange) error {
		form, err := f.Form(x)
		if err != nil {
			return err
		}
		file, err := form.File["file"][0].Open()
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		if onDisk, ok := file.(*os.File); ok {
			name = onDisk.Name()
		}
		return nil
	}
	handlers := map[string]Handler{
		"answered": func(x Exchange) error { return errors.Join(parse(x), ok(x)) },
		"refused":  func(x Exchange) error { return errors.Join(parse(x), x.Check(g, only("bob"))) },
		"checked":  func(x Exchange) error { return errors.Join(x.Check(other, only("alice")), parse(x), ok(x)) },
	}
	alice := []core.Authorizer{only("alice")}
	for _, gates := range [][]Gate{
		nil,
		{{Kind: "Authenticate", Guard: g}},
		{{Kind: "Authenticate", Guard: g}, {Kind: "Require", Guard: g, Rules: alice}},
		{{Kind: "Authenticate", Guard: g}, {Kind: "Require", Guard: other, Rules: alice}},
	} {
		for does, handler := range handlers {
			if gates == nil && does != "answered" {
				continue // no gate learns when the handler has returned
			}
			addr := f.Start(t, App{Routes: []Route{{Pattern: "/upload", Methods: []string{"POST"}, Gates: gates, Handler: handler}}})
			name = ""
			body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ncontent\r\n--b--\r\n"
			answer, err := untilClosed(addr, Request("POST", "/upload", as("alice"), "Content-Type: multipart/form-data; boundary=b",
				fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close")+"\n\n"+body)
			if passed := strings.HasPrefix(answer, "HTTP/1.1 200 "); err != nil || name == "" || passed == (does == "refused") {
				t.Errorf("%d gates, %s: file %q, %v, %q", len(gates), does, name, err, answer)
			}
			if os.Remove(name) != nil {
				continue // it was removed
			}
			if gates == nil {
				t.Skip("the framework itself leaves the files")
			}
			t.Errorf("%d gates, %s: the file is still there", len(gates), does)
		}
	}
}

// untilClosed sends a request and returns what the server sends until it closes the
// connection, which it does once it has finished with the request.
func untilClosed(addr, request string) (string, error) {
	c, err := dial(addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	if err := c.write(request); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(c.in)
	return string(answer), err
}

// RunUploads sends uploads that nobody reads, for non-default configurations of a
// framework.
func RunUploads(t *testing.T, f Framework) { unreadUploads(t, f) }
