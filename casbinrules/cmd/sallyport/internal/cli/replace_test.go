//go:build unix

package cli

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOutputIntoADevice: what is no regular file is written to, and not replaced by
// one. A pipe stands for /dev/null, which root would lose.
func TestOutputIntoADevice(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // which waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	if err := writeOutput(pipe, []byte("text")); err != nil {
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
