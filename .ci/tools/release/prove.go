package main

import (
	"os"
	"os/exec"
	"path/filepath"
)

// prove lets the consumer check the modules from the proxy: in a new folder for
// each, go get at the version, a build, and the first program of the README.
func prove(r *release) error {
	cmd := exec.Command("go", "run", "./consumer", "-proxy", r.proxy, "-version", r.version, r.root)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Join(r.root, ".ci", "tools"), r.out, r.out
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd.Run()
}
