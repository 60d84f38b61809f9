// Command consumer checks the modules as their users get them.
//
// It publishes every module of the checkout to a module proxy made of files,
// then for each module alone goes through what a user does: in a new folder,
// go mod init, go get, and a build of a small app. The app's module graph must
// hold nothing the module promises to stay free of.
//
// Usage, from .ci/tools: go run ./consumer CHECKOUT
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// prefix is what all module paths of the checkout share.
const prefix = "github.com/sallyport-go/sallyport/"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: consumer CHECKOUT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "!! consumer:", err)
		os.Exit(1)
	}
}

func run(checkout string) error {
	root, err := filepath.Abs(checkout)
	if err != nil {
		return err
	}
	modules, err := listModules(root)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "consumer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)

	proxy := filepath.Join(temp, "proxy")
	for _, m := range modules {
		if err := publish(proxy, m); err != nil {
			return fmt.Errorf("publish %s: %w", m.path, err)
		}
	}
	user, err := newUser(temp, proxy, filepath.Join(root, ".build", "consumer"))
	if err != nil {
		return err
	}
	return checkAll(user, modules)
}

// checkAll prints a line for each module and fails if one of them is bad.
func checkAll(u *user, modules []module) error {
	const row = "%-22s %-7s %8v  %s\n"
	fmt.Printf(row, "module", "builds", "modules", "verdict")
	bad := 0
	for _, m := range modules {
		graph, err := u.consume(m)
		if err != nil {
			bad++
			fmt.Printf(row, m.name(), "no", "-", err)
			continue
		}
		verdict := "ok"
		if found := violations(m.name(), graph); len(found) > 0 {
			bad++
			verdict = "must not depend on " + strings.Join(found, ", ")
		}
		fmt.Printf(row, m.name(), "yes", len(graph), verdict)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d modules failed", bad, len(modules))
	}
	return nil
}

// module is one module of the checkout and the version it is published as.
type module struct{ path, dir, version string }

// name is the path without the prefix that all share.
func (m module) name() string { return strings.TrimPrefix(m.path, prefix) }

// isProgram reports whether the module is a command and no package.
func (m module) isProgram() bool {
	_, err := os.Stat(filepath.Join(m.dir, "main.go"))
	return err == nil
}

// listModules lists the modules of go.work that are published. Examples
// and their checks are not.
func listModules(root string) ([]module, error) {
	out, err := exec.Command(filepath.Join(root, ".ci", "modules")).Output()
	if err != nil {
		return nil, fmt.Errorf("list the modules of go.work: %w", err)
	}
	// A version of its own for each run: the go command takes what it once
	// knew of a version, in any of its caches, for true for ever.
	version := fmt.Sprintf("v0.1.0-dev.%d", time.Now().UnixNano())
	var modules []module
	for line := range strings.Lines(string(out)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if top, _, _ := strings.Cut(name, "/"); top != "examples" {
			modules = append(modules, module{prefix + name, dir, version})
		}
	}
	return modules, nil
}
