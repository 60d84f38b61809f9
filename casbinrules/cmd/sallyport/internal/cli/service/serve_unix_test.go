//go:build unix

package service

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestSignalsWhileServeOpens: while a store does not answer, a signal to stop ends serve
// at once, and one to reload does not.
func TestSignalsWhileServeOpens(t *testing.T) {
	const config = "SALLYPORT_TEST_CONFIG"
	if file := os.Getenv(config); file != "" { // the program
		os.Exit(program([]string{"serve", "-c", file}, os.Stdin, os.Stdout, os.Stderr))
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := configFolder(t, `realm: reports
basic: {htpasswd: users.htpasswd}
policy: {model: model.conf, store: {redis: {url: "${SALLYPORT_TEST_STORE}"}}}
proxies: {trusted: 127.0.0.1/32}
serve: {proxy: nginx, address: "127.0.0.1:0"}
`)
	for _, signals := range [][]syscall.Signal{{syscall.SIGINT}, {syscall.SIGTERM}, {syscall.SIGHUP, syscall.SIGTERM}} {
		silent, err := net.Listen("tcp", "127.0.0.1:0") // a separate one for each program
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = silent.Close() }()
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSignalsWhileServeOpens$")
		cmd.Env = append(os.Environ(), config+"="+file, "SALLYPORT_TEST_STORE=redis://"+silent.Addr().String())
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := silent.(*net.TCPListener).SetDeadline(time.Now().Add(authtest.TimeLimit(30 * time.Second))); err != nil {
			t.Fatal(err)
		}
		conn, err := silent.Accept()
		if err != nil {
			t.Error(err)
		} else {
			defer func() { _ = conn.Close() }()
		}
		last := signals[len(signals)-1]
		for _, s := range signals {
			if err := cmd.Process.Signal(s); err != nil {
				t.Error(err)
			}
		}
		exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
		if !ok || exit.Sys().(syscall.WaitStatus).Signal() != last {
			t.Errorf("%v: it ended with %v, want %v", signals, exit, last)
		}
	}
}
