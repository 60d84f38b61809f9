// Package clitest has what the tests of several rooms of the command need.
package clitest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

// Policy is a small policy for the preset rbac.
const Policy = `# Reports.
p, viewer, /reports, GET
p, viewer, /reports/:id, GET
p, editor, /reports/:id, PUT
p, editor, /reports/:id, PATCH
p, admin, /*, *
g, editor, viewer
g, erin, editor
g, victor, viewer
g, alice, admin
`

// Write puts files into a new directory, "model.conf" by a preset's name.
func Write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if preset := starter.Presets[text]; name == "model.conf" && preset != nil {
			text = preset().Text()
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ReadFile returns the content of a file that has to be there.
func ReadFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
