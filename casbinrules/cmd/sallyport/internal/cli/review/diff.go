package review

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/effect"
)

const diffHelp = `diff compares what two policies allow, and not how they are written. It asks both
about every subject, object and action that either names, and prints who gains
("+") or loses ("-") what, with the line that decides:

    + viewer gains DELETE /reports/:id (new policy.csv:14); so do editor, erin

OLD and NEW are files or directories; each is read by the model given with -m, or
by the model.conf beside it. "sallyport ci" compares with a git revision.

Requests are made up, one of every kind that either policy tells apart, with values
for attributes that the model asks for; --claim gives values of an attribute in place
of these, and a note says so. Where not every kind could be made up, changed rules to
which none of the changes is attributed, and changed role links, are listed as not
compared. Requests that no changed line or role link concerns need not be asked;
policies for which more than --limit must be are not compared.

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
	result.FailOnFlag(cmd, &failOn)
	f.IntVar(&limit, "limit", 10_000_000, "how many requests are asked at most")
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
			result.WriteChanges(cmd.OutOrStdout(), r)
		}
		switch {
		case err != nil:
			return err
		case result.FailsOn(failOn, r.Widens(), len(r.Changes)):
			return command.ErrFindings
		case !r.Complete() && (failOn != "" || r.Asked == 0):
			return fmt.Errorf("%s could not be compared", result.ChangedRules(len(r.NotCompared)))
		}
		return nil
	}
	return cmd
}
