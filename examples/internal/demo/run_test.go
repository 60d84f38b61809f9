package demo_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// idle is a server without a route.
func idle(*demo.Demo) demo.Server { return &http.Server{ReadHeaderTimeout: time.Second} }

func TestHelp(t *testing.T) {
	var usage strings.Builder
	err := demo.Run(t.Context(), []string{"-help"}, io.Discard, &usage, idle)
	if !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"-addr", "-policy", "-basic", "-users", "-digest", "-digest-md5", "-apikeys", "-jwks", "-issuer", "-audience",
		"-introspect", "-introspect-id", "-introspect-secret", "-realm", "-accounts", "-limit"} {
		if !slices.ContainsFunc(strings.Split(usage.String(), "\n"), func(line string) bool { return line == "  "+name || strings.HasPrefix(line, "  "+name+" ") }) {
			t.Errorf("the usage does not name %s:\n%s", name, &usage)
		}
	}
}

// failing is a server that cannot serve.
type failing struct{}

func (failing) Serve(net.Listener) error       { return errors.New("out of order") }
func (failing) Shutdown(context.Context) error { return nil }

func TestServeError(t *testing.T) {
	err := demo.Run(t.Context(), []string{"-addr", "127.0.0.1:0"}, io.Discard, io.Discard,
		func(*demo.Demo) demo.Server { return failing{} })
	if err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("got %v", err)
	}
}

// TestClosedOutput checks that a server nobody can hear about does not stay.
func TestClosedOutput(t *testing.T) {
	_, closed := io.Pipe()
	_ = closed.Close()
	if err := demo.Run(t.Context(), []string{"-addr", "127.0.0.1:0"}, closed, io.Discard, idle); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}
