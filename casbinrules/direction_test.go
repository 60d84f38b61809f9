package casbinrules_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// direction says which internal packages each one may import.
var direction = map[string][]string{
	"pace":      nil,
	"pattern":   nil,
	"texttable": nil,
	"sieve":     {"pattern", "texttable"},
	"casbinv2":  {"/bridge"},
	"model":     {"/bridge", "pace", "pattern"},
	"policy":    {"/bridge", "pace", "pattern", "texttable", "model"},
	"engine":    {"/bridge", "pace", "pattern", "texttable", "model", "policy"},
	"lint":      {"pace", "pattern", "texttable", "sieve", "model", "policy"},
	"explain":   {"pattern", "model", "policy", "engine"},

	"source":   {"/bridge", "pace"},
	"enforcer": {"/bridge", "model", "policy", "engine"},
	"load":     {"pace", "model", "policy", "engine", "lint", "source"},

	"policygen": {"model"}, // for tests
}

// TestOneRoomImportsCasbin: another major version of Casbin is used through package bridge,
// so only the package for v2 imports Casbin, besides two files of the public package that
// take its types from applications.
func TestOneRoomImportsCasbin(t *testing.T) {
	may := []string{"internal/casbinv2/casbinv2.go", "adapter.go", "enforcer.go"}
	for _, dir := range []string{".", "bridge", filepath.Join("bridge", "bridgetest"), filepath.Join("internal", "*")} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			found := slices.ContainsFunc(imports(t, file), func(path string) bool { return strings.HasPrefix(path, "github.com/casbin/casbin/") })
			if want := slices.Contains(may, filepath.ToSlash(file)); found != want {
				t.Errorf("%s imports Casbin: %v, want %v", file, found, want)
			}
		}
	}
}

func TestInternalPackagesImportOneWay(t *testing.T) {
	rooms, err := os.ReadDir("internal")
	if err != nil {
		t.Fatal(err)
	}
	if len(rooms) != len(direction) {
		t.Errorf("there are %d internal packages, and %d have a direction", len(rooms), len(direction))
	}
	for _, room := range rooms {
		allowed, known := direction[room.Name()]
		if !known {
			t.Errorf("internal/%s has no direction", room.Name())
			continue
		}
		files, err := filepath.Glob(filepath.Join("internal", room.Name(), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("internal/%s: %d files, %v", room.Name(), len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, imported := range roomsImported(t, file) {
				if !slices.Contains(allowed, imported) {
					t.Errorf("%s imports %s", file, imported)
				}
			}
		}
	}
}

// roomsImported returns the packages of this module that a file imports, by their last
// element: "" for the module's own, with a slash in front for those outside internal.
func roomsImported(t *testing.T, name string) []string {
	t.Helper()
	const module = "github.com/sallyport-go/sallyport/casbinrules"
	var found []string
	for _, path := range imports(t, name) {
		if rest, ok := strings.CutPrefix(path, module); ok {
			found = append(found, strings.TrimPrefix(rest, "/internal/"))
		}
	}
	return found
}

// imports returns the packages that a file imports.
func imports(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, path)
	}
	return found
}
