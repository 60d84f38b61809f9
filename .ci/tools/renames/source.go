package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// source is one Go file on its way to the new names.
type source struct {
	list    *list
	fset    *token.FileSet
	tree    *ast.File
	src     []byte
	imports map[string]*imported // by the name they have in the file
	dots    []*imported
	edits   []edit
	notes   []string
}

// imported is an import of a package that the list speaks of, or may.
type imported struct {
	spec *ast.ImportSpec
	path string
	uses int      // how often the file uses it
	left int      // how many of these went to other packages
	to   []string // the import paths of those
}

// edit replaces the bytes from one offset to another.
type edit struct {
	from, to int
	text     string
}

// applySource applies the list to a Go file.
func (l *list) applySource(path string, src []byte) ([]byte, []string) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, src, 0)
	if err != nil {
		return src, []string{fmt.Sprintf("%v: left as it is", err)}
	}
	s := &source{list: l, fset: fset, tree: tree, src: src, imports: map[string]*imported{}}
	for _, spec := range tree.Imports {
		s.addImport(spec)
	}
	if len(s.imports) == 0 && len(s.dots) == 0 {
		return src, s.notes
	}
	ast.Inspect(tree, s.visit)
	s.visitDots()
	s.moveImports()
	slices.Sort(s.notes)
	return s.apply(), slices.Compact(s.notes)
}

// addImport keeps an import of the project.
func (s *source) addImport(spec *ast.ImportSpec) {
	path := strings.Trim(spec.Path.Value, "\"`")
	if !strings.HasPrefix(path, root) {
		return
	}
	i := &imported{spec: spec, path: path}
	name := baseName(path)
	if spec.Name != nil {
		name = spec.Name.Name
	}
	switch name {
	case ".":
		s.dots = append(s.dots, i)
	case "_":
		s.imports[path] = i // a name that no selector has
	default:
		s.imports[name] = i
	}
}

// baseName is the name of the package with that path.
func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// visit looks for the names of the list in selectors and composite literals.
func (s *source) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if i := s.qualifier(n); i != nil {
			s.name(i, n)
		} else {
			s.member(n.Sel)
		}
	case *ast.CompositeLit:
		s.literal(n, n.Type)
	case *ast.FuncDecl:
		if n.Recv != nil {
			s.member(n.Name)
		}
	case *ast.Field:
		s.embedded(n)
	}
	return true
}

// qualifier is the import that a selector takes a name from, or nil.
func (s *source) qualifier(n ast.Expr) *imported {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	id, ok := sel.X.(*ast.Ident)
	// Deprecated for lack of types, and just what is wanted: whether the file itself declares the name, without types
	if !ok || id.Obj != nil {
		return nil
	}
	return s.imports[id.Name]
}

// name renames a name of a package.
func (s *source) name(i *imported, n *ast.SelectorExpr) {
	i.uses++
	old := symbol{path: i.path, name: n.Sel.Name}
	if what, ok := s.list.byHand[old]; ok {
		s.noteAt(n, "%s: %s", old, what)
	}
	now, ok := s.list.names[old]
	if !ok {
		return
	}
	if now.path == s.list.newPath(i.path) {
		s.replace(n.Sel, now.name)
		return
	}
	i.left++
	if !slices.Contains(i.to, now.path) {
		i.to = append(i.to, now.path)
	}
	s.replace(n, s.localName(now.path)+"."+now.name)
}

// newPath is the import path that a package has now.
func (l *list) newPath(path string) string {
	if now, ok := l.packages[path]; ok {
		return now
	}
	return path
}

// literal renames the fields of a composite literal of the type t, and of the
// literals in it that leave out their type.
func (s *source) literal(n *ast.CompositeLit, t ast.Expr) {
	var inner ast.Expr
	switch t := t.(type) {
	case *ast.ArrayType:
		inner = t.Elt
	case *ast.MapType:
		inner = t.Value
	}
	if star, ok := inner.(*ast.StarExpr); ok {
		inner = star.X
	}
	i := s.qualifier(t)
	for _, e := range n.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		if keyed {
			e = kv.Value
		}
		if lit, ok := e.(*ast.CompositeLit); ok && lit.Type == nil && inner != nil {
			s.literal(lit, inner)
		}
		if i == nil || !keyed {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok {
			s.field(symbol{i.path, t.(*ast.SelectorExpr).Sel.Name, key.Name}, key)
		}
	}
}

// field renames a field that is known to be the one of the list.
func (s *source) field(old symbol, id *ast.Ident) {
	if what, ok := s.list.byHand[old]; ok {
		s.noteAt(id, "%s: %s", old, what)
	}
	if now, ok := s.list.members[old]; ok {
		s.replace(id, now.name)
	}
}

// member notes a method or field that may be one of the list: which it is takes
// types to tell.
func (s *source) member(id *ast.Ident) {
	for _, i := range s.all() {
		for old, now := range s.list.members {
			if old.path == i.path && old.name == id.Name {
				s.noteAt(id, "if this is %s, it is %s now", old, now.name)
			}
		}
		for old, what := range s.list.byHand {
			if old.typ != "" && old.path == i.path && old.name == id.Name {
				s.noteAt(id, "if this is %s: %s", old, what)
			}
		}
	}
}

// embedded notes an embedded type that has a new name, since the field by which
// it is reached has it too.
func (s *source) embedded(f *ast.Field) {
	if len(f.Names) > 0 {
		return
	}
	t := f.Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	i := s.qualifier(t)
	if i == nil {
		return
	}
	old := symbol{path: i.path, name: t.(*ast.SelectorExpr).Sel.Name}
	if now, ok := s.list.names[old]; ok && now.name != old.name && s.embeds(f) {
		s.noteAt(f, "the embedded field %s is named %s now", old.name, now.name)
	}
}

// embeds reports whether a field stands in a struct, and is no parameter.
func (s *source) embeds(f *ast.Field) (yes bool) {
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if t, ok := n.(*ast.StructType); ok && slices.Contains(t.Fields.List, f) {
			yes = true
		}
		return !yes
	})
	return yes
}

// noteAt keeps something to report about a place.
func (s *source) noteAt(n ast.Node, format string, args ...any) {
	p := s.fset.PositionFor(n.Pos(), false)
	s.notes = append(s.notes, fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...)))
}

func (s *source) replace(n ast.Node, text string) {
	s.edits = append(s.edits, edit{s.offset(n.Pos()), s.offset(n.End()), text})
}

func (s *source) offset(p token.Pos) int { return s.fset.PositionFor(p, false).Offset }
