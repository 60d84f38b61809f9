package playground

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

// maxCells is the maximum number of matrix cells sent to the page.
const maxCells = 5000

// errRefused answers calls about a policy that does not load.
var errRefused = errors.New("the policy has errors and is refused, so no decision comes from it")

// MatrixResult is a matrix for the page.
type MatrixResult struct {
	Columns []Column     `json:"columns"`
	Rows    []matrix.Row `json:"rows"`
	// Cells are indexed by row and column.
	Cells [][]Cell `json:"cells"`
	Notes []string `json:"notes"`
}

// Column is a subject with the facts its requests carry.
type Column struct {
	Label string `json:"label"`
	Kind  string `json:"kind"`
	// Request is a request by the subject, without object and action.
	Request Request `json:"request"`
}

// Cell is a decision: "allow", "deny" or "error". Line is the policy line that decides, or
// 0, and File is its file if the policy has several. For an error there is the reason
// instead.
type Cell struct {
	Word string `json:"word"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Why  string `json:"why,omitempty"`
}

func (l *loaded) draw(ctx context.Context, in *Input) (*MatrixResult, error) {
	switch {
	case l.authorizer == nil:
		return nil, errRefused
	case in.Options.ObjectRoute && l.routes == nil:
		return nil, errors.New("the policy sees routes, which it does not list: list them in " + RoutesFile)
	}
	o := &in.Options
	s := matrix.Settings{
		Who:    ask.Who{Prefix: o.RolePrefix, NoTokenRoles: o.WithoutTokenRoles, Anonymous: o.AllowAnonymous, Users: o.Users},
		Routes: l.routes, ByRoute: o.ObjectRoute, Types: l.types, Most: maxCells,
	}
	for _, name := range ask.Attributes(l.fields) {
		if value := in.Request.Attributes[name]; value != "" {
			if s.Claims == nil {
				s.Claims = map[string][]string{}
			}
			s.Claims[name] = []string{value}
		}
	}
	m, err := matrix.New(ctx, l.authorizer, s)
	switch large, ok := errors.AsType[*matrix.TooLargeError](err); {
	case ok:
		return nil, fmt.Errorf("the table would have more than the %d cells that this page draws: list the routes that matter in %s, or use sallyport matrix", large.Most, RoutesFile)
	case err != nil:
		return nil, err
	}
	d := &MatrixResult{Rows: m.Rows, Cells: make([][]Cell, len(m.Cells)), Notes: append([]string{}, m.Notes...)}
	for _, c := range m.Columns {
		q := c.Question("", "")
		r := Request{Subject: q.Subject, Roles: q.Roles, Tenant: q.Tenant, Attributes: map[string]string{}}
		for name, value := range q.Attributes {
			r.Attributes[name] = fmt.Sprint(value)
		}
		d.Columns = append(d.Columns, Column{c.Label(), string(c.Kind), r})
	}
	for i, row := range m.Cells {
		d.Cells[i] = make([]Cell, len(row))
		for j, c := range row {
			made := Cell{Word: c.Word(), Why: c.Err}
			if c.Rule != nil {
				made.Line = c.Rule.Line
				if len(l.policies) > 1 {
					made.File = c.Rule.File
				}
			}
			d.Cells[i][j] = made
		}
	}
	return d, nil
}

// TestReport is the outcome of the tests.
type TestReport struct {
	Passed int `json:"passed"`
	Failed int `json:"failed"`
	// Errors are the syntax errors; if there are any, no test is run.
	Errors []Finding    `json:"errors"`
	Tests  []TestResult `json:"tests"`
	// Covered is the number of policy lines, out of Lines, that the tests depend on.
	// Uncovered lists the first of the other lines by file.
	Covered   int              `json:"covered"`
	Lines     int              `json:"lines"`
	Uncovered map[string][]int `json:"uncovered"`
}

// maxUncovered is the maximum number of uncovered lines sent to the page.
const maxUncovered = 1000

// TestResult is the result of one test.
type TestResult struct {
	Line   int    `json:"line"`
	Test   string `json:"test"`
	Passed bool   `json:"passed"`
	// Text says why the test failed, or warns that it proves nothing.
	Text string `json:"text,omitempty"`
}

func (l *loaded) test(ctx context.Context, in *Input) (*TestReport, error) {
	made := &TestReport{Errors: []Finding{}, Tests: []TestResult{}, Uncovered: map[string][]int{}}
	tests, err := policytest.Parse(TestsFile, in.Files[TestsFile])
	for _, e := range policytest.Errors(err) {
		line := strings.Split(in.Files[TestsFile], "\n")[e.Line-1]
		made.Errors = append(made.Errors, Finding{
			File: e.File, Line: e.Line, Character: utf16Length(line, e.Column-1), Severity: "error", Code: "test_syntax", Message: e.Message,
		})
	}
	switch {
	case err != nil:
		return made, nil
	case l.authorizer == nil:
		return nil, errRefused
	}
	results, err := policytest.Runner{Canonical: in.canonical}.Run(ctx, l.authorizer, tests)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		one := TestResult{Line: r.Test.Line, Test: r.Test.String(), Passed: r.Passed(), Text: strings.Join(r.Warnings, "; ")}
		switch {
		case r.Err != nil:
			one.Text = strings.TrimPrefix(r.Err.Error(), "casbinrules: ")
		case !one.Passed:
			one.Text = r.Why.String()
		}
		if one.Passed {
			made.Passed++
		} else {
			made.Failed++
		}
		made.Tests = append(made.Tests, one)
	}
	if len(results) == 0 {
		return made, nil
	}
	c, err := policytest.NewCoverage(ctx, l.authorizer, results)
	if err != nil {
		return nil, err
	}
	made.Covered, made.Lines = c.Covered, c.Lines
	for _, r := range c.NotCovered[:min(len(c.NotCovered), maxUncovered)] {
		made.Uncovered[r.File] = append(made.Uncovered[r.File], r.Line)
	}
	return made, nil
}
