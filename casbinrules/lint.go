package casbinrules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/load"
	"github.com/sallyport-go/sallyport/casbinrules/internal/source"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/option"
)

// LintOption configures [Lint]. Every [Option] is one, and makes [Lint] check the
// policy as [Open] would with it.
type LintOption interface{ applyLint(*lintConfig) error }

type lintConfig struct {
	config
	routes []core.RouteInfo
}

func (o Option) applyLint(c *lintConfig) error { return o(&c.config) }

// lintFuncs returns the options as functions, nil for those that are nil.
func lintFuncs(opts []LintOption) []func(*lintConfig) error {
	funcs := make([]func(*lintConfig) error, len(opts))
	for i, opt := range opts {
		if o, ok := opt.(Option); opt != nil && !(ok && o == nil) {
			funcs[i] = opt.applyLint
		}
	}
	return funcs
}

type routesOption []core.RouteInfo

func (o routesOption) applyLint(c *lintConfig) error {
	c.routes = o
	return nil
}

// WithRoutes makes [Lint] compare the policy with the routes of an application. It
// reports rules that match no route, and routes that no rule covers. The patterns
// may have the syntax of Gin, Fiber, Echo or net/http.
func WithRoutes(routes []core.RouteInfo) LintOption { return routesOption(slices.Clone(routes)) }

// Lint reads a model and its policy as [Open] does and returns all findings: errors,
// warnings and notes, those about the model first, then in the order of the policy
// files, their lines and columns.
//
// A line that cannot be parsed might contain anything, so findings about something
// missing, such as a role that is never assigned, may only be reported once no finding
// is an error.
//
// The error is that of an option or of a file that cannot be read.
func Lint(m Model, policies []string, opts ...LintOption) ([]Finding, error) {
	return LintFS(source.Host{}, m, policies, opts...)
}

// LintFS is [Lint] with all files inside fsys, as in [OpenFS].
func LintFS(fsys fs.FS, m Model, policies []string, opts ...LintOption) ([]Finding, error) {
	l, err := NewLinter(m, policies, opts...)
	if err != nil {
		return nil, err
	}
	l.config.Edited = false
	return l.Lint(fsys)
}

// Linter is [Lint] for a policy that is being edited: it remembers what it has
// parsed and, if a few lines have changed, parses only those. The findings are those
// of Lint. It is not safe for concurrent use.
type Linter struct {
	config   lintConfig
	model    Model
	policies []string
	linting  load.Linting
}

// NewLinter returns a Linter for the model and the policy in these files, which it
// does not read yet.
func NewLinter(m Model, policies []string, opts ...LintOption) (*Linter, error) {
	l := &Linter{config: lintConfig{config: newConfig()}, model: m, policies: slices.Clone(policies)}
	if err := option.Apply(&l.config, lintFuncs(opts)); err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	l.config.Edited = true
	return l, nil
}

// Lint reads the current files inside fsys, and returns all findings about them. The
// error is that of a file that cannot be read.
func (l *Linter) Lint(fsys fs.FS) ([]Finding, error) {
	if fsys == nil {
		return nil, errors.New("casbinrules: the file system is nil")
	}
	in, err := (&source.Sources{FS: fsys, Model: l.model.of, Policies: l.policies, Options: l.config.watch}).Read()
	if err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	found, err := l.linting.Lint(in, &l.config.Settings, l.config.routes)
	if err != nil {
		return nil, fmt.Errorf("casbinrules: %w", err)
	}
	return found, nil
}

// Warnings returns the warnings about the policy in force, in the order of
// [FindingsError.Findings]. Notes are not included; see [Lint].
func (a *Authorizer) Warnings() []Finding {
	return append([]Finding{}, a.current.Load().loaded.Warnings...)
}

// logged is the maximum number of logged warnings about one policy.
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
