package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/checks/internal/npm"
)

// TestOfficialClient: the client finds the authorization server by the challenge,
// steps up when a tool asks for a scope, and exchanges what the page on MCP shows.
func TestOfficialClient(t *testing.T) {
	scripts := npm.Install(t, "client.mjs")
	server := startExample(t)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	client := exec.CommandContext(ctx, "node", "client.mjs", server+"/mcp")
	client.Dir = scripts
	var failed bytes.Buffer
	client.Stderr = &failed
	out, err := client.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, failed.String())
	}
	want, got := shown(t), exchanges(string(out))
	if !slices.Equal(want, got) {
		t.Errorf("docs/mcp.md shows\n%s\n\nthe client exchanged\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

// exchanges are the lines of a transcript, except those of the request for a stream
// of events, which the client makes beside the others.
func exchanges(transcript string) []string {
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(transcript), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "GET /mcp ")
	})
}

// shown is the transcript in docs/mcp.md.
func shown(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "mcp.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(page), "```text\nPOST /mcp (initialize)")
	transcript, _, closed := strings.Cut(after, "\n```")
	if !ok || !closed {
		t.Fatal("docs/mcp.md has no transcript")
	}
	return exchanges("POST /mcp (initialize)" + transcript)
}

// startExample runs the example and returns its address.
func startExample(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mcp")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", "..", "examples", "mcp"), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	server := exec.CommandContext(ctx, program, "-addr", "127.0.0.1:0")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = server.Wait() // it was killed
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("it says %q, %v", line, err)
	}
	return address
}
