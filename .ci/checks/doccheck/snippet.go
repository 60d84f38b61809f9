package doccheck

import (
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// Package is a package to compile, made of snippets of one page.
type Package struct {
	// Page and Line are where the snippet that it is made for stands.
	Page string
	Line int
	// Files are the sources, each with a line directive that leads compiler
	// messages to the page.
	Files []string
}

// Packages are what the Go blocks of a page are compiled as. The error is of a
// block that does not even parse. root is the absolute path of the repository.
func (p Page) Packages(root string) ([]Package, error) {
	var shared []string
	for _, b := range p.Blocks {
		if b.isProgram() && !b.hasMain() {
			shared = append(shared, p.directive(root, b.Line)+b.Text)
		}
	}
	var packages []Package
	for _, b := range p.Blocks {
		var files []string
		switch {
		case b.Language() != "go" || b.isProgram() && !b.hasMain():
			continue
		case b.isProgram():
			files = append([]string{p.directive(root, b.Line) + b.Text}, shared...)
		default:
			source, err := b.fragment(p.directive(root, b.Line), p.Prelude)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			if p.Prelude == "" {
				continue
			}
			files = []string{source}
		}
		packages = append(packages, Package{p.Name, b.Line, files})
	}
	if len(packages) == 0 && len(shared) > 0 {
		return nil, fmt.Errorf("%s: a package without func main, and no program that it could be part of", p.Name)
	}
	return packages, nil
}

func (b Block) isProgram() bool {
	return b.Language() == "go" && strings.HasPrefix(b.Text, "package ")
}

func (b Block) hasMain() bool { return strings.Contains(b.Text, "\nfunc main() {") }

func (p Page) directive(root string, line int) string {
	return fmt.Sprintf("//line %s:%d\n", filepath.Join(root, filepath.FromSlash(p.Name)), line)
}

// fragment is the source of a block of declarations or statements.
func (b Block) fragment(directive, prelude string) (string, error) {
	head := "package fragment\n" + prelude
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
