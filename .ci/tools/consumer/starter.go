package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// frameworks are those that "sallyport init" writes a service for, by the module
// that has their adapter.
var frameworks = map[string]string{
	"gin": "ginauth", "fiber": "fiberauth", "fiber3": "fiberauth/fiberv3", "echo": "echoauth", "echo5": "echoauth/echov5", "nethttp": "core",
}

// starters goes through the first three commands for each framework, in an empty
// folder each: init, run, and a request with a token.
func (u *user) starters(published []modules.Module, version string) error {
	program, err := u.install(published, version)
	if err != nil {
		return err
	}
	there := func(module string) bool {
		return slices.ContainsFunc(published, func(m modules.Module) bool { return m.Name() == module })
	}
	var errs []error
	for _, framework := range slices.Sorted(maps.Keys(frameworks)) {
		if !there(frameworks[framework]) {
			errs = append(errs, fmt.Errorf("%s: there is no module %s", framework, frameworks[framework]))
			continue
		}
		begin := time.Now()
		if err := u.starter(program, framework); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", framework, err))
			continue
		}
		fmt.Printf("sallyport init --framework %-8s 401, 200 and 403 after %v\n", framework, time.Since(begin).Round(100*time.Millisecond))
	}
	return errors.Join(errs...)
}

// install installs the command as its users do, and returns its path.
func (u *user) install(published []modules.Module, version string) (string, error) {
	i := slices.IndexFunc(published, modules.Module.IsProgram)
	if i < 0 {
		return "", errors.New("no module is a program")
	}
	cmd := exec.Command("go", "install", published[i].Path+"@"+version)
	cmd.Env = append(slices.Clone(u.env), "GOBIN="+u.home)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install: %w\n%s", err, out)
	}
	return filepath.Join(u.home, "sallyport"+exeSuffix()), nil
}

// starter writes a service into an empty folder and asks it.
func (u *user) starter(program, framework string) (err error) {
	dir, err := os.MkdirTemp(u.home, "starter-")
	if err != nil {
		return err
	}
	sallyport := func(args ...string) (string, error) {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = dir, u.env
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil || strings.Contains(said.String(), "has failed") {
			return "", fmt.Errorf("sallyport %s: %w\n%s", strings.Join(args, " "), err, &said)
		}
		return strings.TrimSpace(string(out)), nil
	}
	if _, err := sallyport("init", "--framework", framework); err != nil {
		return err
	}
	if _, err := u.run(dir, "build", "-o", "app.exe", "."); err != nil {
		return err
	}
	tokens := map[string]string{"": ""}
	for _, user := range []string{"erin", "sam"} {
		if tokens[user], err = sallyport("token", user); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	address, stop, err := start(ctx, dir)
	if err != nil {
		return err
	}
	// A connection without a request, as browsers open some, must not keep it from ending.
	silent, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		return errors.Join(err, stop())
	}
	defer func() { err = errors.Join(err, stop(), silent.Close()) }()
	for _, want := range []struct {
		user, method, path string
		status             int
	}{
		{"", "GET", "/reports", http.StatusUnauthorized},
		{"erin", "GET", "/reports", http.StatusOK},
		{"erin", "PUT", "/reports/7", http.StatusOK},
		{"erin", "DELETE", "/reports/7", http.StatusForbidden},
		{"sam", "GET", "/reports", http.StatusForbidden},
		{"sam", "DELETE", "/reports/7", http.StatusForbidden},
	} {
		if err := wants(ctx, address, tokens[want.user], want.method, want.path, want.status); err != nil {
			return fmt.Errorf("%s %s by %q: %w", want.method, want.path, want.user, err)
		}
	}
	return nil
}

// start starts the service in dir and returns where it listens, and how to end it, which
// is an error if it does not end by itself.
func start(ctx context.Context, dir string) (address string, stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "app.exe"), "-addr", "127.0.0.1:0")
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return "", nil, err
	}
	stop = func() error {
		defer cancel()
		if runtime.GOOS == "windows" || cmd.Process.Signal(syscall.SIGTERM) != nil {
			cancel()
			_ = cmd.Wait() // it was killed
			return nil
		}
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("after SIGTERM: %w\n%s", err, &said)
		}
		return nil
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return address, stop, nil
		}
	}
	return "", nil, fmt.Errorf("the service does not listen: %w\n%s", stop(), &said)
}

// wants sends a request and looks at its status, and at the challenge that a 401
// has and no other answer.
func wants(ctx context.Context, address, token, method, path string, status int) error {
	r, err := http.NewRequestWithContext(ctx, method, address+path, nil)
	if err != nil {
		return err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // only its head matters
	challenge := resp.Header.Get("WWW-Authenticate")
	if resp.StatusCode != status || (challenge != "") != (status == http.StatusUnauthorized) {
		return fmt.Errorf("%s, challenge %q; want %d", resp.Status, challenge, status)
	}
	return nil
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
