// Package cli puts the commands of sallyport together, which have rooms of their own below.
package cli

import (
	"context"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/credentials"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/editor"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/inspect"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/operate"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/review"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/service"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/stores"
)

// Run runs one command and returns its exit code.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return command.Run(context.Background(), newRoot(), args, stdin, stdout, stderr)
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
		Version: command.Version(),
	}
	return command.Group(root, slices.Concat(inspect.Commands(), review.Commands(), editor.Commands(),
		stores.Commands(), credentials.Commands(), service.Commands(), operate.Commands())...)
}
