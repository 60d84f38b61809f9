//go:build unix

package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// TestOutputIntoADevice: a file that is not regular is written to, not replaced. A pipe
// stands for /dev/null, which root would destroy.
func TestOutputIntoADevice(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // which does not block
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	if err := Write(pipe, []byte("text")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(pipe)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Type() != fs.ModeNamedPipe {
		t.Fatalf("it has become %v", info.Mode())
	}
	var got [4]byte
	if _, err := io.ReadFull(reader, got[:]); err != nil || string(got[:]) != "text" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestOutputKeepsTheOwner: otherwise a service could no longer read its policy.
func TestOutputKeepsTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change owners")
	}
	dir := clitest.Write(t, map[string]string{"a.csv": "before"})
	file := filepath.Join(dir, "a.csv")
	if err := os.Chown(file, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	if err := Write(file, []byte("text")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if is, ok := info.Sys().(*syscall.Stat_t); !ok || is.Uid != 4711 || is.Gid != 4712 {
		t.Errorf("%+v", info.Sys())
	}
}

// TestOutputAppearsWhole: nobody sees a part of a new file, nor does a killed process leave
// one.
func TestOutputAppearsWhole(t *testing.T) {
	file, content := filepath.Join(t.TempDir(), "matrix.html"), strings.Repeat("x", 8<<20)
	written := make(chan error, 1)
	go func() { written <- Write(file, []byte(content)) }()
	for {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || len(text) != len(content) {
			t.Errorf("%d bytes are there, %v", len(text), err)
		}
		break
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}
