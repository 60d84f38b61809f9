package review

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/audit"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/matrix"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/policytest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/replay"
)

type reporter struct {
	policyfile.Source
	out, routes, since, conflicts string
	tests, logs, claims           []string
	settings                      matrix.Settings
	authorizer                    *ask.Policy
}

func newReport() *cobra.Command {
	var r reporter
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write a page about a policy for auditors",
		Long: `report writes one HTML page, which needs no other file and no network and can be
printed: who may do what; what changed since a file, a directory or a git revision
(--since); which lines no test of --tests covers, and which decided nothing in the
decision logs of --log; roles that nobody has, or that no rule is for; and who has
both of a pair that nobody may have both of (--conflicts), one pair a line, which is
looked for in each tenant by itself:

    # Who enters a payment does not approve it.
    roles, payer, approver
    access, /payments, POST, /payments/7/approval, POST

What was not asked for is said on the page. The exit code is 0 whatever it says.`,
		Example: "  sallyport report -o report.html --since v1.4.0 --tests policy.tests --log decisions.jsonl --conflicts conflicts.csv",
		Args:    command.NoArguments("name the policy with -p"),
	}
	r.Flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&r.out, "output", "o", "", "`file` to write (default stdout)")
	f.StringVar(&r.routes, "routes", "", "JSON `file` with the routes of the application")
	f.StringVar(&r.since, "since", "", "compare with this policy: a `file`, a directory or a git revision")
	f.StringVar(&r.conflicts, "conflicts", "", "`file` of pairs that nobody may have both of")
	f.StringArrayVar(&r.tests, "tests", nil, "`file` of tests; may be repeated")
	f.StringArrayVar(&r.logs, "log", nil, "decision log `file`; may be repeated")
	f.StringArrayVar(&r.claims, "claim", nil, "draw this value of an attribute, as `name=value`; may be repeated")
	f.StringArrayVar(&r.settings.Tenants, "tenant", nil, "draw this `tenant` only; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		page, err := r.page(cmd.Context())
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := page.WriteHTML(&b); err != nil {
			return err
		}
		return atomicfile.PrintOrWrite(cmd, r.out, b.Bytes())
	}
	return cmd
}

func (r *reporter) page(ctx context.Context) (*audit.Page, error) {
	r.SetClock()
	r.settings.Users = true
	a, m, err := draw(ctx, &r.Source, r.routes, r.claims, &r.settings)
	if err != nil {
		return nil, err
	}
	r.authorizer = a
	v := r.authorizer.Version()
	page := &audit.Page{Model: v.Files[0], Hash: v.Hash, Made: time.Now().UTC().Format("2006-01-02 15:04 UTC"), Matrix: m}
	for _, section := range []func(context.Context, []ask.Subject) (audit.Section, error){r.separation, r.orphans, r.changes, r.untested, r.unused} {
		s, err := section(ctx, m.Columns)
		if err != nil {
			return nil, err
		}
		page.Sections = append(page.Sections, s)
	}
	page.Files, err = listings(&r.Source, r.authorizer) // last, since sections read files as well
	return page, err
}

func (r *reporter) separation(ctx context.Context, subjects []ask.Subject) (audit.Section, error) {
	s := audit.Section{
		ID: "conflicts", Title: "conflicts of duty", Intro: "Who has both of a pair that nobody may have both of, in one tenant where there are tenants. Roles that a token could bring together are not among them.",
		None: "Nobody has both of any pair.",
	}
	if r.conflicts == "" {
		s.Missing = "Not looked at: give a file of pairs with --conflicts."
		return s, nil
	}
	pairs, err := audit.ReadForbidden(r.conflicts)
	if err != nil {
		return s, err
	}
	found, err := audit.Conflicts(ctx, r.authorizer, subjects, pairs)
	for _, c := range found {
		text := c.Who + " has both " + c.String()
		if !c.ByRole {
			text = c.Who + " may do both: " + c.String()
		}
		if c.Why != "" {
			text += " (" + c.Why + ")"
		}
		s.Lines = append(s.Lines, audit.Line{Text: text})
	}
	return s, err
}

// orphanCodes are the findings about roles that nobody has, or that do nothing.
var orphanCodes = []string{"role_never_assigned", "role_without_rules"}

func (r *reporter) orphans(context.Context, []ask.Subject) (audit.Section, error) {
	s := audit.Section{
		ID: "orphans", Title: "orphaned roles", Intro: "Roles of rules that no line gives to anybody, which is fine where tokens bring them, and roles that are given and that no rule is for.",
		None: "Every role is given to somebody, and some rule is for it.",
	}
	findings, err := r.Lint(r.routes, nil)
	for _, f := range findings {
		everybody := r.authorizer.Alone != "" && strings.Contains(f.Message, strconv.Quote(r.RolePrefix+r.authorizer.Alone))
		if slices.Contains(orphanCodes, f.Code) && !everybody {
			s.Lines = append(s.Lines, audit.Line{Text: f.Message, Rule: &casbinrules.RuleText{File: f.File, Line: f.Line}})
		}
	}
	return s, err
}

func (r *reporter) changes(ctx context.Context, _ []ask.Subject) (audit.Section, error) {
	s := audit.Section{ID: "changes", Title: "changes in effect", Intro: "What somebody gains or loses, whatever was rewritten.", None: "Nobody has gained or lost anything."}
	if r.since == "" {
		s.Missing = "Not looked at: name the policy to compare with by --since."
		return s, nil
	}
	s.Title += " since " + r.since
	old, err := r.OpenSide("old", r.since)
	if err != nil {
		return s, err
	}
	report, err := effect.Compare(ctx, old, r.authorizer, effect.Settings{
		Who: r.Who(ask.Who{Tenants: r.settings.Tenants}), Claims: r.settings.Claims, Types: r.Types(), Limit: 10_000_000, Clock: r.Clock,
	})
	if err != nil {
		return s, err
	}
	for _, c := range report.Changes {
		sign := "-"
		if c.Gains {
			sign = "+"
		}
		s.Lines = append(s.Lines, audit.Line{Sign: sign, Text: result.ChangeText(c)})
	}
	for _, rule := range report.NotCompared {
		s.Lines = append(s.Lines, audit.Line{Text: "not compared: " + rule.String()})
	}
	return s, nil
}

func (r *reporter) untested(ctx context.Context, _ []ask.Subject) (audit.Section, error) {
	s := audit.Section{ID: "untested", Title: "lines that no test covers", Intro: "Lines of the policy that no test which passes depends on.", None: "Every line is covered."}
	if len(r.tests) == 0 {
		s.Missing = "Not looked at: give files of tests with --tests."
		return s, nil
	}
	tests, err := policyfile.ReadTests(r.tests)
	if err != nil {
		return s, err
	}
	results, err := r.RunTests(ctx, r.authorizer, tests, false)
	if err != nil {
		return s, err
	}
	c, err := policytest.NewCoverage(ctx, r.authorizer, results)
	if err != nil {
		return s, err
	}
	s.Intro += fmt.Sprintf(" %d of %d lines are covered (%.1f%%), by %s, of which %d failed.", c.Covered, c.Lines, c.Percent, command.Quantity(len(results), "test"), result.Failures(results))
	s.Lines = ruleLines(c.NotCovered)
	return s, nil
}

func (r *reporter) unused(ctx context.Context, _ []ask.Subject) (audit.Section, error) {
	s := audit.Section{ID: "unused", Title: "lines that decided nothing", Intro: "Lines of the policy that decided none of the requests in the decision log.", None: "Every line has decided some request."}
	if len(r.logs) == 0 {
		s.Missing = "Not looked at: give decision logs with --log."
		return s, nil
	}
	files, err := replay.Files(r.logs)
	if err != nil {
		return s, err
	}
	report, err := replay.Run(ctx, files, replay.Settings{New: r.authorizer, Clock: r.Clock})
	if err != nil {
		return s, err
	}
	if report.Compared == 0 {
		s.Missing = fmt.Sprintf("Nothing is known: none of %d lines of %s could be decided.", report.Lines, filepath.Base(r.logs[0]))
		return s, nil
	}
	s.Intro += fmt.Sprintf(" %s could be decided again.", command.Quantity(int(report.Compared), "request"))
	for _, note := range report.Notes() {
		s.Intro += " Note: " + note + "."
	}
	s.Lines = ruleLines(report.Unused)
	return s, nil
}

func ruleLines(rules []casbinrules.RuleText) []audit.Line {
	var lines []audit.Line
	for _, rule := range rules {
		lines = append(lines, audit.Line{Text: rule.Text, Rule: &rule})
	}
	return lines
}
