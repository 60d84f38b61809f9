// Package sockets measures apps over sockets, as wrk does: the app is served by a
// process of its own, on one processor where the system can pin it, and a client
// on another keeps some connections busy, or sends at a fixed rate.
package sockets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

// serveVariable tells a program that it is to serve an app, and which;
// profileVariable where to write a profile of that.
const (
	serveVariable   = "SALLYPORT_BENCH_SERVE"
	profileVariable = "SALLYPORT_BENCH_PROFILE"
)

// Server is an app in a process of its own.
type Server struct {
	// Address is where it listens.
	Address string
	command *exec.Cmd
	stdin   io.Closer
}

// Pin has this process, with all its threads, run on the last processor alone until
// unpin is called, if the system has taskset. The servers that it starts do not.
func Pin() (unpin func() error, err error) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return func() error { return nil }, nil
	}
	on := func(processors string) error {
		return exec.Command(taskset, "-acp", processors, strconv.Itoa(os.Getpid())).Run()
	}
	return func() error { return on(all()) }, on(strconv.Itoa(runtime.NumCPU() - 1))
}

// all are the processors there are, as taskset has them.
func all() string { return fmt.Sprintf("0-%d", runtime.NumCPU()-1) }

// Start has this very program serve what, for which its main function calls
// [Serving], on the first processor, and on no other if alone is set. What it logs
// is thrown away. With a profile that is a CPU profile of all it does, written into
// the file of that name when it stops.
func Start(what string, alone bool, profile string) (*Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	processors, count := all(), runtime.NumCPU()
	if alone {
		processors, count = "0", 1
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), serveVariable+"="+what, profileVariable+"="+profile, fmt.Sprintf("GOMAXPROCS=%d", count))
	if taskset, err := exec.LookPath("taskset"); err == nil {
		command.Path, command.Args = taskset, []string{taskset, "-c", processors, self}
	}
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &Server{command: command, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("server of %s: it said %q: %w", what, line, err), s.Stop())
	}
	s.Address = address
	return s, nil
}

// Stop ends the process.
func (s *Server) Stop() error {
	_ = s.stdin.Close() // which it takes for the end
	return s.command.Wait()
}

// Processor is how much time of a processor the process has taken so far. It is
// known on Linux alone.
func (s *Server) Processor() (time.Duration, error) {
	folder := fmt.Sprintf("/proc/%d/task", s.command.Process.Pid)
	tasks, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(folder + "/" + task.Name() + "/schedstat")
		if err != nil {
			continue // a thread that has ended, which those of Go seldom do
		}
		ran, _, _ := bytes.Cut(text, []byte(" "))
		n, err := strconv.ParseInt(string(ran), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", folder, err)
		}
		total += time.Duration(n)
	}
	return total, nil
}

// Serving reports whether this process was made by [Start], and if so serves with
// serve until the other end has gone.
func Serving(serve func(what string, l net.Listener) error) bool {
	what, ok := os.LookupEnv(serveVariable)
	if !ok {
		return false
	}
	if err := listen(what, serve); err != nil {
		fmt.Fprintln(os.Stdout, err) // where the address is expected
		os.Exit(1)
	}
	return true
}

func listen(what string, serve func(what string, l net.Listener) error) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(what, &announced{Listener: l}) }()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(io.Discard, os.Stdin) // ends as the other process does
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("%s: %w", what, err)
	case <-over:
		pprof.StopCPUProfile()
		return nil
	}
}

// announced is a listener that says where it listens when it is first used, since
// an app takes some time to be made. That time is in no profile.
type announced struct {
	net.Listener
	once sync.Once
}

func (l *announced) Accept() (conn net.Conn, err error) {
	l.once.Do(func() {
		if err = profile(os.Getenv(profileVariable)); err == nil {
			fmt.Fprintln(os.Stdout, "listening on "+l.Addr().String())
		}
	})
	if err != nil {
		return nil, err
	}
	return l.Listener.Accept()
}

// profile begins a profile that ends with the process.
func profile(name string) error {
	if name == "" {
		return nil
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(file)
}
