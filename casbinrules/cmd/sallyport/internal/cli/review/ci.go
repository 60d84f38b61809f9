package review

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
)

type ciRun struct {
	policyfile.Source
	routes, base, out, format      string
	tests, tenants, claims, public []string
	level, failOn                  string
	least                          float64
	limit                          int
	lenient, withoutDiff           bool
	// flagged is the policy according to the flags, without a configuration.
	flagged policyfile.Source
}

func newCI() *cobra.Command {
	var c ciRun
	cmd := &cobra.Command{
		Use:   "ci",
		Short: "Lint, test and compare a policy before a merge, in one report",
		Long: `ci does what a review of a policy needs, and ends with one exit code:

  - lint: everything wrong with the policy, as by "sallyport lint";
  - tests: those beside the policy, *.tests, or of --tests, as by "sallyport test";
  - coverage: the lines of the policy that no test depends on;
  - diff: who gains or loses what since --base, as by "sallyport diff".

The base is a git revision, by default the merge base of HEAD and the default
branch; model, policy and configuration are read as they were in it, and compared
with the files as they are now.

The exit code is 1 for errors and warnings of lint (--lint error: for errors only),
failed tests, a coverage below --min, and with --fail-on widen or change for that
effect, or one that is not known. What could not be run is listed as such.

With -o the report goes into a file and the text to stdout. Markdown is made for a
comment: at most ` + fmt.Sprint(maxComment) + ` bytes.`,
		Example: "  sallyport ci --fail-on widen --min 80\n  sallyport ci --base v1.4.0 --format markdown -o comment.md",
		Args:    command.NoArguments("name the policy with -p, and tests with --tests"),
	}
	c.PolicyFlags(cmd)
	c.ConfigFlag(cmd, policyfile.DefaultConfig)
	c.PathFlags(cmd)
	command.FormatFlag(cmd, &c.format, "text", "markdown", "json", "sarif", "junit")
	command.ChoiceFlag(cmd, &c.level, "lint", "least `severity` for exit code 1: ", "warning", "error")
	command.ChoiceFlag(cmd, &c.failOn, "fail-on", "what `effect` exit code 1 is for: ", "none", "widen", "change")
	f := cmd.Flags()
	f.StringVarP(&c.out, "output", "o", "", "`file` to write the report to (default stdout)")
	f.StringVar(&c.base, "base", "", "git `revision` to compare with (default the merge base with the default branch)")
	f.BoolVar(&c.withoutDiff, "without-diff", false, "do not compare with a base")
	f.StringVar(&c.routes, "routes", "", "JSON `file` with the routes of the application, for lint")
	policyfile.PublicFlag(cmd, &c.public)
	f.StringArrayVar(&c.tests, "tests", nil, "`file` of tests; may be repeated (default *.tests beside the policy)")
	f.BoolVar(&c.lenient, "allow-unknown", false, "warn of misspelt names in tests only")
	f.Float64Var(&c.least, "min", 0, "how many `percent` of the lines must be covered")
	f.IntVar(&c.limit, "limit", 10_000_000, "how many requests are asked at most")
	f.StringArrayVar(&c.claims, "claim", nil, "compare this value of an attribute only, as `name=value`; may be repeated")
	f.StringArrayVar(&c.tenants, "tenant", nil, "compare this `tenant` only; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := c.prepare(); err != nil {
			return err
		}
		r, err := c.review(cmd.Context())
		if err != nil {
			return err
		}
		return cmp.Or(c.write(cmd, r), command.FoundIf(len(r.Problems) > 0))
	}
	return cmd
}

// prepare refuses flags without effect, and takes the policy from a configuration.
func (c *ciRun) prepare() error {
	switch {
	case c.least < 0 || c.least > 100:
		return command.Usagef("--min %v: give a number from 0 to 100", c.least)
	case c.withoutDiff && (c.base != "" || c.failOn != "none"):
		return command.Usagef("--without-diff compares nothing: leave --base and --fail-on out")
	}
	c.SetClock()
	c.flagged = c.Source
	return c.Settle("")
}

// write writes the report in its format, and its text in addition to a file.
func (c *ciRun) write(cmd *cobra.Command, r *review) error {
	var b bytes.Buffer
	if err := r.write(&b, c.format); err != nil {
		return err
	}
	if c.out != "" || c.format == "text" {
		r.writeText(cmd.OutOrStdout()) // in colour
	}
	if c.out == "" && c.format == "text" {
		return nil
	}
	return atomicfile.PrintOrWrite(cmd, c.out, b.Bytes())
}

func (c *ciRun) review(ctx context.Context) (*review, error) {
	m, policies, err := c.Find("")
	if err != nil {
		return nil, err
	}
	files, _ := policyfile.SplitManifests(policies)
	r := &review{Problems: []string{}, Policies: files, level: c.level, least: c.least, failOn: c.failOn}
	if r.findings, err = c.Lint(c.routes, c.public); err != nil {
		return nil, err
	}
	n := result.Severities(r.findings)
	r.problem(n[casbinrules.SeverityError], "error")
	if c.level == "warning" {
		r.problem(n[casbinrules.SeverityWarning], "warning")
	}
	if n[casbinrules.SeverityError] > 0 {
		for _, check := range []string{"tests", "coverage", "diff"} {
			r.skip(check, "the policy is refused")
		}
		return r, nil
	}
	if r.policy, err = c.Load(m, policies); err != nil {
		return nil, err
	}
	if err := c.runSuite(ctx, r); err != nil {
		return nil, err
	}
	return r, c.compare(ctx, r)
}

// runSuite runs the tests, and finds what they cover.
func (c *ciRun) runSuite(ctx context.Context, r *review) error {
	files := c.tests
	if len(files) == 0 {
		var err error
		if files, err = policyfile.TestsBeside(c.Files()); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		r.skip("tests", "there is no *.tests beside the policy, and none was named with --tests")
		if c.least > 0 {
			r.lack("coverage", "there are no tests", "coverage is not known")
		} else {
			r.skip("coverage", "there are no tests")
		}
		return nil
	}
	tests, err := policyfile.ReadTests(files)
	if found, ok := policyfile.SyntaxErrors(err); ok {
		r.findings = append(r.findings, found...)
		r.problem(len(found), "error in the tests")
		r.skip("tests", "not all of them can be read")
		r.skip("coverage", "no test was run")
		return nil
	}
	if err != nil {
		return err
	}
	if r.results, err = c.RunTests(ctx, r.policy, tests, c.lenient); err != nil {
		return err
	}
	r.problem(result.Failures(r.results), "failed test")
	if r.covered, err = policytest.NewCoverage(ctx, r.policy, r.results); err != nil {
		return err
	}
	if r.covered.Percent < c.least {
		r.Problems = append(r.Problems, fmt.Sprintf("coverage is less than %v%%", c.least))
	}
	return nil
}

// compare determines who gains and loses what since the base.
func (c *ciRun) compare(ctx context.Context, r *review) error {
	if c.withoutDiff {
		r.skip("diff", "--without-diff was given")
		return nil
	}
	base, err := c.openBase()
	if err != nil {
		return err
	}
	r.Base = &base.named
	unknown := func(why error) error {
		if c.failOn != "none" {
			r.lack("diff", command.OneLine(why), "the effect is not known")
		} else {
			r.skip("diff", command.OneLine(why))
		}
		return nil
	}
	if err := c.hasChanged(base); err != nil {
		return unknown(err)
	}
	old, err := base.open()
	if err != nil {
		return unknown(err)
	}
	who, types, err := c.bothSides(base.Source)
	if err != nil {
		return unknown(err)
	}
	claims, err := policyfile.ReadClaims(c.claims)
	if err != nil {
		return err
	}
	who.Tenants = c.tenants
	report, err := effect.Compare(ctx, old, r.policy, effect.Settings{Who: who, Claims: claims, Types: types, Limit: c.limit, Clock: c.Clock})
	if result.TooLarge(err) {
		return unknown(err)
	}
	if err != nil {
		return err
	}
	r.Effect = report
	switch {
	case result.FailsOn(c.failOn, report.Widens(), len(report.Changes)):
		r.problem(len(report.Changes), "change in effect")
	case r.unknownIsProblem():
		r.Problems = append(r.Problems, result.ChangedRules(len(report.NotCompared))+" not compared")
	}
	return nil
}

// bothSides returns the people to ask about, and the types of their attributes, for
// which the options of the two policies may differ.
func (c *ciRun) bothSides(base policyfile.Source) (ask.Who, map[string]casbinrules.AttributeType, error) {
	who, types := c.Who(ask.Who{}), c.Types()
	if base.RolePrefix != c.RolePrefix {
		return who, nil, fmt.Errorf("the base has the role prefix %q, and this policy %q", base.RolePrefix, c.RolePrefix)
	}
	who.Anonymous = c.AllowAnonymous || base.AllowAnonymous
	who.NoTokenRoles = c.WithoutTokenRoles && base.WithoutTokenRoles
	for field, kind := range base.Types() {
		if now, ok := types[field]; ok && now != kind {
			return who, nil, fmt.Errorf("the attribute %s is of type %s in the base, and %s in this policy", field, kind, now)
		}
		types[field] = kind
	}
	return who, types, nil
}
