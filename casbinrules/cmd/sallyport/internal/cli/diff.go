package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
)

const diffHelp = `diff compares what two policies allow, and not how they are written. It asks both
about every subject, object and action that either names, and prints who gains
("+") or loses ("-") what, with the line that decides:

    + viewer gains DELETE /reports/:id (new policy.csv:14); so do editor, erin

OLD and NEW are files or directories; each is read by the model given with -m, or
by the model.conf beside it. Requests are made up, one of every kind that either
policy tells apart, with values for attributes that the model asks for; --claim
gives values of an attribute in place of these, and a note says so. Where not every kind could be made
up, rules that have changed without any change in effect to be seen are listed as
not compared. Policies that need more than --limit requests are not compared.

Role links with a start and an end are judged by the present time, and by each time
to come at which one begins or ends; --at chooses one time.

With --fail-on widen the exit code is 1 when somebody gains access, and with
--fail-on change when anything changes. It is 2 when a changed rule could not be
compared.`

func newDiff() *cobra.Command {
	var (
		s              policyfile.Source
		format, failOn string
		limit          int
		tenants        []string
		claims         []string
	)
	cmd := &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "Show who gains or loses which access between two policies",
		Long:    diffHelp,
		Example: "  sallyport diff --fail-on widen old.csv policy.csv",
		Args:    command.Exactly(2, "the old and the new policy"),
	}
	s.ModelFlags(cmd)
	s.ConfigFlag(cmd, ": OLD and NEW are read by its model")
	command.BeforeRun(cmd, s.FromConfig)
	command.FormatFlag(cmd, &format, "text", "json")
	f := cmd.Flags()
	failOnFlag(cmd, &failOn)
	f.IntVar(&limit, "limit", 10_000_000, "how many requests are compared at most")
	f.StringArrayVar(&claims, "claim", nil, "compare this value of an attribute only, as `name=value`; may be repeated")
	f.StringArrayVar(&tenants, "tenant", nil, "compare this `tenant` only; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s.SetClock()
		old, now, err := s.OpenBoth(args[0], args[1])
		if err != nil {
			return err
		}
		given, err := policyfile.ReadClaims(claims)
		if err != nil {
			return err
		}
		r, err := effect.Compare(cmd.Context(), old, now, effect.Settings{
			Who: s.Who(ask.Who{Tenants: tenants}), Claims: given, Types: s.Types(), Limit: limit, Clock: s.Clock,
		})
		if err != nil {
			return err
		}
		if format == "json" {
			err = command.WriteJSON(cmd.OutOrStdout(), r)
		} else {
			writeChanges(cmd.OutOrStdout(), r)
		}
		switch {
		case err != nil:
			return err
		case failOn == "widen" && r.Widens(), failOn == "change" && len(r.Changes) > 0:
			return command.ErrFindings
		case !r.Complete() && (failOn != "" || r.Asked == 0):
			return fmt.Errorf("%s could not be compared", changedRules(len(r.NotCompared)))
		}
		return nil
	}
	return cmd
}

// failOnFlag adds the flag that says which effect exit code 1 is for.
func failOnFlag(cmd *cobra.Command, failOn *string) {
	cmd.Flags().StringVar(failOn, "fail-on", "", "what exit code 1 is for: widen, change")
	command.BeforeRun(cmd, func() error {
		if *failOn != "" && *failOn != "widen" && *failOn != "change" {
			return command.Usagef("--fail-on knows widen and change, and not %q", *failOn)
		}
		return nil
	})
}

func writeChanges(w io.Writer, r *effect.Report) {
	paint := command.PaletteFor(w)
	for _, c := range r.Changes {
		command.Say(w, "%s\n", paint.Change(c.Gains, changeText(c)))
	}
	for _, rule := range r.NotCompared {
		command.Say(w, "%s\n", paint.Yellow("not compared: "+sideOf(rule.Old)+" "+command.Plain(rule.String())))
	}
	for _, gap := range r.Gaps {
		command.Say(w, "  because %s\n", command.Plain(gap))
	}
	switch gained, lost := gainedAndLost(r); {
	case len(r.Changes) > 0:
		command.Say(w, "%d gained, %d lost, in %d requests compared\n", gained, lost, r.Asked)
	case !r.Complete():
		command.Say(w, "no change seen in %d requests compared, and %s not compared\n", r.Asked, changedRules(len(r.NotCompared)))
	default:
		command.Say(w, "no change in effect, in %d requests compared\n", r.Asked)
	}
	if only := narrowed(r); only != "" {
		command.Say(w, "note: compared with %s alone; nothing is known of others\n", command.Plain(only))
	}
}

func sideOf(old bool) string {
	if old {
		return "old"
	}
	return "new"
}

// ruleOf returns the line that causes a change, in brackets, or "".
func ruleOf(rule string, old bool) string {
	if rule == "" {
		return ""
	}
	return " (" + sideOf(old) + " " + rule + ")"
}

// narrowed returns what --claim and --tenant have limited a comparison to, or "".
func narrowed(r *effect.Report) string {
	var only []string
	for _, name := range slices.Sorted(maps.Keys(r.OnlyAttributes)) {
		only = append(only, name+"="+strings.Join(r.OnlyAttributes[name], " or "))
	}
	if len(r.OnlyTenants) > 0 {
		only = append(only, "tenant "+strings.Join(r.OnlyTenants, " or "))
	}
	return strings.Join(only, " and ")
}

func changedRules(n int) string { return command.Quantity(n, "changed rule") }

// changeText returns a text such as "viewer gains DELETE /reports/:id (new
// policy.csv:14)".
func changeText(c effect.Change) string {
	var b strings.Builder
	b.WriteString(c.Subject)
	if c.Tenant != "" {
		b.WriteString(" in " + c.Tenant)
	}
	if attributes := attributesText(c.Attributes); attributes != "" {
		b.WriteString(" " + attributes)
	}
	verb, too := "loses", "so do "
	if c.Gains {
		verb = "gains"
	}
	if len(c.Also) == 1 {
		too = "so does "
	}
	fmt.Fprintf(&b, " %s %s %s", verb, strings.Join(c.Actions, ", "), c.Object)
	if c.From != "" {
		b.WriteString(" from " + c.From)
	}
	b.WriteString(ruleOf(c.Rule, c.Old))
	if len(c.Also) > 0 {
		b.WriteString("; " + too + strings.Join(c.Also, ", "))
	}
	return b.String()
}

// attributesText returns a text such as "age=16 or 17 region=eu", sorted by name.
// Of many values it has the first few.
func attributesText(attributes map[string][]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		values := attributes[name]
		text := name + "=" + strings.Join(values[:min(len(values), maxShownValues)], " or ")
		if more := len(values) - maxShownValues; more > 0 {
			text += fmt.Sprintf(" or %d more", more)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// maxShownValues is the maximum number of values of one attribute in a line.
const maxShownValues = 5
