package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/examples/shared/scenario"
)

// TestRun is the whole demo: it builds the servers and tries them.
func TestRun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out, log strings.Builder
	if err := run(t.Context(), &out, &log); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &log, &out)
	}
	for _, want := range []string{"expected", "Gin", "Fiber", "Echo", "net/http", "401 Bearer:token Digest Basic ApiKey", "\nOK: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &out)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "sallyport-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, io.Discard, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestReport(t *testing.T) {
	s := scenario.Scenario{Name: "no credentials", Method: "GET", Target: "/", Want: "401 Basic"}
	servers := []scenario.Server{{Name: "Gin"}}
	for verdict, want := range map[string]string{"401 Basic": "OK: 1 scenarios", "403": "FAIL: 1 of 1 answers"} {
		var out strings.Builder
		err := report(&out, servers, []scenario.Result{{Scenario: s, Answers: []scenario.Answer{{Verdict: verdict}}}}, time.Second)
		if (err != nil) != (verdict == "403") || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", verdict, err, &out)
		}
	}
}
