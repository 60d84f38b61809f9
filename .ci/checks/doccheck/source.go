package doccheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// Source is what there is in the Go files of the repository.
type Source struct {
	// Tests are the names of test, fuzz, example and benchmark functions.
	Tests map[string]bool
	// Literals are all string literals.
	Literals map[string]bool
	// Packages are the exported names of each package outside internal
	// folders, methods and fields included, by the name of the package.
	Packages map[string]map[string]bool
	// Constants are the string constants, exported or not, by the folder of
	// their package from root, with slashes.
	Constants map[string]map[string]string
}

// ReadSource reads all Go files below root but those in testdata folders and in
// hidden ones other than .ci.
func ReadSource(root string) (*Source, error) {
	s := &Source{
		Tests:     map[string]bool{},
		Literals:  map[string]bool{},
		Packages:  map[string]map[string]bool{},
		Constants: map[string]map[string]string{},
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci"
			if path != root && (hidden || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		return s.add(path, filepath.ToSlash(dir))
	})
	return s, err
}

func (s *Source) add(path, dir string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	isTest := strings.HasSuffix(path, "_test.go")
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if text, ok := unquote(n); ok {
				s.Literals[text] = true
			}
		case *ast.FuncDecl:
			if isTest && n.Recv == nil {
				s.Tests[n.Name.Name] = true
			}
		}
		return true
	})
	if isTest {
		return nil
	}
	s.addConstants(file, dir)
	if !strings.Contains("/"+dir+"/", "/internal/") && file.Name.Name != "main" {
		s.addExported(file)
	}
	return nil
}

// addConstants keeps the constants whose value is written out.
func (s *Source) addConstants(file *ast.File, dir string) {
	if s.Constants[dir] == nil {
		s.Constants[dir] = map[string]string{}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if i >= len(spec.Values) {
				break
			}
			if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
				if text, ok := unquote(lit); ok {
					s.Constants[dir][name.Name] = text
				}
			}
		}
		return true
	})
}

func (s *Source) addExported(file *ast.File) {
	names := s.Packages[file.Name.Name]
	if names == nil {
		names = map[string]bool{}
		s.Packages[file.Name.Name] = names
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
			return false
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
}

func unquote(lit *ast.BasicLit) (string, bool) {
	if lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
