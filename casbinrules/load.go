package casbinrules

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// load reads model and policy into a snapshot.
func load(fsys fs.FS, m Model, policies []string, c *config) (*snapshot, error) {
	r, err := read(fsys, m, policies, c, nil)
	if err != nil {
		return nil, err
	}
	if refused(r.findings) {
		return nil, &FindingsError{r.findings}
	}
	s, err := newSnapshot(r.schema, r.rules, r.graphs, c)
	if err != nil {
		return nil, err
	}
	s.warnings = r.findings
	return s, nil
}

// reading is a model and its policy as read, good or not.
type reading struct {
	schema *schema
	files  []string
	rules  []*rule
	graphs map[string]*graph
	// findings are all there are, sorted.
	findings []Finding
}

// read reads model and policy and looks for everything there is to say about
// them. The error is that of a file that cannot be read. The policy is left
// out when the model does not say what its lines are.
func read(fsys fs.FS, m Model, policies []string, c *config, routes []core.RouteInfo) (*reading, error) {
	m, err := m.read(fsys)
	if err != nil {
		return nil, err
	}
	files, err := policyFiles(fsys, policies)
	if err != nil {
		return nil, err
	}
	s := readSchema(m, c)
	s.checkOptions(c)
	if !s.file.failed() {
		if err := s.probe(c); err != nil {
			return nil, err
		}
	}
	r := &reading{schema: s, files: files}
	if s.defined {
		if err := r.readPolicy(fsys, c, routes); err != nil {
			return nil, err
		}
	}
	r.findings = append(slices.Clone(s.file.findings), r.findings...)
	sortFindings(r.findings, files)
	return r, nil
}

func (r *reading) readPolicy(fsys fs.FS, c *config, routes []core.RouteInfo) error {
	p := newPolicyReader(r.schema, c)
	for _, file := range r.files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return fmt.Errorf("read policy: %w", err)
		}
		p.read(file, data)
	}
	r.rules = p.rules
	r.graphs = newGraphs(r.schema, r.rules, c)
	p.checkPolicy(r.files[0], c)
	p.checkRoles(r.graphs)
	r.findings = append(p.findings, lint(r, c, routes, p.errors == 0 && !r.schema.file.failed())...)
	return nil
}

// policyFiles lists the files meant by policies.
func policyFiles(fsys fs.FS, policies []string) ([]string, error) {
	if len(policies) == 0 {
		return nil, errors.New("no policy file is given")
	}
	var files []string
	for _, name := range policies {
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		entries, err := fs.ReadDir(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		before := len(files)
		for _, e := range entries {
			if !e.IsDir() && strings.HasSuffix(e.Name(), ".csv") {
				files = append(files, path.Join(name, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("read policy: directory %s holds no .csv file", name)
		}
	}
	return files, nil
}

// newGraphs follows the role links of every kind of g lines.
func newGraphs(s *schema, rules []*rule, c *config) map[string]*graph {
	byKind := map[string][]*rule{}
	for _, r := range rules {
		byKind[r.kind()] = append(byKind[r.kind()], r)
	}
	graphs := map[string]*graph{}
	for kind, width := range s.roles {
		prefix := ""
		if kind == "g" {
			prefix = c.rolePrefix
		}
		graphs[kind] = newGraph(byKind[kind], width == 3, prefix)
	}
	return graphs
}

func sortFindings(findings []Finding, files []string) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message))
	})
}
