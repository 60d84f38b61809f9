package command

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Palette colours words for a terminal; the zero Palette does not.
type Palette struct{ on bool }

// PaletteFor returns a Palette with colours only for a terminal that is not dumb,
// and if NO_COLOR is not set.
func PaletteFor(w io.Writer) Palette {
	f, ok := Underlying(w).(*os.File)
	return Palette{ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))}
}

// Underlying returns what is behind the standard output of a command.
func Underlying(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.Writer
	}
	return w
}

// Change returns a text about access that somebody gains or loses, with a sign.
func (p Palette) Change(gains bool, text string) string {
	if gains {
		return p.Green("+ " + Plain(text))
	}
	return p.Red("- " + Plain(text))
}

// Red returns s in red.
func (p Palette) Red(s string) string { return p.paint("31", s) }

// Green returns s in green.
func (p Palette) Green(s string) string { return p.paint("32", s) }

// Yellow returns s in yellow.
func (p Palette) Yellow(s string) string { return p.paint("33", s) }

func (p Palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
