// Package lint finds likely mistakes in a policy that has been parsed.
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

// Policy is a policy that has been parsed.
type Policy struct {
	Schema *model.Schema
	Files  []string
	Texts  *policy.Texts
	Rules  policy.Rules
	Column func(r policy.Rule, field int) int // returns the column of a field
}

// Linter finds likely mistakes in a policy.
type Linter struct {
	Policy
	settings *model.Settings
	graphs   map[string]*policy.Graph
	// shadows waits for the findings that are determined in the background.
	shadows func() ([]model.Finding, error)
	shape   *shape
	cover   *coverIndex
	routes  *routeIndex // nil if the routes are not known
	// vocabularies are those of the files, by number, made when first needed.
	vocabularies map[int32]vocabulary
	// patterned are the functions by which fields are patterns, by kind of lines.
	patterned map[string][]string
	found     []model.Finding
	// named are the methods that rules name, or nil until they are needed. Until shadows
	// returns, only the comparison of rules uses them.
	named map[string]bool
	// all are the rules of the policy if Rules are only those of some subjects; shadows
	// and partners are then determined for the subjects in only.
	all  policy.Rules
	only []bool // by the number of the subject; nil for all
	// before is the policy that became this one by revision, or nil.
	before   *Before
	revision *policy.Revision
	lines    *Lines
	names    *names
}

// Start begins to find, in the background, rules that have no effect, for which
// role links are not needed.
func Start(p Policy, c *model.Settings) *Linter {
	l := newLinter(p, c)
	l.startShadows()
	return l
}

func (l *Linter) startShadows() {
	l.shadows = pace.Aside(l.settings.Pace, func() ([]model.Finding, error) {
		l.checkShadows()
		return l.found, nil
	})
}

func newLinter(p Policy, c *model.Settings) *Linter {
	sh := readShape(p.Schema)
	return &Linter{Policy: p, settings: c, shape: sh, cover: newCoverIndex(p.Schema, p.Texts, sh)}
}

// Findings returns all likely mistakes in rules and role links; routes are nil if
// they are not known. complete reports that all lines could be parsed: only then
// can anything be reported as missing. Findings about rules in relation to others
// are returned separately, as beside.
func (l *Linter) Findings(graphs map[string]*policy.Graph, complete bool, routes []core.RouteInfo) (found, beside []model.Finding) {
	// Checks of single lines, and of names, need no index.
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
			l.names = single.checkNames()
		}
		return single.found, nil
	})
	_, _ = l.shadows() // never fails
	l.graphs = graphs
	if routes != nil {
		l.routes = newRouteIndex(routes, l.settings.ObjectRoute)
	}
	if complete || l.settings.Edited { // it may be complete after the next edit
		if l.named == nil {
			l.named = policy.NamedMethods(l.Schema, l.Rules)
		}
		l.checkPartners()
	}
	if complete {
		l.checkRoutes(routes)
	}
	found, _ = others() // never fails
	if !complete {
		return found, slices.DeleteFunc(slices.Clone(l.found), isAboutPartner)
	}
	return found, l.found
}

// policyRules returns the p lines.
func (l *Linter) policyRules() iter.Seq[policy.Rule] {
	return l.policyRulesOf(l.Rules)
}

func (l *Linter) policyRulesOf(rules policy.Rules) iter.Seq[policy.Rule] {
	return func(yield func(policy.Rule) bool) {
		for _, r := range rules.All() {
			l.settings.Pace.Step()
			if r.IsPolicy() && !yield(r) {
				return
			}
		}
	}
}

// reportColumn reports a finding at a column of a p line.
func (l *Linter) reportColumn(r policy.Rule, column int, code, hint, format string, args ...any) {
	l.report(r, column+1, code, hint, format, args...)
}

// report reports a finding at a field of a rule, the kind being field 0.
func (l *Linter) report(r policy.Rule, field int, code, hint, format string, args ...any) {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	l.addFindingAs(l.settings.Severity(code), r, field, code, hint, message)
}

// addFindingAs is report with a given severity and without formatting.
func (l *Linter) addFindingAs(severity model.Severity, r policy.Rule, field int, code, hint, message string) {
	l.reportAt(r.File(), model.Position{Line: int(r.Line), Column: l.Column(r, field)}, severity, code, hint, message)
}

func (l *Linter) reportAt(file string, at model.Position, severity model.Severity, code, hint, message string) {
	if len(l.found) == cap(l.found) {
		l.found = slices.Grow(l.found, len(l.found)+1) // at least twice as many
	}
	l.found = append(l.found, model.Finding{
		File: file, Line: at.Line, Column: at.Column, Severity: severity, Code: code, Message: message, Hint: hint,
	})
}
