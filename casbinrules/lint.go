package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// LintOption configures [Lint]. Every [Option] is one, and has the policy
// judged as [Open] would with it.
type LintOption interface{ applyLint(*lintConfig) error }

type lintConfig struct {
	config
	routes []core.RouteInfo
}

func (o Option) applyLint(c *lintConfig) error {
	if o == nil {
		return errors.New("an option is nil")
	}
	return o(&c.config)
}

type routesOption []core.RouteInfo

func (o routesOption) applyLint(c *lintConfig) error {
	c.routes = o
	return nil
}

// WithRoutes has [Lint] compare the policy with the routes of an application:
// rules that match none of them, and routes that no rule covers. The patterns
// may be spelt as Gin, Fiber, Echo or net/http do.
func WithRoutes(routes []core.RouteInfo) LintOption { return routesOption(slices.Clone(routes)) }

// Lint reads a model and its policy as [Open] does and returns all there is to
// say about them, errors, warnings and notes, those of the model first, then in
// the order of the policy files, their lines and columns.
//
// A policy line that cannot be read says nothing to the rest: findings about
// what is missing, such as a role that nobody is given, wait until no finding
// is an error.
//
// The error is that of an option or of a file that cannot be read.
func Lint(m Model, policies []string, opts ...LintOption) ([]Finding, error) {
	return LintFS(hostFS{}, m, policies, opts...)
}

// LintFS is [Lint] with all files inside fsys, as in [OpenFS].
func LintFS(fsys fs.FS, m Model, policies []string, opts ...LintOption) ([]Finding, error) {
	if fsys == nil {
		return nil, errors.New("casbinrules: the file system is nil")
	}
	var c lintConfig
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("casbinrules: an option is nil")
		}
		if err := opt.applyLint(&c); err != nil {
			return nil, fmt.Errorf("casbinrules: %w", err)
		}
	}
	in, err := (&sources{fsys: fsys, model: m, policies: policies, options: c.watch}).read()
	if err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	r, err := read(in, &c.config.settings)
	if err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	r.judge(in, c.routes)
	return r.findings, nil
}

// Warnings are the warnings about the policy in force, in the order of
// [FindingsError.Findings]. Notes are not among them; see [Lint].
func (a *Authorizer) Warnings() []Finding { return slices.Clone(a.current.Load().warnings) }

// logged is how many warnings of one policy are logged.
const logged = 20

func logFindings(l *slog.Logger, findings []Finding) {
	for i, f := range findings {
		if i == logged {
			l.Warn("policy: more warnings are not logged", "count", len(findings)-logged)
			return
		}
		l.LogAttrs(context.Background(), slog.LevelWarn, "policy: "+f.String(), slog.String("code", f.Code))
	}
}

// policyToLint is a policy that can be read.
type policyToLint struct {
	schema *schema
	files  []string
	rules  []*rule
	column func(r *rule, field int) int // where a field begins
}

// linter looks for likely mistakes in a policy.
type linter struct {
	policyToLint
	config *settings
	graphs map[string]*graph
	// shadows waits for what is looked for in the background.
	shadows func() ([]Finding, error)
	shape   *shape
	cover   *coverIndex
	routes  *routeIndex // nil when the routes are not known
	// vocabularies are those of the files, by their numbers, when somebody has
	// asked for them.
	vocabularies map[int32]vocabulary
	found        []Finding
}

// startLint looks for rules that decide nothing in the background, which needs
// no role links.
func startLint(p policyToLint, c *settings) *linter {
	l := newLinter(p, c)
	l.shadows = aside(c.pace, func() ([]Finding, error) {
		l.checkShadows()
		return l.found, nil
	})
	return l
}

func newLinter(p policyToLint, c *settings) *linter {
	sh := p.schema.readShape()
	return &linter{policyToLint: p, config: c, shape: sh, cover: newCoverIndex(p.schema, sh)}
}

// findings are all likely mistakes in rules and role links; routes are nil when
// they are not known. What is missing is missing only where all lines could be
// read, which complete says.
func (l *linter) findings(graphs map[string]*graph, complete bool, routes []core.RouteInfo) []Finding {
	// What looks at lines one by one, and at names, needs no index.
	single := linter{policyToLint: l.policyToLint, config: l.config, graphs: graphs, shape: l.shape}
	others := aside(l.config.pace, func() ([]Finding, error) {
		single.checkObjects()
		single.checkActions()
		single.checkEffects()
		single.checkFreeClauses()
		single.checkUnusedRoles()
		single.checkLiterals()
		if complete {
			single.checkRoles()
		}
		return single.found, nil
	})
	_, _ = l.shadows() // never an error
	l.graphs = graphs
	if routes != nil {
		l.routes = newRouteIndex(routes, l.config.objectRoute)
	}
	if complete {
		l.checkPartners()
		l.checkRoutes(routes)
	}
	found, _ := others() // never an error
	return slices.Concat(found, l.found)
}

// policyRules are the p lines.
func (l *linter) policyRules() iter.Seq[*rule] {
	return func(yield func(*rule) bool) {
		for _, r := range l.rules {
			l.config.pace.step()
			if r.isPolicy() && !yield(r) {
				return
			}
		}
	}
}

// reportColumn reports a finding at a column of a p line.
func (l *linter) reportColumn(r *rule, column int, code, hint, format string, args ...any) {
	l.report(r, column+1, code, hint, format, args...)
}

// report reports a finding at a field of a rule, the kind being field 0.
func (l *linter) report(r *rule, field int, code, hint, format string, args ...any) {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	l.tell(r, field, code, hint, message)
}

// tell is report for what there may be much to say of.
func (l *linter) tell(r *rule, field int, code, hint, message string) {
	l.tellAs(l.config.severity(code), r, field, code, hint, message)
}

// tellAs is tell with a severity of its own.
func (l *linter) tellAs(severity Severity, r *rule, field int, code, hint, message string) {
	if len(l.found) == cap(l.found) {
		l.found = slices.Grow(l.found, len(l.found)+1) // at least twice as many
	}
	l.found = append(l.found, Finding{
		File: r.file(), Line: int(r.line), Column: l.column(r, field), Severity: severity,
		Code: code, Message: message, Hint: hint,
	})
}
