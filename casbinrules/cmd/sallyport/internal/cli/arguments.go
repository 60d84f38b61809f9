package cli

import (
	"math"
	"strings"

	"github.com/spf13/cobra"
)

// noArguments refuses all arguments; instead says where the likely meant ones belong.
func noArguments(instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("%s takes no arguments: %s", below(cmd), instead)
		}
		return nil
	}
}

// exactly requires n arguments; what describes them.
func exactly(n int, what string) cobra.PositionalArgs { return between(n, n, "wants "+what) }

// atMostOne accepts one argument or none; what describes it.
func atMostOne(what string) cobra.PositionalArgs { return between(0, 1, "takes "+what) }

// atLeast requires n or more arguments; what describes them.
func atLeast(n int, what string) cobra.PositionalArgs {
	return between(n, math.MaxInt, "wants "+what)
}

func between(least, most int, wants string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch n := len(args); {
		case least <= n && n <= most:
			return nil
		case n == 0:
			return usagef("%s %s, and got none", below(cmd), wants)
		default:
			return usagef("%s %s, and got %s", below(cmd), wants, quantity(n, "argument"))
		}
	}
}

// folderIn returns the only argument of a command, or the current directory.
func folderIn(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// group makes cmd a command that only has subcommands.
func group(cmd *cobra.Command, others ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(others...)
	return oneOf(cmd, "command")
}

// oneOf makes cmd fail if it is run without a subcommand; kind describes these.
func oneOf(cmd *cobra.Command, kind string) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		choices := strings.Join(names(cmd), ", ")
		if len(args) == 0 {
			return usagef("which %s? one of %s", kind, choices)
		}
		return usagef("unknown %s %q for %q: use one of %s", kind, args[0], cmd.CommandPath(), choices)
	}
	cmd.Args = cobra.ArbitraryArgs
	return cmd
}

// below returns the name of a command without that of the program.
func below(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// standardCommands adds completion and help, which by default succeed for an
// unknown shell or command. Completion scripts are written to the output of root at
// the time of the call.
func standardCommands(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			oneOf(cmd, "shell")
			for _, shell := range cmd.Commands() {
				shell.Args = noArguments("it writes the script to stdout")
			}
		case "help":
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
					return usagef("there is no command %q to help with", strings.Join(args, " "))
				}
				return nil
			}
		}
	}
}
