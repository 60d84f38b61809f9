package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// The exit codes.
const (
	ExitOK       = 0
	ExitFindings = 1
	ExitUsage    = 2
)

// ErrFindings ends a command that has already printed its findings.
var ErrFindings = errors.New("findings")

// usageError is about the arguments of a command, for which its help is mentioned.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// Usage marks an error as one about the arguments of a command, of which Run then
// mentions the help.
func Usage(err error) error { return &usageError{err} }

// Usagef returns a new error that is marked by Usage.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// Tell prints what went wrong, now, and returns an error that only has the exit code.
func Tell(cmd *cobra.Command, err error) error {
	return &toldError{report(cmd, err, cmd.ErrOrStderr())}
}

// toldError ends a command that has already printed what went wrong.
type toldError struct{ code int }

func (e *toldError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// ErrNoURL is for an address that cannot be parsed: the error of package url quotes it,
// with its password or a part of that.
var ErrNoURL = errors.New("the address is not a URL; escape / # ? @ and : in a password, as %2F")

// IfMissing returns a hint in brackets about a file that does not exist; "" for
// other errors.
func IfMissing(err error, hint string) string {
	if errors.Is(err, fs.ErrNotExist) {
		return " (" + hint + ")"
	}
	return ""
}

// FoundIf returns ErrFindings if there are findings, which were printed.
func FoundIf(findings bool) error {
	if findings {
		return ErrFindings
	}
	return nil
}

// report prints what went wrong and returns the exit code for it.
func report(cmd *cobra.Command, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrFindings):
		return ExitFindings
	}
	if told, ok := errors.AsType[*toldError](err); ok {
		return told.code
	}
	if refused, ok := errors.AsType[*casbinrules.FindingsError](err); ok {
		Say(stderr, "%s\nsallyport: the policy is refused; \"sallyport lint\" lists warnings too\n", refused.Error())
		return ExitFindings
	}
	Say(stderr, "sallyport: %s\n", Plain(strings.TrimPrefix(err.Error(), "casbinrules: ")))
	if _, usage := errors.AsType[*usageError](err); usage || cmd.Name() == "sallyport" {
		Say(stderr, "run \"%s --help\" for usage\n", cmd.CommandPath())
	}
	return ExitUsage
}
