package casbinrules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestContentsNameEveryFunction: the package comment has a table of contents, and
// every function of the package is in it.
func TestContentsNameEveryFunction(t *testing.T) {
	contents, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv == nil && f.Name.IsExported() && !strings.Contains(string(contents), "["+f.Name.Name+"]") {
				t.Errorf("%s of %s is not in the contents of doc.go", f.Name.Name, name)
			}
		}
	}
}
