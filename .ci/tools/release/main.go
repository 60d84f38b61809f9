// Command release releases all modules of the checkout at one version.
//
// It works in a clone. There it makes two commits: the release, in which
// CHANGELOG.md has a section for the version and the go.mod files require their
// siblings at it and replace nothing; and the one the branch goes on with, which
// has the replace lines again. Each module gets a tag at the first. Both are
// commits of the branch, so that the go command takes what follows for newer.
// What a user does with these tags is then tried, with a module proxy made of
// files, and the API is compared with the last release. Only when all of that
// has worked does the checkout get the commits and the tags. Nothing is pushed.
//
// Usage, from .ci/tools: go run ./release [-dry] [-checked] CHECKOUT VERSION
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

func main() {
	dry := flag.Bool("dry", false, "change nothing: leave out make check, and stop before the checkout gets commits and tags")
	checked := flag.Bool("checked", false, "leave out make check, which has passed for this commit")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: release [-dry] [-checked] CHECKOUT VERSION")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	r := &release{
		version: flag.Arg(1), day: time.Now().UTC().Format(time.DateOnly),
		dry: *dry, checked: *checked || *dry, out: os.Stdout, prove: prove,
	}
	if err := r.run(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "!! release:", err)
		os.Exit(1)
	}
}

// release is one run.
type release struct {
	version, day string
	dry, checked bool
	out          io.Writer
	// prove tries the released modules as their users do; tests replace it.
	prove func(*release) error

	root   string // the checkout
	temp   string // a folder of this run
	clone  string // of the checkout, in temp
	branch string
	last   string // the version before, "" for none
	all    []modules.Module
	// released are the modules that get a tag, each after what it requires.
	released []modules.Module
	proxy    string // the folder of the proxy
}

func (r *release) run(root string) (err error) {
	if r.root, err = filepath.Abs(root); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	if r.temp, err = os.MkdirTemp("", "release-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.temp) //nolint:errcheck // a folder for temporary files
	if err := r.makeClone(); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"make check", r.makeCheck},
		{"write the release", r.write},
		{"compare the API", r.compare},
		{"use the modules as released", func() error { return r.prove(r) }},
		{"go on after the release", r.goOn},
	} {
		fmt.Fprintf(r.out, "== %s\n", step.what)
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return r.finish()
}

// makeCheck runs make check in the clone.
func (r *release) makeCheck() error {
	if r.checked {
		fmt.Fprintln(r.out, "left out")
		return nil
	}
	cmd := exec.Command("make", "check")
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.clone, r.out, r.out
	return cmd.Run()
}

// finish gives the checkout what the clone has, or says what that would be.
func (r *release) finish() error {
	push := "git push --atomic origin " + r.branch
	for _, m := range r.released {
		push += " " + tag(m)
	}
	if r.dry {
		for _, m := range r.released {
			fmt.Fprintf(r.out, "would tag %s\n", tag(m))
		}
		fmt.Fprintln(r.out, "== a dry run: nothing was changed")
		return nil
	}
	refs := []string{"fetch", "--quiet", "--no-tags", r.clone, r.branch}
	if _, err := git(r.root, refs...); err != nil {
		return err
	}
	// A branch or a work tree that has changed meanwhile is an error here,
	// before any tag is made.
	if _, err := git(r.root, "merge", "--quiet", "--ff-only", "FETCH_HEAD"); err != nil {
		return err
	}
	refs = []string{"fetch", "--quiet", "--no-tags", "--atomic", r.clone}
	for _, m := range r.released {
		refs = append(refs, "refs/tags/"+tag(m)+":refs/tags/"+tag(m))
	}
	if _, err := git(r.root, refs...); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "== %d modules are tagged at %s; publish them with\n%s\n", len(r.released), r.version, push)
	return nil
}
