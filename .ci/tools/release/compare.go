package main

import (
	"errors"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
	"golang.org/x/tools/go/packages"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

// compare prints how the API differs from that of the last release. What breaks
// users needs a new minor version before v1, and is an error after.
func (r *release) compare() error {
	if r.last == "" {
		fmt.Fprintln(r.out, "the first release: there is nothing to compare with")
		return nil
	}
	before := filepath.Join(r.temp, "before")
	if _, err := git(r.temp, "clone", "--quiet", "--shared", "--branch", "core/"+r.last, r.root, before); err != nil {
		return err
	}
	old, err := modules.List(before, r.last)
	if err != nil {
		return err
	}
	oldWork, err := r.workspace("before", before, old)
	if err != nil {
		return err
	}
	newWork, err := r.workspace("after", r.clone, r.released)
	if err != nil {
		return err
	}
	now := make(map[string]modules.Module)
	for _, m := range r.released {
		now[m.Path] = m
	}
	breaking := 0
	for _, m := range old {
		if m.IsProgram() {
			continue
		}
		report := apidiff.Report{Changes: []apidiff.Change{{Message: "module " + m.Path + ": removed"}}}
		if next, ok := now[m.Path]; ok {
			if report, err = diff(oldWork, m, newWork, next); err != nil {
				return fmt.Errorf("%s: %w", m.Name(), err)
			}
		}
		for _, c := range report.Changes {
			word := "compatible"
			if !c.Compatible {
				breaking++
				word = "BREAKING"
			}
			fmt.Fprintf(r.out, "%s: %s: %s\n", m.Name(), word, c.Message)
		}
	}
	fmt.Fprintf(r.out, "breaking changes since %s: %d\n", r.last, breaking)
	minor := semver.Major(r.version) == "v0" && semver.MajorMinor(r.version) != semver.MajorMinor(r.last)
	if breaking > 0 && !minor {
		return fmt.Errorf("breaking changes since %s: %d, and %s promises that none does: release a new minor version", r.last, breaking, r.version)
	}
	return nil
}

// workspace writes a go.work for the released modules of a checkout. They require
// each other at a version that no module proxy needs to have: their folders stand
// for it.
func (r *release) workspace(name, root string, list []modules.Module) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return "", err
	}
	own, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return "", err
	}
	work := new(modfile.WorkFile)
	work.Syntax = new(modfile.FileSyntax)
	if err := work.AddGoStmt(own.Go.Version); err != nil {
		return "", err
	}
	for _, m := range list {
		if err := errors.Join(work.AddUse(m.Dir, ""), work.AddReplace(m.Path, m.Version, m.Dir, "")); err != nil {
			return "", err
		}
	}
	file := filepath.Join(r.temp, name+".work")
	return file, os.WriteFile(file, modfile.Format(work.Syntax), 0o644)
}

// diff compares what two versions of a module export, each loaded in the workspace
// of its own checkout.
func diff(oldWork string, old modules.Module, newWork string, now modules.Module) (apidiff.Report, error) {
	a, err := load(oldWork, old)
	if err != nil {
		return apidiff.Report{}, err
	}
	b, err := load(newWork, now)
	if err != nil {
		return apidiff.Report{}, err
	}
	return apidiff.ModuleChanges(a, b), nil
}

func load(work string, m modules.Module) (*apidiff.Module, error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes,
		Dir:  m.Dir,
		Env:  append(os.Environ(), "GOWORK="+work),
	}, "./...")
	if err != nil {
		return nil, err
	}
	var exported []*types.Package
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		if p.Name != "main" && !strings.Contains(p.PkgPath+"/", "/internal/") {
			exported = append(exported, p.Types)
		}
	}
	return &apidiff.Module{Path: m.Path, Packages: exported}, nil
}
