package editor

import (
	"archive/zip"
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/checks/internal/npm"
)

// manifest is what the tests want of the extension's package.json.
type manifest struct {
	Main             string
	ActivationEvents []string
	Contributes      struct {
		Languages []struct {
			ID, Configuration string
		}
		Configuration struct {
			Properties map[string]json.RawMessage
		}
	}
}

// TestVSCodeExtension packs the extension, and runs what is in the package on Node,
// with a stand-in for VS Code.
func TestVSCodeExtension(t *testing.T) {
	if os.Getenv("SALLYPORT_LONG") == "" {
		t.Skip("not run: it installs 300 packages from npm, and SALLYPORT_LONG is not set, as make long does")
	}
	script, err := filepath.Abs("vscode.cjs")
	if err != nil {
		t.Fatal(err)
	}
	page := pageOnEditors(t)
	t.Chdir(filepath.Join("..", "..", "..", "docs", "editors", "vscode"))
	dir := npm.Install(t, "extension.js", "language.json", ".vscodeignore")
	run(t, dir, "npm", "run", "package")
	packed := unpacked(t, filepath.Join(dir, "sallyport.vsix"))

	var m manifest
	if err := json.Unmarshal([]byte(packed["extension/package.json"]), &m); err != nil {
		t.Fatal(err)
	}
	checkManifest(t, m, packed, page)

	work := t.TempDir()
	bundle := filepath.Join(work, "extension.js")
	write(t, work, "extension.js", packed[filepath.ToSlash(filepath.Join("extension", m.Main))])
	write(t, work, "model.conf", casbinrules.RBAC().Text())
	write(t, work, "policy.csv", "p, ann, /a, get\np, ann, /b, PUT\n")
	out := run(t, work, "node", script, bundle, command(t, work), filepath.Join(work, "policy.csv"))
	if want := "1:13 method_case warning, 2:13 put_without_patch information\n1:13 method_case error, 2:13 put_without_patch information\n"; out != want {
		t.Errorf("the extension shows\n%swant\n%s", out, want)
	}
}

// checkManifest: each language starts the extension, each file that is named is in
// the package, and the settings are those on the page.
func checkManifest(t *testing.T, m manifest, packed map[string]string, page string) {
	t.Helper()
	var events []string
	for _, l := range m.Contributes.Languages {
		events = append(events, "onLanguage:"+l.ID)
		if packed["extension/"+strings.TrimPrefix(l.Configuration, "./")] == "" {
			t.Errorf("%s: the package lacks %s", l.ID, l.Configuration)
		}
	}
	if !reflect.DeepEqual(events, m.ActivationEvents) {
		t.Errorf("the activation events are %q, and of the languages %q", m.ActivationEvents, events)
	}
	want := []string{"sallyport.command"}
	for line := range strings.Lines(page) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.HasPrefix(cells[1], " `") {
			want = append(want, "sallyport."+strings.Trim(cells[1], " `"))
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(m.Contributes.Configuration.Properties)); !slices.Equal(got, want) {
		t.Errorf("the extension has the settings %q, the page %q", got, want)
	}
}

// unpacked are the texts of a zip file, by name.
func unpacked(t *testing.T, file string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	texts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		texts[f.Name] = string(text)
	}
	return texts
}

// run runs a program, and returns what it prints.
func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(2*time.Minute))
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out, failed.String())
	}
	return string(out)
}

// pageOnEditors is docs/editors.md.
func pageOnEditors(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "editors.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// command builds sallyport in a folder.
func command(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "bin", "sallyport")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file, "github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return file
}
