package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestRun starts the command on every framework and stops it.
func TestRun(t *testing.T) {
	for name := range frameworks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out, in := io.Pipe()
			done := make(chan error, 1)
			go func() {
				done <- run(ctx, []string{"-framework", name, "-addr", "127.0.0.1:0", "-demo-only-session-lifetime", "20s"}, in, io.Discard)
			}()
			line, err := bufio.NewReader(out).ReadString('\n')
			address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
			if err != nil || !ok {
				t.Fatalf("it says %q, %v", line, err)
			}
			if resp := send(t, http.MethodGet, address+"/", nil, nil); resp.StatusCode != http.StatusOK {
				t.Errorf("the start page: %s", resp.Status)
			}
			client.CloseIdleConnections()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"-framework \"rails\": one of": {"-framework", "rails"},
		"loopback":                     {"-addr", ":8080"},
		"unexpected argument":          {"gin"},
		"at least 1s":                  {"-demo-only-session-lifetime", "1ms"},
		"not defined":                  {"-nothing"},
		"listen":                       {"-addr", "127.0.0.1:99999"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

// TestDocumentedWrapper: docs/frontends.md shows the file that runs here. The
// way leads through a link of this module, so that go test notices edits.
func TestDocumentedWrapper(t *testing.T) {
	page, err := os.ReadFile("testdata/docs/frontends.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```js\n")
	shown, _, closed := strings.Cut(rest, "\n```\n")
	want, err := files.ReadFile("static/api.js")
	if err != nil {
		t.Fatal(err)
	}
	if !found || !closed || shown+"\n" != string(want) {
		t.Error("the first block of JavaScript in docs/frontends.md is not static/api.js")
	}
}
