package operate

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/replay"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sarif"
)

const replayHelp = `replay asks two policies about the requests of a decision log and prints who would
gain ("+") or lose ("-") what, how often, and by which line:

    + 41 x PATCH /reports/:id (new policy.csv:14): erin 30, sam 11

--old and --new are a policy file, a directory with one, or a revision of the git
repository that the policy given with -p is in. Without --new it is that policy
itself; without --old the new one is compared with what the log says.

A LOG brings the files that it was renamed to before along. Options must be those of
the service: where the old policy does not decide as the log says it did, that is
said. Role links with a start and an end are judged by the time of each line, or with
--at by that time. What the log lacks is said, too: sampled and dropped decisions, and
those that cannot be decided again, with the numbers of the first --samples lines of
each kind.

At the end stand the lines of the new policy that decided none of the requests:
candidates to remove. Without all of them these requests are decided as with them.

With --fail-on widen the exit code is 1 when somebody gains access, and with
--fail-on change when anything changes. It is 2 when nothing could be compared.`

func newReplay() *cobra.Command {
	var (
		s                        policyfile.Source
		old, now, format, failOn string
		samples                  int
		settings                 replay.Settings
	)
	cmd := &cobra.Command{
		Use:     "replay LOG...",
		Short:   "Decide the requests of a decision log again, by another policy",
		Long:    replayHelp,
		Example: "  sallyport replay --old HEAD~1 --new HEAD decisions.jsonl\n  sallyport replay -p new/policy.csv --format json decisions.jsonl",
		Args:    command.AtLeast(1, "a decision log"),
	}
	s.Flags(cmd)
	command.FormatFlag(cmd, &format, "text", "json", "sarif")
	f := cmd.Flags()
	f.StringVar(&old, "old", "", "the old policy: a `file`, a directory or a git revision (default what the log says)")
	f.StringVar(&now, "new", "", "the new policy: a `file`, a directory or a git revision (default that given with -p)")
	result.FailOnFlag(cmd, &failOn)
	f.IntVar(&samples, "samples", 3, "how many lines of each kind that cannot be compared are named")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		files, err := replay.Files(args)
		if err != nil {
			return err
		}
		settings.Samples = max(0, samples)
		s.SetClock()
		settings.Clock = s.Clock
		if old != "" {
			if settings.Old, err = s.OpenSide("old", old); err != nil {
				return err
			}
		}
		if now == "" {
			settings.New, err = s.Open("")
		} else {
			settings.New, err = s.OpenSide("new", now)
		}
		if err != nil {
			return err
		}
		r, err := replay.Run(cmd.Context(), files, settings)
		if err != nil {
			return err
		}
		if err := writeReplay(cmd.OutOrStdout(), r, settings.New, format); err != nil {
			return err
		}
		switch {
		case result.FailsOn(failOn, r.Widens(), len(r.Changes)):
			return command.ErrFindings
		case r.Compared == 0:
			return fmt.Errorf("none of %d lines could be compared", r.Lines)
		}
		return nil
	}
	return cmd
}

func writeReplay(w io.Writer, r *replay.Report, a *ask.Policy, format string) error {
	switch format {
	case "json":
		return command.WriteJSON(w, r)
	case "sarif":
		return command.WriteJSON(w, sarif.New(replayFindings(r, a), result.Columns{}.Characters))
	}
	paint := command.PaletteFor(w)
	counts := map[bool]uint64{} // by whether it is gained
	for _, c := range r.Changes {
		counts[c.Gains] += c.Count
		command.Say(w, "%s\n", paint.Change(c.Gains, replayText(c)))
	}
	if len(r.Changes) == 0 {
		command.Say(w, "no request is decided otherwise, of %d compared\n", r.Compared)
	} else {
		command.Say(w, "%s would be allowed, %d refused, of %d compared\n", command.Quantity(int(counts[true]), "request"), counts[false], r.Compared)
	}
	for _, note := range r.Notes() {
		command.Say(w, "%s\n", paint.Yellow("note: "+command.Plain(note)))
	}
	if len(r.Unused) > 0 {
		command.Say(w, "lines of the new policy that decided none of them:\n")
	}
	for _, rule := range r.Unused {
		command.Say(w, "  %s\n", command.Plain(rule.String()))
	}
	return nil
}

// maxShownPrincipals is the maximum number of people named in a line.
const maxShownPrincipals = 5

// replayText returns a text such as "41 x PATCH /reports/:id (new policy.csv:14):
// erin 30, sam 11".
func replayText(c replay.Change) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d x %s %s", c.Count, c.Action, c.Object)
	if c.Tenant != "" {
		b.WriteString(" in " + c.Tenant)
	}
	b.WriteString(result.RuleOf(c.Rule, c.Old))
	rest := c.Count
	for i, by := range c.By[:min(len(c.By), maxShownPrincipals)] {
		fmt.Fprintf(&b, "%s %s %d", [...]string{":", ","}[min(i, 1)], by.Principal, by.Count)
		rest -= by.Count
	}
	if rest > 0 {
		fmt.Fprintf(&b, ", others %d", rest)
	}
	return b.String()
}

// replayFindings returns changes and unused lines as findings at the lines that
// cause them.
func replayFindings(r *replay.Report, a *ask.Policy) []casbinrules.Finding {
	var findings []casbinrules.Finding
	lines, first := result.LinesByPlace(a), a.Version().Files[1]
	for _, c := range r.Changes {
		findings = append(findings, result.ChangeFinding(c.Gains, replayText(c), lines.At(c.Rule, c.Old, first)))
	}
	for _, rule := range r.Unused {
		findings = append(findings, casbinrules.Finding{
			Severity: casbinrules.SeverityNote, Code: "unused-rule", File: rule.File, Line: rule.Line, Column: 1,
			Message: "no request of the log was decided by " + rule.Text,
		})
	}
	return findings
}
