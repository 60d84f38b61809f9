// Package markdown escapes texts that others have chosen for Markdown, in GitHub's
// dialect, so that no name of a role or line of a policy ends a table cell, starts
// a link or notifies somebody.
package markdown

import (
	"fmt"
	"strings"
	"unicode"
)

// text escapes what means something in a cell of a table.
var text = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "[", `\[`, "~", `\~`)

// Text is s as words of a cell. Addresses and mentions in it may become links; use
// [Code] where that matters.
func Text(s string) string { return text.Replace(s) }

// Code is s as a code span of one line, in which nothing has a meaning. Characters
// that could forge or hide output are replaced, and a text of more than most
// characters is cut.
func Code(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
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

// entities writes all but letters, digits and blanks as numbers, which no parser of
// Markdown takes for anything else: a bar ends a cell even in a code span.
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

// Table is a table with its head.
type Table struct {
	Head []string
	Rows [][]string // of cells that are Markdown
}

// Add adds a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Write appends the table, with the first rows alone where there are more than
// most, and says so.
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
