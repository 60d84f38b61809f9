// Command picture writes the picture at the top of the README: a terminal in
// which the first service is made, asked three times and drawn as a matrix.
//
// All of it is output of the programs themselves. Two things differ from what a
// reader sees: the modules are those of the checkout, and of the heads of answers
// only the lines that matter are shown.
//
// Usage, from .ci/tools: go run ./picture CHECKOUT
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is the picture, from the root of the checkout.
const file = "docs/images/first-hour.svg"

// listens is where the service of a reader listens. Here it gets another port.
const listens = "http://127.0.0.1:8080"

// shownFields are the header fields that are shown of an answer.
var shownFields = []string{"www-authenticate", "cache-control", "vary"}

// step is a command and what it printed.
type step struct{ command, output string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: picture CHECKOUT")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "!! picture:", err)
		os.Exit(1)
	}
}

func write(checkout string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	steps, err := record(ctx, checkout)
	if err != nil {
		return err
	}
	path := filepath.Join(checkout, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(draw(steps)), 0o644)
}

// record runs the commands in an empty folder.
func record(ctx context.Context, checkout string) ([]step, error) {
	root, err := filepath.Abs(checkout)
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "picture-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	t := &terminal{ctx: ctx, dir: filepath.Join(home, "reports"), bin: filepath.Join(home, "bin")}
	if err := os.Mkdir(t.dir, 0o755); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", t.bin+string(filepath.Separator), "./casbinrules/cmd/sallyport")
	build.Dir, build.Env = root, append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	if _, err := t.run("sallyport init --framework gin --checkout '" + root + "'"); err != nil {
		return nil, err
	}
	address, stop, err := t.serve("go build -o app . && exec ./app -addr 127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer stop()

	const erin = `-H "Authorization: Bearer $(sallyport token erin)" `
	steps := []step{
		{"sallyport init --framework gin", ""},
		{"go run . &", "listening on " + listens + "\n"},
	}
	for _, command := range []string{
		"curl -i " + listens + "/reports",
		"curl -i " + erin + listens + "/reports",
		"curl -i " + erin + "-X DELETE " + listens + "/reports/7",
	} {
		out, err := t.run(strings.ReplaceAll(strings.Replace(command, "curl -i", "curl -si", 1), listens, address))
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{command, shorten(out)})
	}
	out, err := t.run("sallyport matrix")
	if err != nil {
		return nil, err
	}
	table, _, _ := strings.Cut(out, "\n\n") // the note below it is for other routes
	return append(steps, step{"sallyport matrix", table + "\n"}), nil
}

// shorten leaves the status, the shown fields and the body of an answer.
func shorten(answer string) string {
	head, body, _ := strings.Cut(strings.ReplaceAll(answer, "\r\n", "\n"), "\n\n")
	var kept []string
	for i, line := range strings.Split(head, "\n") {
		name, _, _ := strings.Cut(line, ":")
		if i == 0 || slices.Contains(shownFields, strings.ToLower(name)) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n\n" + strings.TrimSpace(body) + "\n"
}

// terminal runs commands in a folder.
type terminal struct {
	ctx      context.Context
	dir, bin string
}

func (t *terminal) command(line string) *exec.Cmd {
	cmd := exec.CommandContext(t.ctx, "sh", "-c", line)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "PATH="+t.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "GOWORK=off", "NO_COLOR=1")
	return cmd
}

// run returns what a command prints to its standard output.
func (t *terminal) run(line string) (string, error) {
	cmd := t.command(line)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || strings.Contains(said.String(), "has failed") {
		return "", fmt.Errorf("%s: %w\n%s", line, err, &said)
	}
	return string(out), nil
}

// serve starts a service and returns the address that it says it listens at.
func (t *terminal) serve(line string) (address string, stop func(), err error) {
	cmd := t.command(line)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return address, stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("the service does not listen: %s", &said)
}
