// Package cli contains the commands of sallyport, each in a file of its own.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// The exit codes.
const (
	exitOK       = 0
	exitFindings = 1
	exitUsage    = 2
)

// errFindings ends a command that has already printed its findings.
var errFindings = errors.New("findings")

// Run runs one command and returns its exit code.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root, out := newRoot(), &output{Writer: stdout}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	standardCommands(root)
	cmd, err := root.ExecuteC()
	if out.err != nil && (err == nil || errors.Is(err, errFindings)) {
		err = out.err
	}
	return report(cmd, err, stderr)
}

// output is the standard output of a command. It keeps the first error, which Run
// reports, so that commands need not look at it.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// The Redis client would write to stderr what its errors contain, too.
func init() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// report prints what went wrong and returns the exit code for it.
func report(cmd *cobra.Command, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	}
	if told, ok := errors.AsType[*toldError](err); ok {
		return told.code
	}
	if refused, ok := errors.AsType[*casbinrules.FindingsError](err); ok {
		say(stderr, "%s\nsallyport: the policy is refused; \"sallyport lint\" lists warnings too\n", refused.Error())
		return exitFindings
	}
	say(stderr, "sallyport: %s\n", plain(strings.TrimPrefix(err.Error(), "casbinrules: ")))
	if _, usage := errors.AsType[*usageError](err); usage || cmd.Name() == "sallyport" {
		say(stderr, "run \"%s --help\" for usage\n", cmd.CommandPath())
	}
	return exitUsage
}

// foundIf returns errFindings if there are findings, which were printed.
func foundIf(findings bool) error {
	if findings {
		return errFindings
	}
	return nil
}

// say writes to the output of a command, of which Run knows whether that has failed,
// or to stderr: if that fails, there is nobody to tell.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "Check policies and decision logs, make keys, tokens and passwords, guard and probe services",
		Long: `sallyport checks, explains, tests and draws the Casbin policy files that gate
two is answered from, makes the keys, tokens and passwords for gate one, and probes
services that run. It also verifies decision logs, and replays them by another policy.

A policy is given with -p, a CSV file, a directory of them or a YAML file with a
policy in it (a ConfigMap, values of a Helm chart), and read by the model given
with -m: a file, or one of the presets rbac, rbac-deny, rbac-tenants and
rbac-tenants-patterns. By default that is policy.csv and the model.conf beside it.

Exit codes: 0 all is well; 1 findings, failed tests, or requests that cannot be
decided; 2 the command could not do what was asked.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	return group(root, newLint(), newExplain(), newObjects(), newSubjects(), newCheck(), newTest(), newMatrix(), newDiff(), newCI(), newFmt(), newLSP(), newInit(), newAPIKey(), newConfig(), newServe(), newToken(), newKeys(), newPasswd(), newProbe(), newOpenAPI(), newDoctor(), newPush(), newPull(), newHistory(), newShow(), newRollback(), newStatus(), newStore(), newRevoke(), newState(), newLog(), newReplay(), newReport())
}

// names returns the names of the commands that do something with policies.
func names(root *cobra.Command) []string {
	var all []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "completion" && c.Name() != "help" {
			all = append(all, c.Name())
		}
	}
	return all
}
