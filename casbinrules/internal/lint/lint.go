// Package lint looks for likely mistakes in a policy that can be read.
package lint

import (
	"fmt"
	"iter"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/core"
)

// Policy is a policy that can be read.
type Policy struct {
	Schema *model.Schema
	Files  []string
	Rules  []*policy.Rule
	Column func(r *policy.Rule, field int) int // where a field begins
}

// Linter looks for likely mistakes in a policy.
type Linter struct {
	Policy
	settings *model.Settings
	graphs   map[string]*policy.Graph
	// shadows waits for what is looked for in the background.
	shadows func() ([]model.Finding, error)
	shape   *shape
	cover   *coverIndex
	routes  *routeIndex // nil when the routes are not known
	// vocabularies are those of the files, by their numbers, when somebody has
	// asked for them.
	vocabularies map[int32]vocabulary
	// patterned are the functions that take fields for patterns, by kind of lines.
	patterned map[string][]string
	found     []model.Finding
	// named are the methods that rules name.
	named map[string]bool
	// all are the rules of the policy where Rules are those of some subjects alone,
	// of which shadows and partners are looked for where only has a subject.
	all  []*policy.Rule
	only []bool // by the number of the subject; nil for all
	// before is the policy that came of revision became this one, or nil.
	before   *Before
	revision *policy.Revision
	lines    *Lines
}

// Start looks for rules that decide nothing in the background, which needs
// no role links.
func Start(p Policy, c *model.Settings) *Linter {
	l := newLinter(p, c)
	l.shadows = pace.Aside(c.Pace, func() ([]model.Finding, error) {
		l.checkShadows()
		return l.found, nil
	})
	return l
}

func newLinter(p Policy, c *model.Settings) *Linter {
	sh := readShape(p.Schema)
	return &Linter{Policy: p, settings: c, shape: sh, cover: newCoverIndex(p.Schema, sh)}
}

// Findings are all likely mistakes in rules and role links; routes are nil when
// they are not known. What is missing is missing only where all lines could be
// read, which complete says. Those about rules beside others come by themselves.
func (l *Linter) Findings(graphs map[string]*policy.Graph, complete bool, routes []core.RouteInfo) (found, beside []model.Finding) {
	// What looks at lines one by one, and at names, needs no index.
	single := Linter{Policy: l.Policy, settings: l.settings, graphs: graphs, shape: l.shape, before: l.before, revision: l.revision}
	if l.only != nil {
		single.Rules = l.all
	}
	others := pace.Aside(l.settings.Pace, func() ([]model.Finding, error) {
		l.lines = single.checkLines()
		single.checkFreeClauses()
		single.checkMarks()
		single.checkOpenClauses()
		single.checkUnusedRoles()
		single.checkUnusedColumns()
		single.checkLinkPatterns()
		single.checkLimits()
		if complete {
			single.checkRoles()
		}
		return single.found, nil
	})
	_, _ = l.shadows() // never an error
	l.graphs = graphs
	if routes != nil {
		l.routes = newRouteIndex(routes, l.settings.ObjectRoute)
	}
	if complete || l.settings.Edited { // when it may be so at the next edit
		if l.named == nil {
			l.named = policy.NamedMethods(l.Schema, l.Rules)
		}
		l.checkPartners()
	}
	if complete {
		l.checkRoutes(routes)
	}
	found, _ = others() // never an error
	if !complete {
		return found, slices.DeleteFunc(slices.Clone(l.found), isAboutPartner)
	}
	return found, l.found
}

// policyRules are the p lines.
func (l *Linter) policyRules() iter.Seq[*policy.Rule] {
	return l.policyRulesOf(l.Rules)
}

func (l *Linter) policyRulesOf(rules []*policy.Rule) iter.Seq[*policy.Rule] {
	return func(yield func(*policy.Rule) bool) {
		for _, r := range rules {
			l.settings.Pace.Step()
			if r.IsPolicy() && !yield(r) {
				return
			}
		}
	}
}

// reportColumn reports a finding at a column of a p line.
func (l *Linter) reportColumn(r *policy.Rule, column int, code, hint, format string, args ...any) {
	l.report(r, column+1, code, hint, format, args...)
}

// report reports a finding at a field of a rule, the kind being field 0.
func (l *Linter) report(r *policy.Rule, field int, code, hint, format string, args ...any) {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	l.addFinding(r, field, code, hint, message)
}

// addFinding is report for what there may be much to say of.
func (l *Linter) addFinding(r *policy.Rule, field int, code, hint, message string) {
	l.addFindingAs(l.settings.Severity(code), r, field, code, hint, message)
}

// addFindingAs is addFinding with a severity of its own.
func (l *Linter) addFindingAs(severity model.Severity, r *policy.Rule, field int, code, hint, message string) {
	if len(l.found) == cap(l.found) {
		l.found = slices.Grow(l.found, len(l.found)+1) // at least twice as many
	}
	l.found = append(l.found, model.Finding{
		File: r.File(), Line: int(r.Line), Column: l.Column(r, field), Severity: severity,
		Code: code, Message: message, Hint: hint,
	})
}
