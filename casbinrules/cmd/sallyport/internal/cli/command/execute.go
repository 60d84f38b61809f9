// Package command has what the commands of sallyport do alike: how flags and arguments
// are checked, what is printed and in which colour, and which exit code an error has. It
// knows no command.
package command

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
)

// Run runs the command of a program that args name, and returns its exit code.
func Run(ctx context.Context, root *cobra.Command, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage(err) })
	out := &output{Writer: stdout}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	standardCommands(root)
	cmd, err := root.ExecuteContextC(ctx)
	if out.err != nil && (err == nil || errors.Is(err, ErrFindings)) {
		err = out.err
	}
	return report(cmd, err, stderr)
}
