package casbinrules

import (
	"cmp"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// policyInForce is a policy, ready to decide, with what there is to tell of it.
// It is immutable.
type policyInForce struct {
	snapshot
	version Version
	model   Model
	// warnings are what was found and did not refuse the policy.
	warnings []Finding
}

// load reads model and policy, and makes them ready to decide.
func load(in *contents, c *settings) (*policyInForce, error) {
	r, err := read(in, c)
	if err != nil {
		return nil, err
	}
	// The one is made while the other goes on: few mistakes refuse a policy.
	built := aside(c.pace, func() (*policyInForce, error) { return r.build(in, c) })
	r.judge(in, nil)
	s, err := built()
	switch {
	case refused(r.findings):
		return nil, &FindingsError{r.findings}
	case err != nil:
		return nil, err
	}
	s.warnings = warnings(r.findings)
	return s, nil
}

// aside calls f on another goroutine and returns a function that waits for what
// it returns, and panics as f does. At a pace f is called there instead, so that
// a load takes one processor at most.
func aside[T any](p *pace, f func() (T, error)) func() (T, error) {
	if p != nil {
		return f
	}
	var made T
	var err error
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		made, err = f()
	}()
	return func() (T, error) {
		if <-done; panicked != nil {
			panic(panicked)
		}
		return made, err
	}
}

// build makes the snapshot of a policy in which no line is wrong; nil for
// others.
func (r *reading) build(in *contents, c *settings) (*policyInForce, error) {
	if r.schema.file.failed() || r.errors > 0 {
		return nil, nil
	}
	s, err := newSnapshot(r.schema, r.rules, r.graphs, c)
	if err != nil {
		return nil, err
	}
	c.pace.look()
	return &policyInForce{snapshot: *s, model: in.model, version: newVersion(in, r.rules)}, nil
}

// reading is a model and its policy as read, good or not. What is common to
// lint and a snapshot is only read by both.
type reading struct {
	schema *schema
	files  []string
	rules  []*rule
	graphs map[string]*graph
	errors int     // lines that are wrong
	linter *linter // nil when the matcher cannot be read
	// findings are those of lines and role links; with judge all there are.
	findings []Finding
}

// read reads model and policy. The policy is left out when the model does not
// say what its lines are.
func read(in *contents, c *settings) (*reading, error) {
	s := readSchema(in.model.name, in.model.text, c)
	s.checkOptions(c)
	if !s.file.failed() {
		if err := s.probe(c); err != nil {
			return nil, err
		}
	}
	r := &reading{schema: s, files: in.names()}
	if s.defined {
		r.readPolicy(in, c)
	}
	return r, nil
}

func (r *reading) readPolicy(in *contents, c *settings) {
	p := newPolicyReader(r.schema, c)
	if in.adapted {
		p.readRows(adapterFile, in.rows)
	} else {
		for _, file := range in.policies {
			p.read(file.Name, file.Content)
		}
	}
	if p.texts != nil {
		p.texts.trim()
	}
	r.rules = p.rules
	if !r.schema.file.has(codeModelMatcher) {
		// Without the matcher nobody knows what the columns mean.
		r.linter = startLint(policyToLint{r.schema, r.files, r.rules, p.column}, c)
	}
	r.graphs = newGraphs(r.schema, r.rules, c)
	p.checkPolicy(r.files[0], c)
	p.checkRoles(r.graphs)
	r.findings, r.errors = p.findings, p.errors
}

// judge looks for everything there is to say about model and policy, and puts
// it in order.
func (r *reading) judge(in *contents, routes []core.RouteInfo) {
	var found []Finding
	if r.linter != nil {
		found = r.linter.findings(r.graphs, r.errors == 0, routes)
	}
	r.findings = slices.Concat(r.schema.file.findings, r.findings, found)
	sortFindings(r.findings, r.files)
	showRows(r.findings, in.rows)
}

// newGraphs follows the role links of every kind of g lines.
func newGraphs(s *schema, rules []*rule, c *settings) map[string]*graph {
	graphs := map[string]*graph{}
	for kind, width := range s.roles {
		f := follower{graph: &graph{tenants: width == 3}, pace: c.pace}
		if kind == "g" {
			f.prefix = c.rolePrefix
		}
		f.make(rules, kind)
		graphs[kind] = f.graph
	}
	return graphs
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
