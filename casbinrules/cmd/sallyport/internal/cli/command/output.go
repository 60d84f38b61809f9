package command

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
)

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

// OutputError returns the error that the standard output of a command has had, if any.
func OutputError(cmd *cobra.Command) error {
	if o, ok := cmd.OutOrStdout().(*output); ok {
		return o.err
	}
	return nil
}

// Say writes to the output of a command, of which Run knows whether that has failed,
// or to stderr: if that fails, there is nobody to tell.
func Say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// WriteJSON writes v indented, for people and programs alike.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// WriteList prints a line for each element, or one JSON array.
func WriteList[T any](w io.Writer, format string, list []T, text func(T) string) error {
	if format == "json" {
		return WriteJSON(w, append([]T{}, list...)) // [] for none
	}
	for _, one := range list {
		Say(w, "%s\n", text(one))
	}
	return nil
}

// Plain returns a text without characters that forge or hide output, except line feeds.
func Plain(s string) string { return printable.Text(s, "\n") }

// Quantity returns a text such as "1 warning" or "2 warnings".
func Quantity(n int, what string) string { return printable.Count(n, what) }

// OneLine returns the first line of an error, without characters that forge or hide output.
func OneLine(err error) string {
	text := strings.TrimPrefix(err.Error(), "casbinrules: ")
	text, _, _ = strings.Cut(text, "\n")
	return Plain(text)
}

// LineOf returns s on one line, without characters that forge or hide output.
func LineOf(s string) string { return strings.ReplaceAll(Plain(s), "\n", " ") }
