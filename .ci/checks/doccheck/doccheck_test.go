package doccheck

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	shown, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	var packages []Package
	pages := documentation(t)
	for _, page := range pages {
		ps, err := page.Packages(shown, pages)
		if err != nil {
			t.Error(err)
		}
		packages = append(packages, ps...)
	}
	if len(packages) < 2 {
		t.Fatalf("%d snippets found", len(packages))
	}
	if out, err := build(t, packages); err != nil {
		t.Errorf("snippets that do not compile:\n%s", out)
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

// build type-checks packages, as of this module, and returns what the compiler
// would complain of. Compiling 170 of them takes 50 s, and this 2.
func build(t *testing.T, packages []Package) (output string, err error) {
	t.Helper()
	set := token.NewFileSet()
	parsed := make([][]*ast.File, len(packages))
	imports := map[string]bool{}
	for i, p := range packages {
		for _, text := range p.Files {
			file, err := parser.ParseFile(set, p.Page+" (its doccheck comment)", text, parser.SkipObjectResolution)
			if err != nil {
				return err.Error(), err
			}
			parsed[i] = append(parsed[i], file)
			for _, spec := range file.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				imports[path] = true
			}
		}
	}
	compiled, err := exports(t, slices.Sorted(maps.Keys(imports)))
	if err != nil {
		return err.Error(), err
	}
	var complaints []error
	config := types.Config{
		Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(compiled[path]) }),
	}
	for i, p := range packages {
		config.Error = func(err error) {
			if !p.Piece || !leftToOthers.MatchString(err.Error()) {
				complaints = append(complaints, err)
			}
		}
		_, _ = config.Check(fmt.Sprintf("%s:%d", p.Page, p.Line), set, parsed[i], nil)
	}
	err = errors.Join(complaints...)
	if err != nil {
		output = err.Error()
	}
	return output, err
}

// leftToOthers is the complaint of an import that another piece of a page needs.
var leftToOthers = regexp.MustCompile(`imported (as \w+ )?and not used$`)

// exports compiles packages and what they import, and says where the compiler has
// put what they export.
func exports(t *testing.T, imports []string) (map[string]string, error) {
	if len(imports) == 0 {
		return nil, nil
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "--"}, imports...)...)
	// Asking for GOWORK makes it part of what go test remembers a result by.
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK="+os.Getenv("GOWORK"))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, complaints.String())
	}
	compiled := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		compiled[path] = file
	}
	return compiled, nil
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
