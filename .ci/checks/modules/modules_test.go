package modules

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const prefix = "github.com/sallyport-go/sallyport/"

// untagged are the modules that are never published, by what their paths begin
// with.
const untagged = prefix + "examples"

// module is what go mod edit -json prints of a go.mod.
type module struct {
	Module  struct{ Path string }
	Require []struct {
		Path     string
		Indirect bool
	}
}

// workspace is the go.work of the checkout, whatever GOWORK says.
const workspace = "../../../go.work"

// goes runs the go command in the workspace and returns what it prints.
func goes(t *testing.T, args ...string) string {
	t.Helper()
	file, err := filepath.Abs(workspace)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK="+file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// modules are those of the workspace.
func modules(t *testing.T) []module {
	t.Helper()
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal([]byte(goes(t, "work", "edit", "-json", workspace)), &work); err != nil {
		t.Fatal(err)
	}
	all := make([]module, len(work.Use))
	for i, use := range work.Use {
		gomod := filepath.Join(filepath.Dir(workspace), use.DiskPath, "go.mod")
		if err := json.Unmarshal([]byte(goes(t, "mod", "edit", "-json", gomod)), &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestModulesExistForADependency: core requires nothing, and every other module
// that is published requires, for itself, something that is not ours, or a module
// of ours that does and that the module above it does without.
func TestModulesExistForADependency(t *testing.T) {
	all := modules(t)
	requires := map[string][]string{}
	for _, m := range all {
		for _, r := range m.Require {
			requires[m.Module.Path] = append(requires[m.Module.Path], r.Path)
		}
	}
	for _, m := range all {
		switch path := m.Module.Path; {
		case path == prefix+"core":
			if len(m.Require) > 0 {
				t.Errorf("%s requires %v, want nothing", path, m.Require)
			}
		case !strings.HasPrefix(path, untagged):
			foreign := false
			for _, r := range m.Require {
				above := strings.TrimSuffix(path, "/"+filepath.Base(path))
				spared := r.Path != above && !slices.Contains(requires[above], r.Path) && requires[r.Path] != nil
				foreign = foreign || !r.Indirect && (!strings.HasPrefix(r.Path, prefix) || spared)
			}
			if !foreign {
				t.Errorf("%s requires nothing but %v: let it join the module above it", path, m.Require)
			}
		}
	}
}

// TestInternalPackagesStayInTheirModule: another module is built with whatever
// version of this one its users have, so that an internal package that it
// imports could not be changed any more. Tests count as well.
func TestInternalPackagesStayInTheirModule(t *testing.T) {
	var paths []string
	for _, m := range modules(t) {
		paths = append(paths, m.Module.Path)
	}
	// moduleOf is the module with the longest path that a package begins with.
	moduleOf := func(pkg string) (path string) {
		for _, p := range paths {
			if len(p) > len(path) && (pkg == p || strings.HasPrefix(pkg, p+"/")) {
				path = p
			}
		}
		return path
	}
	const format = `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}{{range .TestImports}} {{.}}{{end}}{{range .XTestImports}} {{.}}{{end}}`
	packages := strings.Split(strings.TrimSpace(goes(t, "list", "-f", format, "work")), "\n")
	if len(packages) < 50 {
		t.Fatalf("only %d packages", len(packages))
	}
	for _, line := range packages {
		pkg, imports, _ := strings.Cut(line, " ")
		own := moduleOf(pkg)
		for _, imported := range slices.Compact(slices.Sorted(slices.Values(strings.Fields(imports)))) {
			if other := moduleOf(imported); other != "" && other != own && strings.Contains(imported, "/internal/") {
				t.Errorf("%s of module %s imports %s of module %s", pkg, own, imported, other)
			}
		}
	}
}

// TestInstallListsEveryModule: the page on installing replaces each published
// module by its folder, and gets it from the first release on.
func TestInstallListsEveryModule(t *testing.T) {
	text, err := os.ReadFile("testdata/repository/docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nfor m in ")
	loop, _, found := strings.Cut(rest, "; do\n")
	if !found {
		t.Fatal("docs/install.md has no loop over modules")
	}
	replaced := strings.Fields(strings.ReplaceAll(loop, "\\\n", " "))
	for _, m := range modules(t) {
		name := strings.TrimPrefix(m.Module.Path, prefix)
		if strings.HasPrefix(m.Module.Path, untagged) {
			continue
		}
		if !slices.Contains(replaced, name) {
			t.Errorf("docs/install.md does not replace %s", name)
		}
		if !strings.Contains(string(text), m.Module.Path+" ") {
			t.Errorf("docs/install.md does not get %s", name)
		}
	}
}
