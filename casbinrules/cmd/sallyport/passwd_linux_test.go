package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/term"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// terminal is a pseudo-terminal with a program on it.
type terminal struct {
	t       *testing.T
	keys    *os.File // what is typed
	device  *os.File
	before  *term.State
	cmd     *exec.Cmd
	outputs chan string
	shown   string
}

// passwdOn runs "sallyport passwd" on a terminal of its own.
func passwdOn(t *testing.T, file string) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	var number uint32
	var unlocked int32
	ioctl(t, keys, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked)) //nolint:gosec // a system call
	ioctl(t, keys, syscall.TIOCGPTN, unsafe.Pointer(&number))     //nolint:gosec // as above
	device, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	before, err := term.GetState(int(device.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "passwd", file, "erin")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = device, device, device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty := &terminal{t: t, keys: keys, device: device, before: before, cmd: cmd, outputs: make(chan string)}
	go func() {
		defer close(tty.outputs)
		buffer := make([]byte, 4096)
		for {
			n, err := keys.Read(buffer)
			if err != nil {
				return
			}
			select {
			case tty.outputs <- string(buffer[:n]):
			case <-t.Context().Done():
				return
			}
		}
	}()
	return tty
}

func ioctl(t *testing.T, f *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed syscall.Errno
	if err := raw.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(argument))
	}); err != nil || failed != 0 {
		t.Fatal(err, failed)
	}
}

// asks waits for a prompt, and until nothing that is typed would be shown.
func (tty *terminal) asks(prompt string) {
	tty.t.Helper()
	tty.shows(prompt)
	for end := time.Now().Add(authtest.TimeLimit(time.Minute)); tty.state() == nil; {
		if time.Now().After(end) {
			tty.t.Fatalf("after %q the terminal still shows what is typed", prompt)
		}
		time.Sleep(time.Millisecond) // nothing tells of a change of modes
	}
}

// shows waits for a text.
func (tty *terminal) shows(text string) {
	tty.t.Helper()
	limit := time.After(authtest.TimeLimit(time.Minute))
	for !strings.Contains(tty.shown, text) {
		select {
		case output, ok := <-tty.outputs:
			if !ok {
				tty.t.Fatalf("the terminal shows %q, and not %q", tty.shown, text)
			}
			tty.shown += output
		case <-limit:
			tty.t.Fatalf("the terminal shows %q, and not %q", tty.shown, text)
		}
	}
}

// state is nil if the modes of the terminal are what they were at first.
func (tty *terminal) state() *term.State {
	tty.t.Helper()
	now, err := term.GetState(int(tty.device.Fd()))
	if err != nil {
		tty.t.Fatal(err)
	}
	if reflect.DeepEqual(now, tty.before) {
		return nil
	}
	return now
}

func (tty *terminal) types(keys string) {
	tty.t.Helper()
	if _, err := tty.keys.WriteString(keys); err != nil {
		tty.t.Fatal(err)
	}
}

// ends waits for the end of the program, and checks how it leaves the terminal.
func (tty *terminal) ends(code int) {
	tty.t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = tty.cmd.Wait() // the exit code says it
	}()
	limit := time.After(authtest.TimeLimit(time.Minute))
	outputs := tty.outputs
	for waiting := true; waiting; {
		select {
		case output, ok := <-outputs:
			if !ok {
				outputs = nil
			}
			tty.shown += output
		case <-ended:
			waiting = false
		case <-limit:
			tty.t.Fatalf("the program goes on; the terminal shows %q", tty.shown)
		}
	}
	if got := tty.cmd.ProcessState.ExitCode(); got != code {
		tty.t.Errorf("exit code %d, want %d; the terminal shows %q", got, code, tty.shown)
	}
	if tty.state() != nil {
		tty.t.Error("the terminal does not show what is typed any more")
	}
	for _, secret := range []string{"correct horse", "battery staple"} {
		if strings.Contains(tty.shown, secret) {
			tty.t.Errorf("the terminal shows the password: %q", tty.shown)
		}
	}
}

const first, second = "Password of erin: ", "The same again: "

// TestPasswdAtATerminal: the password is asked for twice and shown never, and the
// terminal is left as it was, however the program ends.
func TestPasswdAtATerminal(t *testing.T) {
	t.Parallel()
	t.Run("set", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "users.htpasswd")
		tty := passwdOn(t, file)
		tty.asks(first)
		tty.types("correct horse\n")
		tty.asks(second)
		tty.types("correct horse\n")
		tty.shows("erin has a new password")
		tty.ends(0)
		if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "erin:$2") {
			t.Errorf("%q, %v", text, err)
		}
	})
	for name, end := range map[string]struct {
		code int
		last func(*terminal)
	}{
		"two passwords": {2, func(tty *terminal) {
			tty.asks(second)
			tty.types("battery staple\n")
			tty.shows("the two passwords differ")
		}},
		"Ctrl-C at once":        {2, nil},
		"Ctrl-C at the second":  {2, func(tty *terminal) { tty.asks(second); tty.types("battery\x03") }},
		"Ctrl-\\ at the second": {2, func(tty *terminal) { tty.asks(second); tty.types("\x1c") }},
		"SIGTERM":               {2, func(tty *terminal) { tty.asks(second); _ = tty.cmd.Process.Signal(syscall.SIGTERM) }},
		"SIGHUP":                {2, func(tty *terminal) { tty.asks(second); _ = tty.cmd.Process.Signal(syscall.SIGHUP) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "users.htpasswd")
			tty := passwdOn(t, file)
			tty.asks(first)
			if end.last == nil {
				tty.types("correct horse\x03")
			} else {
				tty.types("correct horse\n")
				end.last(tty)
			}
			tty.ends(end.code)
			if _, err := os.Stat(file); err == nil {
				t.Error("a file was written")
			}
		})
	}
}
