package command

import (
	"math"
	"strings"

	"github.com/spf13/cobra"
)

// NoArguments refuses all arguments; instead says where the likely meant ones belong.
func NoArguments(instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return Usagef("%s takes no arguments: %s", below(cmd), instead)
		}
		return nil
	}
}

// Exactly requires n arguments; what describes them.
func Exactly(n int, what string) cobra.PositionalArgs { return between(n, n, "wants "+what) }

// AtMostOne accepts one argument or none; what describes it.
func AtMostOne(what string) cobra.PositionalArgs { return between(0, 1, "takes "+what) }

// AtLeast requires n or more arguments; what describes them.
func AtLeast(n int, what string) cobra.PositionalArgs {
	return between(n, math.MaxInt, "wants "+what)
}

func between(least, most int, wants string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch n := len(args); {
		case least <= n && n <= most:
			return nil
		case n == 0:
			return Usagef("%s %s, and got none", below(cmd), wants)
		default:
			return Usagef("%s %s, and got %s", below(cmd), wants, Quantity(n, "argument"))
		}
	}
}

// FolderIn returns the only argument of a command, or the current directory.
func FolderIn(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// Group makes cmd a command that only has subcommands.
func Group(cmd *cobra.Command, others ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(others...)
	return oneOf(cmd, "command")
}

// oneOf makes cmd fail if it is run without a subcommand; kind describes these.
func oneOf(cmd *cobra.Command, kind string) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		choices := strings.Join(names(cmd), ", ")
		if len(args) == 0 {
			return Usagef("which %s? one of %s", kind, choices)
		}
		return Usagef("unknown %s %q for %q: use one of %s", kind, args[0], cmd.CommandPath(), choices)
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
				shell.Args = NoArguments("it writes the script to stdout")
			}
		case "help":
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if _, rest, err := cmd.Root().Find(args); err != nil || len(rest) > 0 {
					return Usagef("there is no command %q to help with", strings.Join(args, " "))
				}
				return nil
			}
		}
	}
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
