package scenario

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Differences describes every answer that is not what its scenario wants, one
// a line. It is empty when all servers answered alike and as expected.
func Differences(servers []Server, results []Result) []string {
	var lines []string
	for _, r := range results {
		for i, a := range r.Answers {
			if !a.meets(r.Scenario) {
				lines = append(lines, fmt.Sprintf("%s: %s: %s %s: got %s %q, want %s %q",
					servers[i].Name, r.Scenario.Name, r.Scenario.Method, r.Scenario.Target,
					a.Verdict, a.Body, r.Scenario.Want, r.Scenario.Body))
			}
		}
	}
	return lines
}

// Print writes the results as a table, scenario by server, with a column for
// what is expected. Of an answer that is, the status is shown; one that is not
// is whole, behind an exclamation mark.
func Print(w io.Writer, servers []Server, results []Result) error {
	head := []string{"", "expected"}
	for _, s := range servers {
		head = append(head, s.Name)
	}
	rows := [][]string{head}
	group := ""
	for _, r := range results {
		if r.Group != group {
			group = r.Group
			rows = append(rows, nil, []string{group})
		}
		row := []string{"  " + r.Scenario.Name, r.Scenario.Want}
		for _, a := range r.Answers {
			row = append(row, a.cell(r.Scenario))
		}
		rows = append(rows, row)
	}
	_, err := io.WriteString(w, align(rows))
	return err
}

func (a Answer) cell(s Scenario) string {
	switch {
	case a.meets(s):
		status, _, _ := strings.Cut(a.Verdict, " ")
		return status
	case a.Verdict == s.Want:
		return "! " + a.Verdict + ", " + a.Body
	default:
		return "! " + a.Verdict
	}
}

// align writes rows with columns of equal width. A row of one cell is a title.
func align(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(row) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
