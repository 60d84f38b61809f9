package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// fullDisk is set in a separate process, since the limit that stands for a full disk also
// affects the testing package's output.
const fullDisk = "SALLYPORT_TEST_FULL_DISK"

// TestOutputOnAFullDisk: a result that cannot be written leaves no part behind, and the
// previous one unchanged.
func TestOutputOnAFullDisk(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOutputOnAFullDisk$")
		cmd.Env = append(os.Environ(), fullDisk+"=yes")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := clitest.Write(t, map[string]string{"there": "before"})
	there, created := filepath.Join(dir, "there"), filepath.Join(dir, "created")
	text := bytes.Repeat([]byte("x"), 4096)
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	errs := map[string]error{
		"there":    Write(there, text),
		"created":  Write(created, text),
		"writeNew": WriteNew(created, os.O_WRONLY|os.O_CREATE|os.O_EXCL, string(text)),
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	for name, err := range errs {
		if !errors.Is(err, syscall.EFBIG) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := clitest.ReadFile(t, there); text != "before" {
		t.Errorf("the earlier result is %.20q", text)
	}
	if _, err := os.Lstat(created); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part is left: %v", err)
	}
	if err := Write(created, text); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(created); err != nil || info.Mode().Perm()&0o600 != 0o600 || info.Size() != int64(len(text)) {
		t.Errorf("%v, %v", info, err)
	}
}
