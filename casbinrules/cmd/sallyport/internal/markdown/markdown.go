// Package markdown escapes untrusted text for GitHub's dialect of Markdown, so that no role
// name or policy line can end a table cell, start a link or notify somebody.
package markdown

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/printable"
)

// text escapes the characters with a meaning in table cells.
var text = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "~", `\~`)

// Text escapes s as words in a table cell. URLs and mentions in it may become links; use
// [Code] if that matters.
func Text(s string) string { return text.Replace(s) }

// Code formats s as a code span on one line, in which nothing is interpreted. Characters
// that could forge or hide output are replaced, and a text longer than most characters is
// cut.
func Code(s string, most int) string {
	s = printable.Text(s, "")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	switch {
	case strings.TrimSpace(s) == "":
		return fmt.Sprintf("`%q`", s)
	case strings.ContainsAny(s, "|`"):
		return "<code>" + entities(s) + "</code>"
	}
	return "`" + s + "`"
}

// entities encodes everything except letters, digits and spaces as numeric entities, which
// no Markdown parser interprets: a bar ends a cell even inside a code span.
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == ' ' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

// Table is a table with a header row.
type Table struct {
	Head []string
	Rows [][]string // cells are Markdown
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Write appends the table. If it has more than most rows, it writes the first ones and a
// note about the rest.
func (t *Table) Write(b *strings.Builder, most int) {
	row := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	row(t.Head)
	b.WriteString(strings.Repeat("|---", len(t.Head)) + "|\n")
	for _, cells := range t.Rows[:min(most, len(t.Rows))] {
		row(cells)
	}
	if more := len(t.Rows) - most; more > 0 {
		fmt.Fprintf(b, "\n… and %d more.\n", more)
	}
}
