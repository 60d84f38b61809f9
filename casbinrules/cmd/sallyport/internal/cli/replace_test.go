//go:build unix

package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
	if err := <-done; !errors.Is(err, errChangedMeanwhile) || !strings.Contains(err.Error(), "a.csv") || readFile(t, file) != "p, theirs, /x, GET\n" {
		t.Errorf("got %v and %q", err, readFile(t, file))
	}
	if err := os.WriteFile(file, []byte(ragged), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := formatInPlace(file, again); err != nil || readFile(t, file) != aligned {
		t.Errorf("named twice: %v, %q", err, readFile(t, file))
	}
}

// TestOutputKeepsTheOwner: otherwise a service could no longer read its policy.
func TestOutputKeepsTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can change owners")
	}
	dir := write(t, map[string]string{"a.csv": ragged})
	file := filepath.Join(dir, "a.csv")
	if err := os.Chown(file, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func() error{
		"fmt": func() error { return formatInPlace(file) },
		"-o":  func() error { return writeOutput(file, []byte("text")) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if is, ok := info.Sys().(*syscall.Stat_t); !ok || is.Uid != 4711 || is.Gid != 4712 {
			t.Errorf("%s: %+v", name, info.Sys())
		}
		if err := os.WriteFile(file, []byte(ragged), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOutputAppearsWhole: nobody sees a part of a new file, nor does a killed process leave
// one.
func TestOutputAppearsWhole(t *testing.T) {
	file, content := filepath.Join(t.TempDir(), "matrix.html"), strings.Repeat("x", 8<<20)
	written := make(chan error, 1)
	go func() { written <- writeOutput(file, []byte(content)) }()
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
