package probing

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core/probe"
)

// Result is what a run found, ready to be written.
type Result struct {
	Target   string    `json:"target"`
	Direct   string    `json:"direct,omitempty"`
	Requests int       `json:"requests"`
	Findings []Finding `json:"findings"`
	Table    []Row     `json:"table"`
	Notes    []string  `json:"notes"`
}

// Finding is a finding with a command that shows it.
type Finding struct {
	probe.Finding
	Curl string `json:"curl"`
	// Known says that the baseline has it.
	Known bool `json:"known,omitempty"`
}

// Row is a route with the status that each gets.
type Row struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Status map[string]string `json:"status"`
	people []string
}

// NewResult is what a report says about target.
func NewResult(target, direct string, r *probe.Report, s probe.Settings, known Baseline) Result {
	result := Result{Target: target, Direct: direct, Requests: len(r.Exchanges), Findings: []Finding{}, Notes: r.Notes, Table: table(r)}
	if result.Notes == nil {
		result.Notes = []string{}
	}
	origin := target
	if s.Base != "" {
		origin = strings.TrimSuffix(strings.TrimSuffix(target, "/"), s.Base)
	}
	for _, f := range r.Findings {
		result.Findings = append(result.Findings, Finding{f, f.Curl(origin, s.Identities), known.Has(f)})
	}
	return result
}

// New counts the findings that the baseline does not have.
func (r Result) New() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Known {
			n++
		}
	}
	return n
}

func table(r *probe.Report) []Row {
	rows := []Row{}
	for _, x := range r.Exchanges {
		if x.Purpose != probe.Plain || x.Direct {
			continue
		}
		i := slices.IndexFunc(rows, func(row Row) bool { return row.Method == x.Method && row.Path == x.Target })
		if i < 0 {
			i = len(rows)
			rows = append(rows, Row{Method: x.Method, Path: x.Target, Status: map[string]string{}})
		}
		text := strconv.Itoa(x.Status)
		switch {
		case x.Err != nil:
			text = "none"
		case x.Via != nil:
			text = fmt.Sprintf("%d→%d", x.First, x.Status)
		}
		if _, there := rows[i].Status[x.As]; !there {
			rows[i].people = append(rows[i].people, x.As)
		}
		rows[i].Status[x.As] = text
	}
	return rows
}

// people are all who asked, in the order they did.
func (r Result) people() []string {
	var all []string
	for _, row := range r.Table {
		for _, name := range row.people {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// WriteJSON writes the result as one JSON object.
func (r Result) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Paint colours a word of the text form.
type Paint func(kind, word string) string

// WriteText writes the result for people: the table of statuses, the findings
// with a command each, and what could not be judged.
func (r Result) WriteText(w io.Writer, paint Paint) error {
	var b strings.Builder
	r.textTable(&b)
	for _, f := range r.Findings {
		code := paint("code", f.Code)
		if f.Known {
			code += " (known)"
		}
		fmt.Fprintf(&b, "%s  %s %s as %s\n    got %s, want %s\n    %s\n    %s\n\n", code, f.Method, oneLine(f.Path), oneLine(f.As), oneLine(f.Got), oneLine(f.Want), oneLine(f.Detail), oneLine(f.Curl))
	}
	for _, n := range r.Notes {
		b.WriteString(paint("note", "note") + ": " + oneLine(n) + "\n")
	}
	b.WriteString(r.Summary() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary is one line about the result.
func (r Result) Summary() string {
	text := fmt.Sprintf("%s in %d requests to %s", Count(len(r.Findings), "finding"), r.Requests, r.Target)
	if known := len(r.Findings) - r.New(); known > 0 {
		text += fmt.Sprintf(", %d of them in the baseline", known)
	}
	return text
}

// Count is a number of things.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (r Result) textTable(b *strings.Builder) {
	people := r.people()
	if len(people) == 0 {
		return
	}
	lines := [][]string{append([]string{"route"}, people...)}
	for _, row := range r.Table {
		line := []string{row.Method + " " + oneLine(row.Path)}
		for _, name := range people {
			line = append(line, row.Status[name])
		}
		lines = append(lines, line)
	}
	width := make([]int, len(people)+1)
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for _, line := range lines {
		text := ""
		for i, cell := range line {
			text += cell + strings.Repeat(" ", width[i]-len([]rune(cell))+2)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	b.WriteByte('\n')
}

// oneLine keeps a service from forging lines of the output.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || strconv.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}
