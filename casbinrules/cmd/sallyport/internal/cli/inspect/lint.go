package inspect

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/result"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sarif"
)

func newLint() *cobra.Command {
	var (
		s                      policyfile.Source
		public                 []string
		routes, format, failOn string
	)
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "List everything wrong with a policy",
		Long: `lint lists everything wrong with a model and its policy, errors, warnings and
notes, as

    file:line:column: severity: code: message (hint)

Errors refuse the policy when it is loaded; warnings are likely mistakes; notes
are about what is fine in most policies. While there is an error, what is missing,
such as a rule for a role, may not be reported: lint again once it is repaired.
With --routes it also compares the policy with the routes of an application, as
Routes of an adapter lists them, written as JSON:

    [{"method": "GET", "pattern": "/reports/:id"}]

The exit code is 1 when there is a warning or an error, or with --fail-on error
when there is an error. Notes never change it.`,
		Args: command.NoArguments("name the policy with -p"),
	}
	s.Flags(cmd)
	command.FormatFlag(cmd, &format, "text", "json", "sarif")
	cmd.Flags().StringVar(&routes, "routes", "", "JSON `file` with the routes of the application")
	policyfile.PublicFlag(cmd, &public)
	cmd.Flags().StringVar(&failOn, "fail-on", "warning", "least `severity` for exit code 1: warning, error")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if failOn != "warning" && failOn != "error" {
			return command.Usagef("lint cannot fail on %q: use --fail-on warning or --fail-on error", failOn)
		}
		findings, err := s.Lint(routes, public)
		if err != nil {
			return err
		}
		switch out := cmd.OutOrStdout(); format {
		case "json":
			err = command.WriteJSON(out, result.Findings(findings))
		case "sarif":
			err = command.WriteJSON(out, sarif.New(findings, result.Columns{}.Characters))
		default:
			result.WriteFindings(out, findings)
		}
		has := func(s casbinrules.Severity) bool {
			return slices.ContainsFunc(findings, func(f casbinrules.Finding) bool { return f.Severity == s })
		}
		if has(casbinrules.SeverityError) {
			command.Say(cmd.ErrOrStderr(), "sallyport: note: what is missing, such as a rule for a role, may be reported only once there is no error\n")
		}
		return cmp.Or(err, command.FoundIf(has(casbinrules.SeverityError) || failOn == "warning" && has(casbinrules.SeverityWarning)))
	}
	return cmd
}
