package servers

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary stand in for servers, by its name.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "broken":
		_, _ = io.WriteString(os.Stderr, "the cat has the key\n")
		os.Exit(1)
	case "mute":
		time.Sleep(startLimit) // longer than the test waits
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// impostor is the path of a server that is this test's binary.
func impostor(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestServerEnds checks that a server's last words are told.
func TestServerEnds(t *testing.T) {
	p, err := launch(t.Context(), impostor(t, "broken"), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); p.wait() }()
	if _, err := p.ready(t.Context()); err == nil || !strings.Contains(err.Error(), "the cat has the key") {
		t.Errorf("got %v", err)
	}
	<-done
}

// TestServerStops checks that a server that never listens ends with its
// context.
func TestServerStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := launch(ctx, impostor(t, "mute"), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); p.wait() }()
	cancel()
	if _, err := p.ready(ctx); err == nil {
		t.Error("it is ready")
	}
	<-done
	if p.cmd.ProcessState == nil || p.cmd.ProcessState.Exited() {
		t.Errorf("the server was not stopped: %v", p.cmd.ProcessState)
	}
}

func TestStartWithoutServers(t *testing.T) {
	_, stop, err := Start(t.Context(), t.TempDir(), nil)
	stop()
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "Gin") {
		t.Errorf("got %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var l tail
	for range 3 {
		if _, err := l.Write([]byte(strings.Repeat("x", maxTail))); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = l.Write([]byte("the end\n")) // never fails
	if s := l.String(); len(s) >= maxTail || !strings.HasSuffix(s, "the end") {
		t.Errorf("%d bytes, ending in %q", len(s), s[max(len(s)-10, 0):])
	}
}
