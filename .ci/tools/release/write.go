package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// makeClone clones the checkout and moves the modules there.
func (r *release) makeClone() error {
	r.clone, r.proxy = filepath.Join(r.temp, "clone"), filepath.Join(r.temp, "proxy")
	if _, err := git(r.temp, "clone", "--quiet", "--shared", "--branch", r.branch, r.root, r.clone); err != nil {
		return err
	}
	for _, key := range []string{"user.name", "user.email"} {
		value, err := git(r.root, "config", key)
		if err != nil {
			return fmt.Errorf("git needs to know %s: %w", key, err)
		}
		if _, err := git(r.clone, "config", key, value); err != nil {
			return err
		}
	}
	for _, list := range [][]modules.Module{r.all, r.released} {
		for i, m := range list {
			rel, err := filepath.Rel(r.root, m.Dir)
			if err != nil {
				return err
			}
			list[i].Dir = filepath.Join(r.clone, rel)
		}
	}
	return nil
}

// write makes the commit of the release in the clone, and its tags.
func (r *release) write() error {
	name := filepath.Join(r.clone, "CHANGELOG.md")
	text, err := r.changelog(name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return err
	}
	if err := r.pages(); err != nil {
		return err
	}
	if err := r.commit("Release " + r.version); err != nil {
		return err
	}
	env, err := modules.Environ(r.proxy, filepath.Join(r.root, ".build", "release"))
	if err != nil {
		return err
	}
	for _, m := range r.released {
		if err := r.writeModule(m, env); err != nil {
			return fmt.Errorf("%s: %w", m.Name(), err)
		}
	}
	for _, m := range r.released {
		if _, err := git(r.clone, "tag", "--annotate", "-m", tag(m), tag(m)); err != nil {
			return err
		}
	}
	return nil
}

// writeModule adds the go.mod and go.sum files of a module to the commit, and
// publishes it. The modules that require it come later: their go.sum files have
// its hash.
func (r *release) writeModule(m modules.Module, env []string) error {
	gomod, err := m.Released()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "go.mod"), gomod, 0o644); err != nil {
		return err
	}
	if err := run(m.Dir, env, "go", "mod", "tidy"); err != nil {
		return err
	}
	if err := r.commit("Release "+r.version, "--amend", "--allow-empty"); err != nil {
		return err
	}
	if gomod, err = os.ReadFile(filepath.Join(m.Dir, "go.mod")); err != nil {
		return err
	}
	rel, err := filepath.Rel(r.clone, m.Dir)
	if err != nil {
		return err
	}
	// As the go command makes it of a tag, with the license of the repository.
	var zipped bytes.Buffer
	version := module.Version{Path: m.Path, Version: m.Version}
	if err := modzip.CreateFromVCS(&zipped, version, r.clone, "HEAD", filepath.ToSlash(rel)); err != nil {
		return err
	}
	return m.Add(r.proxy, gomod, zipped.Bytes())
}

// goOn makes the commit with which the branch goes on: siblings replaced again,
// and required at the release, so that a version of the branch can be fetched.
func (r *release) goOn() error {
	// The go.mod and go.sum files of before, without those that are new.
	if _, err := git(r.clone, "restore", "--source", "HEAD^", "--staged", "--worktree", "--", "*go.mod", "*go.sum"); err != nil {
		return err
	}
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	for _, m := range r.all {
		gomod, err := m.Continued()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(m.Dir, "go.mod"), gomod, 0o644); err != nil {
			return err
		}
	}
	for _, m := range r.all {
		if err := run(m.Dir, env, "go", "mod", "tidy", "-diff"); err != nil {
			return fmt.Errorf("%s: %w", m.Name(), err)
		}
	}
	return r.commit("Go on after " + r.version)
}

// commit commits everything in the clone.
func (r *release) commit(subject string, options ...string) error {
	if _, err := git(r.clone, "add", "--all"); err != nil {
		return err
	}
	_, err := git(r.clone, append([]string{"commit", "--quiet", "-m", subject}, options...)...)
	return err
}

// run runs a command, whose output is part of the error.
func run(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return err
}
