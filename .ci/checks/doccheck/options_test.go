package doccheck

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// released are the folders with the packages that users import.
var released = []string{"core", "casbinrules", "ginauth", "fiberauth", "echoauth"}

// function is an exported function that returns an option.
type function struct{ pkg, name, place string }

// TestOptions holds the section "Options" of CONTRIBUTING.md: the functions that
// return an option begin with With or Without, what they return is an Option,
// and none uses a word that the table there has another one for.
func TestOptions(t *testing.T) {
	instead := wordsToAvoid(t)
	begin := regexp.MustCompile(`^With(out)?[A-Z]`)
	options := optionFunctions(t)
	if len(options) < 150 {
		t.Fatalf("found only %d options", len(options))
	}
	for _, f := range options {
		if !begin.MatchString(f.name) {
			t.Errorf("%s: %s.%s returns an option: begin its name with With or Without", f.place, f.pkg, f.name)
		}
		for _, w := range words(f.name) {
			if better := instead[w]; better != "" {
				t.Errorf("%s: %s.%s: say %s in place of %s, as CONTRIBUTING.md does", f.place, f.pkg, f.name, better, w)
			}
		}
	}
}

// TestOptionsStandOnAPage: each option is named on a page that is about its package,
// which names something of it with the package in front.
func TestOptionsStandOnAPage(t *testing.T) {
	var pages []map[string]bool // the words in the code of a page, with "pkg." for pkg.Name
	for _, page := range documentation(t) {
		code := ""
		for _, span := range page.CodeSpans() {
			code += span.Text + "\n"
		}
		for _, block := range page.Blocks {
			code += block.Text
		}
		named := map[string]bool{}
		for _, m := range regexp.MustCompile(`\b([a-z]\w*\.)?([A-Z]\w*)`).FindAllStringSubmatch(code, -1) {
			named[m[1]], named[m[2]] = true, true
		}
		pages = append(pages, named)
	}
	for _, f := range optionFunctions(t) {
		if !slices.ContainsFunc(pages, func(named map[string]bool) bool { return named[f.pkg+"."] && named[f.name] }) {
			t.Errorf("%s: %s.%s is on no page of docs that is about %s", f.place, f.pkg, f.name, f.pkg)
		}
	}
}

// words splits a name where a word of it begins.
func words(name string) []string {
	return regexp.MustCompile(`[A-Z]+[a-z0-9]*`).FindAllString(name, -1)
}

// wordsToAvoid reads the table in CONTRIBUTING.md: what to say by what not to.
func wordsToAvoid(t *testing.T) map[string]string {
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	instead := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\|.*\\| `(With[^`]*)` \\| (.+) \\|$").FindAllStringSubmatch(string(text), -1) {
		for w := range strings.SplitSeq(row[2], ", ") {
			instead[w] = row[1]
		}
	}
	if len(instead) < 20 {
		t.Fatalf("CONTRIBUTING.md has only %d words to avoid", len(instead))
	}
	return instead
}

// optionFunctions lists the functions of all packages that return an option.
func optionFunctions(t *testing.T) (all []function) {
	for _, m := range released {
		err := filepath.WalkDir(filepath.Join(root, m), func(dir string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || !d.IsDir():
				return err
			case d.Name() == "internal" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), "."):
				return filepath.SkipDir
			}
			all = append(all, ofPackage(t, dir)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// ofPackage lists those of one package.
func ofPackage(t *testing.T, dir string) (found []function) {
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var funcs []*ast.FuncDecl
	types := map[string]bool{} // of options: named so, or taken as options
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() {
					funcs = append(funcs, d)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok && strings.HasSuffix(s.Name.Name, "Option") {
						types[s.Name.Name] = true
					}
				}
			}
		}
	}
	for _, f := range funcs {
		name := taken(f)
		if name != "" && !strings.HasSuffix(name, "Option") {
			t.Errorf("%s: the options of %s are of type %s: call it Option, or begin that with what it is for", fset.Position(f.Pos()), f.Name.Name, name)
		}
		types[name] = types[name] || name != ""
	}
	for _, f := range funcs {
		if f.Type.Results == nil || !slices.ContainsFunc(f.Type.Results.List, func(r *ast.Field) bool { return types[typeName(r.Type)] }) {
			continue
		}
		p := fset.Position(f.Pos())
		found = append(found, function{filepath.Base(dir), f.Name.Name, fmt.Sprintf("%s:%d", strings.TrimPrefix(p.Filename, root+"/"), p.Line)})
	}
	return found
}

// taken is the name of the type of the options that a function takes, or "".
func taken(f *ast.FuncDecl) string {
	params := f.Type.Params.List
	if len(params) == 0 {
		return ""
	}
	last := params[len(params)-1]
	variadic, ok := last.Type.(*ast.Ellipsis)
	if !ok || len(last.Names) == 0 || !strings.HasPrefix(last.Names[0].Name, "opt") {
		return ""
	}
	return typeName(variadic.Elt)
}

// typeName is the name of a type, without its package.
func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return t.Sel.Name
	}
	return ""
}
