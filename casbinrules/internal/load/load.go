// Package load prepares a policy that was read for decisions, and collects all
// findings about it.
package load

import (
	"cmp"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/lint"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core"
)

// Loaded is a policy that is ready to decide.
type Loaded struct {
	*engine.Snapshot
	Warnings []model.Finding // those that did not refuse the policy
	// Edited is the number of lines that have changed since all lines were read.
	// What they replaced is still in memory.
	Edited int

	// follows reports that the policy is the previous one except for moved lines.
	follows bool
	moves   policy.Moves
	kept    *kept // nil if the next load must read all lines
}

// Compare returns the difference from the policy that was in force before, which
// had these rules.
func (l *Loaded) Compare(before policy.Rules, p *pace.Pace) policy.Difference {
	if !l.follows {
		return policy.Compare(before, l.Rules, p)
	}
	return l.moves.Compare(before, l.Rules, p)
}

// Load prepares what was read for decisions. The error is a [*model.FindingsError],
// or Casbin's.
func Load(in *source.Contents, c *model.Settings) (*Loaded, error) {
	r, err := Read(in, c)
	if err != nil {
		return nil, err
	}
	// Both run at the same time, since few policies are refused.
	built := pace.Aside(c.Pace, func() (*engine.Snapshot, error) { return r.build(c) })
	r.Check(in, nil)
	s, err := built()
	switch {
	case model.Refused(r.Findings):
		return nil, &model.FindingsError{Findings: r.Findings}
	case err != nil:
		return nil, err
	}
	return &Loaded{Snapshot: s, Warnings: model.Warnings(r.Findings), kept: r.keep(in, c)}, nil
}

// build returns the snapshot of a policy without an invalid line; nil for others.
func (r *Reading) build(c *model.Settings) (*engine.Snapshot, error) {
	if r.Schema.File.Failed() || r.errors > 0 {
		return nil, nil
	}
	s, err := engine.NewSnapshot(r.Schema, r.Rules, r.Graphs, c)
	if err != nil {
		return nil, err
	}
	c.Pace.RestIfDue()
	return s, nil
}

// Reading is a model and its policy as read, valid or not. Linter and snapshot only
// read what they share.
type Reading struct {
	Schema *model.Schema
	Rules  policy.Rules
	Graphs map[string]*policy.Graph
	// Findings are those about lines and role links; after Check, all of them.
	Findings []model.Finding

	files  []string
	texts  *policy.Texts
	errors int             // invalid lines
	told   []model.Finding // about lines
	alone  bool            // all findings are about single lines, none about role links
	linter *lint.Linter    // nil if the matcher cannot be parsed
	// edited is the number of lines that have changed since all lines were read.
	edited int
}

// Read parses model and policy. It skips the policy if the model does not define its
// lines.
func Read(in *source.Contents, c *model.Settings) (*Reading, error) {
	s := model.ReadSchema(in.Model.Name, in.Model.Text, c)
	s.CheckOptions(c)
	if !s.File.Failed() {
		if err := engine.Probe(s, c); err != nil {
			return nil, err
		}
	}
	r := &Reading{Schema: s, files: in.Names()}
	if s.Defined {
		r.readPolicy(in, c)
	}
	return r, nil
}

func (r *Reading) readPolicy(in *source.Contents, c *model.Settings) {
	p := policy.NewReader(r.Schema, c)
	if in.Adapted {
		p.ReadRows(source.AdapterFile, in.Rows)
	} else {
		for _, file := range in.Policies {
			p.Read(file.Name, file.Content)
		}
	}
	if p.Texts != nil {
		p.Texts.Trim()
	}
	c.Pace.RestIfDue()
	r.Rules, r.texts = p.Rules, policy.TextsOf(p.Rules)
	if !r.Schema.File.Has(model.CodeModelMatcher) {
		// Without the matcher it is unknown what the columns mean.
		r.linter = lint.Start(r.forLint(p.Column), c)
	}
	c.Pace.RestIfDue()
	r.Graphs = policy.NewGraphs(r.Schema, r.Rules, c)
	r.told = slices.Clip(p.Findings)
	p.CheckPolicy(r.files[0], c)
	p.CheckConstraints()
	p.CheckRoles(r.Graphs)
	r.Findings, r.errors = p.Findings, p.Errors
	r.alone = len(r.told) == len(p.Findings) && policy.Independent(r.told)
}

func (r *Reading) forLint(column func(policy.Rule, int) int) lint.Policy {
	return lint.Policy{Schema: r.Schema, Files: r.files, Texts: r.texts, Rules: r.Rules, Column: column}
}

// Check adds all other findings about model and policy, and sorts them.
func (r *Reading) Check(in *source.Contents, routes []core.RouteInfo) {
	var found, beside []model.Finding
	if r.linter != nil {
		found, beside = r.linter.Findings(r.Graphs, r.errors == 0, routes)
	}
	r.Findings = slices.Concat(r.Schema.File.Findings, r.Findings, found, beside)
	sortFindings(r.Findings, r.files)
	showRows(r.Findings, in.Rows)
}

func sortFindings(findings []model.Finding, files []string) {
	order := func(a, b model.Finding) int {
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
	if !slices.IsSortedFunc(findings, order) { // which is cheap to check and often the case
		slices.SortStableFunc(findings, order)
	}
}

// showRows adds to each finding the row that it is about, since there is no file
// that an editor could open.
func showRows(findings []model.Finding, rows [][]string) {
	for i := range findings {
		if f := &findings[i]; f.File == source.AdapterFile && 0 < f.Line && f.Line <= len(rows) {
			f.Message += ", in the row " + model.Cut(policy.LineText(rows[f.Line-1]))
		}
	}
}
