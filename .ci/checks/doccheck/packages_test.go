package doccheck

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shows are the packages that users begin with, and what the Go in their package
// comments has before it: imports, and what stands for the reader's own code.
var shows = map[string]struct{ imports, before string }{
	"core":              {`"` + module + `core"; "` + module + `core/bearer"`, ""},
	"core/httpauth":     {`"fmt"; "log"; "net/http"; "` + module + `core/httpauth"`, guarded},
	"ginauth":           {`"log"; "net/http"; "github.com/gin-gonic/gin"; "` + module + `ginauth"`, guarded},
	"fiberauth":         {`"log"; "github.com/gofiber/fiber/v2"; "` + module + `fiberauth"`, guarded},
	"fiberauth/fiberv3": {`"log"; "github.com/gofiber/fiber/v3"; fiberauth "` + module + `fiberauth/fiberv3"`, guarded},
	"echoauth":          {`"log"; "net/http"; "github.com/labstack/echo/v4"; "` + module + `echoauth"`, guarded},
	"echoauth/echov5":   {`"log"; "net/http"; "github.com/labstack/echo/v5"; echoauth "` + module + `echoauth/echov5"`, guarded},
	"casbinrules":       {`"` + module + `casbinrules"`, "func _(schemes []core.Authenticator) (*core.Guard, error) {"},
	"casbinrules/setup": {`"net/http"; "` + module + `casbinrules/setup"; "` + module + `core/httpauth"`, "func _(mux *http.ServeMux, handler http.Handler) error {"},
}

const (
	module  = "github.com/sallyport-go/sallyport/"
	guarded = "func _(guard *core.Guard) {"
)

// TestPackagesShowTheirUse: the comment of a package that users begin with has some
// lines of Go to copy, formatted and compiled.
func TestPackagesShowTheirUse(t *testing.T) {
	var packages []Package
	for name, needs := range shows {
		code := goCode(t, packageComment(t, name))
		if code == "" {
			t.Errorf("the comment of package %s shows no Go", name)
			continue
		}
		text := "package fragment\nimport (" + needs.imports + ")\n"
		if !strings.Contains(needs.imports, `"`+module+`core"`) {
			text += "import \"" + module + "core\"\nvar _ *core.Guard\n"
		}
		line := "//line " + name + "/doc:1\n"
		if needs.before == "" {
			text += line + code
		} else {
			text += needs.before + "\n" + line + code + "}\n"
		}
		packages = append(packages, Package{Page: name, Line: 1, Files: []string{text}})
	}
	if out, err := build(t, packages); err != nil {
		t.Errorf("package comments with Go that does not compile:\n%s", out)
	}
}

// TestContentsNameEveryFunction: a package comment with a table of contents has
// every function of the package in it.
func TestContentsNameEveryFunction(t *testing.T) {
	for _, name := range []string{"core", "casbinrules"} {
		_, contents, found := strings.Cut(packageComment(t, name), "# Contents\n")
		if !found {
			t.Errorf("the comment of package %s has no contents", name)
		}
		for _, file := range productFiles(t, name) {
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if ok && f.Recv == nil && f.Name.IsExported() && !strings.Contains(contents, "["+f.Name.Name+"]") {
					t.Errorf("%s is not in the contents of package %s", f.Name.Name, name)
				}
			}
		}
	}
}

// goCode is what the blocks of code in a comment have of Go. It is as gofmt writes
// it, for gofmt formats comments, and not what is in them.
func goCode(t *testing.T, text string) string {
	t.Helper()
	var code strings.Builder
	for _, part := range new(comment.Parser).Parse(text).Content {
		// YAML without a call would be labels.
		if c, ok := part.(*comment.Code); ok && strings.Contains(c.Text, "(") {
			if _, err := (Block{Text: c.Text}).fragment("", ""); err == nil {
				code.WriteString(c.Text)
			}
		}
	}
	return code.String()
}

// packageComment is the comment of the package in a folder.
func packageComment(t *testing.T, folder string) string {
	t.Helper()
	files := productFiles(t, folder)
	i := slices.IndexFunc(files, func(f *ast.File) bool { return f.Doc != nil })
	if i < 0 {
		t.Fatalf("package %s has no comment", folder)
	}
	return files[i].Doc.Text()
}

// productFiles are the files of the package in a folder, without its tests.
func productFiles(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
