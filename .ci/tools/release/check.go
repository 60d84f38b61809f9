package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// check finds out whether the checkout can be released, before anything is done.
func (r *release) check() error {
	if semver.Canonical(r.version) != r.version || semver.Build(r.version) != "" {
		return fmt.Errorf("version %q: must have the form v1.2.3 or v1.2.3-rc.1", r.version)
	}
	var err error
	if r.branch, err = git(r.root, "symbolic-ref", "--short", "HEAD"); err != nil {
		return fmt.Errorf("release from a branch: %w", err)
	}
	changes, err := git(r.root, "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		return fmt.Errorf("commit or remove what is not committed:\n%s", changes)
	}
	if r.all, err = modules.All(r.root, r.version); err != nil {
		return err
	}
	published, err := modules.List(r.root, r.version)
	if err != nil {
		return err
	}
	if r.released, err = inOrder(published); err != nil {
		return err
	}
	for _, m := range r.released {
		if _, major, ok := module.SplitPathVersion(m.Path); !ok || module.CheckPathMajor(r.version, major) != nil {
			return fmt.Errorf("module %s cannot have version %s: its path says another major version", m.Path, r.version)
		}
	}
	if err := r.checkTags(); err != nil {
		return err
	}
	_, err = r.changelog(filepath.Join(r.root, "CHANGELOG.md"))
	return err
}

// checkTags finds the last release, which must be older than this one.
func (r *release) checkTags() error {
	list, err := git(r.root, "tag", "--list")
	if err != nil {
		return err
	}
	tags := strings.Fields(list)
	for _, m := range r.released {
		if slices.Contains(tags, tag(m)) {
			return fmt.Errorf("there is a tag %s already", tag(m))
		}
	}
	for _, t := range tags {
		version, ok := strings.CutPrefix(t, "core/")
		if ok && semver.IsValid(version) && semver.Compare(version, r.last) > 0 {
			r.last = version
		}
	}
	if r.last != "" && semver.Compare(r.version, r.last) < 0 {
		return fmt.Errorf("version %s is older than the last release, %s", r.version, r.last)
	}
	return nil
}

// inOrder sorts modules so that each comes after the siblings it requires.
func inOrder(list []modules.Module) ([]modules.Module, error) {
	var sorted []modules.Module
	done := make(map[string]bool)
	for len(sorted) < len(list) {
		before := len(sorted)
		for _, m := range list {
			if done[m.Path] {
				continue
			}
			siblings, err := m.Siblings()
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(siblings, func(path string) bool { return !done[path] }) {
				sorted, done[m.Path] = append(sorted, m), true
			}
		}
		if len(sorted) == before {
			return nil, fmt.Errorf("modules require each other in a circle, or one that is not released: %s", missing(list, done))
		}
	}
	return sorted, nil
}

func missing(list []modules.Module, done map[string]bool) string {
	var names []string
	for _, m := range list {
		if !done[m.Path] {
			names = append(names, m.Name())
		}
	}
	return strings.Join(names, ", ")
}

// tag is the tag of a module's version, as the go command looks for it.
func tag(m modules.Module) string { return m.Name() + "/" + m.Version }

// git runs git in dir and returns what it prints.
func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
