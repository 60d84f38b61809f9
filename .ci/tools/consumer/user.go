package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// apps holds guard.go, which every app has, and a main.go for each module that
// mounts a guard.
//
//go:embed testdata
var apps embed.FS

// user is somebody with a Go installation who takes modules from the proxy.
type user struct {
	home string   // where the folders of the apps are made
	env  []string // of every go command
}

// consume builds an app on module m alone, in a folder of its own, and returns
// the paths of all modules in the app's module graph but the app's own.
func (u *user) consume(m modules.Module) ([]string, error) {
	dir, err := os.MkdirTemp(u.home, "app-")
	if err != nil {
		return nil, err
	}
	if err := writeApp(dir, m); err != nil {
		return nil, err
	}
	target := "."
	if m.IsProgram() {
		target = m.Path
	}
	for _, args := range [][]string{
		{"mod", "init", "app.example/app"},
		{"get", m.Path + "@" + m.Version},
		{"build", "-o", os.DevNull, target},
	} {
		if _, err := u.run(dir, args...); err != nil {
			return nil, err
		}
	}
	return u.graph(dir)
}

// graph joins what go list -m all and go mod graph show: the first is what is
// selected, the second also what was pruned on the way there.
func (u *user) graph(dir string) ([]string, error) {
	list, err := u.run(dir, "list", "-m", "all")
	if err != nil {
		return nil, err
	}
	edges, err := u.run(dir, "mod", "graph")
	if err != nil {
		return nil, err
	}
	return modulePaths(list + edges), nil
}

func (u *user) run(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = u.env
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// writeApp writes the app for m. A module that mounts nothing by itself has no
// main.go of its own and is only imported; a program is not even that.
func writeApp(dir string, m modules.Module) error {
	source, err := apps.ReadFile("testdata/" + m.Name() + "/main.go")
	if m.IsProgram() {
		return os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644)
	}
	if errors.Is(err, fs.ErrNotExist) {
		source = fmt.Appendf(nil, "package main\n\nimport _ %q\n\nfunc main() {}\n", m.Path)
		return os.WriteFile(filepath.Join(dir, "main.go"), source, 0o644)
	}
	if err != nil {
		return err
	}
	guard, err := apps.ReadFile("testdata/guard.go")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "guard.go"), guard, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "main.go"), source, 0o644)
}
