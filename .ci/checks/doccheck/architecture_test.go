package doccheck

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestArchitectureNamesEveryPackage: whoever changes something finds the package for
// it on the page. Internal packages are named where somebody has to know them.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	page := strings.Join(pageNamed(t, "docs/architecture.md").Lines, "\n")
	packages := map[string]bool{}
	for _, top := range []string{"core", "casbinrules", "ginauth", "echoauth", "fiberauth"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && slices.Contains([]string{"internal", "testdata", "node_modules", "cmd"}, d.Name()) {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				dir, err := filepath.Rel(root, filepath.Dir(path))
				packages[filepath.ToSlash(dir)] = true
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(packages) < 40 {
		t.Fatalf("found %d packages only", len(packages))
	}
	for name := range packages {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/architecture.md does not name `%s`: say in the table what it is for", name)
		}
	}
}
