package casbinrules

import (
	"cmp"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// load makes a snapshot of model and policy.
func load(in *contents, c *config) (*snapshot, error) {
	r, err := read(in, c, nil)
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
	s.model = in.model
	s.version = newVersion(in, r.rules)
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
// them. The policy is left out when the model does not say what its lines are.
func read(in *contents, c *config, routes []core.RouteInfo) (*reading, error) {
	s := readSchema(in.model, c)
	s.checkOptions(c)
	if !s.file.failed() {
		if err := s.probe(c); err != nil {
			return nil, err
		}
	}
	r := &reading{schema: s, files: in.names()}
	if s.defined {
		r.readPolicy(in, c, routes)
	}
	r.findings = append(slices.Clone(s.file.findings), r.findings...)
	sortFindings(r.findings, r.files)
	showRows(r.findings, in.rows)
	return r, nil
}

func (r *reading) readPolicy(in *contents, c *config, routes []core.RouteInfo) {
	p := newPolicyReader(r.schema, c)
	if in.adapted {
		p.readRows(in.rows)
	} else {
		for _, file := range in.policies {
			p.read(file.Name, file.Content)
		}
	}
	r.rules = p.rules
	r.graphs = newGraphs(r.schema, r.rules, c)
	p.checkPolicy(r.files[0], c)
	p.checkRoles(r.graphs)
	r.findings = p.findings
	if !r.schema.file.has(codeModelMatcher) {
		// Without the matcher nobody knows what the columns mean.
		r.findings = append(r.findings, lint(r, c, routes, p.errors == 0)...)
	}
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
