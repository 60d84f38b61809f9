package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
)

func newDiff() *cobra.Command {
	var (
		s              source
		format, failOn string
		limit          int
		tenants        []string
	)
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show who gains or loses which access between two policies",
		Long: `diff compares what two policies allow, and not how they are written. It asks both
about every subject, object and action that either names, and prints who gains
("+") or loses ("-") what, with the line that decides:

    + viewer gains DELETE /reports/:id (new policy.csv:14); so do editor, erin

OLD and NEW are files or directories; each is read by the model given with -m, or
by the model.conf beside it. A pattern stands for requests made up for it, with
words for parameters that neither policy names; the output says where none could
be made up. Policies that name more than --limit combinations are not compared.

With --fail-on widen the exit code is 1 when somebody gains access, and with
--fail-on change when anything changes.`,
		Example: "  sallyport diff --fail-on widen old.csv policy.csv",
		Args:    arguments(cobra.ExactArgs(2)),
	}
	s.modelFlags(cmd)
	formatFlag(cmd, &format, "text", "json")
	f := cmd.Flags()
	f.StringVar(&failOn, "fail-on", "", "what exit code 1 is for: widen, change")
	f.IntVar(&limit, "limit", 1_000_000, "how many combinations are compared at most")
	f.StringArrayVar(&tenants, "tenant", nil, "compare this `tenant` only; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if failOn != "" && failOn != "widen" && failOn != "change" {
			return usagef("--fail-on knows widen and change, and not %q", failOn)
		}
		old, now, err := s.openBoth(args[0], args[1])
		if err != nil {
			return err
		}
		r, err := effect.Compare(cmd.Context(), old, now, s.who(ask.Who{Tenants: tenants}), limit)
		if err != nil {
			return err
		}
		if format == "json" {
			err = writeJSON(cmd.OutOrStdout(), r)
		} else {
			err = writeChanges(cmd.OutOrStdout(), r)
		}
		if err == nil && (failOn == "widen" && r.Widens() || failOn == "change" && len(r.Changes) > 0) {
			return errFindings
		}
		return err
	}
	return cmd
}

// openBoth loads two policies, each by the model beside it if none is given.
func (s source) openBoth(before, after string) (old, now *casbinrules.Authorizer, err error) {
	s.policies = []string{before}
	if old, err = s.open(""); err != nil {
		return nil, nil, fmt.Errorf("old policy: %w", err)
	}
	s.policies = []string{after}
	if now, err = s.open(""); err != nil {
		return nil, nil, fmt.Errorf("new policy: %w", err)
	}
	return old, now, nil
}

func writeChanges(w io.Writer, r *effect.Report) error {
	paint := paletteFor(w)
	var b strings.Builder
	gained := 0
	for _, c := range r.Changes {
		line := plain(changeText(c))
		if c.Gains {
			gained++
			b.WriteString(paint.green("+ "+line) + "\n")
		} else {
			b.WriteString(paint.red("- "+line) + "\n")
		}
	}
	for _, note := range r.Notes {
		b.WriteString("note: " + plain(note) + "\n")
	}
	if len(r.Changes) == 0 {
		fmt.Fprintf(&b, "no change in effect, in %d requests compared\n", r.Asked)
	} else {
		fmt.Fprintf(&b, "%d gained, %d lost, in %d requests compared\n", gained, len(r.Changes)-gained, r.Asked)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// changeText is "viewer gains DELETE /reports/:id (new policy.csv:14)".
func changeText(c effect.Change) string {
	var b strings.Builder
	b.WriteString(c.Subject)
	if c.Tenant != "" {
		b.WriteString(" in " + c.Tenant)
	}
	verb, too := "loses", "so do "
	if c.Gains {
		verb = "gains"
	}
	if len(c.Also) == 1 {
		too = "so does "
	}
	fmt.Fprintf(&b, " %s %s %s", verb, strings.Join(c.Actions, ", "), c.Object)
	switch {
	case c.Rule == "":
	case c.Old:
		b.WriteString(" (old " + c.Rule + ")")
	default:
		b.WriteString(" (new " + c.Rule + ")")
	}
	if len(c.Also) > 0 {
		b.WriteString("; " + too + strings.Join(c.Also, ", "))
	}
	return b.String()
}
