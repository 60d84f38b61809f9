package cli

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
)

// palette colours words for a terminal; the zero palette does not.
type palette struct{ on bool }

// paletteFor returns a palette with colours only for a terminal that is not dumb,
// and if NO_COLOR is not set.
func paletteFor(w io.Writer) palette {
	f, ok := underlying(w).(*os.File)
	return palette{ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))}
}

// underlying returns what is behind the standard output of a command.
func underlying(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.Writer
	}
	return w
}

func (p palette) red(s string) string    { return p.paint("31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }

func (p palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// plain returns a text without characters that forge or hide output, except line feeds.
func plain(s string) string { return printable.Text(s, "\n") }

// quantity returns a text such as "1 warning" or "2 warnings".
func quantity(n int, what string) string { return printable.Count(n, what) }
