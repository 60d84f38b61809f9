package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// all are the imports of the project, in the order of their paths.
func (s *source) all() []*imported {
	all := append(slices.Collect(maps.Values(s.imports)), s.dots...)
	slices.SortFunc(all, func(a, b *imported) int { return strings.Compare(a.path, b.path) })
	return all
}

// visitDots renames what dot imports bring into the file: the names that
// neither the file nor another one of its folder declares.
func (s *source) visitDots() {
	if len(s.dots) == 0 {
		return
	}
	declared := s.declared()
	// Deprecated for lack of types, and just what is wanted: the names that the file does not declare, without types
	for _, id := range s.tree.Unresolved {
		if declared[id.Name] {
			continue
		}
		for _, i := range s.dots {
			old := symbol{path: i.path, name: id.Name}
			if what, ok := s.list.byHand[old]; ok {
				s.noteAt(id, "%s: %s", old, what)
			}
			now, ok := s.list.names[old]
			switch {
			case !ok:
			case now.path != s.list.newPath(i.path):
				s.noteAt(id, "%s is %s now, in a package that the file has to import", old, now)
			case declared[now.name]:
				s.noteAt(id, "%s is %s now, a name that the package has itself", old, now)
			default:
				s.replace(id, now.name)
			}
		}
	}
}

// declared are the names that the files in the folder declare outside of
// functions.
func (s *source) declared() map[string]bool {
	names := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(s.fset.File(s.tree.Pos()).Name()), "*.go"))
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// What a file with a syntax error declares before it counts too.
		f, _ := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
		if f == nil || f.Name.Name != s.tree.Name.Name {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = names[d.Name.Name] || d.Recv == nil
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

// localName is the name that the package with that path has in the file, or
// will have once moveImports has imported it.
func (s *source) localName(path string) string {
	for name, i := range s.imports {
		if s.list.newPath(i.path) == path && name != i.path {
			return name
		}
	}
	name := baseName(path)
	taken := false
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			ast.Inspect(sel.X, func(n ast.Node) bool { taken = taken || isNamed(n, name); return true })
			return false
		}
		taken = taken || isNamed(n, name)
		return true
	})
	if taken || s.declared()[name] {
		return "sallyport" + name
	}
	return name
}

func isNamed(n ast.Node, name string) bool {
	id, ok := n.(*ast.Ident)
	return ok && id.Name == name
}

// moveImports gives packages their new paths, and imports those that names
// moved to. An import that nothing is left of makes room for the first of them.
func (s *source) moveImports() {
	known := map[string]bool{}
	for name, i := range s.imports {
		known[s.list.newPath(i.path)] = name != i.path
	}
	for _, i := range s.all() {
		var specs []string
		for _, path := range i.to {
			if !known[path] {
				known[path] = true
				specs = append(specs, s.importSpec(path))
			}
		}
		unused := i.left > 0 && i.left == i.uses
		switch now := s.list.newPath(i.path); {
		case unused && len(specs) > 0:
			s.replace(i.spec, specs[0])
			specs = specs[1:]
		case unused:
			s.drop(i.spec)
		case now == i.path:
		case i.spec.Name == nil && baseName(now) != baseName(i.path):
			s.replace(i.spec.Path, baseName(i.path)+" "+strconv.Quote(now))
		default:
			s.replace(i.spec.Path, strconv.Quote(now))
		}
		s.insert(i.spec, specs)
	}
}

// importSpec is how the file imports a package.
func (s *source) importSpec(path string) string {
	if name := s.localName(path); name != baseName(path) {
		return name + " " + strconv.Quote(path)
	}
	return strconv.Quote(path)
}

// declaration is the import declaration with that spec.
func (s *source) declaration(spec *ast.ImportSpec) *ast.GenDecl {
	for _, d := range s.tree.Decls {
		if d, ok := d.(*ast.GenDecl); ok && slices.Contains(d.Specs, ast.Spec(spec)) {
			return d
		}
	}
	panic("an import that is in no declaration of its file")
}

// drop takes an import out, with its line.
func (s *source) drop(spec *ast.ImportSpec) {
	var n ast.Node = spec
	if d := s.declaration(spec); !d.Lparen.IsValid() {
		n = d
	}
	from, to := s.line(n)
	s.edits = append(s.edits, edit{from, to, ""})
}

// insert imports further packages behind a spec.
func (s *source) insert(spec *ast.ImportSpec, specs []string) {
	d := s.declaration(spec)
	_, end := s.line(spec)
	for _, text := range specs {
		if d.Lparen.IsValid() {
			text = "\t" + text
		} else {
			text = "import " + text
		}
		s.edits = append(s.edits, edit{end, end, text + "\n"})
	}
}

// line gives where the lines of a node begin and end, the newline included.
func (s *source) line(n ast.Node) (from, to int) {
	from, to = s.offset(n.Pos()), s.offset(n.End())
	for from > 0 && s.src[from-1] != '\n' {
		from--
	}
	for to < len(s.src) && s.src[to] != '\n' {
		to++
	}
	return from, min(to+1, len(s.src))
}

// apply makes all edits.
func (s *source) apply() []byte {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, e := range s.edits {
		if e.from < at {
			continue // within an edit that is made already
		}
		out = append(append(out, s.src[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, s.src[at:]...)
}
