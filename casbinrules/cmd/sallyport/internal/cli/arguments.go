package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// noArguments refuses all arguments; instead says where what they are likely to
// be belongs.
func noArguments(instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("%s takes no arguments: %s", below(cmd), instead)
		}
		return nil
	}
}

// exactly wants n arguments, which are called what.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s wants %s, and got %s", below(cmd), what, counted(len(args)))
		}
		return nil
	}
}

// atMostOne takes one argument or none, which is called what.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("%s takes %s, and got %s", below(cmd), what, counted(len(args)))
		}
		return nil
	}
}

// folderIn is the one argument of a command, or the folder where it is run.
func folderIn(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// atLeastOne wants one argument or more, which are called what.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s wants %s, and got %s", below(cmd), what, counted(0))
		}
		return nil
	}
}

// group makes cmd a command that only has others.
func group(cmd *cobra.Command, others ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(others...)
	return oneOf(cmd, "command")
}

// oneOf has cmd refuse to run by itself. kind is what it calls its commands.
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

// below is the name of a command without that of the program.
func below(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

func counted(arguments int) string {
	switch arguments {
	case 0:
		return "none"
	case 1:
		return "1 argument"
	default:
		return fmt.Sprintf("%d arguments", arguments)
	}
}

// standardCommands adds completion and help, which succeed by themselves when
// they are asked for a shell or a command that does not exist. Completion scripts
// are written to what root has for output by now.
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
