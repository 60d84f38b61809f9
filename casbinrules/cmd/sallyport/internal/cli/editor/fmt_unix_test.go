//go:build unix

package editor

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
)

// formatInPlace is the command fmt with -w.
func formatInPlace(names ...string) error {
	files, texts, err := textsToFormat(nil, names)
	if err != nil {
		return err
	}
	return formatFiles(io.Discard, files, texts, true, false)
}

// TestFmtOverwritesNobody: a concurrent save during fmt is not lost, and a file named
// twice is not a conflict.
func TestFmtOverwritesNobody(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"a.csv": ragged})
	file, pipe := filepath.Join(dir, "a.csv"), filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	again := dir + "/./a.csv"
	done := make(chan error, 1)
	go func() { done <- formatInPlace(file, again, pipe) }()
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // once the file has been read
	if err == nil {
		err = os.WriteFile(file, []byte("p, theirs, /x, GET\n"), 0o600)
	}
	if err == nil {
		_, err = writer.WriteString(aligned)
	}
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, atomicfile.ErrChangedMeanwhile) || !strings.Contains(err.Error(), "a.csv") || readFile(t, file) != "p, theirs, /x, GET\n" {
		t.Errorf("got %v and %q", err, readFile(t, file))
	}
	if err := os.WriteFile(file, []byte(ragged), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := formatInPlace(file, again); err != nil || readFile(t, file) != aligned {
		t.Errorf("named twice: %v, %q", err, readFile(t, file))
	}
}

// TestFmtKeepsTheOwner: otherwise a service could no longer read its policy.
func TestFmtKeepsTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change owners")
	}
	dir := write(t, map[string]string{"a.csv": ragged})
	file := filepath.Join(dir, "a.csv")
	if err := os.Chown(file, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	if err := formatInPlace(file); err != nil {
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
