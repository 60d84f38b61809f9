// Package scenariotest is what the tests of the example servers have in common.
// It starts a server inside the test and tries it with every scenario of the
// demo, with wrong flags, and while its files are edited.
package scenariotest

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/shared/scenario"
)

var (
	// startLimit is how long a server may take until it listens.
	startLimit = authtest.TimeLimit(3 * time.Minute)
	// playLimit is how long all scenarios may take on one server, with the
	// race detector on a busy machine.
	playLimit = authtest.TimeLimit(10 * time.Minute)
)

// Build makes the server to test.
type Build func(*demo.Demo) demo.Server

// Run tests everything about a server: what it answers, which flags and files it
// refuses, what it prints, and that edits of its files take effect.
func Run(t *testing.T, build Build) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Build)
	}{
		{"verdicts", verdicts},
		{"start errors", startErrors},
		{"audit", audit},
		{"realm", realm},
		{"printed lines", printedLines},
		{"policy edits", policyEdits},
		{"credential edits", credentialEdits},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, build) })
	}
}

// verdicts plays every scenario against the server that build makes, and fails
// the test for each answer that is not the expected one.
func verdicts(t *testing.T, build Build) {
	t.Helper()
	world, err := scenario.NewWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() }) // closed already, unless the test failed
	url, _ := Start(t, build, world.Args()...)
	servers := []scenario.Server{{Name: t.Name(), URL: url}}
	ctx, cancel := context.WithTimeout(t.Context(), playLimit)
	defer cancel()
	results, err := world.Play(ctx, servers)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range scenario.Differences(servers, results) {
		t.Error(line)
	}
}

// Start runs the server that build makes until the test ends, when it must stop
// without an error. It returns the address the server says it listens on and
// what it printed before.
func Start(t *testing.T, build Build, args ...string) (url, printed string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := demo.Run(ctx, args, stdout, io.Discard, build)
		_ = stdout.CloseWithError(err) // always nil
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	timer := time.AfterFunc(startLimit, func() { _ = out.Close() })
	defer timer.Stop()
	lines := bufio.NewScanner(out)
	var before strings.Builder
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return url, before.String()
		}
		before.WriteString(lines.Text() + "\n")
	}
	t.Fatalf("the server does not listen: %v", lines.Err())
	return "", ""
}
