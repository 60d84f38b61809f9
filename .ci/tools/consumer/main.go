// Command consumer checks the modules as their users get them.
//
// It publishes every module of the checkout to a module proxy made of files,
// then for each module alone goes through what a user does: in a new folder,
// go mod init, go get, and a build of a small app. The app's module graph must
// hold nothing the module promises to stay free of.
//
// The same is done with the first program of the README, which is also started
// and asked, and with the service that "sallyport init" writes for each framework.
//
// Usage, from .ci/tools: go run ./consumer [-proxy DIR -version VERSION] CHECKOUT
//
// With -proxy the modules are those that a proxy made of files has already.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

func main() {
	proxy := flag.String("proxy", "", "take the modules from the proxy in this folder")
	// A version of its own for each run: the go command takes what it once
	// knew of a version, in any of its caches, for true for ever.
	version := flag.String("version", fmt.Sprintf("v0.1.0-dev.%d", time.Now().UnixNano()), "of the modules")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: consumer [-proxy DIR -version VERSION] CHECKOUT")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *proxy, *version); err != nil {
		fmt.Fprintln(os.Stderr, "!! consumer:", err)
		os.Exit(1)
	}
}

func run(checkout, proxy, version string) error {
	root, err := filepath.Abs(checkout)
	if err != nil {
		return err
	}
	published, err := modules.List(root, version)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "consumer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)

	if proxy == "" {
		proxy = filepath.Join(temp, "proxy")
		for _, m := range published {
			if err := m.Publish(proxy); err != nil {
				return fmt.Errorf("publish %s: %w", m.Path, err)
			}
		}
	}
	env, err := modules.Environ(proxy, filepath.Join(root, ".build", "consumer"))
	if err != nil {
		return err
	}
	u := &user{home: temp, env: env}
	if err := checkAll(u, published); err != nil {
		return err
	}
	if err := u.readme(filepath.Join(root, "README.md"), version); err != nil {
		return fmt.Errorf("the first program of the README: %w", err)
	}
	fmt.Println("the first program of the README builds, and refuses a request without a token")
	if err := u.starters(published, version); err != nil {
		return fmt.Errorf("the first three commands: %w", err)
	}
	return nil
}

// checkAll prints a line for each module and fails if one of them is bad.
func checkAll(u *user, published []modules.Module) error {
	const row = "%-27s %-7s %8v  %s\n"
	fmt.Printf(row, "module", "builds", "modules", "verdict")
	bad := 0
	for _, m := range published {
		graph, err := u.consume(m)
		if err != nil {
			bad++
			fmt.Printf(row, m.Name(), "no", "-", err)
			continue
		}
		verdict := "ok"
		if found := violations(m.Name(), graph); len(found) > 0 {
			bad++
			verdict = "must not depend on " + strings.Join(found, ", ")
		}
		fmt.Printf(row, m.Name(), "yes", len(graph), verdict)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d modules failed", bad, len(published))
	}
	return nil
}
