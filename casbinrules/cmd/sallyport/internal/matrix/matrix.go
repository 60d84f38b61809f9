// Package matrix draws a table of roles and routes that shows who may do what.
package matrix

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sample"
	"github.com/sallyport-go/sallyport/core"
)

// maxCells is the default limit on the number of cells.
const maxCells = 100_000

// Matrix is a table of decisions. Cells are indexed by row and column.
type Matrix struct {
	Columns []ask.Subject
	Rows    []Row
	Cells   [][]Cell
	// Word is the value used for parameters.
	Word string
	// Notes are remarks about the table.
	Notes []string
}

// Row is a route with a sample request for it.
type Row struct {
	Method string `json:"method"`
	// Route is a pattern of the application or the policy.
	Route string `json:"route"`
	// Sample is the object of the sample request.
	Sample string `json:"sample"`
}

// Cell is a decision.
type Cell struct {
	Allowed bool
	Reason  core.Reason
	// Rule is the line that decided, or nil.
	Rule *casbinrules.RuleText
	// Err says why there is no decision; "" if there is one.
	Err string
}

// Word returns "allow", "deny" or "error".
func (c Cell) Word() string {
	switch {
	case c.Err != "":
		return "error"
	case c.Allowed:
		return "allow"
	default:
		return "deny"
	}
}

// Settings configure a table.
type Settings struct {
	ask.Who
	// Routes are the routes of the application; nil to use the patterns of the policy.
	Routes []core.RouteInfo
	// ByRoute reports that the policy decides about routes instead of paths.
	ByRoute bool
	// Claims are the values of attributes to show; for other attributes they are those that
	// the policy mentions. Types are the types of attributes that are not texts.
	Claims map[string][]string
	Types  map[string]casbinrules.AttributeType
	// ByName sorts routes and subjects by name instead of keeping the order of Routes and
	// the policy.
	ByName bool
	// Most is the maximum number of cells; 0 means 100,000.
	Most int
}

// TooLargeError is the error for a table of more than Most cells.
type TooLargeError struct{ Most int }

// Error says what to do on the command line.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the table would have more than the %d cells that are drawn: give fewer routes with --routes, or one tenant with --tenant", e.Most)
}

// rowSet detects duplicate rows, and rejects those that would make the table too large
// before anything is decided for them.
type rowSet struct {
	seen          map[Row]bool
	columns, most int
}

func (f *rowSet) add(list *[]Row, r Row) error {
	if f.seen[r] {
		return nil
	}
	f.seen[r] = true
	*list = append(*list, r)
	if len(f.seen)*f.columns > f.most {
		return &TooLargeError{f.most}
	}
	return nil
}

// New asks a policy about every subject and route.
func New(ctx context.Context, a *ask.Policy, s Settings) (*Matrix, error) {
	rules := a.Rules()
	m := &Matrix{Word: sample.WordFor(rules)}
	s.Stranger, s.Named = m.Word+"-user", ask.MatcherRoles(a.Matcher())
	if role := a.Everybody(); role != "" {
		s.Who.Everybody = true
		m.note(role)
	}
	var err error
	if s.Assignments, err = m.assignments(a, rules, s); err != nil {
		return nil, err
	}
	m.Columns = s.Subjects(rules, slices.ContainsFunc(a.RequestFields(), ask.IsTenant))
	fresh := rowSet{seen: map[Row]bool{}, columns: len(m.Columns), most: cmp.Or(s.Most, maxCells)}
	if s.Routes != nil {
		err = m.fromRoutes(s, &fresh)
	} else {
		err = m.fromPolicy(rules, &fresh)
	}
	if err != nil {
		return nil, err
	}
	if s.ByName {
		m.sort()
	}
	lines := make(map[string]*casbinrules.RuleText, len(rules)) // by place
	for _, r := range rules {
		lines[r.Place()] = &r.RuleText
	}
	for _, row := range m.Rows {
		cells := make([]Cell, len(m.Columns))
		for i, subject := range m.Columns {
			c, err := decide(ctx, a, lines, subject.Question(row.Sample, row.Method))
			if err != nil {
				return nil, err
			}
			cells[i] = c
		}
		m.Cells = append(m.Cells, cells)
	}
	return m, nil
}

// decide answers one question. If the policy cannot decide, that is recorded in the cell.
func decide(ctx context.Context, a *ask.Policy, lines map[string]*casbinrules.RuleText, q ask.Question) (Cell, error) {
	d, err := ask.Decide(ctx, a, q)
	if ctx.Err() != nil {
		return Cell{}, ctx.Err()
	}
	if err != nil {
		return Cell{Err: err.Error()}, nil
	}
	return Cell{Allowed: d.Allowed, Reason: d.Reason, Rule: lines[d.Rule]}, nil
}

// assignments returns the attribute values that columns are drawn for.
func (m *Matrix) assignments(a *ask.Policy, rules []casbinrules.Rule, s Settings) ([]*ask.Assignment, error) {
	fields := ask.Attributes(a.RequestFields())
	if err := ask.CheckClaims(s.Claims, fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	matcher, made := a.Matcher(), map[string][]string{}
	for _, field := range fields {
		if made[field] = s.Claims[field]; made[field] != nil {
			continue
		}
		patterns := ask.Values(rules, matcher, field)
		all, _ := sample.Values(patterns, s.Types[field], m.Word)
		for _, value := range all {
			if slices.ContainsFunc(patterns, func(p casbinrules.Pattern) bool { return p.Function == "<" || p.Matches(value) }) {
				made[field] = append(made[field], value)
			}
		}
		if made[field] == nil {
			return nil, fmt.Errorf("the model asks for the attribute %s, and the policy names no value of it: give one with --claim %s=VALUE", field, field)
		}
		m.note("the model asks for the attribute " + field + ", which is drawn as " + strings.Join(made[field], ", ") + "; --claim chooses others")
	}
	return ask.Assignments(fields, made), nil
}

func (m *Matrix) fromRoutes(s Settings, fresh *rowSet) error {
	for _, r := range s.Routes {
		object := sample.Path(r.Pattern, m.Word)
		if s.ByRoute {
			object = r.Pattern
		}
		if err := fresh.add(&m.Rows, Row{r.Method, r.Pattern, object}); err != nil {
			return err
		}
	}
	return nil
}

// fromPolicy uses the objects of rules as routes, with all actions that rules name for
// them.
func (m *Matrix) fromPolicy(rules []casbinrules.Rule, fresh *rowSet) error {
	var objects []string
	byObject := map[string]*[]Row{}
	for _, r := range rules {
		for _, object := range r.Objects {
			samples := sample.Objects(object, m.Word)
			if len(samples) == 0 {
				m.note("no request could be generated for " + object.Text + " (" + r.Place() + "), so it has no row")
				continue
			}
			if byObject[object.Text] == nil {
				objects, byObject[object.Text] = append(objects, object.Text), new([]Row)
			}
			for _, pattern := range r.Actions {
				actions := sample.Actions(pattern)
				if len(actions) == 0 {
					m.note("no action could be generated for " + pattern.Text + " (" + r.Place() + "), so it has no row")
				}
				for _, action := range actions {
					if err := fresh.add(byObject[object.Text], Row{action, object.Text, samples[0]}); err != nil {
						return err
					}
				}
			}
		}
	}
	for _, object := range objects {
		m.Rows = append(m.Rows, *byObject[object]...)
	}
	return nil
}

// sort sorts rows and columns by name. Subjects that the policy does not name stay first
// within each tenant.
func (m *Matrix) sort() {
	slices.SortStableFunc(m.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	place := func(s ask.Subject) (kind, name string) {
		if s.Kind == ask.Stranger || s.Kind == ask.Unknown {
			return "", ""
		}
		return string(s.Kind), s.Name
	}
	slices.SortStableFunc(m.Columns, func(a, b ask.Subject) int {
		kindA, nameA := place(a)
		kindB, nameB := place(b)
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(kindA, kindB), cmp.Compare(nameA, nameB))
	})
}

func (m *Matrix) note(text string) { m.Notes = distinct.Add(m.Notes, text) }
