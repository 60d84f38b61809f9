package doccheck

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Package is a package to compile, made of snippets of one page, or of a page
// and the program of another.
type Package struct {
	// Page and Line are where the snippet that it is made for stands.
	Page string
	Line int
	// Piece is whether the snippet is a piece of a program, which may leave
	// imports to others.
	Piece bool
	// Files are the sources, each with a line directive that leads compiler
	// messages to the page.
	Files []string
}

// Packages are what the Go blocks of a page are compiled as. The error is of a
// block that does not even parse. root is the absolute path of the repository,
// and all are its pages, for blocks that are part of the program of another one.
func (p Page) Packages(root string, all []Page) ([]Package, error) {
	var beside []string
	var shared string
	for _, b := range p.Blocks {
		switch {
		case b.isShared() && shared != "":
			return nil, fmt.Errorf("%s:%d: a second block \"go shared\"", p.Name, b.Line)
		case b.isShared():
			shared = p.directive(root, b.Line) + b.Text
		case b.isProgram() && !b.hasMain() && b.programPage() == "":
			beside = append(beside, p.directive(root, b.Line)+b.Text)
		}
	}
	var packages []Package
	for _, b := range p.Blocks {
		made := Package{Page: p.Name, Line: b.Line}
		switch text := p.directive(root, b.Line) + b.Text; {
		case b.Language() != "go" || b.isShared():
			continue
		case b.programPage() != "":
			program, err := programOf(b.programPage(), root, all)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", p.Name, b.Line, err)
			}
			made.Files = []string{text, program}
		case b.isProgram() && !b.hasMain():
			continue
		case b.isProgram():
			made.Files = append([]string{text}, beside...)
		default:
			source, err := b.fragment(p.directive(root, b.Line), shared+p.others(root, b))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			made.Piece, made.Files = true, []string{source}
		}
		packages = append(packages, made)
	}
	if len(packages) == 0 && len(beside) > 0 {
		return nil, fmt.Errorf("%s: a package without func main, and no program that it could be part of", p.Name)
	}
	return packages, nil
}

// others are the pieces of the page that declare what a piece refers to, and
// what those refer to. Of two that declare the same, the first is in it.
func (p Page) others(root string, of Block) string {
	known := of.declares()
	var text string
	var take func(Block)
	take = func(of Block) {
		words := word.FindAllString(of.Text, -1)
		for _, b := range p.Blocks {
			names := b.declares()
			isNew := !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(known, name) })
			refersTo := func(name string) bool { return slices.Contains(words, name) }
			if isNew && !b.isShared() && slices.ContainsFunc(names, refersTo) {
				known = append(known, names...)
				take(b)
				text += p.directive(root, b.Line) + b.Text
			}
		}
	}
	take(of)
	return text
}

var word = regexp.MustCompile(`\w+`)

// declares are the names of functions and types that a piece without imports
// declares.
func (b Block) declares() []string {
	if b.Language() != "go" || b.isProgram() {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package piece\n"+b.Text, parser.SkipObjectResolution)
	if err != nil || len(file.Imports) > 0 {
		return nil
	}
	var names []string
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil {
				names = append(names, decl.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					names = append(names, spec.Name.Name)
				}
			}
		}
	}
	return names
}

// programOf is the file with func main on a page.
func programOf(page, root string, all []Page) (string, error) {
	i := slices.IndexFunc(all, func(p Page) bool { return p.Name == "docs/"+page })
	if i < 0 {
		return "", fmt.Errorf("there is no page %s", page)
	}
	for _, b := range all[i].Blocks {
		if b.isProgram() && b.hasMain() {
			return all[i].directive(root, b.Line) + b.Text, nil
		}
	}
	return "", fmt.Errorf("%s has no program", page)
}

func (b Block) isProgram() bool {
	return b.Language() == "go" && strings.HasPrefix(b.Text, "package ")
}

func (b Block) hasMain() bool { return strings.Contains(b.Text, "\nfunc main() {") }

// isShared is whether the block is what all pieces of its page share.
func (b Block) isShared() bool { return slices.Equal(b.Info, []string{"go", "shared"}) }

// programPage is the page whose program the block is part of, or "".
func (b Block) programPage() string {
	if b.Language() == "go" && len(b.Info) == 2 && strings.HasSuffix(b.Info[1], ".md") {
		return b.Info[1]
	}
	return ""
}

func (p Page) directive(root string, line int) string {
	return fmt.Sprintf("//line %s:%d\n", filepath.Join(root, filepath.FromSlash(p.Name)), line)
}

// fragment is the source of a block of declarations or statements.
func (b Block) fragment(directive, shared string) (string, error) {
	head := "package fragment\n" + shared
	declarations := head + directive + b.Text
	_, err := parser.ParseFile(token.NewFileSet(), "", "package fragment\n"+directive+b.Text, parser.SkipObjectResolution)
	if err == nil {
		return declarations, nil
	}
	statements := "func _() {\n" + directive + b.Text + "}\n"
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package fragment\n"+statements, parser.SkipObjectResolution); err != nil {
		return "", err
	}
	return head + statements, nil
}
