package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/ci/tools/internal/modules"
)

const day = "2026-05-04"

// checkout makes a repository with three modules that need nothing from
// elsewhere: outer requires core, the examples require both.
func checkout(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	goMod := func(name, requires string) string {
		text := "module " + modules.Prefix + name + "\n\ngo 1.25.0\n"
		for _, r := range strings.Fields(requires) {
			text += "\nrequire " + modules.Prefix + r + " v0.0.0\n\nreplace " + modules.Prefix + r + " => ../" + r + "\n"
		}
		return text
	}
	write(t, root, map[string]string{
		"go.work":          "go 1.25.0\n\nuse (\n\t./examples\n\t./outer\n\t./core\n)\n",
		"CHANGELOG.md":     "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- The first thing.\n\n[Unreleased]: https://example.org/main\n",
		"LICENSE":          "free\n",
		"README.md":        "# Sallyport\n\nTwo gates. There is no release yet, so names may change.\n\nClone it. Until the first release, build it.\n",
		"docs/install.md":  "# Install\n\nUntil the first release, see [Clone](clone.md).\n\nUntil the first release, wait. Then run:\n\n    go get core\n",
		"core/go.mod":      goMod("core", ""),
		"core/core.go":     "package core\n\n// Name is a name.\nconst Name = \"core\"\n\n// Say says.\nfunc Say(s string) string { return s }\n",
		"outer/go.mod":     goMod("outer", "core"),
		"outer/outer.go":   "package outer\n\nimport \"" + modules.Prefix + "core\"\n\n// Name is a name.\nconst Name = core.Name\n",
		"examples/go.mod":  goMod("examples", "core outer"),
		"examples/main.go": "package main\n\nimport (\n\t\"" + modules.Prefix + "core\"\n\t\"" + modules.Prefix + "outer\"\n)\n\nfunc main() { println(core.Name, outer.Name) }\n",
	})
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"config", "user.name", "A Maintainer"}, {"config", "user.email", "maintainer@example.org"},
	} {
		mustGit(t, root, args...)
	}
	commit(t, root, "Begin", nil)
	return root
}

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func commit(t *testing.T, root, subject string, files map[string]string) {
	t.Helper()
	write(t, root, files)
	mustGit(t, root, "add", "--all")
	mustGit(t, root, "commit", "--quiet", "-m", subject)
}

func mustGit(t *testing.T, root string, args ...string) string {
	t.Helper()
	out, err := git(root, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tryRelease releases the checkout, and lets an empty folder use outer.
func tryRelease(t *testing.T, root, version string, dry bool) (printed string, err error) {
	t.Helper()
	var out bytes.Buffer
	r := &release{version: version, day: day, dry: dry, checked: true, out: &out, prove: func(r *release) error {
		return use(t, r)
	}}
	err = r.run(root)
	return out.String(), err
}

func use(t *testing.T, r *release) error {
	t.Helper()
	dir := t.TempDir()
	env, err := modules.Environ(r.proxy, filepath.Join(dir, "keep"))
	if err != nil {
		return err
	}
	// The tag's own go.sum has the right hashes.
	if err := run(filepath.Join(r.clone, "outer"), append(env, "GOFLAGS=-mod=readonly -modcacherw"), "go", "build", "./..."); err != nil {
		return err
	}
	write(t, dir, map[string]string{"app/main.go": "package main\n\nimport \"" + modules.Prefix + "outer\"\n\nfunc main() { println(outer.Name) }\n"})
	for _, args := range [][]string{{"mod", "init", "app.example/app"}, {"get", modules.Prefix + "outer@" + r.version}, {"build", "-o", os.DevNull, "."}} {
		if err := run(filepath.Join(dir, "app"), env, "go", args...); err != nil {
			return err
		}
	}
	return nil
}

// state is all that a release could change in a checkout.
func state(t *testing.T, root string) string {
	t.Helper()
	refs := mustGit(t, root, "for-each-ref")
	return refs + "\n" + mustGit(t, root, "rev-parse", "HEAD") + "\n" + mustGit(t, root, "status", "--porcelain") + "\n" + mustGit(t, root, "stash", "list")
}

func TestADryRunChangesNothing(t *testing.T) {
	root := checkout(t)
	write(t, root, map[string]string{".gitignore": "/.build/\n"})
	commit(t, root, "Ignore", nil)
	before := state(t, root)
	printed, err := tryRelease(t, root, "v0.1.0", true)
	if err != nil {
		t.Fatal(err)
	}
	if after := state(t, root); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	for _, want := range []string{"would tag core/v0.1.0\n", "would tag outer/v0.1.0\n", "nothing was changed"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not printed:\n%s", want, printed)
		}
	}
}

func TestARelease(t *testing.T) {
	root := checkout(t)
	commit(t, root, "Ignore", map[string]string{".gitignore": "/.build/\n"})
	printed, err := tryRelease(t, root, "v0.1.0", false)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	if tags := strings.Fields(mustGit(t, root, "tag", "--list")); !slices.Equal(tags, []string{"core/v0.1.0", "outer/v0.1.0"}) {
		t.Errorf("tags %q", tags)
	}
	if subjects := mustGit(t, root, "log", "--format=%s", "-3"); subjects != "Go on after v0.1.0\nRelease v0.1.0\nIgnore" {
		t.Errorf("commits:\n%s", subjects)
	}
	if status := mustGit(t, root, "status", "--porcelain"); status != "" {
		t.Errorf("left over:\n%s", status)
	}
	released := mustGit(t, root, "show", "outer/v0.1.0:outer/go.mod")
	if !strings.Contains(released, "core v0.1.0") || strings.Contains(released, "replace") {
		t.Errorf("released go.mod:\n%s", released)
	}
	if sums := mustGit(t, root, "show", "outer/v0.1.0:outer/go.sum"); !strings.Contains(sums, "core v0.1.0 h1:") {
		t.Errorf("released go.sum:\n%s", sums)
	}
	// The go command adds the license of the repository to a module's archive,
	// which is in the hash.
	if license := mustGit(t, root, "show", "core/v0.1.0:LICENSE"); license != "free" {
		t.Errorf("license %q", license)
	}
	for _, name := range []string{"outer/go.mod", "examples/go.mod"} {
		if now := mustGit(t, root, "show", "HEAD:"+name); !strings.Contains(now, "core v0.1.0") || !strings.Contains(now, "core => ../core") {
			t.Errorf("%s afterwards:\n%s", name, now)
		}
	}
	want := "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - " + day + "\n\n### Added\n\n- The first thing.\n\n" +
		"[Unreleased]: https://github.com/sallyport-go/sallyport/compare/core/v0.1.0...main\n" +
		"[0.1.0]: https://github.com/sallyport-go/sallyport/releases/tag/core/v0.1.0"
	if got := mustGit(t, root, "show", "core/v0.1.0:CHANGELOG.md"); got != want {
		t.Errorf("changelog:\n%s", got)
	}
	for name, want := range map[string]string{
		"README.md":       "# Sallyport\n\nTwo gates.\n\nClone it.",
		"docs/install.md": "# Install\n\nThen run:\n\n    go get core",
	} {
		if got := mustGit(t, root, "show", "core/v0.1.0:"+name); got != want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	build := exec.Command("go", "build", "-o", os.DevNull, "./examples")
	build.Dir, build.Env = root, append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("the branch does not build: %v\n%s", err, out)
	}
	nextReleases(t, root)
}

// nextReleases tries what may follow v0.1.0, and breaks nobody.
func nextReleases(t *testing.T, root string) {
	t.Helper()
	if _, err := tryRelease(t, root, "v0.1.1", true); err == nil || !strings.Contains(err.Error(), "nothing is listed") {
		t.Errorf("without changes: %v", err)
	}
	changelog := strings.Replace(mustGit(t, root, "show", "HEAD:CHANGELOG.md"), "[Unreleased]\n", "[Unreleased]\n\n- More.\n", 1) + "\n"
	commit(t, root, "Add a function", map[string]string{"CHANGELOG.md": changelog, "core/more.go": "package core\n\n// More is more.\nfunc More() {}\n"})
	printed, err := tryRelease(t, root, "v0.1.1", false)
	if err != nil || !strings.Contains(printed, "core: compatible: More: added") {
		t.Errorf("%v\n%s", err, printed)
	}
}

// A name that is gone, and a package, are told of, release no patch, and do release
// a minor version.
func TestABreakingReleaseIsComparedWithTheLast(t *testing.T) {
	root := checkout(t)
	commit(t, root, "Add a package", map[string]string{
		".gitignore":         "/.build/\n",
		"outer/sub/sub.go":   "package sub\n\n// Name is a name.\nconst Name = \"sub\"\n",
		"core/internal/x.go": "package internal\n\n// X is nobody's business.\nconst X = 1\n",
	})
	if printed, err := tryRelease(t, root, "v0.1.0", false); err != nil || !strings.Contains(printed, "nothing to compare with") {
		t.Fatalf("%v\n%s", err, printed)
	}
	changelog := strings.Replace(mustGit(t, root, "show", "HEAD:CHANGELOG.md"), "[Unreleased]\n", "[Unreleased]\n\n- Less.\n", 1) + "\n"
	mustGit(t, root, "rm", "--quiet", "outer/sub/sub.go", "core/internal/x.go")
	commit(t, root, "Remove a function and a package", map[string]string{
		"CHANGELOG.md": changelog,
		"core/core.go": "package core\n\n// Name is a name.\nconst Name = \"core\"\n\n// Talk talks.\nfunc Talk() {}\n",
	})
	told := "outer: BREAKING: package " + modules.Prefix + "outer/sub: removed\n" +
		"core: BREAKING: Say: removed\ncore: compatible: Talk: added\n" +
		"breaking changes since v0.1.0: 2\n"
	before := state(t, root)
	printed, err := tryRelease(t, root, "v0.1.1", false)
	if err == nil || !strings.Contains(err.Error(), "v0.1.1 promises that none does") || !strings.Contains(printed, told) {
		t.Errorf("%v\n%s", err, printed)
	}
	if after := state(t, root); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if printed, err = tryRelease(t, root, "v0.2.0", false); err != nil || !strings.Contains(printed, told) {
		t.Errorf("%v\n%s", err, printed)
	}
	if tags := mustGit(t, root, "tag", "--list", "*/v0.2.0"); tags != "core/v0.2.0\nouter/v0.2.0" {
		t.Errorf("tags %q", tags)
	}
}

func TestWhatCannotBeReleased(t *testing.T) {
	valid := func(*testing.T, string) {}
	for name, tt := range map[string]struct {
		version string
		spoil   func(*testing.T, string)
		want    string
	}{
		"no version":      {"0.1.0", valid, "must have the form"},
		"a short version": {"v0.1", valid, "must have the form"},
		"build metadata":  {"v0.1.0+1", valid, "must have the form"},
		"another major":   {"v2.0.0", valid, "another major version"},
		"a change": {"v0.1.0", func(t *testing.T, root string) {
			write(t, root, map[string]string{"core/core.go": "package core\n"})
		}, "not committed"},
		"a new file": {"v0.1.0", func(t *testing.T, root string) {
			write(t, root, map[string]string{"core/new.go": "package core\n"})
		}, "not committed"},
		"no branch":   {"v0.1.0", func(t *testing.T, root string) { mustGit(t, root, "checkout", "--quiet", "--detach") }, "from a branch"},
		"a tag":       {"v0.1.0", func(t *testing.T, root string) { mustGit(t, root, "tag", "outer/v0.1.0") }, "outer/v0.1.0 already"},
		"a later tag": {"v0.1.0", func(t *testing.T, root string) { mustGit(t, root, "tag", "core/v0.10.0") }, "older than the last release, v0.10.0"},
		"no changelog": {"v0.1.0", func(t *testing.T, root string) {
			commit(t, root, "x", map[string]string{"CHANGELOG.md": "# Changelog\n"})
		}, "no heading"},
		"a circle": {"v0.1.0", func(t *testing.T, root string) {
			commit(t, root, "x", map[string]string{"core/go.mod": "module " + modules.Prefix + "core\n\nrequire " + modules.Prefix + "outer v0.0.0\n"})
		}, "in a circle"},
	} {
		t.Run(name, func(t *testing.T) {
			root := checkout(t)
			tt.spoil(t, root)
			before := state(t, root)
			_, err := tryRelease(t, root, tt.version, false)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if after := state(t, root); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// What fails on the way leaves the checkout as it was.
func TestAFailedReleaseChangesNothing(t *testing.T) {
	root := checkout(t)
	commit(t, root, "Break it", map[string]string{".gitignore": "/.build/\n", "outer/outer.go": "package outer\n\nconst Name = 1 + \"\"\n"})
	before := state(t, root)
	if printed, err := tryRelease(t, root, "v0.1.0", false); err == nil {
		t.Errorf("released:\n%s", printed)
	}
	if after := state(t, root); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestModulesComeAfterWhatTheyRequire(t *testing.T) {
	root := checkout(t)
	list, err := modules.List(root, "v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	sorted, err := inOrder(list)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range sorted {
		names = append(names, tag(m))
	}
	if !slices.Equal(names, []string{"core/v0.1.0", "outer/v0.1.0"}) {
		t.Errorf("order %q", names)
	}
}
