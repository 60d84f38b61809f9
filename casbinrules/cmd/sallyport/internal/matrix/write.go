package matrix

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/markdown"
)

// WriteText writes a table for terminals. paint colours a padded word according to its
// meaning.
func (m *Matrix) WriteText(w io.Writer, paint func(word, padded string) string) error {
	table := m.table()
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	for n, line := range table {
		for i, text := range line {
			padded := text
			if i < len(line)-1 {
				padded += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2)
			}
			if n > 0 && i >= 2 {
				padded = paint(text, padded)
			}
			b.WriteString(padded)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\nA route stands for one request, with %q for each parameter.\n", m.Word)
	for _, note := range m.Notes {
		b.WriteString("note: " + Visible(note) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table returns the heading and the rows as text: method, route, and the words of the
// cells.
func (m *Matrix) table() [][]string {
	head := []string{"METHOD", "ROUTE"}
	for _, c := range m.Columns {
		head = append(head, Visible(c.Label()))
	}
	table := [][]string{head}
	for i, r := range m.Rows {
		line := []string{Visible(r.Method), Visible(r.Route)}
		for _, c := range m.Cells[i] {
			line = append(line, c.Word())
		}
		table = append(table, line)
	}
	return table
}

// WriteCSV writes a heading and a line for each row: method, route, sample, and "allow" or
// "deny" for each subject. A value that spreadsheets would interpret as a formula is
// prefixed with an apostrophe.
func (m *Matrix) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	for i, line := range m.table() {
		cell := "sample"
		if i > 0 {
			cell = Visible(m.Rows[i-1].Sample)
		} else {
			line[0], line[1] = "method", "route"
		}
		line = append(line[:2:2], append([]string{cell}, line[2:]...)...)
		for j := range line {
			if strings.ContainsAny(line[j][:min(1, len(line[j]))], "=+-@") {
				line[j] = "'" + line[j]
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteMarkdown writes a table for code reviews.
func (m *Matrix) WriteMarkdown(w io.Writer) error {
	var t markdown.Table
	for i, line := range m.table() {
		if i == 0 {
			line[0], line[1] = "method", "route"
		}
		for j, text := range line {
			line[j] = markdown.Text(text)
		}
		t.Add(line...)
	}
	t.Head, t.Rows = t.Rows[0], t.Rows[1:]
	var b strings.Builder
	t.Write(&b, len(t.Rows))
	fmt.Fprintf(&b, "\nA route stands for one request, with `%s` for each parameter.\n", m.Word)
	for _, note := range m.Notes {
		b.WriteString("\nNote: " + markdown.Text(Visible(note)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type jsonMatrix struct {
	Word  string    `json:"parameter_sample"`
	Rows  []jsonRow `json:"rows"`
	Notes []string  `json:"notes,omitempty"`
}

type jsonRow struct {
	Row
	Cells []jsonCell `json:"cells"`
}

type jsonCell struct {
	Kind     string                `json:"kind"`
	Subject  string                `json:"subject"`
	Tenant   string                `json:"tenant,omitempty"`
	Claims   map[string]any        `json:"attributes,omitempty"`
	Decision string                `json:"decision"`
	Reason   string                `json:"reason,omitempty"`
	Rule     *casbinrules.RuleText `json:"rule,omitempty"`
	Error    string                `json:"error,omitempty"`
}

// WriteJSON writes every cell with its deciding line.
func (m *Matrix) WriteJSON(w io.Writer) error {
	out := jsonMatrix{Word: m.Word, Notes: m.Notes}
	for i, r := range m.Rows {
		row := jsonRow{Row: r}
		for j, c := range m.Cells[i] {
			s := m.Columns[j]
			row.Cells = append(row.Cells, jsonCell{string(s.Kind), s.Name, s.Tenant, s.Attributes.Map(), c.Word(), string(c.Reason), c.Rule, c.Err})
		}
		out.Rows = append(out.Rows, row)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
