package doccheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A page is followed to the letter by somebody who has nothing else. These tests
// look for what such a reader would have to guess.

// TestNothingIsHidden: what compiles only with code that readers do not see does
// not compile for them.
func TestNothingIsHidden(t *testing.T) {
	for _, page := range documentation(t) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(page.Name)))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\n<!-- doccheck\n") {
			t.Errorf("%s has a comment with Go for doccheck: show it in a block \"go shared\"", page.Name)
		}
	}
}

// TestSharedBlocksAreUsed: what no piece of a page uses is not what they share.
func TestSharedBlocksAreUsed(t *testing.T) {
	count := 0
	for _, page := range documentation(t) {
		for _, b := range page.Blocks {
			if !b.isShared() {
				continue
			}
			count++
			uses := map[string]int{}
			for _, other := range page.Blocks {
				if other.Language() == "go" && !other.isProgram() {
					for _, word := range word.FindAllString(quoted.ReplaceAllString(other.Text, ""), -1) {
						uses[word]++
					}
				}
			}
			imports, declarations := declared(t, b)
			for _, name := range imports {
				if uses[name] < 1 {
					t.Errorf("%s:%d: no piece uses package %s", page.Name, b.Line, name)
				}
			}
			for _, name := range declarations {
				if uses[name] < 2 { // one is its declaration
					t.Errorf("%s:%d: no piece uses %s", page.Name, b.Line, name)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no shared block found")
	}
}

var quoted = regexp.MustCompile(`"[^"\n]*"`)

// declared are the names of a shared block: of packages, but those imported for
// their side effect, and of what stands for the reader's own code.
func declared(t *testing.T, b Block) (imports, names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", "package shared\n"+b.Text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		if spec.Name != nil {
			if spec.Name.Name != "_" {
				imports = append(imports, spec.Name.Name)
			}
			continue
		}
		importPath, _ := strconv.Unquote(spec.Path.Value)
		parts := strings.Split(importPath, "/")
		name := parts[len(parts)-1]
		if len(parts) > 1 && major.MatchString(name) {
			name = parts[len(parts)-2]
		}
		// Package names that differ from the last part of their path.
		imports = append(imports, strings.TrimPrefix(strings.NewReplacer("fiberv3", "fiberauth", "echov5", "echoauth").Replace(name), "go-"))
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, decl.Name.Name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return imports, names
}

var (
	major      = regexp.MustCompile(`^v\d+$`)
	getLine    = regexp.MustCompile(`^go get ([^#]+)`)
	moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)
	require    = regexp.MustCompile(`(?m)^\s*(?:require )?(\S+) v\d\S*(?: // indirect)?$`)
)

// TestPagesSayWhatToGet: whoever has run the commands of a page has the modules
// that its Go imports.
func TestPagesSayWhatToGet(t *testing.T) {
	requires := modules(t)
	count := 0
	for _, page := range documentation(t) {
		if page.Name == "README.md" {
			continue // whose code is for reading
		}
		got, tidy := gotten(page)
		if tidy {
			continue // by which go finds them
		}
		for _, importPath := range imported(page) {
			count++
			module, ours := moduleOf(importPath, requires)
			has := slices.ContainsFunc(got, func(get string) bool {
				brought := append([]string{get}, requires[get]...)
				return ours && slices.Contains(brought, module) || !ours && within(importPath, brought)
			})
			if !has {
				t.Errorf("%s: its Go imports %s, and it has no \"go get\" that brings the module", page.Name, importPath)
			}
		}
	}
	if count == 0 {
		t.Error("no import found")
	}
}

// gotten are the modules of the page's "go get", and whether it has a "go mod
// tidy".
func gotten(page Page) (got []string, tidy bool) {
	for _, b := range page.Blocks {
		if b.Language() != "sh" {
			continue
		}
		for line := range strings.Lines(b.Text) {
			if m := getLine.FindStringSubmatch(line); m != nil {
				got = append(got, strings.Fields(m[1])...)
			}
			tidy = tidy || strings.HasPrefix(line, "go mod tidy")
		}
	}
	return got, tidy
}

// imported are the packages outside the standard library that the page's Go
// imports.
func imported(page Page) []string {
	var paths []string
	for _, b := range page.Blocks {
		if b.Language() != "go" || b.programPage() != "" {
			continue // the page with the program says what that needs
		}
		text := b.Text
		if !b.isProgram() {
			text = "package piece\n" + text
		}
		file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
		if err != nil {
			continue // statements, which import nothing
		}
		for _, spec := range file.Imports {
			importPath, _ := strconv.Unquote(spec.Path.Value)
			if first, _, _ := strings.Cut(importPath, "/"); strings.Contains(first, ".") && !slices.Contains(paths, importPath) {
				paths = append(paths, importPath)
			}
		}
	}
	return paths
}

// modules are those of the repository, each with what its go.mod requires.
func modules(t *testing.T) map[string][]string {
	t.Helper()
	work, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, dir := range regexp.MustCompile(`(?m)^\s*(?:use )?(\./\S+)$`).FindAllStringSubmatch(string(work), -1) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path.Clean(dir[1])), "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		module := moduleLine.FindStringSubmatch(string(text))
		if module == nil {
			t.Fatalf("%s: a go.mod without a module", dir[1])
		}
		found[module[1]] = []string{}
		for _, m := range require.FindAllStringSubmatch(string(text), -1) {
			found[module[1]] = append(found[module[1]], m[1])
		}
	}
	return found
}

// moduleOf is the module of the repository that has a package.
func moduleOf(importPath string, known map[string][]string) (module string, ours bool) {
	for p := importPath; p != "."; p = path.Dir(p) {
		if _, ok := known[p]; ok {
			return p, true
		}
	}
	return "", false
}

// within is whether one of the modules, by its path, may have a package.
func within(importPath string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return importPath == m || strings.HasPrefix(importPath, m+"/") })
}
