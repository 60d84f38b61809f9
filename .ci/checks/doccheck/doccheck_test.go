package doccheck

import (
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository by way of a link inside the module. go test repeats a
// result that it remembers unless a file that the test has opened is another
// now, and looks only at names inside the module for that.
const root = "testdata/repository/."

// documentation is the pages of the repository.
func documentation(t *testing.T) []Page {
	t.Helper()
	pages, err := ReadPages(root)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func pageNamed(t *testing.T, name string) Page {
	t.Helper()
	pages := documentation(t)
	i := slices.IndexFunc(pages, func(p Page) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return pages[i]
}

func source(t *testing.T) *Source {
	t.Helper()
	s, err := ReadSource(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSnippetsCompile builds all Go blocks of all pages in one go.
func TestSnippetsCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling all snippets takes half a minute: left out with -short")
	}
	shown, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	var packages []Package
	for _, page := range documentation(t) {
		ps, err := page.Packages(shown)
		if err != nil {
			t.Error(err)
		}
		packages = append(packages, ps...)
	}
	if len(packages) < 2 {
		t.Fatalf("%d snippets found", len(packages))
	}
	if out, err := build(t, packages); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

// TestSnippetsAreFormatted: a reader copies what gofmt would leave alone.
func TestSnippetsAreFormatted(t *testing.T) {
	for _, page := range documentation(t) {
		for _, b := range page.Blocks {
			if b.Language() != "go" {
				continue
			}
			if got, err := format.Source([]byte(b.Text)); err != nil || string(got) != b.Text {
				t.Errorf("%s:%d: gofmt makes it (%v)\n%s", page.Name, b.Line, err, got)
			}
		}
	}
}

// build compiles packages that exist in an overlay only, below this
// module, whose requirements they share.
func build(t *testing.T, packages []Package) (output string, err error) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	// go list -export compiles as go build does, and links nothing.
	args := []string{"list", "-export", "-f", "{{if false}}{{end}}", "-overlay", filepath.Join(temp, "overlay.json"), "."}
	for i, p := range packages {
		name := fmt.Sprintf("snippet%03d", i)
		args = append(args, "./"+name)
		for j, text := range p.Files {
			file := filepath.Join(temp, fmt.Sprintf("%s_%d.go", name, j))
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay.Replace[filepath.Join(here, name, fmt.Sprintf("file%d.go", j))] = file
		}
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(temp, "overlay.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	// Asking for GOWORK makes it part of what go test remembers a result by.
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK="+os.Getenv("GOWORK"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestLinksLeadSomewhere looks at links to files and headings of the repository.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := documentation(t)
	anchors := map[string][]string{}
	for _, page := range pages {
		anchors[page.Name] = page.Anchors()
	}
	count := 0
	for _, page := range pages {
		for _, l := range page.Links() {
			if strings.Contains(l.Text, "://") {
				continue
			}
			count++
			file, anchor, hasAnchor := strings.Cut(l.Text, "#")
			target := page.Name
			if file != "" {
				target = path.Join(path.Dir(page.Name), file)
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s:%d: link to %s: there is no such file", page.Name, l.Line, l.Text)
			} else if hasAnchor && !slices.Contains(anchors[target], anchor) {
				t.Errorf("%s:%d: link to %s: there is no such heading", page.Name, l.Line, l.Text)
			}
		}
	}
	if count == 0 {
		t.Error("no link found")
	}
}

var (
	testName = regexp.MustCompile(`^(Test|Fuzz|Example|Benchmark)[A-Z_]\w*(/|$)`)
	goName   = regexp.MustCompile(`^([a-z]\w*)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
)

// TestMentionedTestsExist: who reads of a test can run it.
func TestMentionedTestsExist(t *testing.T) {
	pages, src := documentation(t), source(t)
	count := 0
	for _, page := range pages {
		for _, span := range page.CodeSpans() {
			if !testName.MatchString(span.Text) {
				continue
			}
			count++
			parts := strings.Split(span.Text, "/")
			if !src.Tests[parts[0]] {
				t.Errorf("%s:%d: there is no test %s", page.Name, span.Line, parts[0])
			}
			for _, part := range parts[1:] {
				if !src.Literals[part] {
					t.Errorf("%s:%d: no Go file holds the name %q of %s", page.Name, span.Line, part, span.Text)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no test is mentioned")
	}
}

// TestMentionedNamesExist: code spans such as core.NewGuard name what there is.
func TestMentionedNamesExist(t *testing.T) {
	pages, src := documentation(t), source(t)
	count := 0
	for _, page := range pages {
		for _, span := range page.CodeSpans() {
			m := goName.FindStringSubmatch(span.Text)
			if m == nil || src.Packages[m[1]] == nil {
				continue
			}
			count++
			for _, name := range m[2:] {
				if name != "" && !src.Packages[m[1]][name] {
					t.Errorf("%s:%d: package %s has no %s", page.Name, span.Line, m[1], name)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no name is mentioned")
	}
}
