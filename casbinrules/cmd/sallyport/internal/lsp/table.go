package lsp

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// row is a policy line with fields.
type row struct {
	doc    *document
	line   int // from 0
	fields []field
}

func (r *row) kind() string { return r.fields[0].text }

// text returns the text of a field; "" if the line does not have it.
func (r *row) text(field int) string {
	if field < len(r.fields) {
		return r.fields[field].text
	}
	return ""
}

// offset returns the offset in the document at which a field begins.
func (r *row) offset(f field) int { return r.doc.feeds[r.line] + f.start }

// rowsOf returns the lines of a document that have fields.
func rowsOf(d *document) []row {
	rows := make([]row, 0, d.lines())
	for n := range d.lines() {
		if fields := splitFields(d.line(n)); fields != nil {
			rows = append(rows, row{d, n, fields})
		}
	}
	return rows
}

// parsed caches the parsed lines of open documents between requests.
type parsed struct {
	mu   sync.Mutex
	rows map[*document][]row
}

func (p *parsed) of(v *view, d *document) []row {
	if v.docs[d.path] != d {
		return rowsOf(d)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if rows, known := p.rows[d]; known {
		return rows
	}
	made := map[*document][]row{d: rowsOf(d)}
	for other, rows := range p.rows {
		if v.docs[other.path] == other {
			made[other] = rows
		}
	}
	p.rows = made
	return made[d]
}

// policy is the context of a document: the model, the lines of all policy files, and the
// tests beside them.
type policy struct {
	Project
	files  overlay
	schema *schema // nil if there is no model
	rows   []row
	tests  []*document
}

// policyOf returns the policy that the document of a request belongs to.
func (s *server) policyOf(q *query) *policy {
	project, err := s.config.Find(Lookup{File: q.doc.path, Kind: q.doc.kind, Settings: q.view.settings, Dirs: q.view.dirs, FS: q.view.files()})
	p := &policy{Project: project, files: q.view.files()}
	if err != nil || project.Model.Name() == "" {
		if q.doc.kind == KindPolicy {
			p.rows = s.parsed.of(q.view, q.doc)
		}
		return p
	}
	p.schema = readSchema(p.files, project)
	dirs := []string{filepath.Dir(q.doc.path)}
	for _, name := range p.policyFiles() {
		if d := p.files.document(name); d != nil {
			p.rows = append(p.rows, s.parsed.of(q.view, d)...)
			dirs = append(dirs, filepath.Dir(d.path))
		}
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		p.addTests(dir)
	}
	return p
}

// policyFiles expands the policies to files as the loader does.
func (p *policy) policyFiles() []string {
	var files []string
	for _, name := range p.Policies {
		if info, err := fs.Stat(p.files, name); err != nil || !info.IsDir() {
			files = append(files, filepath.Clean(name))
			continue
		}
		entries, _ := p.files.ReadDir(name)
		for _, e := range entries {
			if !e.IsDir() && strings.HasSuffix(e.Name(), ".csv") && e.Name()[0] != '.' {
				files = append(files, filepath.Join(name, e.Name()))
			}
		}
	}
	return files
}

func (p *policy) addTests(dir string) {
	entries, _ := p.files.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == ".tests" {
			if d := p.files.document(filepath.Join(dir, e.Name())); d != nil {
				p.tests = append(p.tests, d)
			}
		}
	}
}

// field returns the policy field that contains offset or ends there; r is nil if there is
// none.
func (p *policy) field(d *document, offset int) (r *row, number int) {
	line := lineOf(d.feeds, offset)
	fields := splitFields(d.line(line))
	for i, f := range fields {
		if at := offset - d.feeds[line]; f.start <= at && at <= f.end {
			return &row{d, line, fields}, i
		}
	}
	return nil, 0
}

// domain returns the domain of a field of a line according to the model.
func (p *policy) domain(r *row, field int) string {
	if p.schema == nil {
		return ""
	}
	return p.schema.domain(r.kind(), field)
}

// names returns the distinct names of a domain in order of appearance, and which of them
// are roles or groups, meaning that role links lead to them.
func (p *policy) names(domain string) (names []string, groups map[string]bool) {
	groups = map[string]bool{}
	seen := map[string]bool{}
	for i := range p.rows {
		r := &p.rows[i]
		for n := 1; n < len(r.fields); n++ {
			if p.domain(r, n) != domain {
				continue
			}
			text := r.fields[n].text
			if n == 2 && p.schema.isLink(r.kind()) {
				groups[text] = true
			}
			if text != "" && !seen[text] {
				seen[text] = true
				names = append(names, text)
			}
		}
	}
	return names, groups
}
