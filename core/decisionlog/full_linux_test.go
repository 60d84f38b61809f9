package decisionlog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/decisionlog"
)

func init() { children["fillDisk"] = fillDisk }

// fillDisk writes until files can no longer grow, as on a full disk, and continues once
// they can again.
func fillDisk(file string) int {
	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return failed(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10_000, Max: was.Max}); err != nil {
		return failed(err)
	}
	l, err := decisionlog.Open(file, decisionlog.WithHashChain(), decisionlog.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return failed(err)
	}
	ctx := context.Background()
	e := core.Event{Outcome: core.OutcomeForbidden, Status: 403, Gate: "authorize", Method: "GET", Action: "GET", Resource: "/reports/7"}
	for range 100 {
		l.Observe(ctx, e)
		_ = l.Flush(ctx) // fails, or the writer was quicker
	}
	if s := l.Stats(); s.Written == 0 || s.WriteFailed == 0 {
		return failed(fmt.Errorf("on the full disk: %+v", s))
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return failed(err)
	}
	l.Observe(ctx, e)
	if err := errors.Join(l.Flush(ctx), l.Close()); err != nil {
		return failed(err)
	}
	if s := l.Stats(); s.Written+s.WriteFailed != 101 {
		return failed(fmt.Errorf("at the end: %+v", s))
	}
	return 0
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestFullDisk: what does not fit is counted, no incomplete line remains, and the log
// continues once there is space.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	must(t, err)
	name := filepath.Join(t.TempDir(), "decisions.jsonl")
	child := exec.Command(program, "-test.run=^$")
	child.Env = append(os.Environ(), childVariable+"=fillDisk="+name)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	records := parsed(t, read(t, []string{name}))
	var told uint64
	for _, r := range records {
		if r.Dropped != nil {
			told += r.Dropped.WriteFailed
		}
	}
	if n := uint64(len(decisions(records))); told == 0 || n+told != 101 {
		t.Errorf("%d decisions, and %d reported missing", n, told)
	}
	if v := verified(t, read(t, []string{name})); len(v.Findings) > 0 {
		t.Errorf("findings: %v", v.Findings)
	}
}
