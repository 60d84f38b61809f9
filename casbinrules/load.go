package casbinrules

import (
	"cmp"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/lint"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// policyInForce is a policy, ready to decide, with what there is to tell of it.
// It is immutable.
type policyInForce struct {
	engine.Snapshot
	version Version
	model   Model
	// warnings are what was found and did not refuse the policy.
	warnings []Finding
}

// load reads model and policy, and makes them ready to decide.
func load(in *contents, c *model.Settings) (*policyInForce, error) {
	r, err := readContents(in, c)
	if err != nil {
		return nil, err
	}
	// The one is made while the other goes on: few mistakes refuse a policy.
	built := pace.Aside(c.Pace, func() (*policyInForce, error) { return r.build(in, c) })
	r.check(in, nil)
	s, err := built()
	switch {
	case model.Refused(r.findings):
		return nil, &FindingsError{Findings: r.findings}
	case err != nil:
		return nil, err
	}
	s.warnings = model.Warnings(r.findings)
	return s, nil
}

// build makes the snapshot of a policy in which no line is wrong; nil for
// others.
func (r *reading) build(in *contents, c *model.Settings) (*policyInForce, error) {
	if r.schema.File.Failed() || r.errors > 0 {
		return nil, nil
	}
	s, err := engine.NewSnapshot(r.schema, r.rules, r.graphs, c)
	if err != nil {
		return nil, err
	}
	c.Pace.RestIfDue()
	return &policyInForce{Snapshot: *s, model: in.model, version: newVersion(in, r.rules)}, nil
}

// reading is a model and its policy as read, good or not. What is common to
// lint and a snapshot is only read by both.
type reading struct {
	schema *model.Schema
	files  []string
	rules  []*policy.Rule
	graphs map[string]*policy.Graph
	errors int          // lines that are wrong
	linter *lint.Linter // nil when the matcher cannot be read
	// findings are those of lines and role links; with check all there are.
	findings []Finding
}

// readContents reads model and policy. The policy is left out when the model does not
// say what its lines are.
func readContents(in *contents, c *model.Settings) (*reading, error) {
	s := model.ReadSchema(in.model.name, in.model.text, c)
	s.CheckOptions(c)
	if !s.File.Failed() {
		if err := engine.Probe(s, c); err != nil {
			return nil, err
		}
	}
	r := &reading{schema: s, files: in.names()}
	if s.Defined {
		r.readPolicy(in, c)
	}
	return r, nil
}

func (r *reading) readPolicy(in *contents, c *model.Settings) {
	p := policy.NewReader(r.schema, c)
	if in.adapted {
		p.ReadRows(adapterFile, in.rows)
	} else {
		for _, file := range in.policies {
			p.Read(file.Name, file.Content)
		}
	}
	if p.Texts != nil {
		p.Texts.Trim()
	}
	r.rules = p.Rules
	if !r.schema.File.Has(model.CodeModelMatcher) {
		// Without the matcher nobody knows what the columns mean.
		r.linter = lint.Start(lint.Policy{Schema: r.schema, Files: r.files, Rules: r.rules, Column: p.Column}, c)
	}
	r.graphs = policy.NewGraphs(r.schema, r.rules, c)
	p.CheckPolicy(r.files[0], c)
	p.CheckConstraints()
	p.CheckRoles(r.graphs)
	r.findings, r.errors = p.Findings, p.Errors
}

// check looks for everything there is to say about model and policy, and puts
// it in order.
func (r *reading) check(in *contents, routes []core.RouteInfo) {
	var found []Finding
	if r.linter != nil {
		found = r.linter.Findings(r.graphs, r.errors == 0, routes)
	}
	r.findings = slices.Concat(r.schema.File.Findings, r.findings, found)
	sortFindings(r.findings, r.files)
	showRows(r.findings, in.rows)
}

func sortFindings(findings []Finding, files []string) {
	order := func(a, b Finding) int {
		if a.File != b.File {
			if n := cmp.Compare(slices.Index(files, a.File), slices.Index(files, b.File)); n != 0 {
				return n
			}
		}
		if a.Line != b.Line {
			return cmp.Compare(a.Line, b.Line)
		}
		if a.Column != b.Column {
			return cmp.Compare(a.Column, b.Column)
		}
		return cmp.Compare(a.Message, b.Message)
	}
	if !slices.IsSortedFunc(findings, order) { // which is soon seen, and often so
		slices.SortStableFunc(findings, order)
	}
}
