//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// TestSignalsLeaveNothingBehind stops a program while it writes a file: the file is
// written completely, nothing else is left, and the program ends by the signal, unless it
// is ignored.
func TestSignalsLeaveNothingBehind(t *testing.T) {
	const sent, ignored = "SALLYPORT_TEST_SIGNAL", "SALLYPORT_TEST_IGNORED"
	if number, err := strconv.Atoi(os.Getenv(sent)); err == nil { // the program
		s := syscall.Signal(number)
		if os.Getenv(ignored) != "" {
			signal.Ignore(s)
		}
		err := putInPlace("keys", nil, 0o600, []byte("new\n"), func() error { return syscall.Kill(os.Getpid(), s) })
		if os.Getenv(ignored) == "" {
			time.Sleep(authtest.TimeLimit(10 * time.Second)) // until the signal comes
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, ignore := range []string{"", "yes"} {
			if ignore == "" && signal.Ignored(s) {
				continue // as under nohup: the program would ignore it too
			}
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSignalsLeaveNothingBehind$")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), sent+"="+strconv.Itoa(int(s)), ignored+"="+ignore)
			output, err := cmd.CombinedOutput()
			var by syscall.Signal
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				by = exit.Sys().(syscall.WaitStatus).Signal()
			}
			if ignore != "" && err != nil || ignore == "" && by != s {
				t.Errorf("%v, ignored %q: ended by %v, %v\n%s", s, ignore, by, err, output)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 || clitest.ReadFile(t, filepath.Join(dir, "keys")) != "new\n" {
				t.Errorf("%v, ignored %q: the folder holds %v, %v", s, ignore, entries, err)
			}
		}
	}
}
