package cli

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// direction says which of the other rooms each room may import. Those with commands do
// not know each other, except that a new service gets keys.
var direction = map[string][]string{
	"command":    nil,
	"atomicfile": {"command"},
	"git":        {"command"},
	"policyfile": {"command", "atomicfile", "git"},
	"result":     {"command"},

	"inspect": {"command", "policyfile", "result"},
	"review":  {"command", "atomicfile", "git", "policyfile", "result"},
	"editor":  {"command", "atomicfile", "policyfile"},

	"stores":      {"command", "atomicfile", "git", "policyfile", "result"},
	"credentials": {"command", "atomicfile", "policyfile"},
	"service":     {"command", "atomicfile", "policyfile", "credentials"},
	"operate":     {"command", "atomicfile", "policyfile", "result"},

	"clitest": {"command"}, // for tests
}

func TestRoomsImportOneWay(t *testing.T) {
	rooms, err := filepath.Glob("*/*.go")
	if err != nil || len(rooms) == 0 {
		t.Fatalf("%d files, %v", len(rooms), err)
	}
	seen := map[string]bool{}
	for _, name := range rooms {
		room := filepath.Dir(name)
		allowed, known := direction[room]
		if seen[room] = true; !known {
			t.Errorf("%s has no direction", room)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			_, other, found := strings.Cut(strings.Trim(spec.Path.Value, `"`), "/sallyport/internal/cli/")
			if found && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s", name, other)
			}
		}
	}
	if len(seen) != len(direction) {
		t.Errorf("there are %d rooms, and %d have a direction", len(seen), len(direction))
	}
}
