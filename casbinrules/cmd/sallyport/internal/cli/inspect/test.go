package inspect

import (
	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

const testHelp = `test runs tests of a policy, one a line:

    allow erin[editor] /reports/7 PATCH   # editors change reports
    deny  victor       /reports/7 PATCH   # viewers do not

Each begins with what is expected, and goes on with the user and, in brackets,
the roles that its credentials bring; then object and action. Where the model asks
for them, "in TENANT" and NAME=VALUE for attributes follow the user. The user
anonymous is a request without credentials. Words, roles and values are quoted as
fields of policy lines are. An action with a lower-case letter is one that the
application names itself, and no request method.

A test that names a role or an attribute which the policy does not know, lacks
what the model asks for or gives what does not read as its type, fails whatever it
expects. So does one that expects deny with a subject, tenant, attribute, object or
action that is probably misspelt, or with a user who is called like a role that may,
unless --allow-unknown is given; other unknown names are warnings. "erin[]" is a user
whom the policy does not know on purpose, or who is called like a role, and "in """
a request without tenant.
A path is read as a gate reads it, decoded and without query and trailing slash;
a test with a path that a gate answers with 400 fails.

Many tests of the same users stand in a table, which an empty line ends; "-" asks
nothing:

    table             victor  erin[editor]  anonymous
    /reports/7 GET    allow   allow         deny
    /reports/7 PATCH  deny    allow         -

Without FILE the tests are those beside the policy, *.tests. Without -c and -p the
policy is that of the sallyport.yaml beside the first file, or else the policy.csv
there. Failures are printed with the explanation of the decision; the exit code is
then 1.

--cover lists the lines of the policy that no test depends on: p lines that decide
none, and role links that lead to none. With --min the exit code is 1 when less
than so many percent of the lines are covered.

--watch runs the tests again whenever one of the files, the policy, the model or the
configuration file changes, until it is interrupted. The exit code is that of the last run.`

func newTest() *cobra.Command {
	var t testRun
	cmd := &cobra.Command{
		Use:     "test [FILE...]",
		Short:   "Run the tests kept beside a policy",
		Long:    testHelp,
		Example: "  sallyport test policy.tests\n  sallyport test --watch policy.tests",
	}
	t.PolicyFlags(cmd)
	t.ConfigFlag(cmd, " (default the "+policyfile.ConfigName+" beside the first FILE or here, if neither -p nor -m is given)")
	t.PathFlags(cmd)
	command.FormatFlag(cmd, &t.format, "text", "json")
	f := cmd.Flags()
	f.BoolVar(&t.lenient, "allow-unknown", false, "warn of misspelt names only")
	f.BoolVar(&t.cover, "cover", false, "list the lines of the policy that no test depends on")
	f.Float64Var(&t.least, "min", 0, "how many `percent` of the lines must be covered")
	f.BoolVar(&t.watch, "watch", false, "run again whenever a file changes, until interrupted")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if t.least < 0 || t.least > 100 {
			return command.Usagef("--min %v: give a number from 0 to 100", t.least)
		}
		t.flags, t.args = t.Source, args
		if err := t.settleAll(); err != nil {
			return err
		}
		if !t.watch {
			return t.run(cmd.Context(), cmd)
		}
		ctx, stop := command.UntilSignal(cmd.Context())
		defer stop()
		return t.runAndWatch(ctx, cmd)
	}
	return cmd
}
